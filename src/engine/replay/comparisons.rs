//! The comparisons of all read models, by kind.

use crate::projections::{
    self, CounterModel, EntryModel, RowModel, TransitionModel, ValueModel, Visitor,
};

use super::compare_counters::{CounterCheck, Counters};
use super::compare_inserts::{EntryCheck, InsertCheck, ValueCheck};
use super::compare_rows::{Check, RowCheck};
use super::compare_streams::StreamCheck;
use super::compare_transitions::TransitionCheck;

/// The comparisons of some read models.
pub struct Checks<'a> {
    names: &'a [&'a str],
    /// Compared while streams are read.
    pub streams: Vec<Box<dyn Check>>,
    /// Compared while the log is read by position.
    pub inserts: Vec<Box<dyn InsertCheck>>,
    /// Compared with a recount.
    pub counters: Vec<Box<dyn CounterCheck>>,
}

impl<'a> Checks<'a> {
    /// Those of the read models with these names.
    pub fn of(names: &'a [&'a str]) -> Checks<'a> {
        let mut checks = Checks { names, streams: vec![], inserts: vec![], counters: vec![] };
        projections::visit(&mut checks);
        checks
    }
}

impl Visitor for Checks<'_> {
    fn rows<M: RowModel>(&mut self) {
        if !self.names.contains(&M::NAME) {
            return;
        }
        self.streams.push(match M::SOURCE_COLUMN {
            "id" => Box::new(StreamCheck::<M>::default()),
            _ => Box::new(RowCheck::<M>::default()),
        });
    }

    fn entries<M: EntryModel>(&mut self) {
        if self.names.contains(&M::NAME) {
            self.inserts.push(Box::new(EntryCheck::<M>::default()));
        }
    }

    fn values<M: ValueModel>(&mut self) {
        if self.names.contains(&M::NAME) {
            self.inserts.push(Box::new(ValueCheck::<M>::default()));
        }
    }

    fn transitions<M: TransitionModel>(&mut self) {
        if self.names.contains(&M::NAME) {
            self.streams.push(Box::new(TransitionCheck::<M>::default()));
        }
    }

    fn counters<M: CounterModel>(&mut self) {
        if self.names.contains(&M::NAME) {
            self.counters.push(Box::new(Counters::<M>::default()));
        }
    }
}
