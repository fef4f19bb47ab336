//! Stores the bytes of attachments, and removes those that are no longer used: neither by the read
//! model nor, since removed bytes cannot come back, by any profile's stream.
//!
//! A content may be uploaded again at the moment of its removal. So storing takes a shared lock on
//! the digest, and removing takes an exclusive one, under which the object's age is read again:
//! either the upload came first and the object is young, or it comes later and writes the object
//! again. Only objects older than an hour are removed, so that the event of an upload has been
//! appended and folded by then. Before appending an event that refers to a content, store the
//! content, even if it exists already.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use metrics::counter;
use uuid::Uuid;

use crate::domain::attachment::Digest;
use crate::domain::ids::TenantId;
use crate::domain::profile::{self, Profile};
use crate::projections::profile_attachments;
use crate::store;
use crate::store::Doing;

use crate::engine::{Engine, FOLD_WAIT_MAX, states, stream};

// For the APIs, which do not use the store of attachments themselves.
pub use crate::attachments::{Content, Error, Piece, Spooled, Store};

/// Youngest age of an object that may be removed. Far longer than any request runs.
pub const COLLECTED_AGE_MIN: TimeDelta = TimeDelta::hours(1);
/// Objects of one round.
pub const OBJECTS_AT_ONCE: usize = 1_000;
/// Streams read by one query.
const STREAMS_AT_ONCE: usize = 100;
/// Longest time for checking an object again and removing it. It is shorter than the database
/// allows a transaction to be idle, so that the lock is held throughout.
const REMOVE_TIME_MAX: Duration = Duration::from_secs(40);
/// The first half of the key of advisory locks on attachments; the second half is made from the
/// digest.
const LOCKS: i32 = 0x0a77_ac4e;

impl Engine {
    /// Stores received content for a tenant. Only afterwards may an event refer to it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn keep_attachment(
        &self,
        store: &Store,
        tenant: TenantId,
        spooled: Spooled,
    ) -> Result<Content, Error> {
        let failed = Error::unavailable("locking an attachment");
        // Waits for its turn before it takes a connection: otherwise uploads that wait would hold
        // the connections that sending ones need.
        let turn = store.turn().await?;
        let mut client = self.connection().await.map_err(|error| failed(error.into()))?;
        let transaction = client.transaction().await.map_err(|error| failed(error.into()))?;
        let sql = "select pg_advisory_xact_lock_shared($1, $2)";
        let key = lock_key(spooled.content.digest);
        let locked = transaction.execute(sql, &[&LOCKS, &key]).await;
        locked.map_err(|error| failed(error.into()))?;
        let content = store.keep(tenant, spooled, turn).await?;
        // Nothing was written in this transaction: it only held the lock.
        let _ = transaction.rollback().await;
        counter!("dossier_attachments_kept_total").increment(1);
        counter!("dossier_attachments_kept_bytes_total").increment(content.bytes);
        Ok(content)
    }
}

/// The result of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub looked_at: usize,
    pub removed: usize,
    /// Whether every object was checked since the listing began.
    pub ended: bool,
}

/// Goes through all objects, some in each round, and remembers its place. Several may run.
#[derive(Default)]
pub struct Collector {
    listing: Option<crate::attachments::Objects>,
}

impl Collector {
    /// Checks the next [`OBJECTS_AT_ONCE`] objects and removes those that are old enough and
    /// unused. Does nothing while the read models are behind the log, since they could miss a use.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; the listing then starts again.
    pub async fn round(
        &mut self,
        engine: &Engine,
        store: &Store,
        now: DateTime<Utc>,
    ) -> Result<Round, Error> {
        let round = self.walk(engine, store, now).await;
        let outcome = if round.is_ok() { "done" } else { "failed" };
        counter!("dossier_attachment_rounds_total", "outcome" => outcome).increment(1);
        match &round {
            Ok(round) => {
                counter!("dossier_attachments_looked_at_total").increment(round.looked_at as u64);
                counter!("dossier_attachments_collected_total").increment(round.removed as u64);
            }
            Err(_) => self.listing = None,
        }
        round
    }

