//! What a decision stands on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{TimeDelta, Utc};
use dossier::domain::ids::TenantId;
use dossier::domain::profile::{By, Command, Profile, Refusal};
use dossier::engine::write::decision::Decision;
use dossier::engine::write::execute::{Change, CommandContext};
use dossier::engine::write::halt::Halt;
use dossier::engine::{Engine, Priority};
use dossier::intake::operator;
use serde_json::json;
use uuid::Uuid;

use crate::support::api::{Api, engine};
use crate::support::crafter::Crafter;
use crate::support::database::database;

fn context(tenant: TenantId) -> CommandContext {
    let envelope = Arc::new(operator("test"));
    CommandContext { tenant, envelope, area: "profile", priority: Priority::Caller }
}

/// Deactivates a profile that another server changes amid the first attempts.
struct Raced {
    other: Arc<Engine>,
    tenant: TenantId,
    id: Uuid,
    /// How many attempts meet a change.
    changes: i64,
    attempts: AtomicI64,
}

impl Raced {
    async fn new(changes: i64) -> (Api, Raced) {
        let database = database().await;
        let other = engine(database.clone()).await;
        let api = Api::on(database).await;
        let token = api.token("root").await;
        let id = api.create(&token, json!({ "name": "Before" })).await;
        let raced = Raced { other, tenant: api.tenant, id, changes, attempts: AtomicI64::new(0) };
        (api, raced)
    }
}

impl Change for Raced {
    /// The version that it stood on.
    type Done = i64;
    type Refusal = Refusal;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<i64, Halt<Refusal>> {
        let judged = decision.load::<Profile>(self.id).await?.version;
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed) + 1;
        if attempt <= self.changes {
            let roles = vec![attempt.to_string()];
            let change = Command::AssignApplicationRoles { roles };
            let context = context(self.tenant);
            let changed = self.other.order::<Profile>(&context, self.id, By::OPERATOR, change);
            assert!(changed.await.unwrap().position.is_some());
        }
        let written = decision.load::<Profile>(self.id).await?.version;
        assert_eq!(judged, written);
        decision.order::<Profile>(self.id, By::OPERATOR, Command::DeactivateProfile).await?;
        Ok(judged)
    }
}

/// Issue 8: the newer version took the place of the one that was judged.
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_meets_a_stream_at_two_versions_is_made_again() {
    let (api, raced) = Raced::new(1).await;
    let decided = api.engine.execute(&context(api.tenant), &raced).await;
    assert_eq!(decided.unwrap().value, 2);
    assert_eq!(raced.attempts.into_inner(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_moves_under_every_attempt_is_a_conflict_and_nothing_is_written() {
    let (api, raced) = Raced::new(i64::MAX).await;
    let failed = api.engine.execute(&context(api.tenant), &raced).await.unwrap_err();
    assert!(matches!(failed, Halt::Failed(dossier::store::Error::Conflict(_))), "{failed:?}");
    let events = api.events_of(&api.token("root").await, raced.id).await;
    assert!(!events.contains(&"ProfileDeactivated".to_owned()));
}

/// Issue 8: for an hour there was neither an answer nor another attempt.
#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_past_its_end_is_as_good_as_new() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let headers = [("idempotency-key", "the same again")];
    let body = json!({ "profiles": [{ "name": "Once a day" }] });
    let create = || api.v5_with(&token, "create", body.clone(), &headers);
    let id = |answer: serde_json::Value| answer["results"][0]["profile_id"].clone();
    let first = id(create().await.answers(200));
    assert_eq!(id(create().await.answers(200)), first);
    let client = api.superuser().await;
    for sql in [
        "update ops.idempotent_answers set expires_at = now() - interval '1 second'",
        "update log.claims set expires_at = now() - interval '1 second'
         where kind = 'idempotency'",
    ] {
        assert_eq!(client.execute(sql, &[]).await.unwrap(), 1);
    }
    let second = create().await;
    assert!(!second.headers.contains_key("idempotent-replayed"));
    let second = id(second.answers(200));
    assert_ne!(second, first);
    // The new answer has taken the place of the one that was over.
    assert_eq!(id(create().await.answers(200)), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claim_of_a_session_ends_with_it() {
    let api = Api::start().await;
    let token = api.token("root").await;
    api.v5(&token, "context", json!({})).await.answers(200);
    let sql = "select expires_at - now() > interval '23 hours',
        expires_at - now() <= interval '24 hours' from log.claims where kind = 'session'";
    let rows = api.superuser().await.query(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].get(0), rows[0].get(1)), (true, true));
}

/// Issue 8: the row went first, and what a crash left had nobody who would end it.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_ticket_ends_with_its_row_or_not_at_all() {
    let crafter = Crafter::start().await;
    let profile = crafter.profile_id("acme", "ada").await;
    let made = crafter.form("authentication/ticket/create", &[("profileId", &profile)]).await;
    made.answers(200);
    let client = crafter.api.superuser().await;
    let idle = "update ops.ticket_times set last_request_at = now() - interval '1 hour'
        returning ticket_id";
    let ticket: Uuid = client.query_one(idle, &[]).await.unwrap().get(0);
    let refuse = "
        create function log.refuse_end() returns trigger language plpgsql as $$
        begin
            raise exception 'not now';
        end
        $$;
        create trigger not_now before insert on log.events
            for each row when (new.name = 'SessionEnded') execute function log.refuse_end()";
    client.batch_execute(refuse).await.unwrap();
    let tickets = &crafter.app.applications.tickets;
    // As far as this process knows, too.
    tickets.touch(ticket, Utc::now() - TimeDelta::hours(1));
    let since = Utc::now() - TimeDelta::minutes(30);
    assert!(tickets.end_idle(&crafter.engine, since).await.is_err());
    let left = "select
        (select count(*) from ops.ticket_times), (select count(*) from log.claims where claim = $1)";
    let counts = async || {
        let row = client.query_one(left, &[&ticket]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    assert_eq!(counts().await, (1, 1));
    client.batch_execute("drop trigger not_now on log.events").await.unwrap();
    tickets.end_idle(&crafter.engine, since).await.unwrap();
    assert_eq!(counts().await, (0, 0));
    assert_eq!(crafter.events(&ticket.to_string()).await, ["TicketIssued", "SessionEnded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_ticket_has_left_behind_goes_too() {
    let crafter = Crafter::start().await;
    let client = crafter.api.superuser().await;
    let profile = crafter.profile_id("acme", "ada").await;
    let ticket = crafter.form("authentication/ticket/create", &[("profileId", &profile)]).await;
    let ticket = ticket.answers(200)["id"].as_str().unwrap().to_owned();
    client.batch_execute("create table kept as table ops.ticket_times").await.unwrap();
    crafter.form(&format!("authentication/ticket/{ticket}/invalidate"), &[]).await.is_empty();
    client.batch_execute("insert into ops.ticket_times table kept").await.unwrap();
    let head = crafter.head().await;
    let tickets = &crafter.app.applications.tickets;
    tickets.end_idle(&crafter.engine, Utc::now() + TimeDelta::minutes(1)).await.unwrap();
    let row = client.query_one("select count(*) from ops.ticket_times", &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), crafter.head().await), (0, head));
}
