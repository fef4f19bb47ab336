//! Requests that carry a file, as clients and proxies write them: where the token may stand, and
//! what is said of parts that are wrong (contract 0, 2). Regression of issue 8.

use crate::support::api::Answer;
use crate::support::crafter::{Crafter, MASTER, text};

const FILE: &str = "name=\"attachment\"; filename=\"a.png\"";

fn part(disposition: &str, content: &str) -> String {
    format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

fn token(id: &str) -> String {
    part("name=\"accessTokenId\"", id)
}

async fn send(crafter: &Crafter, id: &str, kind: &str, body: String) -> Answer {
    let path = format!("/api/1/profile/{id}/uploadAttachment");
    crafter.send_bare("POST", &path, &[("content-type", kind)], body.into_bytes()).await
}

async fn upload(crafter: &Crafter, id: &str, parts: &[String]) -> Answer {
    let body = parts.concat() + "--X--\r\n";
    send(crafter, id, "multipart/form-data; boundary=X", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_counts_in_any_part_and_in_a_form_without_a_file() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let (other, file) = (part("name=\"filename\"", "b.png"), part(FILE, "x"));
    for parts in [
        [other.clone(), token(MASTER), file.clone()],
        [token(MASTER), other.clone(), file.clone()],
        [other.clone(), file.clone(), token(MASTER)],
    ] {
        let stored = upload(&crafter, &id, &parts).await.answers(200);
        assert_eq!(text(&stored["fileName"]), "b");
    }
    let form = "application/x-www-form-urlencoded";
    let answer = send(&crafter, &id, form, format!("accessTokenId={MASTER}&filename=a.png")).await;
    answer.refused(400, "OTHER");
    assert!(answer.text.contains("attachment"), "{}", answer.text);
    send(&crafter, &id, form, "accessTokenId=nobody".to_owned())
        .await
        .refused(403, "ACCESS_DENIED");
    send(&crafter, &id, form, "filename=a".to_owned()).await.refused(403, "ACCESS_DENIED");
    upload(&crafter, &id, &[other.clone(), token(MASTER)]).await.refused(400, "OTHER");
    upload(&crafter, &id, &[other, token("nobody"), file]).await.refused(403, "ACCESS_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_wrong_is_named_to_whoever_has_a_token() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let head = crafter.head().await;
    let folded = "name=\"attachment\";\r\n filename=\"a.png\"";
    for (parts, named) in [
        (vec![token(MASTER), part("name=\"picture\"; filename=\"a.png\"", "x")], "part picture"),
        (vec![part("name=\"picture\"; filename=\"a.png\"", "x"), token(MASTER)], "part picture"),
        (vec![token(MASTER), part("name=\"attachment\"; filename=\"a\0.png\"", "x")], "part 2"),
        (vec![token(MASTER), part(folded, "x")], "part 2"),
        (vec![token(MASTER), part(FILE, "x"), part(FILE, "y")], "part attachment"),
    ] {
        let answer = upload(&crafter, &id, &parts).await;
        answer.refused(400, "OTHER");
        assert!(answer.text.contains(named), "{named}: {}", answer.text);
        let without: Vec<String> =
            parts.into_iter().filter(|part| !part.contains("accessTokenId")).collect();
        upload(&crafter, &id, &without).await.refused(403, "ACCESS_DENIED");
    }
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_parameters_are_of_any_case_and_their_values_quoted_or_not() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    for (disposition, name) in [
        ("NAME=\"attachment\"; FILENAME=\"a.png\"", "a"),
        ("Name=attachment; FileName=b.png", "b"),
        ("filename=\"c;d.png\" ; name = \"attachment\"", "c;d"),
        ("name=\"attachment\"; filename=\"e\\\"f.png\"", "e\"f"),
    ] {
        let parts = [token(MASTER), part(disposition, &"x".repeat(20_000))];
        let stored = upload(&crafter, &id, &parts).await.answers(200);
        assert_eq!(text(&stored["fileName"]), name, "{disposition}");
    }
}
