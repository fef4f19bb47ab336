//! Multipart uploads, read in any order; contents, answered safely.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use dossier::api::crafter::content;
use dossier::api::crafter::upload::{Received, Unreadable, Upload};
use dossier::attachments::{Settings, Store};
use dossier::domain::attachment::Digest;
use dossier::domain::ids::TenantId;
use dossier::engine::kept::attachments::Piece;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
const REQUEST_BYTES_MAX: u64 = 5 << 20;

fn headers() -> HeaderMap {
    let value = HeaderValue::from_static("multipart/form-data; boundary=X");
    HeaderMap::from_iter([(CONTENT_TYPE, value)])
}

fn field(name: &str, text: &str) -> String {
    format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
}

fn file(file_name: &str, content: &str) -> String {
    format!(
        "--X\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"{file_name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n"
    )
}

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Settings::new(folder.path(), None).unwrap()).await.unwrap();
    (folder, store)
}

async fn open(body: impl Into<Body>) -> Result<Upload, Unreadable> {
    let opened = Upload::open(&headers(), body.into(), REQUEST_BYTES_MAX).await;
    opened.map_err(|refused| refused.why)
}

async fn received(body: impl Into<Body>) -> Result<Received, Unreadable> {
    let (_folder, store) = store().await;
    open(body).await?.receive(&store).await
}

#[tokio::test]
async fn fields_before_the_file_are_there_before_it_is_read() {
    let head = field("accessTokenId", "token") + &field("filename", "b.png");
    // The file never comes to its end.
    let begun = head
        + "--X\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"a.png\"\r\n\r\nab";
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(begun))]).chain(stream::pending());
    let upload = open(Body::from_stream(body)).await.unwrap();
    assert_eq!(upload.fields()["accessTokenId"], "token");
    assert_eq!(upload.fields()["filename"], "b.png");
}

#[tokio::test]
async fn the_order_of_the_parts_does_not_matter() {
    let (token, name) = (field("accessTokenId", "token"), field("filename", "b.png"));
    let file = file("a.png", "hello world");
    for parts in [[&token, &name, &file], [&file, &token, &name], [&name, &file, &token]] {
        let body = parts.map(String::as_str).concat() + "--X--\r\n";
        let received = received(body).await.unwrap();
        assert_eq!(received.fields["accessTokenId"], "token");
        assert_eq!(received.fields["filename"], "b.png");
        assert_eq!(received.file_name.as_deref(), Some("a.png"));
        assert_eq!(received.file.content.bytes, 11);
        assert_eq!(received.file.content.md5, "5eb63bbbe01eeed093cb22bb8f5acdc3");
    }
}

#[tokio::test]
async fn of_fields_with_one_name_the_first_counts() {
    let body = field("filename", "first") + &file("a.png", "x") + &field("filename", "second");
    assert_eq!(received(body + "--X--\r\n").await.unwrap().fields["filename"], "first");
}

#[tokio::test]
async fn a_request_without_one_file_is_refused() {
    let none = field("filename", "a.png") + "--X--\r\n";
    assert!(matches!(open(none).await, Err(Unreadable::NotOneFile)));
    let two = file("a.png", "x") + &file("b.png", "y") + "--X--\r\n";
    assert!(matches!(received(two).await, Err(Unreadable::NotOneFile)));
}

#[tokio::test]
async fn what_is_not_multipart_is_refused() {
    for content_type in ["application/json", "multipart/form-data", "multipart/mixed; boundary=X"] {
        let value = HeaderValue::from_static(content_type);
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, value)]);
        let opened = Upload::open(&headers, Body::empty(), REQUEST_BYTES_MAX).await;
        let why = opened.map_err(|refused| refused.why);
        assert!(matches!(why, Err(Unreadable::NotMultipart)), "{content_type}");
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_is_refused() {
    let begun = file("a.png", "half of it");
    assert!(matches!(received(begun.clone()).await, Err(Unreadable::Malformed { .. })));
    let chunks = [Ok(Bytes::from(begun)), Err(std::io::Error::other("reset"))];
    let body = Body::from_stream(stream::iter(chunks));
    assert!(matches!(received(body).await, Err(Unreadable::Malformed { .. })));
    assert!(matches!(open("").await, Err(Unreadable::Malformed { .. })));
}

#[tokio::test]
async fn a_request_may_be_as_large_as_its_bound_and_no_larger() {
    let frame = file("a.png", "").len() + "--X--\r\n".len();
    let bytes_max = usize::try_from(REQUEST_BYTES_MAX).unwrap();
    let content = "x".repeat(bytes_max - frame);
    let body = file("a.png", &content) + "--X--\r\n";
    assert_eq!(body.len(), bytes_max);
    let received_whole = received(body).await.unwrap();
    assert_eq!(received_whole.file.content.bytes, content.len() as u64);
    let body = file("a.png", &(content + "x")) + "--X--\r\n";
    let refused = received(body).await;
    assert!(matches!(refused, Err(Unreadable::TooLarge { bytes_max: REQUEST_BYTES_MAX })));
}

