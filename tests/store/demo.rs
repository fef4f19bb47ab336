//! What a second boot with `--demo` says anew (Crafter contract 4.4). Regression of issue 8.

use serde_json::{Value, json};

use super::crash::Server;

const MASTER: &str = "e8f5170c-877b-416f-b70f-4b09772f8e2d";
const SOCIAL: &str = "2ba3ac10-c43e-11e3-9c1a-0800200c9a66";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_boot_says_anew_what_the_demos_access_tokens_are() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let server = Server::start(&data_dir).await;
    let call = async |server: &Server, method: &str, path: &str, body: Option<Value>| {
        let url = format!("{}/api/1/access_token/{path}?accessTokenId={MASTER}", server.base);
        let mut request = server.client.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{method} {path}");
        answer.text().await.unwrap()
    };
    let application = async |server: &Server| {
        let token: Value = serde_json::from_str(&call(server, "GET", SOCIAL, None).await).unwrap();
        token["application"].clone()
    };
    assert_eq!(application(&server).await, "social");
    call(&server, "POST", &format!("{SOCIAL}/delete"), None).await;
    let other = json!({
        "id": SOCIAL, "application": "other", "master": false,
        "tenantPermissions": [{ "tenant": "*", "allowedActions": ["*"] }],
    });
    call(&server, "POST", "create", Some(other)).await;
    assert_eq!(application(&server).await, "other");
    drop(server);
    let server = Server::start(&data_dir).await;
    assert_eq!(application(&server).await, "social");
}