    async fn walk(
        &mut self,
        engine: &Engine,
        store: &Store,
        now: DateTime<Utc>,
    ) -> Result<Round, Error> {
        let mut round = Round::default();
        let head = engine.reader.head().await;
        let head = head.map_err(|error| Error::Unavailable("asking for the head", error.into()))?;
        if !engine.projections.wait_folded(head, FOLD_WAIT_MAX).await {
            return Ok(round);
        }
        if self.listing.is_none() {
            store.sweep().await?;
        }
        let listing = self.listing.get_or_insert_with(|| store.list());
        let mut old: HashMap<TenantId, Vec<Digest>> = HashMap::new();
        while round.looked_at < OBJECTS_AT_ONCE && !round.ended {
            match listing.next().await.transpose()? {
                Some(object) => {
                    round.looked_at += 1;
                    if is_old(object.kept_at, now) {
                        old.entry(object.tenant).or_default().push(object.digest);
                    }
                }
                None => round.ended = true,
            }
        }
        if round.ended {
            self.listing = None;
        }
        for (tenant, digests) in old {
            for digest in unreferred(engine, tenant, digests).await? {
                round.removed += usize::from(remove(engine, store, tenant, digest, now).await?);
            }
        }
        Ok(round)
    }
}

fn is_old(kept_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - kept_at > COLLECTED_AGE_MIN
}

/// Those that neither the read model nor a stream uses.
async fn unreferred(
    engine: &Engine,
    tenant: TenantId,
    mut digests: Vec<Digest>,
) -> Result<Vec<Digest>, Error> {
    let failed = Error::unavailable("asking what is referred to");
    let client = engine.connection().await.map_err(|error| failed(error.into()))?;
    let referred = profile_attachments::read::referred(&client, tenant.0, &digests).await;
    let referred = referred.map_err(|error| failed(error.into()))?;
    digests.retain(|digest| !referred.contains(digest));
    drop(client);
    let held = held_by_streams(engine, tenant, &digests).await;
    let held = held.map_err(|error| failed(error.into()))?;
    if !held.is_empty() {
        let count = held.len();
        tracing::error!("profile_attachments lacks {count} contents: keeping them; refresh it");
        digests.retain(|digest| !held.contains(digest));
    }
    Ok(digests)
}

/// Those that are an attachment of a live profile, as the log says now.
async fn held_by_streams(
    engine: &Engine,
    tenant: TenantId,
    digests: &[Digest],
) -> Result<HashSet<Digest>, store::Error> {
    if digests.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = "
        select distinct stream_id
        from log.events
        where tenant_id = $1
            and name = 'AttachmentStored'
            and payload ->> 'digest' = any ($2::text[])";
    let texts: Vec<String> = digests.iter().map(Digest::to_string).collect();
    let client = engine.connection().await?;
    let rows = client
        .query(sql, &[&tenant.0, &texts])
        .await
        .doing("asking which streams hold attachments")?;
    drop(client);
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let mut held = HashSet::new();
    for some in ids.chunks(STREAMS_AT_ONCE) {
        let streams: Vec<_> = some.iter().map(|id| (stream::<Profile>(tenant, *id), 0)).collect();
        let events = engine.reader.streams(&streams).await?;
        for events in events.chunk_by(|one, next| one.stream == next.stream) {
            let mut state = profile::State::default();
            events.iter().try_for_each(|event| states::evolve::<Profile>(&mut state, event))?;
            let attachments = state.live().map_or(&[][..], |facts| &facts.attachments);
            held.extend(attachments.iter().map(|attachment| attachment.digest));
        }
    }
    held.retain(|digest| digests.contains(digest));
    Ok(held)
}

/// Removes a content unless it was stored again in the meantime; returns whether it did.
async fn remove(
    engine: &Engine,
    store: &Store,
    tenant: TenantId,
    digest: Digest,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let failed = Error::unavailable("locking an attachment");
    let mut client = engine.connection().await.map_err(|error| failed(error.into()))?;
    let transaction = client.transaction().await.map_err(|error| failed(error.into()))?;
    let sql = "select pg_try_advisory_xact_lock($1, $2)";
    let row = transaction.query_one(sql, &[&LOCKS, &lock_key(digest)]).await;
    if !row.map_err(|error| failed(error.into()))?.get::<_, bool>(0) {
        return Ok(false);
    }
    let removing = async {
        match store.kept_at(tenant, digest).await? {
            Some(kept_at) if is_old(kept_at, now) => {
                store.remove(tenant, digest).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    };
    let removed = tokio::time::timeout(REMOVE_TIME_MAX, removing).await;
    let removed = removed
        .unwrap_or_else(|late| Err(Error::Unavailable("removing an attachment", late.into())))?;
    let _ = transaction.rollback().await;
    Ok(removed)
}

/// Two contents may share a lock: then one waits for the other, which is harmless.
fn lock_key(digest: Digest) -> i32 {
    let [a, b, c, d, ..] = digest.0;
    i32::from_be_bytes([a, b, c, d])
}