#[tokio::test]
async fn frames_of_any_size_are_the_same_request() {
    let content = "y".repeat(300_000);
    let parts = [field("filename", &"x".repeat(10_000)), file("a.png", &content)];
    let body = parts.concat() + &field("accessTokenId", &"t".repeat(10_000)) + "--X--\r\n";
    for frame_bytes in [1_000, 7_001, 70_000, 1_000_000] {
        let frames: Vec<_> =
            body.as_bytes().chunks(frame_bytes).map(Bytes::copy_from_slice).collect();
        let frames = stream::iter(frames).map(Ok::<_, std::io::Error>);
        let received = received(Body::from_stream(frames)).await.unwrap();
        assert_eq!(received.file.content.bytes, 300_000, "{frame_bytes}");
        assert_eq!(received.fields["accessTokenId"].len(), 10_000);
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused() {
    let mut body = field("filename", "a").into_bytes();
    let place = body.iter().rposition(|byte| *byte == b'a').unwrap();
    body[place] = 0xff;
    assert!(matches!(open(body).await, Err(Unreadable::Malformed { .. })));
}

#[tokio::test]
async fn text_and_headers_without_end_are_refused_long_before_the_bound() {
    let long = field("filename", &"x".repeat((16 << 10) + 1)) + &file("a.png", "x") + "--X--\r\n";
    assert!(matches!(open(long).await, Err(Unreadable::Malformed { .. })));
    let many = field("other", "x").repeat(33) + &file("a.png", "x") + "--X--\r\n";
    assert!(matches!(open(many).await, Err(Unreadable::Malformed { .. })));
    // A header that never ends, in many small frames.
    let begin = stream::iter([Bytes::from("--X\r\nContent-Disposition: form-data; name=\"")]);
    let endless = stream::repeat(Bytes::from(vec![b'a'; 1_000]));
    let frames = begin.chain(endless).map(Ok::<_, std::io::Error>);
    assert!(matches!(open(Body::from_stream(frames)).await, Err(Unreadable::Malformed { .. })));
}

/// The only thread that may wait for the disk is held meanwhile.
#[test]
fn no_more_of_a_request_is_taken_than_the_file_can_keep_up_with() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (_folder, store) = store().await;
        let given = Arc::new(AtomicUsize::new(0));
        let counted = given.clone();
        let begin = stream::iter([Bytes::from(file("a.png", "x").trim_end().to_owned())]);
        let endless = stream::repeat(Bytes::from(vec![b'a'; 1_000]));
        let frames = begin.chain(endless).map(move |frame| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(frame)
        });
        let upload = open(Body::from_stream(frames)).await.unwrap();
        assert!(given.load(Ordering::Relaxed) <= 2, "{given:?} frames were taken");
        let (disk, held) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || held.recv());
        let mut receiving = Box::pin(upload.receive(&store));
        for _ in 0..100 {
            assert!(futures_util::poll!(&mut receiving).is_pending());
        }
        assert!(given.load(Ordering::Relaxed) <= 3, "{given:?} frames were taken");
        drop(disk);
    });
}

async fn answered(
    name: &str,
    content_type: &str,
    range: std::ops::Range<u64>,
) -> axum::response::Response {
    let chunk = Bytes::from_static(b"hello world").slice(range.start as usize..range.end as usize);
    let chunks = stream::iter([Ok(chunk)]).boxed();
    content::answer(name, content_type, Digest([7; 32]), Piece { bytes_total: 11, range, chunks })
}

#[tokio::test]
async fn a_picture_is_answered_as_it_was_stored() {
    let response = answered("picture1", "image/png", 0..11).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CONTENT_TYPE], "image/png");
    assert_eq!(response.headers()[CONTENT_LENGTH], "11");
    assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(!response.headers().contains_key(CONTENT_DISPOSITION));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "hello world");
}

#[tokio::test]
async fn what_a_browser_could_run_is_answered_as_a_download() {
    let response = answered("Zoë\" \r\nx", "image/svg+xml", 0..11).await;
    let headers = response.headers();
    assert_eq!(
        headers[CONTENT_DISPOSITION],
        "attachment; filename=\"Zo__ __x.svg\"; filename*=UTF-8''Zo%C3%AB%22%20%0D%0Ax.svg"
    );
    assert_eq!(headers[CONTENT_SECURITY_POLICY], "default-src 'none'; sandbox");
    assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn a_part_of_a_content_says_which() {
    let response = answered("a", "image/png", 6..11).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(response.headers()[CONTENT_RANGE], "bytes 6-10/11");
    assert_eq!(response.headers()[CONTENT_LENGTH], "5");
}

#[tokio::test]
async fn what_was_received_is_kept_and_answered_again() {
    let (_folder, store) = store().await;
    let body = file("a.png", "hello world") + "--X--\r\n";
    let received = open(body).await.unwrap().receive(&store).await.unwrap();
    let turn = store.turn().await.unwrap();
    let kept = store.keep(TENANT, received.file, turn).await.unwrap();
    let piece = store.get(TENANT, kept.digest, None).await.unwrap().unwrap();
    let body = content::answer("a", "image/png", Digest([7; 32]), piece)
        .into_body()
        .collect()
        .await
        .unwrap();
    assert_eq!(body.to_bytes(), "hello world");
}
