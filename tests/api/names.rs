//! Names that nobody can read are refused wherever one comes in (contract 1.4).

use dossier::domain::claims::Claim;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::crafter::Crafter;

/// Nothing to be seen, another line, another direction.
const UNREADABLE: [&str; 4] = ["\u{200b}\u{feff}", "Ada\u{2028}North", "\u{202e}adA", "A\u{2067}"];

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_given_no_name_that_cannot_be_read() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "Ada" })).await;
    let refused = |answer: Value| {
        let result = &answer["results"][0];
        assert_eq!(result["success"], false, "{answer}");
        assert!(answer.to_string().contains("visible"), "{answer}");
    };
    for name in UNREADABLE {
        let body = json!({ "profiles": [{ "name": name }] });
        refused(api.v5(&token, "create", body).await.json());
        let body = json!({ "profiles": [{ "profile_id": id, "name": name }] });
        refused(api.v5(&token, "update", body).await.json());
        let draft = api.v5(&token, "draft", json!({ "name": name })).await;
        assert!(draft.status.is_client_error(), "{name:?}: {}", draft.text);
    }
    for name in ["می\u{200c}خواهد", "ශ\u{dca}\u{200d}රී", "👩\u{200d}🚀"] {
        api.create(&token, json!({ "name": name })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_give_no_name_that_cannot_be_read() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    for name in UNREADABLE {
        let create = [
            ("tenantName", "acme"),
            ("username", name),
            ("email", "eve@acme.example"),
            ("enabled", "true"),
        ];
        crafter.form("profile/create", &create).await.refused(400, "OTHER");
        let role = [&create[..], &[("role", name), ("username", "eve")]].concat();
        let role: Vec<_> = role.into_iter().filter(|one| *one != ("username", name)).collect();
        crafter.form("profile/create", &role).await.refused(400, "OTHER");
        let update = format!("profile/{id}/update");
        crafter.form(&update, &[("username", name)]).await.refused(400, "OTHER");
        let add = format!("profile/{id}/roles/add");
        crafter.form(&add, &[("role", name)]).await.refused(400, "OTHER");
        crafter.json("tenant/create", json!({ "name": name })).await.refused(400, "OTHER");
        let add = crafter.form("tenant/acme/roles/add", &[("role", name)]).await;
        add.refused(400, "OTHER");
        let definition = json!([{ "name": name, "metadata": {}, "permissions": [] }]);
        let add = crafter.json("tenant/acme/attribute_definitions/add", definition).await;
        add.refused(400, "OTHER");
    }
}

/// Unlike addresses, usernames meet only if every letter is the same (Crafter contract 2).
#[tokio::test(flavor = "multi_thread")]
async fn usernames_are_compared_exactly() {
    let crafter = Crafter::start().await;
    let names = ["strasse", "straße", "Strasse", "ﬁnn", "finn", "é", "e\u{301}"];
    for (number, name) in names.iter().enumerate() {
        let email = format!("{number}@acme.example");
        let made = crafter.profile("acme", name, &[("email", &email)]).await;
        assert_eq!(made["username"], *name);
    }
    let claims = names.map(|name| Claim::username(crafter.tenant, name).key);
    let held = crafter.engine.holders(&claims).await.unwrap();
    assert_eq!(held.len(), names.len());
}
