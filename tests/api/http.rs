//! What HTTP clients expect of every face: compression, caching, methods, media types, other
//! origins. Regression of issue 8.

use std::io::Write;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use dossier::api::routes::with_origins;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::api::{Answer, Api};
use crate::support::crafter::{Crafter, MASTER};

const SEARCH: &str = "/api/v5/artifacts/profiles/search";
const JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_body_is_unpacked_within_its_bound() {
    let api = Api::start().await;
    let root = api.token("root").await;
    let send = async |coding: &str, body: Vec<u8>| {
        let headers = [JSON, ("content-encoding", coding)];
        api.send("POST", SEARCH, Some(&root), &headers, body).await
    };
    let plain = send("identity", br#"{"search":"ada"}"#.into()).await.answers(200);
    assert_eq!(send("gzip", gzip(br#"{"search":"ada"}"#)).await.answers(200), plain);
    let refused = send("compress", b"{}".into()).await;
    assert_eq!(refused.answers(415)["code"], "unsupported_media_type");
    assert_eq!(header(&refused, "accept-encoding"), "gzip, deflate, br, zstd");
    let bomb = gzip(format!("{{\"search\":\"{}\"}}", "a".repeat(4 << 20)).as_bytes());
    assert!(bomb.len() < 100_000);
    assert_eq!(send("gzip", bomb).await.answers(413)["code"], "body_too_large");
    assert_eq!(send("gzip", b"no gzip".into()).await.status, 400);
    let crafter = format!("/api/1/tenant/create?accessTokenId={MASTER}");
    let headers = [JSON, ("content-encoding", "compress")];
    let refused = api.send_bare("POST", &crafter, &headers, b"{}".into()).await;
    assert_eq!(refused.answers(415)["errorCode"], "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_is_packed_for_those_who_ask_and_its_tag_is_weak_then() {
    let api = Api::start().await;
    let root = api.token("root").await;
    let get = json!({ "target_profile_id": api.id("ada").await });
    let plain = api.v5(&root, "get", get.clone()).await;
    let packed = api.v5_with(&root, "get", get.clone(), &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    assert!(packed.bytes.len() < plain.bytes.len() / 2, "{}", packed.bytes.len());
    assert!(header(&packed, "vary").to_lowercase().contains("accept-encoding"));
    assert_eq!(header(&packed, "etag"), format!("W/{}", header(&plain, "etag")));
    let again = [("accept-encoding", "gzip"), ("if-none-match", header(&packed, "etag"))];
    assert_eq!(api.v5_with(&root, "get", get, &again).await.status, 304);
    let small = api.v5_with(&root, "unemulate", json!({}), &again[..1]).await;
    assert_eq!(header(&small, "content-encoding"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_that_holds_personal_data_is_kept_or_taken_for_something_else() {
    let crafter = Crafter::start().await;
    let root = crafter.api.token("root").await;
    let target = json!({ "target_profile_id": crafter.id("ada").await });
    let ada = crafter.profile_id("acme", "ada").await;
    for (answer, caching) in [
        (crafter.v5(&root, "search", json!({})).await, "no-store"),
        (crafter.v5(&root, "get", target).await, "private, no-cache"),
        (crafter.api.get(&root, "/api/v1/events").await, "private, no-cache"),
        (crafter.get(&format!("profile/{ada}"), &[]).await, "no-store"),
        (crafter.get("profile/nobody", &[]).await, "no-store"),
    ] {
        assert_eq!(header(&answer, "cache-control"), caching, "{}", answer.text);
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    }
}

/// Of a file that nobody made.
const DOWNLOAD: &str = "/uploads/00000000-0000-8000-8000-000000000000/download";

#[tokio::test(flavor = "multi_thread")]
async fn a_405_says_which_methods_there_are() {
    let api = Api::start().await;
    let profile = format!("/api/v1/profiles/{}/history", api.id("ada").await);
    for (method, path, allowed) in [
        ("GET", SEARCH, "POST"),
        ("POST", "/api/v5/artifacts/profiles/draft", "PATCH"),
        ("POST", "/api/v1/events", "GET,HEAD"),
        ("DELETE", profile.as_str(), "GET,HEAD"),
        ("PUT", "/api/1/tenant/count", "GET,HEAD"),
        ("GET", "/api/1/tenant/create", "POST"),
        // Looking at a download is none: it would be on record as one.
        ("HEAD", DOWNLOAD, "GET"),
        ("POST", DOWNLOAD, "GET"),
    ] {
        let answer = api.send(method, path, None, &[], vec![]).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(header(&answer, "allow"), allowed, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_utf_8_with_or_without_its_mark() {
    let crafter = Crafter::start().await;
    let root = crafter.api.token("root").await;
    let marked = "\u{feff}{\"search\":\"ada\"}";
    let send = async |kind: &str| {
        let headers = [("content-type", kind)];
        crafter.api.send("POST", SEARCH, Some(&root), &headers, marked.into()).await
    };
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
    ] {
        assert_eq!(send(kind).await.answers(200)["total_count"], 1, "{kind}");
    }
    for kind in ["application/json; charset=iso-8859-1", "application/json;charset=utf-16"] {
        assert_eq!(send(kind).await.answers(415)["code"], "unsupported_media_type");
        let path = format!("/api/1/tenant/create?accessTokenId={MASTER}");
        let body = "{\"name\":\"é\"}".as_bytes().to_vec();
        let answer = crafter.send_bare("POST", &path, &[("content-type", kind)], body).await;
        answer.refused(415, "OTHER");
    }
    let form = "application/x-www-form-urlencoded; charset=iso-8859-1";
    let body = format!("accessTokenId={MASTER}&tenantName=acme").into_bytes();
    let path = "/api/1/profile/create";
    let answer = crafter.send_bare("POST", path, &[("content-type", form)], body).await;
    answer.refused(415, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_at_the_root_is_led_to_the_reference() {
    let api = Api::start().await;
    let answer = api.send_bare("GET", "/", &[], vec![]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "location")), (303, "/docs/"));
    let page = api.send_bare("GET", "/docs/", &[], vec![]).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger"));
}

#[tokio::test]
async fn other_origins_are_answered_only_if_they_are_named_and_before_credentials() {
    let origins = ["https://app.example.org".to_owned()];
    let router = || Router::new().route("/", get(async || "x"));
    let asked = async |router: Router, origin: &str| {
        let preflight = Request::options("/")
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "x-api-key")
            .body(Body::empty())
            .unwrap();
        let answer = router.oneshot(preflight).await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin").cloned();
        (answer.status().as_u16(), allowed.map(|value| value.to_str().unwrap().to_owned()))
    };
    let named = with_origins(router(), &origins).unwrap();
    assert_eq!(asked(named.clone(), &origins[0]).await, (200, Some(origins[0].clone())));
    assert_eq!(asked(named, "https://evil.example").await, (200, None));
    assert_eq!(asked(with_origins(router(), &[]).unwrap(), &origins[0]).await, (405, None));
    for odd in ["app.example.org", "https://app.example.org/", "https://a b", "", "https://"] {
        assert!(with_origins(router(), &[odd.to_owned()]).is_err(), "{odd:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_in_a_query_is_told_by_its_name() {
    let api = Api::start().await;
    let root = api.token("root").await;
    let query = "limit=x&order=odd&stream=1&from=now&until=0000-01-01T00:00:00Z&nonsense=1\
                 &actor=A&actor=B&real_actor=z&operation=%00";
    let answer = api.get(&root, &format!("/api/v1/events?{query}")).await.answers(422);
    let errors = answer["errors"].as_array().unwrap();
    let mut named: Vec<&Value> = errors.iter().map(|error| &error["location"][1]).collect();
    named.sort_by_key(|name| name.to_string());
    let all = [
        "actor",
        "from",
        "limit",
        "nonsense",
        "operation",
        "order",
        "real_actor",
        "stream",
        "until",
    ];
    assert_eq!(named, all);
    let path = format!("/api/v1/profiles/{}/history", api.id("ada").await);
    for (path, wrong) in [
        (format!("{path}?limit=0"), "limit"),
        (format!("{path}?limit=501"), "limit"),
        (format!("{path}?limit=5&limit=5"), "limit"),
        (format!("{path}?stream=x"), "stream"),
        ("/api/v1/counts?limit=5".to_owned(), "limit"),
    ] {
        let answer = api.get(&root, &path).await.answers(422);
        assert_eq!(answer["errors"][0]["location"], json!(["query", wrong]), "{path}");
    }
    api.get(&root, &format!("{path}?limit=500&order=oldest")).await.answers(200);
}

#[tokio::test]
async fn a_request_of_http_1_1_has_one_host() {
    use axum::body::Body;
    use axum::http::{Request, Version};
    use axum::{Router, middleware, routing::get};
    use tower::ServiceExt;
    let router = Router::new()
        .route("/api/v1/counts", get(async || "here"))
        .layer(middleware::from_fn(dossier::api::observe::with_host));
    for (version, hosts, status) in [
        (Version::HTTP_11, 1, 200),
        (Version::HTTP_11, 0, 400),
        (Version::HTTP_11, 2, 400),
        (Version::HTTP_10, 0, 200),
    ] {
        let mut request = Request::get("/api/v1/counts").version(version);
        for _ in 0..hosts {
            request = request.header("host", "directory.example");
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{version:?} with {hosts}");
    }
}
