//! A record has no state: it has one event and never changes.

use chrono::{DateTime, Utc};

use crate::domain::{Aggregate, Area};

use super::events::Event;

/// The aggregate; its streams have one event each.
pub struct Operation;

impl Aggregate for Operation {
    const AREA: Area = Area::Operation;
    type State = ();
    type Event = Event;

    fn evolve(_: &mut (), _: &Event, _: DateTime<Utc>) {}
}
