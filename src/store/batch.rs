//! The rows of a batch as arrays, one for each column: the input of one statement.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::types::{Append, Envelope, Guard, Recorded};

/// Inserts the events of a batch after the head and returns the first position. Runs under the
/// lock, so head and clock are those of the commit.
pub const INSERT_EVENTS: &str = include_str!("insert_events.sql");

/// Takes claims.
pub const TAKE_CLAIMS: &str = "
    insert into log.claims (claim, kind, tenant_id, holder, expires_at)
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[])";

/// Releases the claims of `$1`, and the expired ones of `$2`: those are about to be taken again,
/// and only wait for the sweep.
pub const RELEASE_CLAIMS: &str = "
    delete from log.claims
    where claim = any($1::uuid[])
        or (claim = any($2::uuid[]) and expires_at <= clock_timestamp())";

/// Fails when a stream is not at its version.
pub const REQUIRE_VERSIONS: &str =
    "select log.require_versions($1::uuid[], $2::text[], $3::uuid[], $4::bigint[])";

/// Columns of the events of a batch.
#[derive(Default)]
pub struct EventColumns<'a> {
    event_ids: Vec<Uuid>,
    tenant_ids: Vec<Uuid>,
    areas: Vec<&'a str>,
    stream_ids: Vec<Uuid>,
    versions: Vec<i64>,
    names: Vec<&'a str>,
    schema_versions: Vec<i16>,
    occurred: Vec<Option<DateTime<Utc>>>,
    payloads: Vec<&'a str>,
    request_ids: Vec<Uuid>,
    correlation_ids: Vec<Uuid>,
    session_ids: Vec<Option<Uuid>>,
    real_actor_kinds: Vec<&'a str>,
    real_actor_ids: Vec<Uuid>,
    real_actor_names: Vec<Option<&'a str>>,
    effective_actor_ids: Vec<Uuid>,
    emulations: Vec<Option<String>>,
    grant_ids: Vec<Option<Uuid>>,
    operations: Vec<&'a str>,
    channels: Vec<&'a str>,
    faces: Vec<&'a str>,
    client_addresses: Vec<Option<&'a str>>,
    user_agents: Vec<Option<&'a str>>,
    reasons: Vec<Option<&'a str>>,
}

impl<'a> EventColumns<'a> {
    /// The events of these appends, in order.
    pub fn of(appends: &[&'a Append]) -> EventColumns<'a> {
        let mut columns = EventColumns::default();
        for append in appends {
            for write in &append.writes {
                for (version, event) in (write.expected_version + 1..).zip(&write.events) {
                    columns.event_ids.push(event.id);
                    columns.tenant_ids.push(write.stream.tenant_id);
                    columns.areas.push(write.stream.area.as_str());
                    columns.stream_ids.push(write.stream.id);
                    columns.versions.push(version);
                    columns.names.push(&event.name);
                    columns.schema_versions.push(event.schema_version);
                    columns.occurred.push(event.occurred_at);
                    columns.payloads.push(&event.payload);
                    columns.push_envelope(&append.envelope);
                }
            }
        }
        columns
    }

    fn push_envelope(&mut self, envelope: &'a Envelope) {
        self.request_ids.push(envelope.request_id);
        self.correlation_ids.push(envelope.correlation_id);
        self.session_ids.push(envelope.session_id);
        self.real_actor_kinds.push(envelope.real_actor_kind);
        self.real_actor_ids.push(envelope.real_actor_id);
        self.real_actor_names.push(envelope.real_actor_name.as_deref());
        self.effective_actor_ids.push(envelope.effective_actor_id);
        self.emulations.push(array_literal(&envelope.emulation));
        self.grant_ids.push(envelope.grant_id);
        self.operations.push(envelope.operation);
        self.channels.push(envelope.channel);
        self.faces.push(envelope.face);
        self.client_addresses.push(envelope.client_address.as_deref());
        self.user_agents.push(envelope.user_agent.as_deref());
        self.reasons.push(envelope.reason.as_deref());
    }

    /// The parameters of [`INSERT_EVENTS`], for a log whose head is at `head` or beyond.
    pub fn parameters<'p>(&'p self, head: &'p i64) -> [&'p (dyn ToSql + Sync); 25] {
        [
            &self.event_ids,
            &self.tenant_ids,
            &self.areas,
            &self.stream_ids,
            &self.versions,
            &self.names,
            &self.schema_versions,
            &self.occurred,
            &self.payloads,
            &self.request_ids,
            &self.correlation_ids,
            &self.session_ids,
            &self.real_actor_kinds,
            &self.real_actor_ids,
            &self.real_actor_names,
            &self.effective_actor_ids,
            &self.emulations,
            &self.grant_ids,
            &self.operations,
            &self.channels,
            &self.faces,
            &self.client_addresses,
            &self.user_agents,
            &self.reasons,
            head,
        ]
    }
}

/// `unnest` flattens arrays of arrays, so each is passed as a literal. None: nobody was emulated.
fn array_literal(ids: &[Uuid]) -> Option<String> {
    if ids.is_empty() {
        return None;
    }
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    Some(format!("{{{}}}", ids.join(",")))
}

/// Columns of the claims that a batch takes, and the claims that it releases.
#[derive(Default)]
pub struct ClaimColumns<'a> {
    claims: Vec<Uuid>,
    kinds: Vec<&'a str>,
    tenant_ids: Vec<Uuid>,
    holders: Vec<Uuid>,
    expiries: Vec<Option<DateTime<Utc>>>,
    released: Vec<Uuid>,
    /// Claims with an end: an earlier holder's claim may have expired.
    passing: Vec<Uuid>,
}

