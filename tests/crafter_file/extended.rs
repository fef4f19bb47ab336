//! Extended JSON, each type in each of its spellings, and at its bounds.

use dossier::crafter_file::extended::{DEPTH_MAX, Typed, typed};
use dossier::domain::object_id::ObjectId;
use serde_json::{Value, json};

fn value(json: Value) -> Typed {
    typed(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn refused(json: Value, reason: &str) {
    match typed(json.clone()) {
        Err(error) => assert_eq!(error.to_string(), reason, "{json}"),
        Ok(value) => panic!("read as {value:?}: {json}"),
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, level| match level % 2 {
        0 => json!([inner]),
        _ => json!({ "a": inner }),
    })
}

#[test]
fn a_time_has_one_meaning_in_all_its_spellings() {
    for spelling in [
        json!({"$date": 1_595_767_490_117_i64}),
        json!({"$date": {"$numberLong": "1595767490117"}}),
        json!({"$date": "2020-07-26T12:44:50.117Z"}),
        json!({"$date": "2020-07-26T12:44:50.117+0000"}),
        json!({"$date": "2020-07-26T08:44:50.117-0400"}),
        json!({"$date": "2020-07-26T14:44:50.117+02:00"}),
    ] {
        let Typed::Time(time) = value(spelling.clone()) else { panic!("no time: {spelling}") };
        assert_eq!(time.timestamp_millis(), 1_595_767_490_117, "{spelling}");
        assert_eq!(Typed::Time(time).into_json(), json!(1_595_767_490_117_i64));
    }
    let Typed::Time(time) = value(json!({"$date": {"$numberLong": "-1"}})) else { panic!() };
    assert_eq!(time.timestamp_millis(), -1);
}

#[test]
fn a_time_that_is_none_is_refused() {
    for wrong in [
        json!("yesterday"),
        json!("2020-07-26"),
        json!(true),
        json!(1.5),
        json!(i64::MAX),
        json!({"$numberLong": "9223372036854775807"}),
        json!({"$numberLong": "1", "more": 1}),
        json!("+10000-01-01T00:00:00Z"),
    ] {
        refused(json!({"$date": wrong}), "\"$date\" is not a time");
    }
    value(json!({"$date": "9999-12-31T23:59:59.999Z"}));
    value(json!({"$date": "0001-01-01T00:00:00Z"}));
}

#[test]
fn numbers_keep_their_value_and_their_type() {
    assert_eq!(value(json!({"$numberLong": "9223372036854775807"})), Typed::Int(i64::MAX));
    assert_eq!(value(json!({"$numberLong": 7})), Typed::Int(7));
    assert_eq!(value(json!({"$numberInt": "-2147483648"})), Typed::Int(-2_147_483_648));
    assert_eq!(value(json!({"$numberDouble": "1.5"})), Typed::Double(1.5));
    assert_eq!(value(json!(7)), Typed::Int(7));
    assert_eq!(value(json!(7.0)), Typed::Double(7.0));
    refused(json!({"$numberInt": "2147483648"}), "\"$numberInt\" is not a whole number of 32 bits");
    refused(json!({"$numberLong": "1e3"}), "\"$numberLong\" is not a whole number of 64 bits");
    refused(json!({"$numberDouble": "Infinity"}), "\"$numberDouble\" is not a finite number");
    refused(json!(u64::MAX), "a whole number beyond 64 bits");
}

#[test]
fn a_decimal_loses_no_digit() {
    let decimal = |text: &str| value(json!({"$numberDecimal": text})).into_json();
    assert_eq!(decimal("12"), json!(12));
    assert_eq!(decimal("0.5"), json!(0.5));
    assert_eq!(decimal("0.1234567890123456789"), json!("0.1234567890123456789"));
    assert_eq!(decimal("1E+6144"), json!("1E+6144"));
    for wrong in ["NaN", "Infinity", "", "12 euros", "--1"] {
        let reason = "\"$numberDecimal\" is not a finite number";
        refused(json!({"$numberDecimal": wrong}), reason);
    }
}

#[test]
fn an_object_id_has_24_hex_digits() {
    let id = value(json!({"$oid": "5926ee77d4c6ad51e5E44F45"}));
    assert_eq!(id, Typed::ObjectId(ObjectId(*b"\x59\x26\xee\x77\xd4\xc6\xad\x51\xe5\xe4\x4f\x45")));
    assert_eq!(id.into_json(), json!("5926ee77d4c6ad51e5e44f45"));
    for wrong in
        ["", "5926ee77d4c6ad51e5e44f4", "5926ee77d4c6ad51e5e44f455", "+926ee77d4c6ad51e5e44f45"]
    {
        refused(json!({"$oid": wrong}), "\"$oid\" is not an ObjectId");
    }
    refused(json!({"$oid": 1}), "\"$oid\" is not an ObjectId");
}

#[test]
fn a_uuid_is_read_from_text_and_from_both_binary_subtypes() {
    let shown = json!("00112233-4455-6677-8899-aabbccddeeff");
    for spelling in [
        json!({"$uuid": "00112233-4455-6677-8899-aabbccddeeff"}),
        json!({"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "04"}}),
        json!({"$binary": "ABEiM0RVZneImaq7zN3u/w==", "$type": "04"}),
        json!({"$binary": {"base64": "d2ZVRDMiEQD/7t3Mu6qZiA==", "subType": "03"}}),
        json!({"$binary": "d2ZVRDMiEQD/7t3Mu6qZiA==", "$type": 3}),
    ] {
        assert_eq!(value(spelling.clone()).into_json(), shown, "{spelling}");
    }
    refused(json!({"$uuid": "0011"}), "\"$uuid\" is not a UUID");
    let other = json!({"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "00"}});
    refused(other, "\"$binary\" is not a UUID");
    refused(json!({"$binary": "AAA=", "$type": "04"}), "\"$binary\" is not a UUID");
}

#[test]
fn a_pattern_is_shown_as_it_is_written_in_queries() {
    for spelling in [
        json!({"$regex": "^a", "$options": "i"}),
        json!({"$regularExpression": {"pattern": "^a", "options": "i"}}),
    ] {
        assert_eq!(value(spelling).into_json(), json!("/^a/i"));
    }
    assert_eq!(value(json!({"$regex": "^a"})).into_json(), json!("/^a/"));
    refused(json!({"$regex": 1, "$options": "i"}), "\"$regex\" is not a pattern");
}

#[test]
fn nothing_is_null_in_either_spelling() {
    assert_eq!(value(json!(null)), Typed::Null);
    assert_eq!(value(json!({"$undefined": true})), Typed::Null);
}

#[test]
fn what_is_unknown_is_refused_with_its_path() {
    refused(json!({"$code": "f()"}), "\"$code\" is not known");
    refused(json!({"$minKey": 1}), "\"$minKey\" is not known");
    refused(json!({"$ref": "profile", "$id": 1}), "\"$id\" is not known");
    refused(json!({"$oid": "5926ee77d4c6ad51e5e44f45", "more": 1}), "\"$oid\" is not known");
    refused(json!({"a": [0, {"b": {"$code": "f()"}}]}), "\"a.1.b\": \"$code\" is not known");
}

#[test]
fn a_nul_character_is_refused_wherever_it_stands() {
    refused(json!({"a": "x\0y"}), "\"a\": a NUL character");
    refused(json!({"a\0": 1}), "a NUL character");
    refused(json!({"$regex": "\0"}), "\"$regex\" is not a pattern");
}

#[test]
fn nesting_has_a_bound() {
    value(nested(DEPTH_MAX));
    let Err(error) = typed(nested(DEPTH_MAX + 1)) else { panic!("read") };
    assert!(error.to_string().ends_with("nested deeper than 100"), "{error}");
}
