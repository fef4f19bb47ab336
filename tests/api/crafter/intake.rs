//! Taking in records: none is left out in silence. What an earlier run took in is told apart from
//! what meets somebody else.

use dossier::intake::people::import;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::support::crafter::{Crafter, each};

const ONE: &str = "5f1d7b02e4b0c2a900000001";
const TWO: &str = "5f1d7b02e4b0c2a900000002";

fn profile(id: &str, username: &str) -> Value {
    json!({ "_id": { "$oid": id }, "tenant": "acme", "username": username, "email": "a@b",
        "enabled": true })
}

/// Regression of issue 8: of two records with one id, one was gone and nobody was told.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_meet_each_other_are_bad_ones_but_for_the_first() {
    for (profiles, kept) in [
        (json!([profile(ONE, "ada"), profile(ONE, "bob")]), "ada"),
        (json!([profile(ONE, "ada"), profile(ONE, "ada")]), "ada"),
        (json!([profile(ONE, "ada"), profile(TWO, "ada")]), "ada"),
    ] {
        let crafter = Crafter::start().await;
        let summary = crafter.take_in_what_fits(json!({ "profile": profiles })).await;
        assert_eq!((summary.profiles, summary.before, summary.bad), (1, 0, 1), "{profiles}");
        let query = [("tenantName", "acme"), ("query", "{_id: {$exists: true}}")];
        let found = crafter.get("profile/by_query", &query).await.answers(200);
        assert_eq!(each(&found, "username").last().unwrap(), kept);
        // The good one again is there before; the bad one is still bad.
        let again = crafter.take_in_what_fits(json!({ "profile": profiles })).await;
        assert_eq!((again.profiles, again.before, again.bad), (0, 1, 1), "{profiles}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_meets_what_was_made_otherwise_is_a_bad_one() {
    let crafter = Crafter::start().await;
    let ada = crafter.profile_id("acme", "ada").await;
    let token = crafter.token_for("acme").await;
    let tokens = json!([{ "id": token, "application": "a", "tenantPermissions": [] }]);
    let tenant = crafter.tenant("t", json!({ "availableRoles": ["A"] })).await;
    let tenants = json!([
        { "_id": tenant["id"], "name": "other", "availableRoles": [] },
        // A tenant is known by its name, and learns what it lacks.
        { "name": "t", "availableRoles": ["B"] },
    ]);
    let profiles = json!([
        profile(&ada, "bob"),
        profile(ONE, "ada"),
        { "username": "ada", "tenant": "acme", "email": "a@b", "password": "secret" },
        { "username": "eve", "tenant": "nowhere", "email": "a@b", "password": "secret" },
    ]);
    let seed = json!({ "accesstoken": tokens, "tenant": tenants, "profile": profiles });
    let summary = crafter.take_in_what_fits(seed).await;
    assert_eq!((summary.tenants, summary.tokens, summary.profiles), (0, 0, 0));
    assert_eq!((summary.before, summary.bad), (1, 6), "{summary}");
    let roles = crafter.get("tenant/t", &[]).await.answers(200)["availableRoles"].clone();
    assert_eq!(roles, json!(["A", "B"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_one_file_with_one_id_are_bad_ones_but_for_the_first() {
    let crafter = Crafter::start().await;
    let text = "{\"id\":\"a\",\"name\":\"Ann\"}\n\n{\"id\":\"a\",\"name\":\"Amy\"}\n";
    let run = async || {
        let bar = ProgressBar::hidden();
        import(&crafter.engine, "acme", "people.ndjson", text.as_bytes(), bar).await.unwrap()
    };
    let first = run().await;
    assert_eq!((first.profiles, first.before, first.bad), (1, 0, 1));
    let again = run().await;
    assert_eq!((again.profiles, again.before, again.bad), (0, 1, 1));
}
