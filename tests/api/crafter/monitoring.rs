//! `/api/1/monitoring` (contract 1, 3): by the management token and no other.

use dossier::api::crafter::services::Settings;
use serde_json::Value;

use crate::support::crafter::{Crafter, MASTER, settings};

const ALL: [(&str, usize); 3] = [("memory", 7), ("status", 2), ("version", 10)];

#[tokio::test(flavor = "multi_thread")]
async fn the_management_token_shows_memory_status_and_version() {
    let crafter = Crafter::start().await;
    let by = crafter.by("");
    let token = [("token", "defaultManagementToken"), ("site", "ignored")];
    for (what, fields) in ALL {
        let shown = by.get(&format!("monitoring/{what}"), &token).await.answers(200);
        assert_eq!(shown.as_object().unwrap().len(), fields, "{shown}");
        let also = by.ending(".json").get(&format!("monitoring/{what}"), &token).await;
        also.answers(200);
    }
    let memory = by.get("monitoring/memory", &token).await.answers(200);
    assert!(memory.as_object().unwrap().values().all(Value::is_u64), "{memory}");
    let status = by.get("monitoring/status", &token).await.answers(200);
    let startup: chrono::DateTime<chrono::Utc> =
        status["startup"].as_str().unwrap().parse().unwrap();
    assert!(startup <= chrono::Utc::now());
    let version = by.get("monitoring/version", &token).await.answers(200);
    assert_eq!(version["packageName"], "dossier");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_that_token_nothing_is_shown() {
    let crafter = Crafter::with(Settings { management_token: "m".into(), ..settings() }).await;
    for (what, _) in ALL {
        let path = format!("monitoring/{what}");
        let by = crafter.by("");
        by.get(&path, &[]).await.refused(400, "OTHER");
        crafter.by(MASTER).get(&path, &[]).await.refused(400, "OTHER");
        for token in ["", "M", "mm", "defaultManagementToken", MASTER] {
            by.get(&path, &[("token", token)]).await.refused(401, "ACCESS_DENIED");
        }
        by.get(&path, &[("token", "m")]).await.answers(200);
    }
}
