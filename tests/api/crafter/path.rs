//! Paths and ids as clients of the Crafter Profile face write them (contract 0).

use dossier::api::crafter::path::{profile_id, routed};
use dossier::domain::object_id::shown;
use proptest::prelude::*;
use uuid::Uuid;

const PREFIX: &str = "/crafter-profile";

#[track_caller]
fn goes_to(path: &str, route: &str) {
    assert_eq!(routed(path, PREFIX), Some(route), "{path}");
    assert_eq!(routed(&format!("{PREFIX}{path}"), PREFIX), Some(route), "{path}");
}

#[test]
fn prefix_suffix_and_trailing_slash_are_taken_off() {
    goes_to("/api/1/tenant/count", "/api/1/tenant/count");
    goes_to("/api/1/tenant/count.json", "/api/1/tenant/count");
    goes_to("/api/1/tenant/count/", "/api/1/tenant/count");
    goes_to("/api/1/profile/7/attachments/.json", "/api/1/profile/7/attachments");
    goes_to("/api/1/profile/7/attachments/", "/api/1/profile/7/attachments");
    goes_to("/api/1/", "/api/1");
}

#[test]
fn each_is_taken_off_once() {
    goes_to("/api/1/tenant/a.json.json", "/api/1/tenant/a.json");
    goes_to("/api/1/tenant/a//", "/api/1/tenant/a/");
    goes_to("/api/1/tenant/a.json/", "/api/1/tenant/a.json");
    let twice = format!("{PREFIX}{PREFIX}/api/1/tenant/a");
    assert_eq!(routed(&twice, PREFIX), None);
}

#[test]
fn dots_within_a_name_stay() {
    goes_to("/api/1/tenant/a.b", "/api/1/tenant/a.b");
    goes_to("/api/1/tenant/a.b.json", "/api/1/tenant/a.b");
    goes_to("/api/1/tenant/a.JSON", "/api/1/tenant/a.JSON");
    goes_to("/api/1/tenant/a%2Ejson", "/api/1/tenant/a%2Ejson");
}

#[test]
fn other_paths_are_not_this_faces() {
    let others = [
        "/",
        "",
        "/api/1",
        "/api/10/x",
        "/api/v5/artifacts/profiles/get.json",
        "/openapi.json",
        "/crafter-profile",
        "/crafter-profile/openapi.json",
        "/crafter-profileX/api/1/tenant/all",
        "/other/api/1/tenant/all",
        "api/1/tenant/all",
    ];
    for path in others {
        assert_eq!(routed(path, PREFIX), None, "{path:?}");
    }
}

#[test]
fn the_prefix_can_be_another_or_none() {
    let path = "/profile/api/1/tenant/all.json";
    assert_eq!(routed(path, "/profile"), Some("/api/1/tenant/all"));
    assert_eq!(routed(path, ""), None);
    assert_eq!(routed("/api/1/tenant/all", ""), Some("/api/1/tenant/all"));
}

#[test]
fn an_imported_id_and_one_of_ours_are_ids() {
    let imported = profile_id("5a1c2e3f4b5d6e7f80918273").unwrap();
    assert_eq!(shown(imported), "5a1c2e3f4b5d6e7f80918273");
    let own = "0190b1c2-d3e4-7f5a-8b6c-0123456789ab";
    assert_eq!(profile_id(own), Uuid::parse_str(own).ok());
    assert_eq!(profile_id(&own.to_ascii_uppercase()), profile_id(own));
}

#[test]
fn anything_else_is_nobodys_id() {
    let simple = "0190b1c2d3e47f5a8b6c0123456789ab";
    let braced = "{0190b1c2-d3e4-7f5a-8b6c-0123456789ab}";
    let urn = "urn:uuid:0190b1c2-d3e4-7f5a-8b6c-0123456789ab";
    for text in ["", "7", "admin", simple, braced, urn, "5a1c2e3f4b5d6e7f8091827"] {
        assert_eq!(profile_id(text), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn every_id_shown_is_the_id_meant(bytes: [u8; 16]) {
        let id = Uuid::from_bytes(bytes);
        prop_assert_eq!(profile_id(&shown(id)), Some(id));
    }

    #[test]
    fn no_text_is_too_odd_for_an_id_or_a_path(text: String) {
        let _ = profile_id(&text);
        let _ = routed(&format!("/api/1/{text}"), &text);
    }
}
