//! Reads the events of the log page by page, each as large as memory permits.

use crate::domain::Occurred;
use crate::engine::occurred::occurred;
use crate::store::{Error, Recorded};

/// Most events read at once.
const PAGE_EVENTS_MAX: i64 = 5_000;
/// Events of the first page, while their size is not known.
const PAGE_EVENTS_FIRST: i64 = 500;
/// Bytes of payloads in a page, estimated from the pages before.
const PAGE_BYTES: i64 = 4 << 20;
/// How many events to read at once, by the size of those before.
#[derive(Clone, Copy)]
pub struct Pace(pub i64);

impl Default for Pace {
    fn default() -> Self {
        Pace(PAGE_EVENTS_FIRST)
    }
}

impl Pace {
    /// Whether more may follow after a page that was read at this pace.
    pub fn leaves_more(self, page: &Page) -> bool {
        page.events.len() as i64 == self.0
    }

    /// The pace for the page after this one.
    pub fn after(self, page: &Page) -> Pace {
        let fits = PAGE_BYTES * page.events.len() as i64 / page.bytes.max(1);
        Pace(fits.clamp(16, PAGE_EVENTS_MAX.min(4 * self.0)))
    }
}

/// Events of a page, and the bytes of their payloads.
pub struct Page {
    pub events: Vec<Occurred>,
    bytes: i64,
}

/// A page that another task reads and decodes, so that another core can do it.
pub fn read_in_task<R>(read: R) -> impl Future<Output = Result<Page, Error>>
where
    R: Future<Output = Result<Vec<Recorded>, Error>> + Send + 'static,
{
    let reading = tokio::spawn(async move {
        let recorded = read.await?;
        let bytes = recorded.iter().map(|event| event.payload.len() as i64).sum();
        let events = recorded.iter().map(occurred).collect::<Result<Vec<_>, _>>()?;
        Ok(Page { events, bytes })
    });
    async move {
        let read = reading.await;
        read.unwrap_or_else(|_| Err(Error::Unavailable("reading the log", None)))
    }
}
