//! Tickets (contract 4.6): how they are used, and when they end.

use chrono::{TimeDelta, Utc};
use dossier::api::crafter::authentication::ticket::stream_of;
use serde_json::json;

use crate::support::crafter::{Crafter, PASSWORD, nobody, text};

const TICKET: &str = "authentication/ticket";

async fn ticket(crafter: &Crafter, profile: &str) -> String {
    let made = crafter.form(&format!("{TICKET}/create"), &[("profileId", profile)]).await;
    text(&made.answers(200)["id"])
}

/// It was last used so many seconds ago, as far as this process and the database know.
async fn idle_for(crafter: &Crafter, ticket: &str, seconds: i64) {
    let stream = stream_of(ticket.parse().unwrap());
    let then = Utc::now() - TimeDelta::seconds(seconds);
    crafter.app.applications.tickets.touch(stream, then);
    let client = crafter.engine.connection().await.unwrap();
    let sql = "update ops.ticket_times set last_request_at = $2 where ticket_id = $1";
    assert_eq!(client.execute(sql, &[&stream, &then]).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_leads_to_its_profile_and_is_used_thereby() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let made = crafter.form(&format!("{TICKET}/create"), &[("profileId", &id)]).await;
    let made = made.answers(200);
    let ticket = text(&made["id"]);
    let profile = crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await.answers(200);
    assert_eq!(profile["id"], json!(id));
    let used = crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
    assert_eq!((&used["id"], &used["profileId"]), (&made["id"], &made["profileId"]));
    assert!(used["lastRequestTime"].as_i64() > made["lastRequestTime"].as_i64());
}

#[tokio::test(flavor = "multi_thread")]
async fn using_a_ticket_is_no_event() {
    let crafter = Crafter::start().await;
    let ticket = ticket(&crafter, &crafter.profile_id("acme", "ada").await).await;
    let head = crafter.head().await;
    for _ in 0..3 {
        crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await.answers(200);
        crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
    }
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_ticket_is_404_but_400_where_a_profile_is_asked_for() {
    let crafter = Crafter::start().await;
    for id in [nobody().as_str(), "nonsense"] {
        crafter.get(&format!("{TICKET}/{id}"), &[]).await.refused(404, "NO_SUCH_TICKET");
        let answer = crafter.get("profile/by_ticket", &[("ticketId", id)]).await;
        answer.refused(400, "NO_SUCH_TICKET");
        crafter.form(&format!("{TICKET}/{id}/invalidate"), &[]).await.is_empty();
    }
    crafter.get("profile/by_ticket", &[]).await.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalidated_ticket_has_ended_and_others_have_not() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let (one, other) = (ticket(&crafter, &id).await, ticket(&crafter, &id).await);
    crafter.form(&format!("{TICKET}/{one}/invalidate"), &[]).await.is_empty();
    crafter.get(&format!("{TICKET}/{one}"), &[]).await.refused(404, "NO_SUCH_TICKET");
    crafter.get("profile/by_ticket", &[("ticketId", &one)]).await.refused(400, "NO_SUCH_TICKET");
    crafter.get("profile/by_ticket", &[("ticketId", &other)]).await.answers(200);
    crafter.form(&format!("{TICKET}/{one}/invalidate"), &[]).await.is_empty();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_was_idle_for_too_long_has_ended() {
    let crafter = Crafter::start().await;
    let ticket = ticket(&crafter, &crafter.profile_id("acme", "ada").await).await;
    idle_for(&crafter, &ticket, 890).await;
    crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
    idle_for(&crafter, &ticket, 890).await;
    crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await.answers(200);
    idle_for(&crafter, &ticket, 901).await;
    crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.refused(404, "NO_SUCH_TICKET");
    let answer = crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await;
    answer.refused(400, "NO_SUCH_TICKET");
    crafter.form(&format!("{TICKET}/{ticket}/invalidate"), &[]).await.is_empty();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_wrote_of_a_use_counts_too() {
    let crafter = Crafter::start().await;
    let ticket = ticket(&crafter, &crafter.profile_id("acme", "ada").await).await;
    idle_for(&crafter, &ticket, 901).await;
    let client = crafter.engine.connection().await.unwrap();
    client.execute("update ops.ticket_times set last_request_at = now()", &[]).await.unwrap();
    crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_tickets_are_ended_for_good_and_used_ones_kept() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let (idle, used) = (ticket(&crafter, &id).await, ticket(&crafter, &id).await);
    idle_for(&crafter, &idle, 901).await;
    let since = Utc::now() - TimeDelta::seconds(900);
    let tickets = &crafter.app.applications.tickets;
    tickets.end_idle(&crafter.engine, since).await.unwrap();
    let stream = stream_of(idle.parse().unwrap()).to_string();
    assert_eq!(crafter.events(&stream).await, ["TicketIssued", "SessionEnded"]);
    crafter.get(&format!("{TICKET}/{idle}"), &[]).await.refused(404, "NO_SUCH_TICKET");
    crafter.get(&format!("{TICKET}/{used}"), &[]).await.answers(200);
    let head = crafter.head().await;
    tickets.end_idle(&crafter.engine, since).await.unwrap();
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_remembered_here_is_written_and_keeps_the_ticket() {
    let crafter = Crafter::start().await;
    let ticket = ticket(&crafter, &crafter.profile_id("acme", "ada").await).await;
    idle_for(&crafter, &ticket, 600).await;
    crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
    let since = Utc::now() - TimeDelta::seconds(300);
    crafter.app.applications.tickets.end_idle(&crafter.engine, since).await.unwrap();
    crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_outlive_the_disabling_and_deleting_of_their_profile() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let ticket = ticket(&crafter, &id).await;
    crafter.form(&format!("profile/{id}/disable"), &[]).await.answers(200);
    let found = crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await.answers(200);
    assert_eq!(found["enabled"], false);
    crafter.form(&format!("profile/{id}/delete"), &[]).await.is_empty();
    let gone = crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await;
    gone.refused(404, "NO_SUCH_PROFILE");
    let used = crafter.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
    assert_eq!(used["profileId"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ticket_is_made_for_who_is_disabled_or_not_there() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    crafter.form(&format!("profile/{id}/disable"), &[]).await.answers(200);
    let create = format!("{TICKET}/create");
    crafter.form(&create, &[("profileId", &id)]).await.refused(403, "DISABLED_PROFILE");
    crafter.form(&create, &[("profileId", &nobody())]).await.refused(404, "NO_SUCH_PROFILE");
    crafter.form(&create, &[("profileId", "nonsense")]).await.refused(404, "NO_SUCH_PROFILE");
    crafter.form(&create, &[]).await.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_takes_the_permission_to_manage_tickets_in_its_tenant() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let ticket = text(&crafter.log_in("acme", "ada", PASSWORD).await.answers(200)["id"]);
    let none = json!([{ "tenant": "acme", "allowedActions": ["MANAGE_PROFILES", "READ_TENANT"] }]);
    let none = crafter.token("engine", none).await;
    let tickets = json!([{ "tenant": "acme", "allowedActions": ["MANAGE_TICKETS"] }]);
    let tickets = crafter.token("engine", tickets).await;
    let head = crafter.head().await;
    let by = crafter.by(&none);
    let create = format!("{TICKET}/create");
    by.form(&create, &[("profileId", &id)]).await.refused(403, "ACTION_DENIED");
    by.get(&format!("{TICKET}/{ticket}"), &[]).await.refused(403, "ACTION_DENIED");
    by.get("profile/by_ticket", &[("ticketId", &ticket)]).await.refused(403, "ACTION_DENIED");
    let path = format!("{TICKET}/{ticket}/invalidate");
    by.form(&path, &[]).await.refused(403, "ACTION_DENIED");
    let by = crafter.by(&tickets);
    by.get(&format!("{TICKET}/{ticket}"), &[]).await.answers(200);
    by.get("profile/by_ticket", &[("ticketId", &ticket)]).await.refused(403, "ACTION_DENIED");
    by.form(&create, &[("profileId", &id)]).await.refused(403, "ACTION_DENIED");
    assert_eq!(crafter.head().await, head);
    by.form(&path, &[]).await.is_empty();
}

/// Regression of issue 8.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_in_a_tenant_keeps_its_name_when_the_tenant_is_gone_and_another_takes_it() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({})).await;
    let id = crafter.profile_id("t", "ada").await;
    let own = crafter.token_for("t").await;
    let ticket = ticket(&crafter, &id).await;
    let profile = [("profileId", id.as_str())];
    let create = "authentication/persistent_login/create";
    let login = text(&crafter.form(create, &profile).await.answers(200)["id"]);
    let create = format!("profile/{id}/verification_token/create");
    let verification = text(&crafter.form(&create, &[]).await.answers(200)["id"]);
    crafter.form("tenant/t/delete", &[]).await.is_empty();
    let by = crafter.by(&own);
    for again in [false, true] {
        if again {
            crafter.tenant("t", json!({})).await;
        }
        for path in [
            format!("{TICKET}/{ticket}"),
            format!("authentication/persistent_login/{login}"),
            format!("profile/verification_token/{verification}"),
        ] {
            assert_eq!(by.get(&path, &[]).await.answers(200)["tenant"], "t", "{path}");
        }
        let found = by.get("profile/by_ticket", &[("ticketId", &ticket)]).await;
        found.refused(404, "NO_SUCH_PROFILE");
    }
    let other = crafter.token_for("other").await;
    let path = format!("{TICKET}/{ticket}");
    crafter.by(&other).get(&path, &[]).await.refused(403, "ACTION_DENIED");
    by.form(&format!("{path}/invalidate"), &[]).await.is_empty();
    by.get(&path, &[]).await.refused(404, "NO_SUCH_TICKET");
    let path = format!("authentication/persistent_login/{login}/delete");
    by.form(&path, &[]).await.is_empty();
    let path = format!("profile/verification_token/{verification}/delete");
    by.form(&path, &[]).await.is_empty();
}
