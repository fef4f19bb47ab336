//! How read models keep up with the log and with what others did to their tables (issue 8).

use std::time::Duration;

use dossier::projections::ReadModel as _;
use dossier::projections::names;
use dossier::projections::profiles_view::ProfilesView;
use serde_json::json;
use uuid::Uuid;

use crate::support::api::{Api, engine};
use crate::support::database::database;

/// Until this holds of the database.
async fn until(api: &Api, sql: &str, id: Uuid) {
    let holds = async {
        let client = api.engine.connection().await.unwrap();
        while !client.query_one(sql, &[&id]).await.unwrap().get::<_, bool>(0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), holds).await.expect(sql);
}

#[tokio::test(flavor = "multi_thread")]
async fn folds_that_the_database_lost_are_folded_again_though_nothing_happens() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let before = api.engine.head().await.unwrap();
    let wait = Duration::from_secs(20);
    assert!(api.engine.projections.wait_folded(before, wait).await);
    let id = api.create(&token, json!({ "name": "Lost" })).await;
    let head = api.engine.head().await.unwrap();
    assert!(api.engine.projections.wait_folded(head, wait).await);
    // As a crash does with commits that did not wait for the disk.
    let mut client = api.engine.connection().await.unwrap();
    let lost = client.transaction().await.unwrap();
    let model = ProfilesView::schema();
    let folds = "delete from views.folds where model = $1 and from_position >= $2";
    assert!(lost.execute(folds, &[&model, &before]).await.unwrap() > 0);
    lost.execute("delete from profiles_view where id = $1", &[&id]).await.unwrap();
    lost.commit().await.unwrap();
    drop(client);
    until(&api, "select count(*) = 1 from profiles_view where id = $1", id).await;
    assert!(api.engine.projections.wait_folded(head, wait).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_mended_without_a_word_are_not_overwritten_from_memory() {
    let database = database().await;
    let api = Api::on(database.clone()).await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "Right" })).await;
    let client = api.engine.connection().await.unwrap();
    let set = "update profiles_view set name = $2 where id = $1";
    client.execute(set, &[&id, &"Wrong"]).await.unwrap();
    // A server that has loaded the wrong row, by an event that leaves the name alone.
    let other = Api::on(database).await;
    // The first one would fold too, and from a right row in its memory.
    api.engine.stop().await;
    let client = other.engine.connection().await.unwrap();
    let departments = |key: &str| {
        let item = json!({ "profile_id": id, "department_ids": [api.department(key)] });
        json!({ "profiles": [item] })
    };
    other.v5(&token, "update", departments("north")).await.answers(200);
    let stays = "select name = 'Wrong' from profiles_view where id = $1";
    assert!(client.query_one(stays, &[&id]).await.unwrap().get::<_, bool>(0));
    let mend = "select views.begin_mend($1, $2, $3, '{profile}', array[$4::uuid])";
    client.batch_execute("begin").await.unwrap();
    let head = other.engine.head().await.unwrap();
    let model = ProfilesView::schema();
    client.execute(mend, &[&api.tenant.0, &model, &head, &id]).await.unwrap();
    client.execute(set, &[&id, &"Right"]).await.unwrap();
    client.batch_execute("commit").await.unwrap();
    other.v5(&token, "update", departments("south")).await.answers(200);
    let report = other.engine.replay(None, &names(), false, &|_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_not_mended_to_what_a_stream_was_before_it_was_folded_further() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let judged_at = api.engine.head().await.unwrap();
    let id = api.create(&token, json!({ "name": "New" })).await;
    let client = api.engine.connection().await.unwrap();
    let mend = "select views.begin_mend($1, $2, $3, '{profile}', array[$4::uuid])";
    let model = ProfilesView::schema();
    let begun = client.execute(mend, &[&api.tenant.0, &model, &judged_at, &id]).await;
    assert_eq!(begun.unwrap_err().code().unwrap().code(), "DOS03");
}

#[tokio::test(flavor = "multi_thread")]
async fn mending_amid_writes_of_two_servers_leaves_every_row_right() {
    let database = database().await;
    let api = Api::on(database.clone()).await;
    let token = api.token("root").await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(api.create(&token, json!({ "name": format!("P{n}") })).await);
    }
    for round in 0..4 {
        let client = api.engine.connection().await.unwrap();
        let damage = "update profiles_view set name = name || '?'";
        client.execute(damage, &[]).await.unwrap();
        let damage = "update profile_counts set profiles = profiles + 3";
        client.execute(damage, &[]).await.unwrap();
        drop(client);
        // It has no row in memory yet, and loads wrong ones while they are being mended.
        let other = engine(database.clone()).await;
        let writes = async {
            for n in 0..40 {
                let key = ["north", "south", "west"][(n + round) % 3];
                let item = json!({
                    "profile_id": ids[n % ids.len()], "department_ids": [api.department(key)],
                });
                let body = json!({ "profiles": [item] });
                api.v5(&token, "update", body).await.answers(200);
            }
        };
        let mends = async {
            for _ in 0..3 {
                api.engine.clone().refresh(api.tenant).await.unwrap();
            }
        };
        tokio::join!(writes, mends);
        other.stop().await;
    }
    let report = api.engine.replay(None, &names(), false, &|_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}
