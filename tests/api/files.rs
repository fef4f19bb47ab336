//! Files that people give to commands, as their programs write them. Regression of issue 8.

use dossier::intake::people::import;
use indicatif::ProgressBar;

use crate::support::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_people_may_begin_with_a_byte_order_mark_and_is_no_list() {
    let api = Api::start().await;
    let taken = async |text: &str| {
        import(&api.engine, "acme", "people.json", text.as_bytes(), ProgressBar::hidden()).await
    };
    let done =
        taken("\u{feff}{\"id\":\"a\",\"name\":\"A\"}\n{\"id\":\"b\",\"name\":\"B\"}\n").await;
    let done = done.unwrap();
    assert_eq!((done.profiles, done.bad), (2, 0));
    let head = api.engine.head().await.unwrap();
    for list in ["[{\"id\":\"c\",\"name\":\"C\"}]", "\u{feff}\n [\n"] {
        let told = taken(list).await.unwrap_err().to_string();
        assert!(told.contains("jq -c '.[]' people.json > people.ndjson"), "{told}");
    }
    assert_eq!(api.engine.head().await.unwrap(), head);
}
