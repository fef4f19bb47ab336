//! Create, update, duplicate and delete (contract 4.4 to 4.6, 4.9).

use serde_json::json;
use uuid::Uuid;

use crate::support::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn one_invalid_item_and_nothing_is_created() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let items =
        json!([{ "name": "Good" }, { "name": " " }, {}, { "name": "X", "departments": ["?"] }]);
    let answer = api.v5(&token, "create", json!({ "profiles": items })).await.answers(200);
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0]["message"], "not applied: other items are invalid");
    assert_eq!(results[0]["errors"], json!(null));
    assert_eq!(results[1]["errors"][0]["field"], "name");
    assert_eq!(results[2]["errors"][0]["field"], "name");
    assert_eq!(results[3]["errors"][0]["field"], "departments");
    assert!(results.iter().all(|one| one["success"] == false && one["profile_id"].is_null()));
    let found = api.v5(&token, "search", json!({ "search": "good" })).await.answers(200);
    assert_eq!(found["total_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_and_content_again_is_the_same_profile_and_no_event() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = Uuid::now_v7();
    let item = json!({ "id": id, "name": "Ada", "departments": ["north"] });
    for _ in 0..2 {
        assert_eq!(api.create(&token, item.clone()).await, id);
    }
    assert_eq!(api.events_of(&token, id).await, ["ProfileRegistered"]);
    let other = json!({ "profiles": [{ "id": id, "name": "Eve" }] });
    let answer = api.v5(&token, "create", other).await.answers(200);
    assert_eq!(answer["results"][0]["errors"][0]["field"], "id");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_makes_one_event_per_fact_and_none_for_what_stays() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "Ada" })).await;
    let item = json!({
        "profile_id": id,
        "name": "Ada King",
        "role_ids": [api.role("member")],
        "department_ids": [api.department("north"), api.department("north")],
        "flag_id": api.flag(true),
    });
    for _ in 0..2 {
        let answer = api.v5(&token, "update", json!({ "profiles": [item] })).await.answers(200);
        assert_eq!(answer["results"][0]["success"], true, "{answer}");
    }
    assert_eq!(
        api.events_of(&token, id).await,
        [
            "ProfileRegistered",
            "ProfileRenamed",
            "RolesAssigned",
            "DepartmentsAssigned",
            "ProfileActivated"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_edits_those_below_in_own_departments_and_nobody_else() {
    let api = Api::start().await;
    let ada = api.token("ada").await;
    for (target, allowed) in [("mia", true), ("ian", true), ("sam", false), ("root", false)] {
        let item = json!({ "profile_id": api.id(target).await, "name": format!("New {target}") });
        let answer = api.v5(&ada, "update", json!({ "profiles": [item] })).await.answers(200);
        assert_eq!(answer["results"][0]["success"], allowed, "{target}: {answer}");
        if !allowed {
            assert_eq!(answer["results"][0]["errors"][0]["field"], "profile_id");
        }
    }
    let above = json!({ "profile_id": api.id("mia").await, "role_ids": [api.role("superadmin")] });
    let answer = api.v5(&ada, "update", json!({ "profiles": [above] })).await.answers(200);
    assert_eq!(answer["results"][0]["errors"][0]["field"], "role_ids");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_renames_itself_and_changes_none_of_its_rights() {
    let api = Api::start().await;
    let (mia, id) = (api.token("mia").await, api.id("mia").await);
    let unchanged = json!({ "profile_id": id, "name": "Mia N.", "role_ids": [api.role("member")] });
    let answer = api.v5(&mia, "update", json!({ "profiles": [unchanged] })).await.answers(200);
    assert_eq!(answer["results"][0]["success"], true, "{answer}");
    let promoted = json!({ "profile_id": id, "role_ids": [api.role("guest")] });
    let answer = api.v5(&mia, "update", json!({ "profiles": [promoted] })).await.answers(200);
    assert_eq!(answer["results"][0]["errors"][0]["field"], "role_ids");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_belongs_to_one_profile_until_that_is_deleted() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let email = api.email(&token, "MIA@acme.example").await;
    let item = json!({ "name": "Other", "email_ids": [email] });
    let create = json!({ "profiles": [item] });
    let answer = api.v5(&token, "create", create.clone()).await.answers(200);
    assert_eq!(answer["results"][0]["errors"][0]["field"], "email_ids");
    let mia = api.id("mia").await;
    api.v5(&token, "delete", json!({ "profile_ids": [mia] })).await.answers(200);
    let answer = api.v5(&token, "create", create).await.answers(200);
    assert_eq!(answer["results"][0]["success"], true, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_items_that_want_one_address_are_not_both_created() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let (a, b) =
        (api.email(&token, "x@acme.example").await, api.email(&token, "X@acme.example").await);
    let items = json!([{ "name": "A", "email_ids": [a] }, { "name": "B", "email_ids": [b] }]);
    let answer = api.v5(&token, "create", json!({ "profiles": items })).await.answers(200);
    assert_eq!(answer["results"][0]["success"], false);
    assert_eq!(answer["results"][1]["errors"][0]["field"], "email_ids");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_can_demand_the_version_it_read() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "Ada" })).await;
    let form = api.v5(&token, "get", json!({ "target_profile_id": id })).await;
    let version = form.headers["dossier-version"].to_str().unwrap().to_owned();
    let rename = |name: &str| json!({ "profiles": [{ "profile_id": id, "name": name }] });
    let headers = [("if-match", version.as_str())];
    api.v5_with(&token, "update", rename("B"), &headers).await.answers(200);
    let late = api.v5_with(&token, "update", rename("C"), &headers).await;
    assert_eq!(late.answers(412)["code"], "precondition_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_no_log_in_and_may_not_act() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let body = json!({ "target_profile_id": api.id("mia").await });
    let answer = api.v5(&token, "duplicate", body).await.answers(200);
    let copy = json!({ "target_profile_id": answer["profile_id"] });
    let form = api.v5(&token, "get", copy).await.answers(200);
    assert_eq!(form["names"]["resource"]["name"], "Mia North Copy");
    assert_eq!(form["emails"]["current"], json!(null));
    assert_eq!(form["role"], "member");
    assert_eq!(form["flags"]["current"]["flag_option_id"], api.flag(false).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_are_judged_each_for_itself() {
    let api = Api::start().await;
    let ada = api.token("ada").await;
    let (own, mia, sam) = (api.id("ada").await, api.id("mia").await, api.id("sam").await);
    let ids = json!({ "profile_ids": [own, mia, sam, mia, Uuid::now_v7()] });
    let answer = api.v5(&ada, "delete", ids).await.answers(200);
    let results = answer["results"].as_array().unwrap();
    let told: Vec<_> = results.iter().map(|one| one["message"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        ["cannot delete yourself", "profile deleted", "profile not found", "profile not found"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_promotes_to_the_editors_rank_is_judged_by_who_the_target_was() {
    let api = Api::start().await;
    let ian = api.token("ian").await;
    let item = json!({
        "profile_id": api.id("mia").await,
        "role_ids": [api.role("instructional")],
        "department_ids": [api.department("north")],
        "flag_id": api.flag(true),
    });
    let answer = api.v5(&ian, "update", json!({ "profiles": [item] })).await.answers(200);
    assert_eq!(answer["results"][0]["success"], true, "{answer}");
}
