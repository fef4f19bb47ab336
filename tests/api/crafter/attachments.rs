//! Files of profiles (contract 1, 4.9).

use chrono::{TimeDelta, Utc};
use dossier::api::crafter::services::Settings;
use dossier::engine::kept::attachments::Collector;
use serde_json::{Value, json};

use crate::support::crafter::{Crafter, MASTER, each, nobody, settings, text};

/// Bytes that are no text.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff--X\r\n";

async fn place() -> (Crafter, String) {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    (crafter, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_answered_byte_by_byte_under_its_name_without_extension() {
    let (crafter, id) = place().await;
    let by = crafter.by(MASTER);
    let stored = by.upload(&id, &[], "my.picture1.png", PICTURE).await.answers(200);
    let expected = json!({
        "md5": stored["md5"], "contentType": "image/png", "fileSize": "15 B",
        "fileName": "my.picture1", "fileSizeBytes": PICTURE.len(), "id": stored["id"],
    });
    assert_eq!(stored, expected);
    assert_eq!(text(&stored["md5"]).len(), 32);
    let path = format!("profile/{id}/attachment/my.picture1");
    let answer = crafter.get(&path, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, PICTURE));
    assert_eq!(answer.headers["content-type"], "image/png");
    assert_eq!(answer.headers["content-length"], PICTURE.len().to_string());
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let details = crafter.get(&format!("{path}/details"), &[]).await.answers(200);
    assert_eq!(details, stored);
    assert_eq!(crafter.events(&id).await.last().unwrap(), "AttachmentStored");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_listed_as_a_bare_list_with_and_without_slash() {
    let (crafter, id) = place().await;
    let by = crafter.by(MASTER);
    let path = format!("profile/{id}/attachments");
    assert_eq!(by.get(&path, &[]).await.answers(200), json!([]));
    for name in ["b.gif", "a.JPG"] {
        by.upload(&id, &[], name, b"x").await.answers(200);
    }
    let listed = by.get(&path, &[]).await.answers(200);
    assert_eq!(each(&listed, "fileName"), ["b", "a"]);
    assert_eq!(each(&listed, "contentType"), ["image/gif", "image/jpeg"]);
    for suffix in ["/", "/.json", ".json"] {
        assert_eq!(by.ending(suffix).get(&path, &[]).await.answers(200), listed, "{suffix}");
    }
    let elsewhere = format!("profile/{}/attachments", nobody());
    let found = by.get(&elsewhere, &[("profileId", &id)]).await.answers(200);
    assert_eq!(found, listed);
    by.get(&elsewhere, &[]).await.refused(404, "NO_SUCH_PROFILE");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_name_again_replaces_the_content_and_keeps_the_id() {
    let (crafter, id) = place().await;
    let by = crafter.by(MASTER);
    let first = by.upload(&id, &[], "a.png", b"one").await.answers(200);
    let second = by.upload(&id, &[], "a.gif", b"second").await.answers(200);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["contentType"], "image/gif");
    assert_eq!(by.get(&format!("profile/{id}/attachment/a"), &[]).await.bytes, b"second");
    let listed = by.get(&format!("profile/{id}/attachments"), &[]).await.answers(200);
    assert_eq!(listed, json!([second]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_name_of_its_own_goes_before_that_of_the_part() {
    let (crafter, id) = place().await;
    let by = crafter.by(MASTER);
    let named = [("filename", "chosen name.jpeg")];
    let stored = by.upload(&id, &named, "ignored.txt", b"x").await.answers(200);
    assert_eq!(stored["fileName"], "chosen name");
    let path = format!("profile/{id}/attachment/chosen%20name");
    assert_eq!(by.get(&path, &[]).await.bytes, b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pictures_are_taken_and_their_extension_says_so() {
    let (crafter, id) = place().await;
    let by = crafter.by(MASTER);
    let head = crafter.head().await;
    for name in ["a.txt", "a.exe", "a", ".png", "a.Png", "a.html", "a.png.txt", "", "a/b.png"] {
        let answer = by.upload(&id, &[], name, PICTURE).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text);
        answer.refused(400, "OTHER");
    }
    assert_eq!(crafter.head().await, head);
    for name in ["1.bmp", "2.GIF", "3.jpe", "4.PNG", "5.tif", "6.tiff", "7.svg", "8.svgz"] {
        by.upload(&id, &[], name, b"x").await.answers(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_empty_and_not_an_error() {
    let (crafter, id) = place().await;
    let path = format!("profile/{id}/attachment/nothing");
    crafter.get(&path, &[]).await.is_empty();
    let details = crafter.get(&format!("{path}/details"), &[]).await.answers(200);
    let nothing = json!({
        "md5": null, "contentType": null, "fileSize": null, "fileName": null,
        "fileSizeBytes": 0, "id": null,
    });
    assert_eq!(details, nothing);
    let path = format!("profile/{}/attachment/nothing", nobody());
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_PROFILE");
    crafter.get(&format!("{path}/details"), &[]).await.refused(404, "NO_SUCH_PROFILE");
    let upload = crafter.by(MASTER).upload(&nobody(), &[], "a.png", b"x").await;
    upload.refused(404, "NO_SUCH_PROFILE");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_request_is_bounded() {
    let crafter = Crafter::with(Settings { upload_bytes_max: 10_000, ..settings() }).await;
    let id = crafter.profile_id("acme", "ada").await;
    let by = crafter.by(MASTER);
    by.upload(&id, &[], "a.png", &[7; 9_000]).await.answers(200);
    let head = crafter.head().await;
    let answer = by.upload(&id, &[], "a.png", &[7; 10_001]).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    assert_eq!(answer.json()["errorCode"], "OTHER");
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_one_too() {
    let (crafter, id) = place().await;
    let stored = crafter.by(MASTER).upload(&id, &[], "a.png", b"").await.answers(200);
    assert_eq!((&stored["fileSize"], &stored["fileSizeBytes"]), (&json!("0"), &json!(0)));
    let answer = crafter.get(&format!("profile/{id}/attachment/a"), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(answer.headers["content-type"], "image/png");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_file_is_known_by_query_or_by_a_field() {
    let (crafter, id) = place().await;
    let nobodys = crafter.by("").upload(&id, &[], "a.png", b"x").await;
    nobodys.refused(403, "ACCESS_DENIED");
    crafter.by("unknown").upload(&id, &[], "a.png", b"x").await.refused(403, "ACCESS_DENIED");
    let token = crafter.token_for("other").await;
    crafter.by(&token).upload(&id, &[], "a.png", b"x").await.refused(403, "ACTION_DENIED");
    let path = format!("/api/1/profile/{id}/uploadAttachment.json?accessTokenId={MASTER}");
    let body = "--X\r\nContent-Disposition: form-data; name=\"attachment\"; \
                filename=\"a.png\"\r\n\r\nx\r\n--X--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=X")];
    crafter.send_bare("POST", &path, &headers, body.into()).await.answers(200);
    let no_file = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--X--\r\n";
    let answer = crafter.send_bare("POST", &path, &headers, no_file.into()).await;
    answer.refused(400, "OTHER");
    let answer = crafter.send_bare("POST", &path, &[], body.into()).await;
    answer.refused(415, "OTHER");
    let token_after_file = format!(
        "{}--X\r\nContent-Disposition: form-data; name=\"accessTokenId\"\r\n\r\n{MASTER}\r\n--X--\r\n",
        body.strip_suffix("--X--\r\n").unwrap()
    );
    let path = format!("/api/1/profile/{id}/uploadAttachment");
    crafter.send_bare("POST", &path, &headers, token_after_file.into()).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_may_run_is_answered_as_a_download() {
    let (crafter, id) = place().await;
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>";
    crafter.by(MASTER).upload(&id, &[], "evil.svg", script).await.answers(200);
    let answer = crafter.get(&format!("profile/{id}/attachment/evil"), &[]).await;
    assert_eq!(answer.headers["content-type"], "image/svg+xml");
    let disposition = answer.headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_has_a_hundred_files_at_most() {
    let (crafter, id) = place().await;
    let by = crafter.by(MASTER);
    for number in 0..100 {
        by.upload(&id, &[], &format!("{number}.png"), b"x").await.answers(200);
    }
    by.upload(&id, &[], "100.png", b"x").await.refused(400, "OTHER");
    by.upload(&id, &[], "99.png", b"y").await.answers(200);
    let listed: Value = by.get(&format!("profile/{id}/attachments"), &[]).await.answers(200);
    assert_eq!(listed.as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_profile_holds_is_not_collected_though_the_read_model_lacks_it() {
    let (crafter, id) = place().await;
    let by = crafter.by(MASTER);
    by.upload(&id, &[], "a.png", PICTURE).await.answers(200);
    by.upload(&id, &[], "b.png", b"replaced").await.answers(200);
    by.upload(&id, &[], "b.png", b"held").await.answers(200);
    // Issue 8: folds that were lost, or rows that somebody damaged.
    let client = crafter.engine.connection().await.unwrap();
    assert_eq!(client.execute("delete from profile_attachments", &[]).await.unwrap(), 1);
    drop(client);
    let store = &crafter.app.applications.attachments;
    let mut collector = Collector::default();
    let later = Utc::now() + TimeDelta::hours(2);
    let round = collector.round(&crafter.engine, store, later).await.unwrap();
    assert_eq!((round.looked_at, round.removed), (3, 1));
    assert_eq!(by.get(&format!("profile/{id}/attachment/a"), &[]).await.bytes, PICTURE);
    by.form(&format!("profile/{id}/delete"), &[]).await.answers(200);
    let round = collector.round(&crafter.engine, store, later).await.unwrap();
    assert_eq!((round.looked_at, round.removed), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_file_and_a_file_that_is_held_are_asked_for_by_its_tag() {
    let (crafter, id) = place().await;
    crafter.by(MASTER).upload(&id, &[], "a.png", PICTURE).await.answers(200);
    let path = format!("/api/1/profile/{id}/attachment/a?accessTokenId={MASTER}");
    let whole = crafter.send_bare("GET", &path, &[], vec![]).await;
    let etag = whole.headers["etag"].to_str().unwrap().to_owned();
    let ask = async |headers: &[(&str, &str)]| {
        let answer = crafter.send_bare("GET", &path, headers, vec![]).await;
        let range = answer.headers.get("content-range");
        let range = range.map(|range| range.to_str().unwrap().to_owned());
        (answer.status.as_u16(), answer.bytes, range.unwrap_or_default())
    };
    let all = (200, PICTURE.to_vec(), String::new());
    for held in [etag.as_str(), &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
        assert_eq!(ask(&[("if-none-match", held)]).await, (304, vec![], String::new()), "{held}");
    }
    assert_eq!(ask(&[("if-none-match", "\"x\"")]).await, all);
    let part = (206, PICTURE[2..5].to_vec(), "bytes 2-4/15".to_owned());
    assert_eq!(ask(&[("range", "bytes=2-4")]).await, part);
    assert_eq!(ask(&[("range", "bytes=2-4"), ("if-range", &etag)]).await, part);
    assert_eq!(ask(&[("range", "bytes=2-4"), ("if-range", "\"x\"")]).await, all);
    let end = (206, PICTURE[13..].to_vec(), "bytes 13-14/15".to_owned());
    assert_eq!(ask(&[("range", "bytes=-2")]).await, end);
    assert_eq!(ask(&[("range", "bytes=13-99")]).await, end);
    assert_eq!(ask(&[("range", "bytes=0-1,3-4")]).await, all, "several are the whole");
    let outside = crafter.send_bare("GET", &path, &[("range", "bytes=15-")], vec![]).await;
    outside.refused(416, "OTHER");
    assert_eq!(outside.headers["content-range"], "bytes */15");
}
