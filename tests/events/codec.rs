//! Reading and writing stored events: what is refused, what may be missing.

use dossier::domain::codec::{Encoded, Error, decode, encode};
use dossier::domain::{Event, profile};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::samples;

/// Shapes that no event has.
#[derive(Debug, Serialize, Deserialize)]
enum Odd {
    Nothing,
    Pair(i64, i64),
}

fn profile_event(name: &str, payload: &str) -> Result<profile::Event, Error> {
    decode(name, payload)
}

#[test]
fn a_name_that_the_area_does_not_know_is_refused() {
    for name in ["", "ProfileUpdated", "profileRenamed", "ProfileRenamed ", "DraftClosed"] {
        assert!(profile_event(name, "{}").is_err(), "{name:?}");
    }
}

#[test]
fn a_payload_that_is_not_the_events_is_refused() {
    for payload in ["", "null", "[]", "\"\"", "{", "{}", r#"{"name":null}"#, r#"{"name":"Ada"}"#] {
        assert!(profile_event("ProfileRenamed", payload).is_err(), "{payload}");
    }
}

#[test]
fn anything_after_the_payload_is_refused() {
    assert!(profile_event("ProfileDeleted", "{}").is_ok());
    assert!(profile_event("ProfileDeleted", " {} ").is_ok());
    for payload in ["{}{}", "{}}", "{} x"] {
        assert!(profile_event("ProfileDeleted", payload).is_err(), "{payload}");
    }
}

#[test]
fn fields_added_later_may_be_missing() {
    let payload = concat!(
        r#"{"name":null,"emails":[{"id":"018f0000-0000-7000-8000-0000000000a2","#,
        r#""address":"ada@example.com"}],"roles":[],"departments":[],"#,
        r#""request_limit":null,"active":null}"#,
    );
    let event = profile_event("ProfileRegistered", payload).expect("the first shape is read");
    let profile::Event::ProfileRegistered(registration) = event else {
        panic!("not a registration")
    };
    assert!(!registration.emails[0].login && registration.attributes.is_empty());
    assert!(registration.duplicated_from.is_none() && registration.username.is_none());
    assert!(registration.application_roles.is_empty() && !registration.verified);
}

#[test]
fn a_field_without_a_default_may_not_be_missing() {
    let without_roles = r#"{"name":null,"emails":[],"departments":[]}"#;
    assert!(profile_event("ProfileRegistered", without_roles).is_err());
}

#[test]
fn the_name_is_the_variants_and_the_payload_its_fields() {
    let event = Event::Profile(profile::Event::RolesAssigned { roles: vec!["a\":{}".into()] });
    let expected =
        Encoded { name: "RolesAssigned".to_owned(), payload: r#"{"roles":["a\":{}"]}"#.to_owned() };
    assert_eq!(event.encode().expect("an event encodes"), expected);
}

#[test]
fn what_is_no_event_is_not_written() {
    assert!(matches!(encode(&Odd::Nothing), Err(Error::Shape)));
    for not_an_enum in ["", "text", "{\"a\":1}"] {
        assert!(matches!(encode(&not_an_enum), Err(Error::Shape)));
    }
    assert!(decode::<Odd>("Nothing", "{}").is_err());
    assert!(decode::<Odd>("Pair", "[1,2]").is_err());
}

#[test]
fn a_truncated_payload_is_refused_wherever_it_is_cut() {
    for sample in samples() {
        for (end, _) in sample.payload.char_indices() {
            let cut = Event::decode(sample.area, &sample.name, &sample.payload[..end]);
            assert!(cut.is_err(), "{} to {end}", sample.name);
        }
    }
}

proptest! {
    #[test]
    #[test]
    fn any_text_survives_writing_and_reading(text in ".*") {
        let event = profile::Event::RolesAssigned { roles: vec![text] };
        let encoded = encode(&event).expect("an event encodes");
        let read = profile_event(&encoded.name, &encoded.payload).expect("its own payload");
        prop_assert_eq!(read, event);
    }
}
