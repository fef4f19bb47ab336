//! Search (contract 4.3).

use dossier::catalogue_file;
use dossier::intake::catalogue::{How, apply};
use serde_json::{Value, json};

use crate::support::api::{Api, CATALOGUE};

fn names(answer: &Value) -> Vec<&str> {
    answer["profiles"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

fn count(answer: &Value, facet: &str, name: &str) -> i64 {
    let options = answer[facet]["options"].as_array().unwrap();
    let option = options.iter().find(|option| option["name"] == name);
    option.map_or(-1, |option| option["count"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_own_rank_and_below_in_own_departments_and_never_oneself() {
    let api = Api::start().await;
    for (who, seen) in [
        ("root", vec!["Ada North", "Gil", "Ian North", "Mia North", "Sam South"]),
        ("ada", vec!["Gil", "Ian North", "Mia North"]),
        ("mia", vec!["Gil"]),
        ("gil", vec![]),
    ] {
        let token = api.token(who).await;
        let answer = api.v5(&token, "search", json!({})).await.answers(200);
        assert_eq!(names(&answer), seen, "{who}");
        assert_eq!(answer["total_count"], seen.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_match_names_and_addresses_whatever_their_case_and_mean_themselves() {
    let api = Api::start().await;
    let token = api.token("root").await;
    api.create(&token, json!({ "name": "Élodie 100%_x" })).await;
    for (term, found) in [
        ("NORTH", vec!["Ada North", "Ian North", "Mia North"]),
        ("sam@ACME", vec!["Sam South"]),
        ("éLODIE", vec!["Élodie 100%_x"]),
        ("100%_", vec!["Élodie 100%_x"]),
        ("%", vec!["Élodie 100%_x"]),
        ("a%h", vec![]),
    ] {
        let answer = api.v5(&token, "search", json!({ "search": term })).await.answers(200);
        assert_eq!(names(&answer), found, "{term}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn facets_count_under_all_other_filters() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let body =
        json!({ "role_filter": "member", "filter_department_ids": [api.department("north")] });
    let answer = api.v5(&token, "search", body).await.answers(200);
    assert_eq!(names(&answer), ["Mia North"]);
    assert_eq!(count(&answer, "department_filter", "South"), 1);
    assert_eq!(count(&answer, "department_filter", "West"), 0);
    assert_eq!(count(&answer, "role_filter", "Admin"), 1);
    assert_eq!(count(&answer, "role_filter", "Guest"), 0);
    assert_eq!(answer["role_filter"]["selected_ids"], json!(["member"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_beyond_the_end_still_tells_the_total() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let answer = api.v5(&token, "search", json!({ "page_size": 2, "page_offset": 4 })).await;
    let answer = answer.answers(200);
    assert_eq!(names(&answer), ["Sam South"]);
    assert_eq!(answer["total_count"], 5);
    let answer = api.v5(&token, "search", json!({ "page_offset": 50 })).await.answers(200);
    assert_eq!((names(&answer).len(), &answer["total_count"]), (0, &json!(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_roles_and_cohorts_match_nobody() {
    let api = Api::start().await;
    let token = api.token("ada").await;
    for body in [
        json!({ "role_filter": "superadmin" }),
        json!({ "role_filter": "nothing" }),
        json!({ "cohort_ids": [api.tenant] }),
    ] {
        let answer = api.v5(&token, "search", body.clone()).await.answers(200);
        assert_eq!(answer["total_count"], 0, "{body}");
        assert!(answer["department_filter"]["options"].is_array());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_types_no_marks_finds_names_that_have_some_and_who_types_them_only_these() {
    let api = Api::start().await;
    let token = api.token("root").await;
    for name in ["École", "E\u{301}cole", "Ecole", "Müller", "İstanbul", "Işık", "Søren"] {
        api.create(&token, json!({ "name": name })).await;
    }
    for (term, found) in [
        ("ecole", vec!["Ecole", "École", "E\u{301}cole"]),
        ("école", vec!["École", "E\u{301}cole"]),
        ("muller", vec!["Müller"]),
        ("müller", vec!["Müller"]),
        ("istanbul", vec!["İstanbul"]),
        ("isik", vec!["Işık"]),
        ("işik", vec![]),
        ("soren", vec!["Søren"]),
    ] {
        let answer = api.v5(&token, "search", json!({ "search": term })).await.answers(200);
        let mut names = names(&answer);
        let mut found = found.clone();
        names.sort_unstable();
        found.sort_unstable();
        assert_eq!(names, found, "{term}");
        assert_eq!(answer["total_count"], found.len(), "{term}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_facets_are_found_as_people_are() {
    let api = Api::start().await;
    let file = CATALOGUE.replace("name = \"West\"", "name = \"Öst Straße\"");
    let file = file.replace("name = \"Guest\"", "name = \"Invité\"");
    let file = catalogue_file::parse(&file).unwrap();
    let how = How { dry_run: false, prune: false, folder: ".".into() };
    apply(&api.engine, &file, &how).await.unwrap();
    let token = api.token("root").await;
    for (departments, roles, found) in
        [("ost strasse", "invite", 1), ("ÖST", "INVITÉ", 1), ("øst", "ìnvite", 0)]
    {
        let body = json!({ "department_search": departments, "role_search": roles });
        let answer = api.v5(&token, "search", body).await.answers(200);
        for facet in ["department_filter", "role_filter"] {
            let options = answer[facet]["options"].as_array().unwrap();
            assert_eq!(options.len(), found, "{facet} {departments} {roles}");
        }
    }
}
