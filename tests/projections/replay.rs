//! Replaying the log gives the very rows that live folding gave, whatever happened.

use dossier::projections::names;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::api::Api;
use crate::support::claims::{Differences, differences};
use crate::support::crafter::Crafter;

/// Something a client does to one of a few profiles.
#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Rename(u8, u8),
    Departments(u8, Vec<bool>),
    Roles(u8, u8),
    Activity(u8, bool),
    Delete(u8),
    Draft(u8),
    Emulate(u8),
    Unemulate,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<u8>().prop_map(Step::Create),
        (any::<u8>(), any::<u8>()).prop_map(|(at, to)| Step::Rename(at, to)),
        (any::<u8>(), prop::collection::vec(any::<bool>(), 3))
            .prop_map(|(at, which)| Step::Departments(at, which)),
        (any::<u8>(), 0_u8..5).prop_map(|(at, role)| Step::Roles(at, role)),
        (any::<u8>(), any::<bool>()).prop_map(|(at, active)| Step::Activity(at, active)),
        any::<u8>().prop_map(Step::Delete),
        any::<u8>().prop_map(Step::Draft),
        any::<u8>().prop_map(Step::Emulate),
        Just(Step::Unemulate),
    ]
}

/// The same few ids in each history, so that steps meet.
fn id(at: u8) -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + u128::from(at % 6))
}

async fn take(api: &Api, token: &str, step: &Step) {
    let update = |item: Value| ("update", json!({ "profiles": [item] }));
    let roles = ["admin", "instructional", "member", "guest", "custom"];
    let (endpoint, body) = match step {
        Step::Create(at) => {
            ("create", json!({ "profiles": [{ "id": id(*at), "name": format!("P{}", at % 6) }] }))
        }
        Step::Rename(at, to) => {
            update(json!({ "profile_id": id(*at), "name": format!("N{}", to % 4) }))
        }
        Step::Departments(at, which) => {
            let keys = ["north", "south", "west"].into_iter().zip(which);
            let ids: Vec<Uuid> =
                keys.filter(|(_, on)| **on).map(|(key, _)| api.department(key)).collect();
            update(json!({ "profile_id": id(*at), "department_ids": ids }))
        }
        Step::Roles(at, role) => {
            let role = api.role(roles[usize::from(*role)]);
            update(json!({ "profile_id": id(*at), "role_ids": [role] }))
        }
        Step::Activity(at, active) => {
            update(json!({ "profile_id": id(*at), "flag_id": api.flag(*active) }))
        }
        Step::Delete(at) => ("delete", json!({ "profile_ids": [id(*at)] })),
        Step::Draft(at) => ("draft", json!({ "name": format!("D{}", at % 3) })),
        Step::Emulate(at) => ("emulate", json!({ "target_profile_id": id(*at) })),
        Step::Unemulate => ("unemulate", json!({})),
    };
    let answer = api.v5(token, endpoint, body).await;
    // What the emulated person may not do is refused; nothing fails.
    assert!([200, 403].contains(&answer.status.as_u16()), "{step:?}: {answer:?}");
}

#[test]
fn replay_equals_live_folding_after_any_history() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let api = runtime.block_on(Api::start());
    let histories = prop::collection::vec(step(), 1..40);
    let mut runner =
        TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let held = runner.run(&histories, |history| {
        runtime.block_on(async {
            let token = api.token("root").await;
            for step in &history {
                take(&api, &token, step).await;
            }
            let report = api.engine.replay(None, &names(), false, &|_| {}).await.unwrap();
            let broken = api.engine.broken_promises().await.unwrap();
            prop_assert!(report.is_clean(), "{report:?}");
            prop_assert!(broken.is_empty(), "{broken:?}");
            prop_assert_eq!(differences(&api).await, Differences::default());
            Ok(())
        })
    });
    if let Err(error) = held {
        panic!("{error}");
    }
}

/// More profiles than have their events on one page, and their rows in one range.
const MANY: u64 = 1_500;

/// Rows removed, changed and added, one of each kind at either end of the table.
async fn damage(api: &Api, table: &str, key: &str, change: &str, stray: &str) -> i64 {
    let client = api.engine.connection().await.unwrap();
    let mut damaged = 0;
    let some = |order: &str, count: u8| {
        format!("{key} in (select {key} from {table} order by {order} limit {count})")
    };
    for sql in [
        format!("delete from {table} where {}", some(key, 1)),
        format!("delete from {table} where {}", some(&format!("{key} desc"), 1)),
        format!("delete from {table} where {}", some("random()", 7)),
        format!("update {table} set {change} where {}", some("random()", 5)),
        stray.to_owned(),
    ] {
        damaged += client.execute(&sql, &[]).await.unwrap();
    }
    i64::try_from(damaged).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_finds_every_damage_of_a_large_table_and_mends_it() {
    // Two tenants have events: this one, and the installation.
    let api = Crafter::start().await.api;
    dossier::intake::made_up::seed(&api.engine, "acme", MANY, 3, 1, false).await.unwrap();
    let strays = |table: &str| {
        format!(
            "insert into {table}
            select (jsonb_populate_record(one, jsonb_build_object('id', stray.id))).*
            from {table} as one,
                (values ('00000000-0000-0000-0000-000000000000'::uuid),
                    ('ffffffff-ffff-ffff-ffff-ffffffffffff'), (gen_random_uuid()),
                    (gen_random_uuid())) as stray (id)
            where one.ctid = (select ctid from {table} limit 1)"
        )
    };
    let strays_of_profiles = |table: &str| strays(table).replace("'id'", "'profile_id'");
    // Positions of another tenant's events.
    let audited = "insert into audit_log
        select (jsonb_populate_record(one, jsonb_build_object('position', another.position))).*
        from audit_log as one, audit_log as another
        where one.position = (select max(position) from audit_log)
            and another.tenant_id <> one.tenant_id
        limit 3";
    for (table, key, change, stray) in [
        ("profiles_view", "id", "version = version + 1", strays("profiles_view")),
        ("profile_search", "id", "version = version + 1", strays("profile_search")),
        ("profile_documents", "id", "enabled = not enabled", strays("profile_documents")),
        ("shared_values", "id", "value = value || '?'", strays("shared_values")),
        ("audit_log", "position", "name = 'Forged'", audited.to_owned()),
        ("profile_changes", "ctid", "version = version + 1", strays_of_profiles("profile_changes")),
    ] {
        let damaged = damage(&api, table, key, change, &stray).await;
        assert!(damaged >= 15, "{table}: {damaged}");
        for (mend, differing) in [(false, damaged), (true, damaged), (false, 0)] {
            let report = api.engine.replay(None, &[table], mend, &|_| {}).await.unwrap();
            assert_eq!(report.differing[table], differing, "{table}");
        }
    }
    let report = api.engine.replay(None, &names(), false, &|_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert!(report.events > 10_000, "{report:?}");
}
