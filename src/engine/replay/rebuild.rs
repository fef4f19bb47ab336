//! Read models again from the log: a tenant's (refresh), all (rebuild), or only compared (verify).
//! Streams are read in order and folded one at a time; memory does not grow with the log.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use futures_util::future::try_join_all;
use metrics::{counter, histogram};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::{Area, Occurred};
use crate::projections::catalogue::Catalogue;
use crate::projections::deadlines::Deadlines;
use crate::projections::exports::Exports;
use crate::projections::profile_attachments::ProfileAttachments;
use crate::projections::profile_documents::ProfileDocuments;
use crate::projections::profile_drafts_view::ProfileDraftsView;
use crate::projections::profile_search::ProfileSearch;
use crate::projections::profiles_view::ProfilesView;
use crate::store::{AreaName, CHANNEL, Doing, Error, Recorded};

use super::check::{Check, RowCheck, begin_mend, settle_counts};
use super::check_streams::StreamCheck;
use super::inserts::strangers;
use crate::engine::Engine;
use crate::engine::fold::flight::{Write, in_one_flight};
use crate::engine::fold::follow::{MENDED, occurred};
use crate::engine::fold::project;

/// Most events read at once.
const PAGE_EVENTS_MAX: i64 = 5_000;
/// Events read at once when nothing is known of their size.
const PAGE_EVENTS_FIRST: i64 = 500;
/// How many bytes of payloads are read at once, as far as those before tell.
const PAGE_BYTES: i64 = 4 << 20;
/// Contract 4.14: the read models that a refresh replays, in order.
pub const REFRESHED: [&str; 4] =
    ["profiles_view", "profile_search", "profile_counts", "profile_drafts_view"];
/// Every read model, as `rebuild` and `verify` name them.
pub const ALL: [&str; 11] = [
    "profiles_view",
    "profile_search",
    "profile_counts",
    "profile_documents",
    "profile_attachments",
    "profile_drafts_view",
    "catalogue",
    "deadlines",
    "exports",
    "shared_values",
    "audit_log",
];

/// What a replay found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rows that differed, by read model.
    pub differing: BTreeMap<&'static str, i64>,
    pub events: u64,
}

impl Report {
    /// For the record.
    pub fn rows_differing(&self) -> BTreeMap<String, i64> {
        self.differing.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect()
    }

    /// Whether anything differed.
    pub fn is_clean(&self) -> bool {
        self.differing.values().all(|rows| *rows == 0)
    }

    /// Adds rows that differed.
    pub fn add(&mut self, name: &'static str, rows: i64) {
        *self.differing.entry(name).or_default() += rows;
    }
}

/// A refresh under way: what all who wait for it get.
type Outcome = Option<Result<Report, String>>;

/// The refreshes under way: one for each tenant, one running at a time.
#[derive(Default)]
pub struct Refreshes {
    running: std::sync::Mutex<HashMap<Uuid, watch::Receiver<Outcome>>>,
    turn: Mutex<()>,
}

