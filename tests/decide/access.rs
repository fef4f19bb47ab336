//! API keys: issued once, valid until their end or their revocation.

use chrono::TimeDelta;
use dossier::domain::access::{Access, Command, Event, Refusal};

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
    assert_eq!(Refusal::AlreadyIssued.code(), "already_issued");
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
