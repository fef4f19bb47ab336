//! Ids of twelve bytes: every UUID has one, and those that are made here sort by their time.

use dossier::domain::object_id::{ObjectId, holding, shown};
use proptest::prelude::*;
use uuid::{Uuid, Variant, Version};

const HEX: &str = "5a1c2e3f4b5d6e7f80918273";

#[test]
fn an_object_id_stands_at_both_ends_of_a_uuid() {
    let id = ObjectId::parse(HEX).unwrap().held();
    assert_eq!(id.to_string(), "5a1c2e3f-4b5d-8d0b-91d5-6e7f80918273");
    assert_eq!((id.get_version(), id.get_variant()), (Some(Version::Custom), Variant::RFC4122));
    assert_eq!(shown(id), HEX);
}

#[test]
fn digits_of_either_case_and_the_uuid_are_the_same_id() {
    let id = ObjectId::parse(HEX).unwrap();
    assert_eq!(ObjectId::parse(&HEX.to_ascii_uppercase()), Some(id));
    assert_eq!(ObjectId::parse(&id.held().to_string()), Some(id));
    assert_eq!(ObjectId::parse(&id.held().to_string().to_uppercase()), Some(id));
}

#[test]
fn what_is_neither_24_digits_nor_a_uuid_with_hyphens_is_nobodys_id() {
    let short = &HEX[1..];
    let signed = format!("+{short}");
    let wide = format!("{}é", &HEX[2..]);
    let spaced = format!(" {short}");
    let texts = ["", "7", short, &signed, &wide, &spaced, &format!("{HEX}0"), &format!("{short}g")];
    let simple = "0190b1c2d3e47f5a8b6c0123456789ab";
    let braced = "{0190b1c2-d3e4-7f5a-8b6c-0123456789ab}";
    let urn = "urn:uuid:0190b1c2-d3e4-7f5a-8b6c-0123456789ab";
    for text in texts.into_iter().chain([simple, braced, urn]) {
        assert_eq!(ObjectId::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_uuid_that_holds_none_is_shown_as_twelve_bytes_all_the_same() {
    let own = Uuid::parse_str("0190b1c2-d3e4-7f5a-91d5-0123456789ab").unwrap();
    let derived = Uuid::new_v8([7; 16]);
    for id in [own, derived, Uuid::nil(), Uuid::max()] {
        assert_eq!(holding(id), None);
        assert_eq!(shown(id).len(), 24);
        assert_eq!(ObjectId::parse(&shown(id)), Some(ObjectId::of(id)));
        assert_eq!(ObjectId::parse(&id.to_string()), Some(ObjectId::of(id)));
    }
    // Stored in claims and read models: never another.
    assert_eq!(shown(own), "078bda6ac618b92d19c766d2");
}

#[test]
fn a_new_id_begins_with_its_second_as_mongo_has_it() {
    let id = ObjectId::new(1_700_000_000_123_456, u64::MAX);
    assert_eq!(id.to_string(), "6553f1001e240fffffffffff");
}

proptest! {
    #[test]
    fn every_object_id_comes_back(bytes: [u8; 12]) {
        let id = ObjectId(bytes);
        prop_assert_eq!(holding(id.held()), Some(id));
        prop_assert_eq!(ObjectId::parse(&id.to_string()), Some(id));
        prop_assert_eq!(id.held().get_version(), Some(Version::Custom));
    }

    #[test]
    fn no_uuid_of_version_7_holds_one(bytes: [u8; 16]) {
        let id = uuid::Builder::from_bytes(bytes).with_version(Version::SortRand).into_uuid();
        prop_assert_eq!(holding(id), None);
    }

    #[test]
    fn a_uuid_that_holds_one_is_the_only_one_that_does(bytes: [u8; 16]) {
        let id = Uuid::new_v8(bytes);
        prop_assert!(holding(id).is_none_or(|held| held.held() == id));
    }

    #[test]
    fn uuids_sort_as_the_ids_they_hold(one: [u8; 12], other: [u8; 12]) {
        let (one, other) = (ObjectId(one), ObjectId(other));
        prop_assert_eq!(one.held().cmp(&other.held()), one.cmp(&other));
        prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(&other));
    }

    #[test]
    fn of_two_new_ids_the_later_sorts_behind(
        early in 0_i64..4_000_000_000_000_000, more in 1_i64..1_000_000, random: (u64, u64),
    ) {
        prop_assert!(ObjectId::new(early, random.0) < ObjectId::new(early + more, random.1));
    }

    #[test]
    fn no_text_is_too_odd_for_an_id(text: String) {
        let _ = ObjectId::parse(&text);
    }
}
