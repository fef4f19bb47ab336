//! API keys: issued once, valid until their end or their revocation.

use chrono::TimeDelta;
use dossier::domain::access::{Access, AccessToken, Command, Event, Refusal};

use crate::support::given::{given, minutes, noon};

fn issue() -> Command {
    Command::IssueApiKey { name: "import".to_owned(), expires_at: Some(minutes(60)) }
}

fn issued() -> Event {
    Event::ApiKeyIssued { name: "import".to_owned(), expires_at: Some(minutes(60)) }
}

#[test]
fn a_key_is_issued_with_its_name_and_end() {
    given::<Access>([]).when(issue()).then([issued()]);
}

#[test]
fn a_key_is_issued_only_once() {
    given::<Access>([issued()]).when(issue()).refused(Refusal::AlreadyIssued);
    let revoked = given::<Access>([issued(), Event::ApiKeyRevoked {}]);
    revoked.when(issue()).refused(Refusal::AlreadyIssued);
}

#[test]
fn an_issued_key_can_be_revoked() {
    given::<Access>([issued()]).when(Command::RevokeApiKey).then([Event::ApiKeyRevoked {}]);
}

#[test]
fn revoking_what_is_not_valid_changes_nothing() {
    given::<Access>([]).when(Command::RevokeApiKey).then_nothing();
    let revoked = given::<Access>([issued(), Event::ApiKeyRevoked {}]);
    revoked.when(Command::RevokeApiKey).then_nothing();
}

#[test]
fn a_key_entitles_until_the_instant_of_its_end() {
    let key = given::<Access>([issued()]).state;
    assert!(key.is_valid(minutes(60) - TimeDelta::nanoseconds(1)));
    assert!(!key.is_valid(minutes(60)));
}

#[test]
fn a_key_without_an_end_entitles_for_good() {
    let event = Event::ApiKeyIssued { name: "import".to_owned(), expires_at: None };
    assert!(given::<Access>([event]).state.is_valid(noon() + TimeDelta::days(36_500)));
}

#[test]
fn a_key_that_was_never_issued_or_is_revoked_entitles_nobody() {
    assert!(!given::<Access>([]).state.is_valid(noon()));
    assert!(!given::<Access>([issued(), Event::ApiKeyRevoked {}]).state.is_valid(noon()));
}

#[test]
fn a_token_can_be_told_its_application_again_and_never_loses_being_master() {
    let token = |application: &str, master| AccessToken {
        application: Some(application.to_owned()),
        master,
        tenant_permissions: None,
        expires_at: None,
    };
    let again = |master| Command::ReassertAccessToken { application: "engine".to_owned(), master };
    let event = |master| Event::AccessTokenReasserted { application: "engine".to_owned(), master };
    let other = given::<Access>([Event::AccessTokenIssued(token("other", false))]);
    other.when(again(true)).then([event(true)]);
    let after = given::<Access>([Event::AccessTokenIssued(token("other", false)), event(true)]);
    assert_eq!(after.state.valid_token(noon()), Some(&token("engine", true)));
    let master = [Event::AccessTokenIssued(token("other", true))];
    given::<Access>(master).when(again(false)).then([event(true)]);
    let same = [Event::AccessTokenIssued(token("engine", true))];
    given::<Access>(same).when(again(true)).then_nothing();
    for gone in [vec![], vec![issued()]] {
        given::<Access>(gone).when(again(true)).then_nothing();
    }
}
