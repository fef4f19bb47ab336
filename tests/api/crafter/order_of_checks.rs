//! What is wrong with a call is told in one order (contract 2): route and method, access token,
//! parameters, permission and what there is.

use serde_json::json;

use crate::support::crafter::{Crafter, MASTER, attribute, attribute_for, nobody};

const CREATE: [(&str, &str); 4] =
    [("tenantName", "t"), ("username", "ada"), ("email", "a@b"), ("enabled", "1")];

/// The parameters of a creation, some of them other.
fn creating<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_other = |name: &str| other.iter().any(|(one, _)| *one == name);
    let kept = CREATE.into_iter().filter(|(name, _)| !is_other(name));
    kept.chain(other.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_told_before_any_token_is_asked_for() {
    let crafter = Crafter::start().await;
    let by = crafter.by("");
    for path in ["nothing", "profile/a/b/c/d", "tenant/a/b", ""] {
        assert_eq!(by.get(path, &[]).await.status, 404, "{path}");
        assert_eq!(by.form(path, &[]).await.status, 404, "{path}");
    }
    for (method, path, allowed) in [
        ("POST", "profile/by_query", "GET"),
        ("POST", "profile/one_by_query", "GET"),
        ("GET", "profile/x/delete", "POST"),
        ("GET", "authentication/authenticate", "POST"),
        ("GET", "authentication/ticket/x/invalidate", "POST"),
        ("PUT", "tenant/update", "POST"),
        ("DELETE", "tenant/acme/delete", "POST"),
        ("PATCH", "monitoring/memory", "GET"),
    ] {
        let answer = crafter.send_bare(method, &format!("/api/1/{path}"), &[], vec![]).await;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
        answer.refused(405, "OTHER");
        let allow = answer.headers["allow"].to_str().unwrap();
        assert!(allow.split(',').any(|one| one.trim() == allowed), "{path}: {allow}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_comes_before_parameters_and_bodies() {
    let crafter = Crafter::start().await;
    for token in ["", "unknown"] {
        let by = crafter.by(token);
        by.get("profile/by_query", &[("start", "x")]).await.refused(403, "ACCESS_DENIED");
        by.get("profile/range", &[("selector", "(")]).await.refused(403, "ACCESS_DENIED");
        by.form("profile/create", &[]).await.refused(403, "ACCESS_DENIED");
        let wrong = json!({ "unknown": 1 });
        by.json("tenant/create", &[], wrong).await.refused(403, "ACCESS_DENIED");
        by.form("tenant/create", &[("name", "x")]).await.refused(403, "ACCESS_DENIED");
        let attributes = [("attributes", "["), ("email", "nonsense")];
        let path = format!("profile/{}/update", nobody());
        by.form(&path, &attributes).await.refused(403, "ACCESS_DENIED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_comes_before_the_form_of_an_upload() {
    let crafter = Crafter::start().await;
    let upload = format!("/api/1/profile/{}/uploadAttachment", nobody());
    for headers in [&[][..], &[("content-type", "multipart/form-data")]] {
        let answer = crafter.send_bare("POST", &upload, headers, vec![]).await;
        answer.refused(403, "ACCESS_DENIED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_come_before_permissions() {
    let crafter = Crafter::start().await;
    let token = crafter.token("engine", json!([])).await;
    let by = crafter.by(&token);
    by.get("profile/count", &[]).await.refused(400, "OTHER");
    by.form("profile/create", &[("tenantName", "acme")]).await.refused(400, "OTHER");
    by.json("tenant/create", &[], json!({ "unknown": 1 })).await.refused(400, "OTHER");
    by.json("access_token/create", &[], json!({ "unknown": 1 })).await.refused(400, "OTHER");
    by.form("tenant/acme/roles/add", &[]).await.refused(400, "OTHER");
    let range = [("tenantName", "acme"), ("sortOrder", "UP")];
    by.get("profile/range", &range).await.refused(400, "OTHER");
    by.get("profile/count", &[("tenantName", "acme")]).await.refused(403, "ACTION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_a_profile_tells_what_is_wrong_in_the_order_of_the_contract() {
    let crafter = Crafter::start().await;
    let definitions = json!([attribute("a", "TEXT"), attribute_for("closed", "TEXT", json!([]))]);
    crafter.tenant("t", json!({ "attributeDefinitions": definitions })).await;
    let foreign = crafter.token_for("other").await;
    let path = "profile/create";
    let all_wrong = creating(&[("attributes", "{"), ("email", "x"), ("tenantName", "none")]);
    let first = crafter.by(&foreign).form(path, &all_wrong).await;
    first.refused(400, "PARAM_DESERIALIZATION_ERROR");
    let rest = creating(&[("attributes", r#"{"b":1}"#), ("email", "x"), ("tenantName", "none")]);
    crafter.by(&foreign).form(path, &rest).await.refused(403, "ACTION_DENIED");
    crafter.form(path, &rest).await.refused(400, "INVALID_EMAIL_ADDRESS");
    let rest = creating(&[("attributes", r#"{"b":1}"#), ("tenantName", "none")]);
    crafter.form(path, &rest).await.refused(404, "NO_SUCH_TENANT");
    crafter.form(path, &creating(&[])).await.answers(200);
    let rest = creating(&[("attributes", r#"{"b":1}"#)]);
    crafter.form(path, &rest).await.refused(400, "ATTRIBUTE_NOT_DEFINED");
    let rest = creating(&[("attributes", r#"{"closed":1}"#)]);
    crafter.form(path, &rest).await.refused(403, "ACTION_DENIED");
    crafter.form(path, &creating(&[])).await.refused(409, "PROFILE_EXISTS");
}

#[tokio::test(flavor = "multi_thread")]
async fn updating_a_profile_tells_of_attributes_and_address_before_it_is_looked_up() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "attributeDefinitions": [attribute("a", "TEXT")] })).await;
    let id = crafter.profile_id("t", "ada").await;
    let foreign = crafter.token_for("other").await;
    for id in [&nobody(), &id] {
        let by = crafter.by(&foreign);
        let path = format!("profile/{id}/update");
        let both = [("attributes", "7"), ("email", "x")];
        by.form(&path, &both).await.refused(400, "PARAM_DESERIALIZATION_ERROR");
        by.form(&path, &[("email", "x")]).await.refused(400, "INVALID_EMAIL_ADDRESS");
    }
    let undefined = [("attributes", r#"{"b":1}"#)];
    let path = format!("profile/{}/update", nobody());
    crafter.by(&foreign).form(&path, &undefined).await.refused(404, "NO_SUCH_PROFILE");
    let path = format!("profile/{id}/update");
    crafter.by(&foreign).form(&path, &undefined).await.refused(403, "ACTION_DENIED");
    crafter.form(&path, &undefined).await.refused(400, "ATTRIBUTE_NOT_DEFINED");
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_comes_before_whether_a_tenant_is_there() {
    let crafter = Crafter::start().await;
    let token = crafter.token_for("other").await;
    let by = crafter.by(&token);
    for tenant in ["acme", "none"] {
        by.get(&format!("tenant/{tenant}"), &[]).await.refused(403, "ACTION_DENIED");
        by.form(&format!("tenant/{tenant}/delete"), &[]).await.refused(403, "ACTION_DENIED");
        let named = [("tenantName", tenant), ("query", "{"), ("username", "x"), ("role", "A")];
        for path in ["by_query", "count_by_query", "one_by_query", "by_username", "by_role"] {
            let answer = by.get(&format!("profile/{path}"), &named).await;
            answer.refused(403, "ACTION_DENIED");
        }
        let log_in = [("tenantName", tenant), ("username", "x"), ("password", "x")];
        let answer = by.form("authentication/authenticate", &log_in).await;
        answer.refused(403, "ACTION_DENIED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_parameter_with_two_meanings_is_refused() {
    let crafter = Crafter::start().await;
    let twice = [("tenantName", "acme"), ("tenantName", "other")];
    crafter.get("profile/count", &twice).await.refused(400, "OTHER");
    let path = format!("/api/1/profile/count?accessTokenId={MASTER}&tenantName=%ff");
    crafter.send_bare("GET", &path, &[], vec![]).await.refused(400, "OTHER");
}

/// Regression of issue 8.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_to_those_with_a_token_only() {
    let crafter = Crafter::start().await;
    let get = async |path: String| crafter.send_bare("GET", &path, &[], vec![]).await;
    let root = "/api/1/profile/count";
    for token in ["nobody%00", "nobody", "%FF", "%zz", ""] {
        for rest in ["", "&tenantName=%00", "&tenantName=%FF", "&tenantName=%zz"] {
            let answer = get(format!("{root}?accessTokenId={token}{rest}")).await;
            answer.refused(403, "ACCESS_DENIED");
        }
        let answer = get(format!("/api/1/profile/%00?accessTokenId={token}")).await;
        answer.refused(403, "ACCESS_DENIED");
    }
    for odd in ["tenantName=%00", "tenantName=%FF", "tenantName=%zz", "x=%00&tenantName=acme"] {
        for query in
            [format!("{odd}&accessTokenId={MASTER}"), format!("accessTokenId={MASTER}&{odd}")]
        {
            get(format!("{root}?{query}")).await.refused(400, "OTHER");
        }
    }
    let answer = get(format!("/api/1/profile/%00?accessTokenId={MASTER}")).await;
    answer.refused(400, "OTHER");
}
