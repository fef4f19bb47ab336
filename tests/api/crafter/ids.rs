//! Ids as this face's clients parse them: 24 hexadecimal digits, in every answer, whoever made
//! what has them (contract 0).

use dossier::domain::object_id::shown;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::crafter::{Crafter, MASTER, PASSWORD, attribute, each, text, uuid};

const OID: &str = "5f1d7b02e4b0c2a900000001";

/// A profile of each origin, by its id here: made here, imported, of the catalogue, and made by
/// another face under an id of ours and under one that its caller chose.
async fn place() -> (Crafter, Vec<String>) {
    let crafter = Crafter::start().await;
    let definitions = json!([attribute("city", "TEXT")]);
    crafter.json("tenant/acme/attribute_definitions/add", definitions).await.answers(200);
    let imported = json!([{ "_id": { "$oid": OID }, "tenant": "acme", "username": "old",
        "email": "old@acme.example", "enabled": true }]);
    crafter.take_in(json!({ "profile": imported })).await;
    let root = crafter.api.token("root").await;
    let chosen = Uuid::parse_str("0190b1c2-d3e4-4f5a-8b6c-0123456789ab").unwrap();
    let ids = vec![
        crafter.profile_id("acme", "here").await,
        OID.to_owned(),
        shown(crafter.id("mia").await),
        shown(crafter.create(&root, json!({ "name": "Elsewhere" })).await),
        shown(crafter.create(&root, json!({ "id": chosen, "name": "Chosen" })).await),
    ];
    (crafter, ids)
}

/// As Crafter's own client reads ids: strictly.
#[track_caller]
fn is_object_id(value: &Value) {
    let id = value.as_str().unwrap_or_else(|| panic!("{value} is no id"));
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    assert!(id.len() == 24 && id.bytes().all(digit), "{id}");
}

