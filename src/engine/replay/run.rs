//! Replays read models: of one tenant (refresh), of all (rebuild), or without repairs (verify).
//! Streams are read in order and folded one at a time; memory does not grow with the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use futures_util::future::try_join_all;
use metrics::{counter, histogram};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use crate::domain::Area;
use crate::domain::ids::TenantId;
use crate::projections;
use crate::store::{AreaName, CHANNEL, Doing, Error};

use super::compare_inserts::{events_of, rows_without_tenant};
use super::compare_rows::{Check, begin_mend};
use super::comparisons::Checks;
use super::page::{Pace, read_in_task};
use super::report::Report;
use crate::engine::Engine;
use crate::engine::fold::connection::connect;
use crate::engine::fold::flight::{Write, in_one_flight};
use crate::engine::fold::folder::query;
use crate::engine::fold::follow::MENDED;

/// A running refresh: all callers of a tenant that wait for it get its result.
type Outcome = Option<Result<Report, String>>;

/// The running refreshes: one for each tenant, one at a time.
#[derive(Default)]
pub struct Refreshes {
    running: std::sync::Mutex<HashMap<Uuid, watch::Receiver<Outcome>>>,
    turn: Mutex<()>,
}

impl Engine {
    /// Replays a tenant's profile read models and repairs what differs. Calls for the same tenant
    /// share a running one; other tenants wait for their turn. It goes on when its caller leaves.
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
            let report =
                engine.replay(Some(tenant), &projections::refreshed(), true, &|_| {}).await;
            drop(turn);
            let running = &engine.refreshes.running;
            running.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&tenant.0);
            sender.send_replace(Some(report.map_err(|error| error.to_string())));
        });
        receiver
    }

    /// Replays read models of one tenant, or of all, compares them with their tables, and repairs
    /// what differs if asked. `progress` is told the number of events of each page.
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
        let client = connect(&self.database).await?.client;
        let beside = connect(&self.database).await?.client;
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
            for name in projections::names().into_iter().filter(|name| names.contains(name)) {
                report.add(name, rows_without_tenant(&client, name, &tenants, mend).await?);
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
        let Checks { mut streams, counters, .. } = Checks::of(names);
        for area in Area::ALL {
            if !streams.iter().any(|check| check.areas().contains(&area)) {
                continue;
            }
            report.events += self.replay_area(client, tenant, area, &mut streams, progress).await?;
        }
        for check in &mut streams {
            check.walk(client, tenant).await?;
            report.add(check.name(), check.settle(client, &self.reader, tenant, mend).await?);
        }
        for check in counters {
            report.add(check.name(), check.settle(client, tenant, mend).await?);
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
            read_in_task(async move { reader.facts_by_stream(tenant.0, name, after, pace.0).await })
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

    /// Compares a tenant's rows of the insert-only read models with its events, by position.
    async fn replay_inserts(
        &self,
        client: &ClientWrapper,
        tenant: TenantId,
        names: &[&str],
        mend: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut checks = Checks::of(names).inserts;
        if checks.is_empty() {
            return Ok(report);
        }
        let schemas: Vec<String> = checks.iter().map(|check| check.schema()).collect();
        let until = checkpoint(client, &schemas).await?;
        let mut after = 0;
        let mut pace = Pace::default();
        let mut reading = Some(events_of(&self.reader, tenant, after, until, pace));
        while let Some(page) = reading {
            let page = page.await?;
            report.events += page.events.len() as u64;
            progress(page.events.len() as u64);
            let more = pace.leaves_more(&page);
            let to = page.events.last().filter(|_| more).map_or(until, |last| last.position);
            pace = pace.after(&page);
            reading = more.then(|| events_of(&self.reader, tenant, to, until, pace));
            for check in &mut checks {
                let range = (after, to);
                let rows = check.compare(client, tenant, range, &page.events, mend).await?;
                report.add(check.name(), rows);
            }
            after = to;
        }
        for check in &mut checks {
            let rows = check.finish(client, &self.reader, tenant, until, mend).await?;
            report.add(check.name(), rows);
        }
        Ok(report)
    }

    /// Invalidates the tenant's cache tags and all else in memory of it, even if nothing differed.
    async fn announce_mended(&self, client: &ClientWrapper, tenant: TenantId) -> Result<(), Error> {
        let notify =
            Write::new("select pg_notify($1, $2)", vec![Box::new(CHANNEL), Box::new(MENDED)]);
        let writes = [begin_mend(tenant, String::new(), 0, &[]), notify];
        in_one_flight(client, &writes).await.doing("announcing")
    }
}

/// The position up to which all of these are folded.
async fn checkpoint(client: &ClientWrapper, schemas: &[String]) -> Result<i64, Error> {
    let sql = "
        select min(coalesce((select max(to_position) from views.folds where model = name), 0))
        from unnest($1::text[]) as name";
    let rows = query(client, sql, &[&schemas]).await.doing("reading checkpoints")?;
    Ok(rows.first().and_then(|row| row.get::<_, Option<i64>>(0)).unwrap_or_default())
}