impl<'a> ClaimColumns<'a> {
    /// The claims of these appends.
    pub fn of(appends: &[&'a Append]) -> ClaimColumns<'a> {
        let mut columns = ClaimColumns::default();
        for append in appends {
            columns.released.extend(&append.releases);
            for take in &append.takes {
                columns.claims.push(take.claim);
                columns.kinds.push(take.kind);
                columns.tenant_ids.push(take.tenant_id);
                columns.holders.push(take.holder);
                columns.expiries.push(take.expires_at);
                columns.passing.extend(take.expires_at.map(|_| take.claim));
            }
        }
        columns
    }

    /// Whether a claim is released, or may have to be.
    pub fn releases_any(&self) -> bool {
        !self.released.is_empty() || !self.passing.is_empty()
    }

    /// The parameters of [`RELEASE_CLAIMS`].
    pub fn released(&self) -> [&(dyn ToSql + Sync); 2] {
        [&self.released, &self.passing]
    }

    /// Whether any claim is taken.
    pub fn takes_any(&self) -> bool {
        !self.claims.is_empty()
    }

    /// The parameters of [`TAKE_CLAIMS`].
    pub fn parameters(&self) -> [&(dyn ToSql + Sync); 5] {
        [&self.claims, &self.kinds, &self.tenant_ids, &self.holders, &self.expiries]
    }
}

/// Columns of streams and the versions they must have.
#[derive(Default)]
pub struct GuardColumns<'a> {
    pub tenant_ids: Vec<Uuid>,
    pub areas: Vec<&'a str>,
    pub stream_ids: Vec<Uuid>,
    pub versions: Vec<i64>,
}

impl<'a> GuardColumns<'a> {
    /// These streams and versions.
    pub fn of(guards: &'a [Guard]) -> GuardColumns<'a> {
        let mut columns = GuardColumns::default();
        for guard in guards {
            columns.tenant_ids.push(guard.stream.tenant_id);
            columns.areas.push(guard.stream.area.as_str());
            columns.stream_ids.push(guard.stream.id);
            columns.versions.push(guard.version);
        }
        columns
    }

    /// The parameters of [`REQUIRE_VERSIONS`].
    pub fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.tenant_ids, &self.areas, &self.stream_ids, &self.versions]
    }
}

/// The events of these appends as the log holds them now, from `position` on.
pub fn recorded(
    appends: Vec<Append>,
    mut position: i64,
    recorded_at: DateTime<Utc>,
) -> Vec<Arc<Recorded>> {
    let mut events = Vec::new();
    for append in appends {
        for write in append.writes {
            for (version, event) in (write.expected_version + 1..).zip(write.events) {
                events.push(Arc::new(Recorded {
                    position,
                    event_id: event.id,
                    stream: write.stream,
                    version,
                    name: event.name,
                    schema_version: event.schema_version,
                    recorded_at,
                    occurred_at: event.occurred_at.unwrap_or(recorded_at),
                    envelope: append.envelope.clone(),
                    payload: event.payload,
                }));
                position += 1;
            }
        }
    }
    events
}
