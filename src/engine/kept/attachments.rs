//! Keeps the bytes of attachments, and collects those that nothing refers to any more: neither the
//! read model nor, since bytes do not come back, any profile as its stream tells it.
//!
//! A content may be uploaded again at the very moment at which it is collected. So keeping takes a
//! shared lock on the digest, and removing an exclusive one, under which the object's age is looked
//! at once more: either the upload comes first, and the object is young, or it comes after, and
//! writes it anew. Nothing younger than an hour is collected, so that an upload's event has been
//! appended and folded by then. Whoever appends an event that refers to a content must have kept
//! it just before, even if it is there already.

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

// What faces need to receive and serve attachments; they name no part of the store themselves.
pub use crate::attachments::{Content, Error, Piece, Spooled, Store};

/// Nothing younger is collected. Far longer than any request runs.
pub const COLLECTED_AGE_MIN: TimeDelta = TimeDelta::hours(1);
/// Objects looked at in one round.
pub const OBJECTS_AT_ONCE: usize = 1_000;
/// Streams read by one query.
const STREAMS_AT_ONCE: usize = 100;
/// Longest time for looking at an object once more and removing it. Shorter than the database lets
/// a transaction idle, so that the lock is held throughout.
const REMOVE_TIME_MAX: Duration = Duration::from_secs(40);
/// Of advisory locks on attachments; the second half of their key is the digest's.
const LOCKS: i32 = 0x0a77_ac4e;

impl Engine {
    /// Keeps what was received for a tenant. Only afterwards may an event refer to it.
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
        // Taken before the connection: the few that send would else wait for those that wait.
        let turn = store.turn().await?;
        let mut client = self.connection().await.map_err(|error| failed(error.into()))?;
        let transaction = client.transaction().await.map_err(|error| failed(error.into()))?;
        let sql = "select pg_advisory_xact_lock_shared($1, $2)";
        let key = lock_key(spooled.content.digest);
        let locked = transaction.execute(sql, &[&LOCKS, &key]).await;
        locked.map_err(|error| failed(error.into()))?;
        let content = store.keep(tenant, spooled, turn).await?;
        // Nothing was written: the lock has done its part, and goes either way.
        let _ = transaction.rollback().await;
        counter!("dossier_attachments_kept_total").increment(1);
        counter!("dossier_attachments_kept_bytes_total").increment(content.bytes);
        Ok(content)
    }
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub looked_at: usize,
    pub removed: usize,
    /// Whether every object has been looked at since the listing began.
    pub ended: bool,
}

/// Walks all objects, some in each round. Keeps its place between rounds; several may run.
#[derive(Default)]
pub struct Collector {
    listing: Option<crate::attachments::Objects>,
}

impl Collector {
    /// Looks at the next [`OBJECTS_AT_ONCE`] objects and removes those that are old enough and
    /// that nothing refers to. Does nothing while the read models are behind the log: what they do
    /// not show yet may be referred to.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; the listing then begins anew.
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

/// Those that neither the read model nor a stream refers to.
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

/// Those that are an attachment of a live profile, by what the log says now.
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

/// Removes a content, unless it was kept again meanwhile; whether it did.
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

/// Two contents may share a lock: then one waits for the other, which hurts nobody.
fn lock_key(digest: Digest) -> i32 {
    let [a, b, c, d, ..] = digest.0;
    i32::from_be_bytes([a, b, c, d])
}
