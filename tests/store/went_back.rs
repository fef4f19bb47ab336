//! A log that ends before what was seen of it: restored, or lost by whoever took over.

use std::time::Duration;

use dossier::projections::names;
use dossier::store::{Error, begin_epoch, raise_epoch};
use serde_json::json;
use tokio_postgres::Client;

use super::append::{Log, one, stream};
use crate::support::api::Api;
use crate::support::database::{database, superuser};

/// The log loses its last events, as it never does by itself.
async fn lose(client: &Client, events: i64) {
    let sql = format!(
        "begin; alter table log.events disable trigger events_never_change;
        delete from log.events where position > (select max(position) - {events} from log.events);
        alter table log.events enable trigger events_never_change; commit"
    );
    client.batch_execute(&sql).await.unwrap();
}

async fn epoch(client: &Client) -> i32 {
    client.query_one("select max(epoch) from log.epoch", &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_appended_to_a_log_that_ends_before_what_was_seen_of_it() {
    let database = database().await;
    let log = Log::on(&database).await;
    let streams = [stream(), stream(), stream()];
    for stream in streams {
        log.append(one(stream, 0)).await.unwrap();
    }
    lose(&superuser(&database).await, 1).await;
    for again in [one(streams[2], 1), one(stream(), 0)] {
        let refused = log.append(again).await;
        assert!(matches!(refused, Err(Error::Unavailable(..))), "{refused:?}");
        assert!(log.appender.went_back().is_cancelled());
    }
    assert_eq!(log.reader.head().await.unwrap(), 2);
    // A process that comes now knows nothing else.
    Log::on(&database).await.append(one(streams[2], 0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_living_server_notices_that_the_log_went_back_and_serves_nothing_more() {
    let api = Api::start().await;
    let token = api.token("root").await;
    api.create(&token, json!({ "name": "Lost" })).await;
    let client = api.superuser().await;
    lose(&client, 1).await;
    let noticed = api.engine.went_back();
    tokio::time::timeout(Duration::from_secs(20), noticed.cancelled()).await.unwrap();
    for endpoint in ["context", "search"] {
        api.v5(&token, endpoint, json!({})).await.answers(503);
    }
    let ready = api.send_bare("GET", "/readyz", &[], vec![]).await;
    assert!(ready.text.contains("went back"), "{}", ready.text);
}

/// The head may be beyond what was followed again before anybody looks.
#[tokio::test(flavor = "multi_thread")]
async fn a_living_server_notices_other_events_in_the_place_of_those_it_followed() {
    let database = database().await;
    let api = Api::on(database.clone()).await;
    let token = api.token("root").await;
    let client = superuser(&database).await;
    // It has looked at what is there now.
    api.create(&token, json!({ "name": "Kept" })).await;
    let noticed = api.engine.went_back();
    let other = "
        begin;
        alter table log.events disable trigger events_never_change;
        update log.events set event_id = gen_random_uuid()
        where position > (select max(position) - 20 from log.events);
        alter table log.events enable trigger events_never_change;
        commit";
    let mut looks = tokio::time::interval(Duration::from_millis(1_500));
    let changed = async {
        loop {
            looks.tick().await;
            client.batch_execute(other).await.unwrap();
        }
    };
    tokio::select! {
        () = noticed.cancelled() => {}
        () = changed => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("nobody noticed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_log_that_went_back_begins_an_epoch_and_makes_the_read_models_whole() {
    let database = database().await;
    let client = superuser(&database).await;
    let api = Api::on(database.clone()).await;
    let token = api.token("root").await;
    for n in 0..5 {
        api.create(&token, json!({ "name": format!("Person {n}") })).await;
    }
    let position = api.v5(&token, "context", json!({})).await;
    let position = position.headers["dossier-position"].to_str().unwrap().to_owned();
    api.engine.stop().await;
    drop(api);
    lose(&client, 3).await;
    let before = epoch(&client).await;
    let api = Api::on(database.clone()).await;
    assert_eq!(epoch(&client).await, before + 1);
    let token = api.token("root").await;
    let headers = [("dossier-min-position", position.as_str())];
    let answer = api.v5_with(&token, "context", json!({}), &headers).await;
    assert_eq!(answer.answers(422)["code"], "invalid_position");
    let found = api.v5(&token, "search", json!({ "search": "person" })).await.answers(200);
    assert_eq!(found["total_count"], 2, "{found}");
    let report = api.engine.replay(None, &names(), false, &|_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    // What was found once is not found again.
    assert_eq!(begin_epoch(&client).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_life_of_the_database_is_another_epoch() {
    let database = database().await;
    let client = superuser(&database).await;
    let (app, _driver) = database.connect().await.unwrap();
    assert_eq!(begin_epoch(&app).await.unwrap(), None);
    client.batch_execute("update log.epoch set life = 'elsewhere/00000001'").await.unwrap();
    assert_eq!(begin_epoch(&app).await.unwrap(), Some(2));
    assert_eq!(begin_epoch(&app).await.unwrap(), None);
    let life: String = client.query_one("select log.life()", &[]).await.unwrap().get(0);
    assert!(life.contains('/'), "{life}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_somebody_began_ends_the_servers_of_the_one_before() {
    let api = Api::start().await;
    let token = api.token("root").await;
    api.v5(&token, "context", json!({})).await.answers(200);
    raise_epoch(&api.superuser().await).await.unwrap();
    let noticed = api.engine.went_back();
    tokio::time::timeout(Duration::from_secs(20), noticed.cancelled()).await.unwrap();
}
