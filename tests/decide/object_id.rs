//! Ids of twelve bytes, held as UUIDs and given back.

use dossier::domain::object_id::{held, holding, parse_object_id, shown};
use proptest::prelude::*;
use uuid::{Uuid, Variant, Version};

const HEX: &str = "5a1c2e3f4b5d6e7f80918273";

#[test]
fn an_object_id_stands_at_both_ends_of_a_uuid() {
    let id = parse_object_id(HEX).unwrap();
    assert_eq!(id.to_string(), "5a1c2e3f-4b5d-8d0b-91d5-6e7f80918273");
    assert_eq!((id.get_version(), id.get_variant()), (Some(Version::Custom), Variant::RFC4122));
    assert_eq!(shown(id), HEX);
}

#[test]
fn digits_of_either_case_are_the_same_id() {
    assert_eq!(parse_object_id(&HEX.to_ascii_uppercase()), parse_object_id(HEX));
}

#[test]
fn what_is_not_24_hexadecimal_digits_is_no_object_id() {
    let short = &HEX[1..];
    let signed = format!("+{short}");
    let wide = format!("{}é", &HEX[2..]);
    let spaced = format!(" {short}");
    let texts = ["", short, &signed, &wide, &spaced, &format!("{HEX}0"), &format!("{short}g")];
    for text in texts {
        assert_eq!(parse_object_id(text), None, "{text:?}");
    }
}

#[test]
fn our_own_ids_hold_no_object_id() {
    let own = Uuid::parse_str("0190b1c2-d3e4-7f5a-91d5-0123456789ab").unwrap();
    let derived = Uuid::new_v8([7; 16]);
    for id in [own, derived, Uuid::nil(), Uuid::max()] {
        assert_eq!(holding(id), None);
        assert_eq!(shown(id), id.to_string());
    }
}

proptest! {
    #[test]
    fn every_object_id_comes_back(bytes: [u8; 12]) {
        let id = held(bytes);
        prop_assert_eq!(holding(id), Some(bytes));
        prop_assert_eq!(parse_object_id(&shown(id)), Some(id));
        prop_assert_eq!(id.get_version(), Some(Version::Custom));
    }

    #[test]
    fn no_uuid_of_version_7_holds_one(bytes: [u8; 16]) {
        let id = uuid::Builder::from_bytes(bytes).with_version(Version::SortRand).into_uuid();
        prop_assert_eq!(holding(id), None);
    }

    #[test]
    fn a_uuid_that_holds_one_is_the_only_one_that_does(bytes: [u8; 16]) {
        let id = Uuid::new_v8(bytes);
        prop_assert!(holding(id).is_none_or(|held_bytes| held(held_bytes) == id));
    }
}
