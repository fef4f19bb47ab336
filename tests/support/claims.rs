//! What the log's claims must be: those of the states that its events lead to, and no others of
//! their kinds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use dossier::domain::access::Access;
use dossier::domain::claims::{
    API_KEY_NAME, Bearer, Claim, LOGIN_EMAIL, PROFILE_ID, TENANT_NAME, USERNAME,
};
use dossier::domain::ids::TenantId;
use dossier::domain::profile::Profile;
use dossier::domain::session::Session;
use dossier::domain::tenant::Tenant;
use dossier::domain::{Aggregate, codec};
use tokio_postgres::Client;
use uuid::Uuid;

use super::api::Api;

/// The kinds of claims that follow from states.
pub const KINDS: [&str; 10] = [
    PROFILE_ID,
    "tenant_id",
    "attachment_id",
    LOGIN_EMAIL,
    USERNAME,
    TENANT_NAME,
    API_KEY_NAME,
    Bearer::Ticket.kind(),
    Bearer::RememberedLogIn.kind(),
    Bearer::Verification.kind(),
];

/// A claim and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    kind: String,
    key: Uuid,
    tenant: Uuid,
    holder: Uuid,
    expires_at: Option<DateTime<Utc>>,
}

/// Claims that should be as they are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    pub missing: BTreeSet<Held>,
    pub surplus: BTreeSet<Held>,
}

/// A stream: tenant and id.
type Stream = (Uuid, Uuid);

/// How the claims of a directory differ from those that follow from its events. Claims that are
/// over do not count: they go when somebody comes by.
pub async fn differences(api: &Api) -> Differences {
    let client = api.superuser().await;
    // One moment of the log: events and the claims that follow are written together.
    client.batch_execute("begin isolation level repeatable read").await.unwrap();
    let (expected, held) = (expected(&client).await, held(&client).await);
    client.batch_execute("commit").await.unwrap();
    Differences {
        missing: expected.difference(&held).cloned().collect(),
        surplus: held.difference(&expected).cloned().collect(),
    }
}

/// Of [`KINDS`], those of which there is a claim.
pub async fn kinds(api: &Api) -> BTreeSet<String> {
    held(&api.superuser().await).await.into_iter().map(|claim| claim.kind).collect()
}

async fn held(client: &Client) -> BTreeSet<Held> {
    let sql = "select kind, claim, tenant_id, holder, expires_at from log.claims
        where kind = any($1) and (expires_at is null or expires_at > now())";
    let rows = client.query(sql, &[&KINDS.as_slice()]).await.unwrap();
    let held = rows.iter().map(|row| Held {
        kind: row.get(0),
        key: row.get(1),
        tenant: row.get(2),
        holder: row.get(3),
        expires_at: row.get(4),
    });
    held.collect()
}

async fn expected(client: &Client) -> BTreeSet<Held> {
    let now: DateTime<Utc> = client.query_one("select now()", &[]).await.unwrap().get(0);
    let mut expected = claims::<Tenant>(client).await;
    expected.append(&mut claims::<Profile>(client).await);
    expected.append(&mut claims::<Access>(client).await);
    expected.append(&mut claims::<Session>(client).await);
    expected.retain(|claim| claim.expires_at.is_none_or(|end| end > now));
    expected
}

/// The claims of all aggregates of an area.
async fn claims<A: Aggregate>(client: &Client) -> BTreeSet<Held> {
    let mut held = BTreeSet::new();
    for ((tenant, id), state) in states::<A>(client).await {
        for claim in A::claims(TenantId(tenant), id, &state) {
            let Claim { key, kind, tenant, expires_at } = claim;
            assert!(KINDS.contains(&kind), "{kind} is no kind that follows from states");
            let (kind, tenant) = (kind.to_owned(), tenant.0);
            held.insert(Held { kind, key, tenant, holder: id, expires_at });
        }
    }
    held
}

/// The states of all aggregates of an area, folded from the log alone.
async fn states<A: Aggregate>(client: &Client) -> BTreeMap<Stream, A::State> {
    let sql = "select tenant_id, stream_id, name, payload::text, occurred_at from log.events
        where area = $1 order by position";
    let mut states: BTreeMap<Stream, A::State> = BTreeMap::new();
    for row in client.query(sql, &[&A::AREA.name()]).await.unwrap() {
        let state = states.entry((row.get(0), row.get(1))).or_default();
        let event: A::Event = codec::decode(row.get(2), row.get(3)).unwrap();
        A::evolve(state, &event, row.get(4));
    }
    states
}
