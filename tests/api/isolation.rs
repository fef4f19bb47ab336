//! No tenant sees, changes or infers another's data.

use dossier::catalogue_file;
use dossier::domain::claims::Claim;
use dossier::domain::ids::TenantId;
use dossier::domain::object_id::ObjectId;
use dossier::intake::api_keys::{issue_api_key, make_key};
use dossier::intake::catalogue::{How, apply};
use serde_json::json;
use uuid::Uuid;

use crate::support::api::{Api, CATALOGUE};

/// The same directory seen with the key of a second tenant, and its superadmin's id.
async fn second_tenant(api: &Api) -> (String, TenantId, Uuid) {
    let file = CATALOGUE.replace("\"acme\"", "\"umbra\"");
    let file = catalogue_file::parse(&file).unwrap();
    let how = How { dry_run: false, prune: false, folder: ".".into() };
    apply(&api.engine, &file, &how).await.unwrap();
    let tenant = api.engine.tenant_named("umbra").await.unwrap().unwrap();
    let key = make_key();
    issue_api_key(&api.engine, tenant, "second", None, &key).await.unwrap();
    let claim = Claim::import_line(tenant, "root").key;
    (key, tenant, api.engine.holders(&[claim]).await.unwrap()[&claim].holder)
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_tokens_of_one_tenant_mean_nothing_in_another() {
    let mut api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "Ours" })).await;
    let draft = api.v5(&token, "draft", json!({ "name": "Ours" })).await.answers(200);
    let export = api.v5(&token, "export", json!({})).await.answers(200);
    let page = api.get(&token, "/api/v1/events?limit=1").await.answers(200);
    let (key, umbra, other_root) = second_tenant(&api).await;
    let own_key = std::mem::replace(&mut api.key, key);
    let answer = api.v5(&token, "context", json!({})).await;
    assert_eq!(answer.answers(401)["code"], "invalid_token");
    let tenant = std::mem::replace(&mut api.tenant, umbra);
    let other = api.token_of(other_root);
    let target = json!({ "target_profile_id": id });
    assert_eq!(api.v5(&other, "get", target.clone()).await.status, 404);
    assert_eq!(api.v5(&other, "duplicate", target.clone()).await.status, 404);
    let emulate = api.v5(&other, "emulate", target).await.answers(200);
    assert_eq!(emulate["reason"], "target_not_found");
    let form = json!({ "draft_id": draft["draft_id"] });
    assert_eq!(api.v5(&other, "get", form).await.status, 404);
    let file = format!("/uploads/{}/download", export["upload_id"].as_str().unwrap());
    assert_eq!(api.get(&other, &file).await.status, 404);
    assert_eq!(api.get(&other, &format!("/api/v1/profiles/{id}/history")).await.status, 404);
    let cursor = page["next_cursor"].as_str().unwrap();
    let events = api.get(&other, &format!("/api/v1/events?cursor={cursor}")).await;
    assert_eq!(events.answers(422)["code"], "invalid_cursor");
    let name_id = &draft["form_state"]["name_id"];
    let item = json!({ "profiles": [{ "name_id": name_id }] });
    let created = api.v5(&other, "create", item).await.answers(200);
    assert_eq!(created["results"][0]["errors"][0]["field"], "name_id");
    let item = json!({ "profiles": [{ "profile_id": id, "name": "Theirs" }] });
    let updated = api.v5(&other, "update", item).await.answers(200);
    assert_eq!(updated["results"][0]["errors"][0]["message"], "profile not found");
    let deleted = api.v5(&other, "delete", json!({ "profile_ids": [id] })).await.answers(200);
    assert_eq!(deleted["results"][0]["message"], "profile not found");
    (api.key, api.tenant) = (own_key, tenant);
    let form = json!({ "target_profile_id": id });
    let form = api.v5(&token, "get", form).await.answers(200);
    assert_eq!(form["names"]["resource"]["name"], "Ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_taken_anywhere_is_refused_without_telling_where() {
    let mut api = Api::start().await;
    let token = api.token("root").await;
    let (key, umbra, other_root) = second_tenant(&api).await;
    let (chosen, gone) = (Uuid::now_v7(), Uuid::now_v7());
    for id in [chosen, gone] {
        api.create(&token, json!({ "id": id, "name": "Ours" })).await;
    }
    api.v5(&token, "delete", json!({ "profile_ids": [gone] })).await.answers(200);
    // As the other face writes it: another UUID, the same twelve bytes.
    let same = ObjectId::of(chosen).held();
    let minted = api.id("mia").await;
    let own = json!({ "profiles": [{ "id": minted, "name": "Theirs" }] });
    let refused = api.v5(&token, "create", own).await.answers(200);
    (api.key, api.tenant) = (key, umbra);
    let other = api.token_of(other_root);
    for id in [chosen, gone, same, minted, umbra.0] {
        let item = json!({ "profiles": [{ "id": id, "name": "Theirs" }] });
        let answer = api.v5(&other, "create", item).await.answers(200);
        match id == umbra.0 {
            true => assert_eq!(answer["results"][0]["success"], true, "only of its own kind"),
            false => assert_eq!(answer, refused, "{id}"),
        }
    }
    let item = json!({ "id": Uuid::now_v7(), "name": "Theirs" });
    let free = api.create(&other, item.clone()).await;
    assert_eq!(api.create(&other, item).await, free, "a repetition is none");
}
