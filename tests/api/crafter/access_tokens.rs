//! `/api/1/access_token` (contract 1, 4.1, 4.2).

use chrono::Utc;
use serde_json::json;

use crate::support::crafter::{Crafter, MASTER, each, text, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_created_shown_and_deleted() {
    let crafter = Crafter::start().await;
    let permissions = json!([{ "allowedActions": ["READ_TENANT"], "tenant": "acme" }]);
    let body = json!({
        "application": "engine", "master": false, "tenantPermissions": permissions,
        "expiresOn": 4_000_000_000_000_i64, "id": "my id/ü",
    });
    let created = crafter.json("access_token/create", body.clone()).await.answers(200);
    assert_eq!(created, body);
    let path = "access_token/my%20id%2F%C3%BC";
    assert_eq!(crafter.get(path, &[]).await.answers(200), body);
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
    crafter.get(path, &[]).await.refused(404, "NO_SUCH_ACCESS_TOKEN_ID");
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
    crafter.json("access_token/create", body).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_id_gets_one_and_nothing_is_left_out_of_it() {
    let crafter = Crafter::start().await;
    let created = crafter.json("access_token/create", json!({})).await.answers(200);
    let id = text(&created["id"]);
    assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
    let bare = json!({
        "application": null, "master": false, "tenantPermissions": null, "expiresOn": null,
        "id": id,
    });
    assert_eq!(created, bare);
    assert_eq!(crafter.get(&format!("access_token/{id}"), &[]).await.answers(200), bare);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_listed_in_the_order_in_which_they_were_made() {
    let crafter = Crafter::start().await;
    for id in ["z", "a", "m"] {
        crafter.json("access_token/create", json!({ "id": id })).await.answers(200);
    }
    crafter.form("access_token/a/delete", &[]).await.is_empty();
    let all = crafter.get("access_token/all", &[]).await.answers(200);
    assert_eq!(each(&all, "id"), [MASTER, "z", "m"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_taken_once() {
    let crafter = Crafter::start().await;
    crafter.json("access_token/create", json!({ "id": "one" })).await.answers(200);
    let again = crafter.json("access_token/create", json!({ "id": "one" })).await;
    again.refused(409, "ACCESS_TOKEN_EXISTS");
    let long = json!({ "id": "x".repeat(201) });
    crafter.json("access_token/create", long).await.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_master_manages_tokens_and_that_is_all_a_master_may() {
    let crafter = Crafter::start().await;
    let all = json!([{ "tenant": "*", "allowedActions": ["*"] }]);
    let servant = crafter.token("engine", all).await;
    let by = crafter.by(&servant);
    let head = crafter.head().await;
    by.json("access_token/create", &[], json!({})).await.refused(403, "ACTION_DENIED");
    by.get("access_token/all", &[]).await.refused(403, "ACTION_DENIED");
    by.get(&format!("access_token/{servant}"), &[]).await.refused(403, "ACTION_DENIED");
    by.get("access_token/unknown", &[]).await.refused(403, "ACTION_DENIED");
    let path = format!("access_token/{MASTER}/delete");
    by.form(&path, &[]).await.refused(403, "ACTION_DENIED");
    assert_eq!(crafter.head().await, head);
    let bare = json!({ "id": "master alone", "master": true });
    crafter.json("access_token/create", bare).await.answers(200);
    let master = crafter.by("master alone");
    master.get("access_token/all", &[]).await.answers(200);
    master.get("tenant/acme", &[]).await.refused(403, "ACTION_DENIED");
    master.get("tenant/count", &[]).await.refused(403, "ACTION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_nothing_from_the_moment_at_which_it_ends() {
    let crafter = Crafter::start().await;
    let all = json!([{ "tenant": "*", "allowedActions": ["*"] }]);
    let now = Utc::now();
    let later = now + chrono::TimeDelta::hours(1);
    for (id, expires_on, opens) in [
        ("then", json!(1), false),
        ("now", json!(now.timestamp_millis()), false),
        ("later", json!(later.timestamp_millis()), true),
        ("in words", json!(later.to_rfc3339()), true),
        ("long ago", json!("2001-02-03"), false),
    ] {
        let token = json!({ "id": id, "tenantPermissions": all, "expiresOn": expires_on });
        crafter.json("access_token/create", token).await.answers(200);
        let answer = crafter.by(id).get("tenant/acme", &[]).await;
        match opens {
            true => assert_eq!(answer.answers(200)["name"], "acme"),
            false => answer.refused(403, "ACCESS_DENIED"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_token_opens_nothing_at_once_and_its_id_can_be_given_anew() {
    let crafter = Crafter::start().await;
    let all = json!([{ "tenant": "*", "allowedActions": ["*"] }]);
    let token = crafter.token("engine", all).await;
    crafter.by(&token).get("tenant/acme", &[]).await.answers(200);
    crafter.form(&format!("access_token/{token}/delete"), &[]).await.is_empty();
    crafter.by(&token).get("tenant/acme", &[]).await.refused(403, "ACCESS_DENIED");
    let other = json!([{ "tenant": "other", "allowedActions": ["*"] }]);
    let again = json!({ "id": token, "tenantPermissions": other });
    crafter.json("access_token/create", again).await.answers(200);
    crafter.by(&token).get("tenant/acme", &[]).await.refused(403, "ACTION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_may_delete_the_token_it_calls_with() {
    let crafter = Crafter::start().await;
    crafter.form(&format!("access_token/{MASTER}/delete"), &[]).await.is_empty();
    crafter.get("access_token/all", &[]).await.refused(403, "ACCESS_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_permission_that_fits_a_tenant_decides_alone() {
    let crafter = Crafter::start().await;
    crafter.tenant("other", json!({})).await;
    let token = crafter
        .token(
            "engine",
            json!([
                { "tenant": "acme", "allowedActions": ["MANAGE_PROFILES"] },
                { "tenant": "*", "allowedActions": ["READ_TENANT"] },
                { "tenant": "acme", "allowedActions": ["*"] },
                { "tenant": "other", "allowedActions": ["*"] },
            ]),
        )
        .await;
    let by = crafter.by(&token);
    by.get("tenant/acme", &[]).await.refused(403, "ACTION_DENIED");
    by.get("tenant/other", &[]).await.answers(200);
    by.get("tenant/count", &[]).await.answers(200);
    by.form("tenant/other/delete", &[]).await.refused(403, "ACTION_DENIED");
    by.get("profile/count", &[("tenantName", "acme")]).await.answers(200);
    by.get("profile/count", &[("tenantName", "other")]).await.refused(403, "ACTION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_kept_as_given_and_unknown_or_missing_ones_grant_nothing() {
    let crafter = Crafter::start().await;
    for (permissions, status) in [
        (json!(null), 403),
        (json!([]), 403),
        (json!([{ "tenant": "acme" }]), 403),
        (json!([{ "tenant": "acme", "allowedActions": [] }]), 403),
        (json!([{ "tenant": "acme", "allowedActions": ["read_tenant", "ANYTHING"] }]), 403),
        (json!([{ "tenant": "ACME", "allowedActions": ["READ_TENANT"] }]), 403),
        (json!([{ "allowedActions": ["READ_TENANT"] }]), 200),
    ] {
        let token = crafter.token("engine", permissions.clone()).await;
        let answer = crafter.by(&token).get("tenant/acme", &[]).await;
        assert_eq!(answer.status, status, "{permissions}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_read_strictly() {
    let crafter = Crafter::start().await;
    let head = crafter.head().await;
    let create = "access_token/create";
    crafter.json(create, json!({ "ssoEnable": true })).await.refused(400, "OTHER");
    crafter.json(create, json!([])).await.refused(400, "OTHER");
    crafter.json(create, json!({ "expiresOn": "soon" })).await.refused(400, "OTHER");
    crafter.json(create, json!({ "master": "yes" })).await.refused(400, "OTHER");
    crafter.form(create, &[("id", "x")]).await.refused(415, "OTHER");
    let path = format!("/api/1/{create}?accessTokenId={MASTER}");
    for (kind, body, status) in
        [("text/plain", "{}", 415), ("application/json", "", 400), ("application/json", "{", 400)]
    {
        let headers = [("content-type", kind)];
        let answer = crafter.send_bare("POST", &path, &headers, body.into()).await;
        answer.refused(status, "OTHER");
    }
    assert_eq!(crafter.head().await, head);
    let charset = [("content-type", "application/json; charset=ISO-8859-1")];
    crafter.send_bare("POST", &path, &charset, b"{}".to_vec()).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_tokens_are_in_the_log_only_as_digests_and_elsewhere_only_sealed() {
    let crafter = Crafter::start().await;
    let id = "a-very-secret-access-token";
    crafter.json("access_token/create", json!({ "id": id })).await.answers(200);
    let all = crafter.get("access_token/all", &[]).await.answers(200);
    assert_eq!(each(&all, "id")[1], id);
    assert!(!crafter.log().await.contains(id));
    let client = crafter.engine.connection().await.unwrap();
    let sealed = client.query("select sealed from ops.sealed_secrets", &[]).await.unwrap();
    let has = |bytes: Vec<u8>| bytes.windows(id.len()).any(|window| window == id.as_bytes());
    assert_eq!(sealed.len(), 2);
    assert!(!sealed.iter().any(|row| has(row.get(0))));
    let claims = client.query("select c::text from log.claims c", &[]).await.unwrap();
    assert!(claims.iter().all(|row| !row.get::<_, String>(0).contains(id)));
    drop(client);
    crafter.form(&format!("access_token/{id}/delete"), &[]).await.is_empty();
    until("the sealed id of a deleted token is forgotten", async || {
        let client = crafter.engine.connection().await.unwrap();
        client.query("select from ops.sealed_secrets", &[]).await.unwrap().len() == 1
    })
    .await;
}
