//! Whether a server says that requests had better go elsewhere.

use serde_json::json;

use crate::support::api::Api;

/// An event that nobody can fold, recorded so many seconds ago.
async fn unknown_event(api: &Api, seconds: i32) {
    let sql = "
        insert into log.events
        select (jsonb_populate_record(last, jsonb_build_object(
            'position', position + 1,
            'event_id', gen_random_uuid(),
            'stream_id', gen_random_uuid(),
            'version', 1,
            'name', 'NobodyKnowsThis',
            'recorded_at', clock_timestamp() - make_interval(secs => $1)
        ))).*
        from log.events as last
        order by position desc
        limit 1";
    let client = api.engine.connection().await.unwrap();
    client.execute(sql, &[&f64::from(seconds)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_unready_once_a_lane_has_left_an_event_for_half_a_minute() {
    let api = Api::start().await;
    let ready = || api.send_bare("GET", "/readyz", &[], vec![]);
    assert_eq!(ready().await.answers(200), json!({ "status": "ready" }));
    unknown_event(&api, 5).await;
    assert_eq!(ready().await.answers(200), json!({ "status": "ready" }));
    let other = Api::start().await;
    unknown_event(&other, 60).await;
    let answer = other.send_bare("GET", "/readyz", &[], vec![]).await.answers(503);
    assert_eq!(answer["status"], "unready");
    let why = answer["why"].as_str().unwrap();
    let told = "the read models of the lane views are behind by 1 events, the first of them 6";
    assert!(why.starts_with(told), "{why}");
}
