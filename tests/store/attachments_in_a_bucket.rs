//! The same in a bucket: a small server that speaks as much of S3 as is used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use dossier::attachments::{Error, Settings, Store};
use dossier::domain::attachment::Digest;
use dossier::domain::ids::TenantId;
use futures_util::TryStreamExt;
use uuid::Uuid;

use super::attachments::{chunks, text};

const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
const DATE: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

type Bucket = Arc<Mutex<BTreeMap<String, Bytes>>>;

async fn answer(
    State(bucket): State<Bucket>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert!(headers[header::AUTHORIZATION].to_str().unwrap().starts_with("AWS4-HMAC-SHA256"));
    let mut bucket = bucket.lock().unwrap();
    let key = uri.path().trim_start_matches("/the-bucket").trim_start_matches('/').to_owned();
    let about = [(header::LAST_MODIFIED, DATE), (header::ETAG, "\"e\"")];
    if method == Method::PUT {
        bucket.insert(key, body);
        return about.into_response();
    }
    if method == Method::DELETE {
        bucket.remove(&key);
        return StatusCode::NO_CONTENT.into_response();
    }
    if method == Method::POST && query.contains_key("delete") {
        let body = String::from_utf8(body.to_vec()).unwrap();
        let (_, rest) = body.split_once("<Key>").unwrap();
        let (key, _) = rest.split_once("</Key>").unwrap();
        bucket.remove(key);
        let xml = format!("<DeleteResult><Deleted><Key>{key}</Key></Deleted></DeleteResult>");
        return xml.into_response();
    }
    if query.contains_key("list-type") {
        let prefix = query.get("prefix").cloned().unwrap_or_default();
        let held: String = bucket
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(key, content)| {
                format!(
                    "<Contents><Key>{key}</Key><LastModified>2026-11-22T12:00:00.000Z\
                     </LastModified><ETag>e</ETag><Size>{}</Size></Contents>",
                    content.len()
                )
            })
            .collect();
        let xml =
            format!("<ListBucketResult><IsTruncated>false</IsTruncated>{held}</ListBucketResult>");
        return xml.into_response();
    }
    match bucket.get(&key) {
        Some(content) if method == Method::HEAD => {
            (about, [(header::CONTENT_LENGTH, content.len().to_string())]).into_response()
        }
        Some(content) => (about, content.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve() -> (Bucket, String) {
    let bucket = Bucket::default();
    let router = axum::Router::new().fallback(answer).with_state(bucket.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (bucket, format!("http://{address}"))
}

async fn open(folder: &std::path::Path, endpoint: &str) -> Store {
    let mut settings = Settings::new(folder, Some("s3://the-bucket/some/prefix")).unwrap();
    settings.environment = [
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_EXECUTION_ENV", "not for the store"),
        ("HOME", "/nowhere"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    Store::open(settings).await.unwrap()
}

#[tokio::test]
async fn a_bucket_holds_contents_under_its_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let (bucket, endpoint) = serve().await;
    let store = open(folder.path(), &endpoint).await;
    let content = store.put(TENANT, chunks(&["in a ", "bucket"]), 99).await.unwrap();
    let digest = content.digest.to_string();
    let key = format!("some/prefix/{}/{}/{digest}", TENANT.0, &digest[..2]);
    assert_eq!(bucket.lock().unwrap().keys().collect::<Vec<_>>(), [&key]);
    let piece = store.get(TENANT, content.digest, None).await.unwrap().unwrap();
    assert_eq!(piece.bytes_total, 11);
    assert_eq!(text(piece).await, "in a bucket");
    let listed: Vec<_> = store.list().try_collect().await.unwrap();
    assert_eq!((listed.len(), listed[0].digest, listed[0].bytes), (1, content.digest, 11));
    assert_eq!(store.kept_at(TENANT, content.digest).await.unwrap(), Some(listed[0].kept_at));
    store.remove(TENANT, content.digest).await.unwrap();
    assert!(bucket.lock().unwrap().is_empty());
    assert!(store.get(TENANT, content.digest, None).await.unwrap().is_none());
    assert_eq!(store.kept_at(TENANT, Digest([1; 32])).await.unwrap(), None);
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_is_told_apart_from_a_missing_content() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was just free.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = open(folder.path(), &endpoint).await;
    let got = store.get(TENANT, Digest([1; 32]), None).await;
    assert!(matches!(got, Err(Error::Unavailable(..))));
    let put = store.put(TENANT, chunks(&["x"]), 9).await;
    assert!(matches!(put, Err(Error::Unavailable(..))));
}
