//! Many calls at once: exactly one wins where one can, and nothing is lost where all can.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::api::Answer;
use crate::support::crafter::{Crafter, MASTER, PASSWORD, text};

const AT_ONCE: usize = 16;

/// What came of the same call, given its number, at once on tasks of their own.
async fn at_once<F>(crafter: &Arc<Crafter>, call: impl Fn(Arc<Crafter>, usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let calls = (0..AT_ONCE).map(|number| tokio::spawn(call(crafter.clone(), number)));
    join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

fn won(answers: &[Answer]) -> Vec<Value> {
    answers.iter().filter(|answer| answer.status == 200).map(Answer::json).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_with_one_username_one_is_made() {
    let crafter = Arc::new(Crafter::start().await);
    let answers = at_once(&crafter, |crafter, number| async move {
        let email = format!("{number}@acme.example");
        let parameters = [
            ("tenantName", "acme"),
            ("username", "ada"),
            ("email", email.as_str()),
            ("enabled", "true"),
        ];
        crafter.form("profile/create", &parameters).await
    });
    let answers = answers.await;
    let won = won(&answers);
    assert_eq!(won.len(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        lost.refused(409, "PROFILE_EXISTS");
    }
    let by_name = [("tenantName", "acme"), ("username", "ada")];
    let found = crafter.get("profile/by_username", &by_name).await.answers(200);
    assert_eq!(found["email"], won[0]["email"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_renamed_to_one_username_one_is() {
    let crafter = Arc::new(Crafter::start().await);
    let mut ids = Vec::new();
    for number in 0..AT_ONCE {
        ids.push(crafter.profile_id("acme", &format!("p{number}")).await);
    }
    let ids = Arc::new(ids);
    let answers = at_once(&crafter, |crafter, number| {
        let ids = ids.clone();
        async move {
            let path = format!("profile/{}/update", ids[number]);
            crafter.form(&path, &[("username", "ada")]).await
        }
    });
    let answers = answers.await;
    assert_eq!(won(&answers).len(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        lost.refused(409, "PROFILE_EXISTS");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tenants_with_one_name_one_is_made() {
    let crafter = Arc::new(Crafter::start().await);
    let answers = at_once(&crafter, |crafter, _| async move {
        crafter.json("tenant/create", json!({ "name": "t" })).await
    });
    let answers = answers.await;
    assert_eq!(won(&answers).len(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        lost.refused(409, "TENANT_EXISTS");
    }
    assert_eq!(crafter.get("tenant/count", &[]).await.answers(200), json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_access_tokens_with_one_id_one_is_made() {
    let crafter = Arc::new(Crafter::start().await);
    let answers = at_once(&crafter, |crafter, number| async move {
        let body = json!({ "id": "one", "application": number.to_string() });
        crafter.json("access_token/create", body).await
    });
    let answers = answers.await;
    let won = won(&answers);
    assert_eq!(won.len(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        lost.refused(409, "ACCESS_TOKEN_EXISTS");
    }
    assert_eq!(crafter.get("access_token/one", &[]).await.answers(200), won[0]);
    let all = crafter.get("access_token/all", &[]).await.answers(200);
    assert_eq!(all.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_token_is_good_for_one_of_many() {
    let crafter = Arc::new(Crafter::start().await);
    let id = crafter.profile_id("acme", "ada").await;
    let made = crafter.form(&format!("profile/{id}/verification_token/create"), &[]).await;
    let token = text(&made.answers(200)["id"]);
    let answers = at_once(&crafter, |crafter, number| {
        let token = token.clone();
        async move {
            let new = format!("password {number}");
            let parameters = [("resetTokenId", token.as_str()), ("newPassword", &new)];
            crafter.form("profile/change_password", &parameters).await
        }
    });
    let answers = answers.await;
    assert_eq!(won(&answers).len(), 1);
    let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        lost.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    }
    crafter.log_in("acme", "ada", &format!("password {winner}")).await.answers(200);
}

/// Within one process nobody loses a race for a stream for good.
#[track_caller]
fn all_done(answers: &[Answer]) {
    for answer in answers {
        answer.answers(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_many_refresh_is_afterwards_one_that_somebody_was_given() {
    let crafter = Arc::new(Crafter::start().await);
    let id = crafter.profile_id("acme", "ada").await;
    let create = "authentication/persistent_login/create";
    let made = crafter.form(create, &[("profileId", &id)]).await.answers(200);
    let path = format!("authentication/persistent_login/{}", text(&made["id"]));
    let answers = at_once(&crafter, |crafter, _| {
        let path = format!("{path}/refresh_token");
        async move { crafter.form(&path, &[]).await }
    });
    let answers = answers.await;
    all_done(&answers);
    let given: BTreeSet<String> = won(&answers).iter().map(|one| text(&one["token"])).collect();
    assert_eq!(given.len(), won(&answers).len(), "each was given one of its own");
    let found = crafter.get(&path, &[]).await.answers(200);
    assert!(given.contains(&text(&found["token"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_many_add_at_once_are_all_there() {
    let crafter = Arc::new(Crafter::start().await);
    let id = crafter.profile_id("acme", "ada").await;
    let answers = at_once(&crafter, |crafter, number| {
        let path = format!("profile/{id}/roles/add");
        async move { crafter.form(&path, &[("role", &format!("R{number:02}"))]).await }
    });
    let answers = answers.await;
    all_done(&answers);
    let expected: BTreeSet<String> = (0..AT_ONCE).map(|number| format!("R{number:02}")).collect();
    let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
    let roles: BTreeSet<String> = found["roles"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(roles, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_removed_while_others_are_given_stays_removed() {
    let crafter = Arc::new(Crafter::start().await);
    let made = crafter.profile("acme", "ada", &[("role", "GONE"), ("role", "KEPT")]).await;
    let id = text(&made["id"]);
    let answers = at_once(&crafter, |crafter, number| {
        let id = id.clone();
        async move {
            let (what, role) = match number {
                0 => ("remove", "GONE".to_owned()),
                _ => ("add", format!("R{number:02}")),
            };
            crafter.form(&format!("profile/{id}/roles/{what}"), &[("role", &role)]).await
        }
    });
    let answers = answers.await;
    all_done(&answers);
    let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
    let roles: Vec<String> = found["roles"].as_array().unwrap().iter().map(text).collect();
    assert!(!roles.contains(&"GONE".to_owned()));
    assert!(roles.contains(&"KEPT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_many_use_is_used_by_all() {
    let crafter = Arc::new(Crafter::start().await);
    crafter.profile("acme", "ada", &[]).await;
    let ticket = text(&crafter.log_in("acme", "ada", PASSWORD).await.answers(200)["id"]);
    let answers = at_once(&crafter, |crafter, number| {
        let ticket = ticket.clone();
        async move {
            match number % 2 {
                0 => crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await,
                _ => crafter.get(&format!("authentication/ticket/{ticket}"), &[]).await,
            }
        }
    });
    assert_eq!(won(&answers.await).len(), AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_invalidated_while_many_use_it_has_ended() {
    let crafter = Arc::new(Crafter::start().await);
    crafter.profile("acme", "ada", &[]).await;
    let ticket = text(&crafter.log_in("acme", "ada", PASSWORD).await.answers(200)["id"]);
    let path = format!("authentication/ticket/{ticket}");
    let answers = at_once(&crafter, |crafter, number| {
        let path = path.clone();
        async move {
            match number {
                0 | 1 => crafter.form(&format!("{path}/invalidate"), &[]).await,
                _ => crafter.get(&path, &[]).await,
            }
        }
    });
    let answers = answers.await;
    answers[..2].iter().for_each(Answer::is_empty);
    for used in &answers[2..] {
        assert!(matches!(used.status.as_u16(), 200 | 404), "{}", used.text);
    }
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_TICKET");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_at_once_are_all_counted_and_lock() {
    let crafter = Arc::new(Crafter::start().await);
    let id = crafter.profile_id("acme", "ada").await;
    let answers =
        at_once(&crafter, |crafter, _| async move { crafter.log_in("acme", "ada", "wrong").await });
    for answer in answers.await {
        answer.refused(401, "BAD_CREDENTIALS");
    }
    let events = crafter.events(&id).await;
    let failed = events.iter().filter(|name| *name == "LogInFailed").count();
    assert_eq!(failed, 10, "{events:?}");
    crafter.log_in("acme", "ada", PASSWORD).await.refused(401, "BAD_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_many_log_ins_of_one_profile_succeed() {
    let crafter = Arc::new(Crafter::start().await);
    let id = crafter.profile_id("acme", "ada").await;
    let answers =
        at_once(
            &crafter,
            |crafter, _| async move { crafter.log_in("acme", "ada", PASSWORD).await },
        );
    all_done(&answers.await);
    let events = crafter.events(&id).await;
    let log_ins = events.iter().filter(|name| *name == "LogInSucceeded").count();
    assert_eq!(log_ins, AT_ONCE, "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_many_files_for_one_profile_are_stored() {
    let crafter = Arc::new(Crafter::start().await);
    let id = crafter.profile_id("acme", "ada").await;
    let uploads = (0..100).map(|number| {
        let (crafter, id) = (crafter.clone(), id.clone());
        tokio::spawn(async move {
            let name = format!("{number}.png");
            crafter.by(MASTER).upload(&id, &[], &name, b"x").await
        })
    });
    let answers: Vec<Answer> = join_all(uploads).await.into_iter().map(Result::unwrap).collect();
    all_done(&answers);
    let stored = crafter.get(&format!("profile/{id}/attachments"), &[]).await.answers(200);
    assert_eq!(stored.as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_access_token_has_done_nothing_after_its_end() {
    let crafter = Arc::new(Crafter::start().await);
    let token = crafter.token_for("acme").await;
    let answers = at_once(&crafter, |crafter, number| {
        let token = token.clone();
        async move {
            if number == 0 {
                let path = format!("access_token/{token}/delete");
                return crafter.by(MASTER).form(&path, &[]).await;
            }
            let role = format!("R{number}");
            crafter.by(&token).form("tenant/acme/roles/add", &[("role", &role)]).await
        }
    });
    let answers = answers.await;
    let done = answers[1..].iter().filter(|answer| answer.status == 200).count();
    let tenant = crafter.get("tenant/acme", &[]).await.answers(200);
    assert_eq!(tenant["availableRoles"].as_array().unwrap().len(), done);
    crafter.by(&token).get("tenant/acme", &[]).await.refused(403, "ACCESS_DENIED");
    let log = crafter.log().await;
    assert_eq!(log.matches("AccessTokenDeleted").count(), 1);
}
