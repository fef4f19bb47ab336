//! Paths as clients of the Crafter Profile face write them (contract 0).

use dossier::api::crafter::path::routed;
use proptest::prelude::*;

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

proptest! {
    #[test]
    fn no_text_is_too_odd_for_a_path(text: String) {
        let _ = routed(&format!("/api/1/{text}"), &text);
    }
}
