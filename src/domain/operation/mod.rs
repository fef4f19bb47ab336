//! What must be on record and belongs to no aggregate. Each record is a stream of its own.
//! There is nothing to decide, so there are no commands.

mod events;

pub use events::Event;

use chrono::{DateTime, Utc};

use crate::domain::{Aggregate, Area};

/// The aggregate; its streams have one event each.
pub struct Operation;

impl Aggregate for Operation {
    const AREA: Area = Area::Operation;
    type State = ();
    type Event = Event;

    fn evolve(_: &mut (), _: &Event, _: DateTime<Utc>) {}
}
