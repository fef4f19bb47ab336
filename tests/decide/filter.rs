//! Queries as they are written (contract, Crafter 4.8): each construct, and what it comes to.

use dossier::domain::filter::{Choice, Filter, Kind, Order, Path, Regular, Test};
use serde_json::{Value, json};

fn parsed(text: &str) -> Filter {
    Filter::parse(text).unwrap()
}

fn field(path: &str, tests: impl IntoIterator<Item = Test>) -> Filter {
    Filter::Field(Path::parse(path).unwrap(), tests.into_iter().collect())
}

fn equal(path: &str, value: Value) -> Filter {
    field(path, [Test::Equal(value)])
}

fn regular(source: &str, options: &str) -> Regular {
    Regular::parse(source, options).unwrap()
}

#[test]
fn keys_need_no_quotes_and_may_have_dots() {
    let expected = equal("attributes.subscriptions.targets", json!("news"));
    for text in [
        "{attributes.subscriptions.targets: 'news'}",
        "{ 'attributes.subscriptions.targets' : \"news\" }",
        "\n{\"attributes.subscriptions.targets\":'news'}\t",
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn a_query_of_nothing_is_about_everything() {
    assert_eq!(parsed("{}"), Filter::everything());
}

#[test]
fn several_fields_must_all_fit() {
    let expected =
        Filter::And(vec![equal("enabled", json!(true)), equal("attributes.x", Value::Null)]);
    assert_eq!(parsed("{enabled: true, attributes.x: null}"), expected);
}

#[test]
fn values_are_of_every_kind_that_json_has() {
    for (text, value) in [
        ("null", Value::Null),
        ("false", json!(false)),
        ("-12", json!(-12)),
        ("1.5e3", json!(1500.0)),
        ("18446744073709551615", json!(u64::MAX)),
        ("'it\\'s \\\"é\\u00e9\\ud83d\\ude42\\n'", json!("it's \"éé🙂\n")),
        ("[1, ['a'], {b: {'c.d': 2}}]", json!([1, ["a"], {"b": {"c.d": 2}}])),
        ("{}", json!({})),
        ("{street: 'x', no: 1}", json!({"street": "x", "no": 1})),
    ] {
        assert_eq!(parsed(&format!("{{a: {text}}}")), equal("a", value), "{text}");
    }
}

#[test]
fn dates_are_milliseconds_however_they_are_written() {
    for text in [
        "ISODate('2024-02-29T12:00:00Z')",
        "ISODate(\"2024-02-29T12:00:00.000+00:00\")",
        "ISODate('2024-02-29T13:00:00+0100')",
        "new Date(1709208000000)",
        "new  Date('2024-02-29T12:00')",
        "{$date: '2024-02-29T12:00:00'}",
        "{$date: 1709208000000}",
        "{$date: {$numberLong: '1709208000000'}}",
        "NumberLong('1709208000000')",
        "NumberLong(1709208000000)",
        "{$numberLong: '1709208000000'}",
    ] {
        let expected = equal("createdOn", json!(1_709_208_000_000_i64));
        assert_eq!(parsed(&format!("{{createdOn: {text}}}")), expected, "{text}");
    }
    assert_eq!(parsed("{a: ISODate('1970-01-02')}"), equal("a", json!(86_400_000)));
}

#[test]
fn ids_are_the_texts_that_clients_are_shown() {
    for text in [
        "ObjectId('507F1F77BCF86CD799439011')",
        "ObjectId(\"507f1f77bcf86cd799439011\")",
        "{$oid: '507f1f77bcf86cd799439011'}",
        "'507f1f77bcf86cd799439011'",
    ] {
        let expected = equal("_id", json!("507f1f77bcf86cd799439011"));
        assert_eq!(parsed(&format!("{{_id: {text}}}")), expected, "{text}");
    }
}

#[test]
fn regular_expressions_are_literals_or_operators() {
    for text in [
        "/^a.*\\/b/is",
        "{$regex: '^a.*\\\\/b', $options: 'is'}",
        "{$options: 'is', $regex: /^a.*\\/b/}",
        "{$regularExpression: {pattern: '^a.*\\\\/b', options: 'is'}}",
        "RegExp('^a.*\\\\/b', 'is')",
    ] {
        let expected = field("username", [Test::Matches(regular("^a.*\\/b", "is"))]);
        assert_eq!(parsed(&format!("{{username: {text}}}")), expected, "{text}");
    }
    let console = parsed("{username: {$regex: '.*ada.*', $options: 'i'}}");
    assert_eq!(console, field("username", [Test::Matches(regular(".*ada.*", "i"))]));
}

#[test]
fn every_operator_is_what_it_says() {
    let one = || json!(1);
    let choices = vec![Choice::Value(json!("x")), Choice::Pattern(regular("y", ""))];
    for (text, test) in [
        ("$eq: 1", Test::Equal(one())),
        ("$ne: 1", Test::Not(vec![Test::Equal(one())])),
        ("$gt: 1", Test::Compare(Order::Greater, one())),
        ("$gte: 1", Test::Compare(Order::GreaterOrEqual, one())),
        ("$lt: 1", Test::Compare(Order::Less, one())),
        ("$lte: 1", Test::Compare(Order::LessOrEqual, one())),
        ("$in: ['x', /y/]", Test::In(choices.clone())),
        ("$nin: ['x', /y/]", Test::Not(vec![Test::In(choices)])),
        ("$exists: true", Test::Exists(true)),
        ("$exists: 0", Test::Exists(false)),
        ("$size: 2", Test::Size(2)),
        ("$mod: [4, 1]", Test::Modulo { divisor: 4, remainder: 1 }),
        ("$type: 'string'", Test::Type(vec![Kind::Text])),
        ("$type: [2, 'null', 'number']", Test::Type(vec![Kind::Text, Kind::Null, Kind::Number])),
        ("$not: {$gt: 1}", Test::Not(vec![Test::Compare(Order::Greater, one())])),
        ("$not: /y/", Test::Not(vec![Test::Matches(regular("y", ""))])),
        ("$all: []", Test::In(vec![])),
        ("$elemMatch: {b: 1}", Test::Element(Box::new(equal("b", one())))),
        ("$elemMatch: {$or: [{b: 1}]}", {
            Test::Element(Box::new(Filter::Or(vec![equal("b", one())])))
        }),
        ("$elemMatch: {$gt: 1, $ne: 1}", {
            let tests =
                vec![Test::Compare(Order::Greater, one()), Test::Not(vec![Test::Equal(one())])];
            Test::ElementValue(tests)
        }),
    ] {
        assert_eq!(parsed(&format!("{{a: {{{text}}}}}")), field("a", [test]), "{text}");
    }
}

#[test]
fn all_is_each_of_them() {
    let each = vec![Test::Equal(json!(1)), Test::Element(Box::new(equal("b", json!(2))))];
    let expected = field("a", [Test::Not(vec![Test::Not(each)])]);
    assert_eq!(parsed("{a: {$all: [1, {$elemMatch: {b: 2}}]}}"), expected);
}

#[test]
fn several_operators_on_a_field_must_all_fit() {
    let expected = field(
        "a",
        [Test::Compare(Order::GreaterOrEqual, json!(1)), Test::Compare(Order::Less, json!(9))],
    );
    assert_eq!(parsed("{a: {$gte: 1, $lt: 9}}"), expected);
}

#[test]
fn queries_combine_with_and_or_and_nor() {
    let (a, b) = (equal("a", json!(1)), equal("b", json!(2)));
    for (operator, expected) in [
        ("$and", Filter::And(vec![a.clone(), b.clone()])),
        ("$or", Filter::Or(vec![a.clone(), b.clone()])),
        ("$nor", Filter::Nor(vec![a.clone(), b.clone()])),
    ] {
        assert_eq!(parsed(&format!("{{{operator}: [{{a: 1}}, {{b: 2}}]}}")), expected);
    }
    let mixed = parsed("{a: 1, $or: [{a: 1}, {b: 2}]}");
    assert_eq!(mixed, Filter::And(vec![a.clone(), Filter::Or(vec![a, b])]));
}

#[test]
fn hostile_texts_stay_texts() {
    for text in ["'; drop table profile_documents; --", "\") || true", "$1", "%", "\\u005c"] {
        let query = json!({ "username": text }).to_string();
        assert_eq!(parsed(&query), equal("username", json!(text)));
    }
}
