//! Exports and their download (contract 4.13).

use serde_json::json;

use crate::support::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_guarded_file_for_whom_it_was_made() {
    let api = Api::start().await;
    let (root, ada) = (api.token("root").await, api.token("ada").await);
    let item = json!({ "name": "=1+1", "departments": ["North", "South"] });
    api.create(&root, item).await;
    let made = api.v5(&root, "export", json!({})).await.answers(200);
    assert_eq!(made["row_count"], 7);
    let path = format!("/uploads/{}/download", made["upload_id"].as_str().unwrap());
    let file = api.get(&root, &path).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.headers["cache-control"], "no-store");
    let lines: Vec<&str> = file.text.split("\r\n").collect();
    assert_eq!(lines[0], "profile_id,name,active,departments,emails,request_limit,roles");
    assert_eq!(lines.len(), 9);
    assert!(lines[1].ends_with(",'=1+1,Yes,North|South,,,"), "{}", lines[1]);
    assert!(lines[2].contains(",Ada North,Yes,North,ada@acme.example,,Admin"), "{}", lines[2]);
    assert_eq!(api.get(&ada, &path).await.answers(404)["code"], "upload_not_found");
    let part = api.send("GET", &path, Some(&root), &[("range", "bytes=0-9")], vec![]).await;
    assert_eq!((part.status.as_u16(), part.text.as_str()), (206, "profile_id"));
    let tag = file.headers["etag"].to_str().unwrap();
    for (validator, status) in
        [(tag, 206), ("\"other\"", 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200), ("", 200)]
    {
        let headers = [("range", "bytes=0-9"), ("if-range", validator)];
        let answer = api.send("GET", &path, Some(&root), &headers, vec![]).await;
        assert_eq!(answer.status, status, "{validator}");
        assert_eq!(answer.text.len() == 10, status == 206, "{validator}");
    }
    let outside = api.send("GET", &path, Some(&root), &[("range", "bytes=99999999-")], vec![]);
    assert_eq!(outside.await.status, 416);
    let page = api.get(&root, "/api/v1/events?name=ExportDownloaded").await.answers(200);
    assert!(!page["events"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_exports_whom_it_may_see_and_one_profile_at_that() {
    let api = Api::start().await;
    let ada = api.token("ada").await;
    // Herself, Ian and Mia of the north, and Gil, who has no department. Not Root: above her.
    let made = api.v5(&ada, "export", json!({})).await.answers(200);
    assert_eq!(made["row_count"], 4);
    let one = json!({ "profile_export_id": api.id("mia").await });
    assert_eq!(api.v5(&ada, "export", one).await.answers(200)["row_count"], 1);
    let hidden = json!({ "profile_export_id": api.id("sam").await });
    let answer = api.v5(&ada, "export", hidden).await;
    assert_eq!(answer.answers(404)["code"], "profile_not_found");
}