impl Engine {
    /// Replays a tenant's profile read models and mends what differs. Calls of one tenant that
    /// come while it runs share the run; other tenants wait their turn. Goes on by itself when
    /// the caller leaves.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn refresh(self: Arc<Self>, tenant: TenantId) -> Result<Report, Error> {
        let mut outcome = self.clone().join_refresh(tenant);
        let done = outcome.wait_for(Option::is_some).await;
        match done.ok().and_then(|done| done.clone()) {
            Some(Ok(report)) => Ok(report),
            Some(Err(why)) => Err(Error::Corrupt(format!("refreshing: {why}"), None)),
            None => Err(Error::Unavailable("refreshing", None)),
        }
    }

    fn join_refresh(self: Arc<Self>, tenant: TenantId) -> watch::Receiver<Outcome> {
        let engine = self.clone();
        let mut running =
            self.refreshes.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(outcome) = running.get(&tenant.0) {
            return outcome.clone();
        }
        let (sender, receiver) = watch::channel(None);
        running.insert(tenant.0, receiver.clone());
        tokio::spawn(async move {
            let turn = engine.refreshes.turn.lock().await;
            let report = engine.replay(Some(tenant), &REFRESHED, true, &|_| {}).await;
            drop(turn);
            let running = &engine.refreshes.running;
            running.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&tenant.0);
            sender.send_replace(Some(report.map_err(|error| error.to_string())));
        });
        receiver
    }

    /// Replays read models of one tenant, or of all, and compares them with their tables; mends
    /// what differs if asked. `progress` hears of each page's number of events.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn replay(
        &self,
        tenant: Option<TenantId>,
        names: &[&str],
        mend: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Report, Error> {
        let started = Instant::now();
        // What was in the log before must be folded before it can be compared.
        let head = self.reader.head().await?;
        if self.projecting
            && !self.projections.wait_folded(head, crate::engine::FOLD_WAIT_MAX).await
        {
            return Err(Error::Unavailable("waiting for the read models", None));
        }
        let client = project::connect(&self.database).await?.client;
        let beside = project::connect(&self.database).await?.client;
        let tenants = match tenant {
            Some(tenant) => vec![tenant.0],
            None => self.reader.tenants().await?,
        };
        let mut report = Report::default();
        for tenant in &tenants {
            let tenant = TenantId(*tenant);
            let (streams, inserts) = tokio::try_join!(
                self.replay_streams(&client, tenant, names, mend, progress),
                self.replay_inserts(&beside, tenant, names, mend, progress)
            )?;
            if mend {
                self.announce_mended(&client, tenant).await?;
            }
            for found in [streams, inserts] {
                report.events += found.events;
                found.differing.iter().for_each(|(name, rows)| report.add(name, *rows));
            }
        }
        if tenant.is_none() {
            for name in ALL.iter().filter(|name| names.contains(name)) {
                report.add(name, strangers(&client, name, &tenants, mend).await?);
            }
        }
        counter!("dossier_rebuild_events_total").increment(report.events);
        histogram!("dossier_rebuild_duration_seconds").record(started.elapsed());
        for (name, rows) in &report.differing {
            counter!("dossier_refresh_rows_differing_total", "projection" => *name)
                .increment(u64::try_from(*rows).unwrap_or_default());
        }
        Ok(report)
    }

    async fn replay_streams(
        &self,
        client: &ClientWrapper,
        tenant: TenantId,
        names: &[&str],
        mend: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut checks = checks(names);
        for area in Area::ALL {
            if !checks.iter().any(|check| check.areas().contains(&area)) {
                continue;
            }
            report.events += self.replay_area(client, tenant, area, &mut checks, progress).await?;
        }
        for check in &mut checks {
            check.walk(client, tenant).await?;
            report.add(check.name(), check.settle(client, &self.reader, tenant, mend).await?);
        }
        if names.contains(&"profile_counts") {
            report.add("profile_counts", settle_counts(client, tenant, mend).await?);
        }
        Ok(report)
    }

    async fn replay_area(
        &self,
        client: &ClientWrapper,
        tenant: TenantId,
        area: Area,
        checks: &mut [Box<dyn Check>],
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<u64, Error> {
        let name = AreaName::new(area.name()).expect("each area's name has at most 12 bytes");
        let read = |after, pace: Pace| {
            let reader = self.reader.clone();
            ahead(async move { reader.facts_by_stream(tenant.0, name, after, pace.0).await })
        };
        let mut checks: Vec<&mut Box<dyn Check>> =
            checks.iter_mut().filter(|check| check.areas().contains(&area)).collect();
        let mut total = 0;
        let mut pace = Pace::default();
        let mut reading = Some(read((Uuid::nil(), 0), pace));
        while let Some(page) = reading {
            let page = page.await?;
            total += page.events.len() as u64;
            progress(page.events.len() as u64);
            let last = page.events.last().filter(|_| pace.leaves_more(&page));
            pace = pace.after(&page);
            // The next page is read while this one is folded and compared.
            reading = last.map(|event| read((event.stream_id, event.version), pace));
            for event in &page.events {
                checks.iter_mut().for_each(|check| check.take(event));
            }
            let unfinished = last.map(|event| event.stream_id);
            let compared = checks.iter_mut().map(|check| check.compare(client, tenant, unfinished));
            try_join_all(compared).await?;
        }
        Ok(total)
    }

    /// Moves the tenant's cache tags, and what else is in memory of it, even if nothing differed.
    async fn announce_mended(&self, client: &ClientWrapper, tenant: TenantId) -> Result<(), Error> {
        let notify =
            Write::new("select pg_notify($1, $2)", vec![Box::new(CHANNEL), Box::new(MENDED)]);
        let writes = [begin_mend(tenant, String::new(), 0, &[]), notify];
        in_one_flight(client, &writes).await.doing("announcing")
    }
}

fn checks(names: &[&str]) -> Vec<Box<dyn Check>> {
    let all: Vec<Box<dyn Check>> = vec![
        Box::new(StreamCheck::<ProfilesView>::default()),
        Box::new(StreamCheck::<ProfileSearch>::default()),
        Box::new(StreamCheck::<ProfileDocuments>::default()),
        Box::new(StreamCheck::<ProfileAttachments>::default()),
        Box::new(StreamCheck::<ProfileDraftsView>::default()),
        Box::new(RowCheck::<Catalogue>::default()),
        Box::new(RowCheck::<Deadlines>::default()),
        Box::new(StreamCheck::<Exports>::default()),
    ];
    all.into_iter().filter(|check| names.contains(&check.name())).collect()
}

/// How many events to read at once: as many as make a page, from the size of those before.
#[derive(Clone, Copy)]
pub(super) struct Pace(pub i64);

impl Default for Pace {
    fn default() -> Self {
        Pace(PAGE_EVENTS_FIRST)
    }
}

impl Pace {
    /// Whether a page that was read at this pace leaves more to read.
    pub fn leaves_more(self, page: &Page) -> bool {
        page.events.len() as i64 == self.0
    }

    /// The pace for what follows on a page.
    pub fn after(self, page: &Page) -> Pace {
        let fits = PAGE_BYTES * page.events.len() as i64 / page.bytes.max(1);
        Pace(fits.clamp(16, PAGE_EVENTS_MAX.min(4 * self.0)))
    }
}

/// Events read at once, and the bytes of their payloads.
pub(super) struct Page {
    pub events: Vec<Occurred>,
    bytes: i64,
}

/// A page of events being read and decoded by a task of its own, which another core can do.
pub(super) fn ahead<R>(read: R) -> impl Future<Output = Result<Page, Error>>
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
