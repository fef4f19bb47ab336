//! The claims of the log are those of the states that its events lead to, after any history.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::api::Answer;
use crate::support::claims::{Differences, KINDS, differences, kinds};
use crate::support::crafter::{Crafter, MASTER, PASSWORD, nobody, text};

/// The first is the other face's too; it is never deleted.
const TENANTS: [&str; 3] = ["acme", "t1", "t2"];

#[derive(Clone, Copy, Debug)]
enum What {
    CreateTenant,
    DeleteTenant,
    Create,
    CreateUnverified,
    Username,
    Email,
    Disable,
    Delete,
    Upload,
    ResetPassword,
    Ticket,
    EndTicket,
    Remember,
    Forget,
    LogInEmails,
}

/// What a client does to which one of those there are, with which of a few names.
#[derive(Clone, Debug)]
struct Step {
    what: What,
    at: usize,
    name: usize,
}

fn step() -> impl Strategy<Value = Step> {
    use What::*;
    let what = select(vec![
        CreateTenant,
        DeleteTenant,
        Create,
        Create,
        Create,
        CreateUnverified,
        Username,
        Email,
        Disable,
        Delete,
        Upload,
        ResetPassword,
        Ticket,
        Ticket,
        EndTicket,
        Remember,
        Remember,
        Forget,
        LogInEmails,
    ]);
    (what, 0_usize..12, 0_usize..4).prop_map(|(what, at, name)| Step { what, at, name })
}

/// The ids of what a history has made so far.
#[derive(Debug, Default)]
struct Made {
    profiles: Vec<String>,
    tickets: Vec<String>,
    log_ins: Vec<String>,
    /// The kinds of claims that there were after one history or another.
    kinds: BTreeSet<String>,
}

fn one(of: &[String], at: usize) -> String {
    // The youngest first: the older are gone more often.
    of.iter().rev().cycle().nth(at).cloned().unwrap_or_else(nobody)
}

async fn take(crafter: &Crafter, root: &str, made: &mut Made, step: &Step) {
    let Step { what, at, name } = *step;
    let (tenant, profile) = (TENANTS[at % 3], one(&made.profiles, at));
    let (username, email) = (format!("u{name}"), format!("e{name}@t.example"));
    let of_profile = |what: &str| format!("profile/{profile}/{what}");
    let url = "https://t.example/";
    let who = [("profileId", profile.as_str())];
    let mut new = vec![
        ("tenantName", tenant),
        ("username", &username),
        ("password", PASSWORD),
        ("email", &email),
        ("enabled", "true"),
    ];
    let form = async |path: &str, parameters: &[(&str, &str)]| crafter.form(path, parameters).await;
    let answer = match what {
        What::CreateTenant => {
            let body = json!({ "name": tenant, "verifyNewProfiles": name % 2 == 0 });
            crafter.json("tenant/create", body).await
        }
        What::DeleteTenant => form(&format!("tenant/{}/delete", TENANTS[1 + at % 2]), &[]).await,
        What::Create => form("profile/create", &new).await,
        What::CreateUnverified => {
            new.push(("verificationUrl", url));
            form("profile/create", &new).await
        }
        What::Username => form(&of_profile("update"), &[("username", &username)]).await,
        What::Email => form(&of_profile("update"), &[("email", &email)]).await,
        What::Disable => form(&of_profile("disable"), &[]).await,
        What::Delete => form(&of_profile("delete"), &[]).await,
        What::Upload => {
            crafter.by(MASTER).upload(&profile, &[], &format!("{name}.png"), b"no picture").await
        }
        What::ResetPassword => {
            form(&of_profile("reset_password"), &[("resetPasswordUrl", url)]).await
        }
        What::Ticket => form("authentication/ticket/create", &who).await,
        What::EndTicket => {
            let ticket = one(&made.tickets, at);
            form(&format!("authentication/ticket/{ticket}/invalidate"), &[]).await
        }
        What::Remember => form("authentication/persistent_login/create", &who).await,
        What::Forget => {
            let log_in = one(&made.log_ins, at);
            form(&format!("authentication/persistent_login/{log_in}/delete"), &[]).await
        }
        What::LogInEmails => {
            let other = format!("E{at}@t.example");
            let item = json!({ "name": username, "emails": [email, other] });
            crafter.api.v5(root, "create", json!({ "profiles": [item] })).await
        }
    };
    // What is there no more, or is taken, is refused; nothing fails.
    assert!(answer.status.as_u16() < 500, "{step:?}: {answer:?}");
    made.note(what, &answer);
}

impl Made {
    fn note(&mut self, what: What, answer: &Answer) {
        let list = match what {
            What::Create | What::CreateUnverified => &mut self.profiles,
            What::Ticket => &mut self.tickets,
            What::Remember => &mut self.log_ins,
            _ => return,
        };
        if answer.status == 200 {
            list.push(text(&answer.json()["id"]));
        }
    }
}

#[test]
fn claims_are_those_of_the_states_after_any_history() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let crafter = runtime.block_on(Crafter::start());
    let root = runtime.block_on(crafter.api.token("root"));
    let histories = prop::collection::vec(step(), 1..60);
    let mut runner =
        TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let made = Cell::new(Made::default());
    let held = runner.run(&histories, |history| {
        runtime.block_on(async {
            // What one history leaves, the next one finds.
            let mut so_far = made.take();
            for step in &history {
                take(&crafter, &root, &mut so_far, step).await;
            }
            so_far.kinds.append(&mut kinds(&crafter).await);
            made.set(so_far);
            prop_assert_eq!(differences(&crafter).await, Differences::default());
            Ok(())
        })
    });
    if let Err(error) = held {
        panic!("{error}");
    }
    assert_eq!(made.take().kinds, KINDS.map(str::to_owned).into());
}