/// Reads the ids of profiles, tenants and attachments anywhere in an answer; how many there are.
fn ids_in(answer: &Value) -> usize {
    match answer {
        Value::Array(items) => items.iter().map(ids_in).sum(),
        Value::Object(fields) => {
            let own = ["username", "availableRoles", "fileName"];
            let mut ids = fields.get("profileId").into_iter().collect::<Vec<_>>();
            if own.iter().any(|field| fields.contains_key(*field)) {
                ids.push(&fields["id"]);
            }
            ids.iter().for_each(|id| is_object_id(id));
            ids.len() + fields.values().map(ids_in).sum::<usize>()
        }
        _ => 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_id_in_every_answer_has_24_digits() {
    let (crafter, ids) = place().await;
    let tenants = crafter.get("tenant/all", &[]).await.answers(200);
    assert_eq!(ids_in(&tenants), 1);
    let acme = ("tenantName", "acme");
    let everybody = [acme, ("query", "{}")];
    let ours = [acme, ("attributeName", "city"), ("attributeValue", "Bern")];
    let role = [("role", "R"), acme];
    for id in &ids {
        let at = |rest: &str| format!("profile/{id}{rest}");
        let password = [("username", id.as_str()), ("password", PASSWORD), ("email", "a@b")];
        let mut answers = vec![
            crafter.form(&at("/update"), &password).await,
            crafter.form(&at("/roles/add"), &[("role", "R")]).await,
            crafter.form(&at("/enable"), &[]).await,
            crafter.json(&at("/attributes/update"), json!({ "city": "Bern" })).await,
            crafter.by(MASTER).upload(id, &[], "a.png", b"a").await,
            crafter.get(&at("/attachments/"), &[]).await,
            crafter.get(&at("/attachment/a/details"), &[]).await,
            crafter.get(&at(""), &[]).await,
            crafter.get("profile/by_username", &[acme, ("username", id)]).await,
            crafter.get("profile/by_ids", &[("id", id)]).await,
            crafter
                .get("profile/one_by_query", &[acme, ("query", &format!("{{_id: '{id}'}}"))])
                .await,
            crafter.get("profile/by_query", &everybody).await,
            crafter.get("profile/range", &[acme]).await,
            crafter.get("profile/by_role", &role).await,
            crafter.get("profile/by_existing_attribute", &ours[..2]).await,
            crafter.get("profile/by_attribute_value", &ours).await,
            crafter.form(&at("/verification_token/create"), &[]).await,
            crafter.log_in("acme", id, PASSWORD).await,
            crafter.form("authentication/ticket/create", &[("profileId", id)]).await,
            crafter.form("authentication/persistent_login/create", &[("profileId", id)]).await,
        ];
        let own = |place: usize, answers: &[crate::support::api::Answer]| {
            text(&answers[place].json()["id"])
        };
        let (verification, ticket, login) =
            (own(16, &answers), own(18, &answers), own(19, &answers));
        let refresh = format!("authentication/persistent_login/{login}/refresh_token");
        let change = [("resetTokenId", verification.as_str()), ("newPassword", "other-secret")];
        answers.extend([
            crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await,
            crafter.get(&format!("authentication/ticket/{ticket}"), &[]).await,
            crafter.get(&format!("authentication/persistent_login/{login}"), &[]).await,
            crafter.form(&refresh, &[]).await,
            crafter.get(&format!("profile/verification_token/{verification}"), &[]).await,
            crafter.form("profile/change_password", &change).await,
            crafter.form(&at("/roles/remove"), &[("role", "R")]).await,
            crafter.form(&at("/disable"), &[]).await,
        ]);
        for answer in &answers {
            assert!(ids_in(&answer.answers(200)) > 0, "{}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_found_in_each_of_its_spellings_wherever_one_comes_in() {
    let (crafter, ids) = place().await;
    for id in &ids {
        let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
        let (username, other) = (text(&found["username"]), uuid(id).to_string());
        for spelt in [id.clone(), id.to_uppercase(), other.clone(), other.to_uppercase()] {
            let found = crafter.get(&format!("profile/{spelt}"), &[]).await.answers(200);
            assert_eq!((&found["id"], &found["username"]), (&json!(id), &json!(username)));
            let found = crafter.get("profile/by_ids", &[("id", &spelt)]).await.answers(200);
            assert_eq!(each(&found, "id"), [id.as_str()]);
            let create = "authentication/ticket/create";
            let ticket = crafter.form(create, &[("profileId", &spelt)]).await.answers(200);
            assert_eq!(ticket["profileId"], json!(id));
            let attributes = crafter.get(&format!("profile/{spelt}/attributes"), &[]).await;
            attributes.answers(200);
        }
        for query in [
            format!("{{_id: '{id}'}}"),
            format!("{{id: '{id}'}}"),
            format!("{{id: '{other}'}}"),
            format!("{{_id: {{$oid: '{id}'}}}}"),
            format!("{{_id: ObjectId(\"{id}\")}}"),
            format!("{{_id: UUID(\"{other}\")}}"),
            format!("{{id: {{$in: ['{other}', '{id}']}}}}"),
            format!("{{_id: {{$gte: '{id}', $lte: '{id}'}}}}"),
        ] {
            let parameters = [("tenantName", "acme"), ("query", query.as_str())];
            let found = crafter.get("profile/by_query", &parameters).await.answers(200);
            assert_eq!(each(&found, "id"), [id.as_str()], "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_ids_sort_in_the_order_in_which_they_were_made_on_every_face() {
    let crafter = Crafter::start().await;
    let root = crafter.api.token("root").await;
    let mut made = Vec::new();
    for number in 0..3 {
        made.push(crafter.profile_id("acme", &format!("p{number}")).await);
        made.push(shown(crafter.create(&root, json!({ "name": "Person" })).await));
    }
    assert!(made.is_sorted(), "{made:?}");
    let uuids: Vec<Uuid> = made.iter().map(|id| uuid(id)).collect();
    assert!(uuids.is_sorted(), "{uuids:?}");
    let sorted = [("tenantName", "acme"), ("sortBy", "_id"), ("sortOrder", "ASC")];
    let listed = each(&crafter.get("profile/range", &sorted).await.answers(200), "id");
    assert!(listed.is_sorted() && listed.ends_with(&made), "{listed:?}");
}

/// Repeating a deletion once reached the profile of another tenant: regression of issue 8.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_never_leads_to_anybody_else_not_even_after_a_deletion() {
    let (crafter, _) = place().await;
    let home = crafter.tenant("home", json!({})).await;
    is_object_id(&home["id"]);
    let id = crafter.profile_id("home", "ada").await;
    let root = crafter.api.token("root").await;
    let item = json!({ "profiles": [{ "id": uuid(&id), "name": "Taken over" }] });
    for _ in 0..2 {
        let answer = crafter.v5(&root, "create", item.clone()).await.answers(200);
        let error = &answer["results"][0]["errors"][0];
        assert_eq!(error["field"], "id", "{answer}");
        assert!(!answer.to_string().contains("home"), "{answer}");
        crafter.form(&format!("profile/{id}/delete"), &[]).await.is_empty();
        crafter.get(&format!("profile/{id}"), &[]).await.refused(404, "NO_SUCH_PROFILE");
    }
    let other = json!([{ "_id": { "$oid": id }, "tenant": "acme", "username": "again",
        "email": "a@b", "enabled": true }]);
    let summary = crafter.take_in_what_fits(json!({ "profile": other })).await;
    assert_eq!((summary.profiles, summary.bad), (0, 1), "{summary}");
}
