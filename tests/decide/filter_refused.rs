//! Queries that are refused: what cannot be read, what may not be asked, and what is too much.

use dossier::domain::filter::{
    CHOICES_MAX, CONDITIONS_MAX, DEPTH_MAX, Filter, Invalid, Path, TEXT_BYTES_MAX, check_path,
    regular::{Regular, SOURCE_BYTES_MAX},
};
use proptest::prelude::*;

fn refused(text: &str) -> Invalid {
    Filter::parse(text).expect_err(text)
}

/// Whether one who may read the attribute `open` alone may ask this.
fn may_ask(text: &str) -> bool {
    Filter::parse(text).unwrap().check(&|name| name == "open", true).is_ok()
}

#[test]
fn a_query_that_is_no_document_is_refused() {
    for text in [
        "",
        " ",
        "1",
        "'a'",
        "[]",
        "null",
        "{",
        "}",
        "{a}",
        "{a:}",
        "{a:1,}",
        "{,}",
        "{a:1}}",
        "{a:1} {b:2}",
        "{a:'x}",
        "{a:\"x'}",
        "{a:[1,]}",
        "{a:[1}",
        "{a: 01}",
        "{a: 1e999}",
        "{a: +1}",
        "{a: --1}",
        "{a: undefined}",
        "{a: NaN}",
        "{a: b}",
        "{:1}",
        "{a 1}",
        "{a: '\\d'}",
        "{a: '\\u12'}",
        "{a: '\\ud800'}",
        "{a: '\\ud800\\u0041'}",
        "{a: '\\u0000'}",
        "{a: '\0'}",
        "{a: /x}",
        "{a: new}",
        "{a: new Foo(1)}",
        "{a: eval('x')}",
        "{a: ObjectId('x'}",
        "{a: ISODate(1",
        "{a: ISODate({})}",
    ] {
        assert!(matches!(refused(text), Invalid::Syntax { .. }), "{text}: {:?}", refused(text));
    }
}

#[test]
fn a_hash_is_refused_wherever_it_stands() {
    for text in ["#", "{a: '#'}", "{'#': 1}", "{a: /#/}", "{a: 1} # b"] {
        assert_eq!(refused(text), Invalid::Hash);
    }
}

#[test]
fn an_operator_that_there_is_not_is_refused_wherever_it_stands() {
    for text in [
        "{$where: 'true'}",
        "{'$where': 'true'}",
        "{'\\u0024where': 'true'}",
        "{$and: [{$where: '1'}]}",
        "{$expr: {$eq: ['$tenant', 'x']}}",
        "{$function: {}}",
        "{$text: {$search: 'x'}}",
        "{$comment: 'x'}",
        "{$jsonSchema: {}}",
        "{$eq: 1}",
        "{a: {$where: 1}}",
        "{a: {$near: [1, 2]}}",
        "{a: {$expr: 1}}",
        "{a: {$gt: 1, b: 2}}",
        "{a: {$not: {$where: 1}}}",
        "{a: {$elemMatch: {$where: 1}}}",
        "{a: {$elemMatch: {b: {$function: 1}}}}",
        "{a: {b: {$gt: 1}}}",
        "{a: [{$where: 1}]}",
        "{a: {$eq: {$gt: 1}}}",
        "{a: {$in: [{$gt: 1}]}}",
        "{a: {b: 1, $gt: 1}}",
    ] {
        assert!(matches!(refused(text), Invalid::Operator(_)), "{text}: {:?}", refused(text));
    }
}

#[test]
fn an_operator_takes_only_what_it_is_for() {
    for text in [
        "{$and: []}",
        "{$or: {a: 1}}",
        "{$nor: [1]}",
        "{a: {$in: 1}}",
        "{a: {$nin: {b: 1}}}",
        "{a: {$all: 1}}",
        "{a: {$all: [{$gt: 1}]}}",
        "{a: {$exists: 'yes'}}",
        "{a: {$size: -1}}",
        "{a: {$size: 1.5}}",
        "{a: {$size: '1'}}",
        "{a: {$mod: [0, 1]}}",
        "{a: {$mod: [2]}}",
        "{a: {$mod: 2}}",
        "{a: {$type: 'text'}}",
        "{a: {$type: 99}}",
        "{a: {$type: null}}",
        "{a: {$not: 1}}",
        "{a: {$not: {}}}",
        "{a: {$elemMatch: 1}}",
        "{a: {$regex: 1}}",
        "{a: {$regex: 'a', $options: 1}}",
        "{a: {$options: 'i'}}",
        "{a: {$gt: [1]}}",
        "{a: {$lt: {b: 1}}}",
        "{a: {$ne: /x/}}",
        "{a: {$gt: /x/}}",
        "{a: [/x/]}",
        "{a: ObjectId()}",
        "{a: ObjectId(1)}",
        "{a: ISODate()}",
        "{a: new Date()}",
        "{a: {$oid: 1}}",
        "{a: {$numberLong: 'x'}}",
        "{a: {$regularExpression: {}}}",
    ] {
        assert!(matches!(refused(text), Invalid::Misused { .. }), "{text}: {:?}", refused(text));
    }
    for text in ["{a: ISODate('yesterday')}", "{a: {$date: []}}", "{a: {$date: 1.5}}"] {
        assert!(matches!(refused(text), Invalid::Date(_)), "{text}");
    }
}

#[test]
fn a_key_is_given_once() {
    for text in ["{a: 1, 'a': 2}", "{a: {$gt: 1, $gt: 2}}", "{a: {b: {c: 1, c: 1}}}"] {
        assert!(matches!(refused(text), Invalid::Twice(_)), "{text}");
    }
}

#[test]
fn a_path_has_no_empty_segment_and_none_like_an_operator() {
    for path in ["''", "'.'", "a.", "'.a'", "a..b", "a.$b", "'a.$where'", "a.0.0.0.0"] {
        let text = format!("{{{path}: 1}}");
        assert!(matches!(refused(&text), Invalid::Path(_)), "{text}");
    }
    assert!(Filter::parse("{a.0.0.0: 1}").is_ok());
}

#[test]
fn tenant_and_passwords_are_not_asked_about_however_it_is_written() {
    for text in [
        "{tenant: 'x'}",
        "{'tenant': 'x'}",
        "{'ten\\u0061nt': 'x'}",
        "{tenant: {$ne: 'x'}}",
        "{$or: [{username: 'x'}, {tenant: 'y'}]}",
        "{$nor: [{$and: [{tenant: 'y'}]}]}",
        "{tenant.x: {$exists: true}}",
        "{password: /^a/}",
        "{failedLoginAttempts: {$gt: 0}}",
        "{lastFailedLogin: null}",
    ] {
        assert!(!may_ask(text), "{text}");
    }
}

#[test]
fn an_unreadable_attribute_is_not_asked_about_by_any_detour() {
    for text in [
        "{attributes.closed: 1}",
        "{'attributes.clos\\u0065d': 1}",
        "{attributes.closed.a.b: 1}",
        "{attributes: {closed: 1}}",
        "{attributes: {$exists: true}}",
        "{attributes: {$ne: {}}}",
        "{attributes: {$elemMatch: {closed: 1}}}",
        "{$nor: [{attributes.closed: 1}]}",
        "{attributes.open: 1, $or: [{attributes.open: 1}, {attributes.closed: {$gt: 'm'}}]}",
        "{attributes.0: 1}",
    ] {
        assert!(!may_ask(text), "{text}");
    }
    for text in [
        "{attributes.open: 1}",
        "{attributes.open.closed: 1}",
        "{username: 'closed'}",
        "{}",
        "{attributes.open: {$elemMatch: {closed: 1, tenant: 2}}}",
        "{roles: 'tenant'}",
    ] {
        assert!(may_ask(text), "{text}");
    }
}

#[test]
fn who_may_read_every_attribute_may_ask_about_them_as_a_whole() {
    let filter = Filter::parse("{attributes: {a: 1}}").unwrap();
    assert_eq!(filter.check(&|_| true, false), Ok(()));
    assert_eq!(filter.check(&|_| true, true), Err(Invalid::Hidden("attributes".to_owned())));
}

#[test]
fn a_path_to_sort_by_is_checked_alike() {
    let check = |path| check_path(&Path::parse(path).unwrap(), &|name| name == "open", true);
    assert_eq!(check("attributes.open.x"), Ok(()));
    assert_eq!(check("username"), Ok(()));
    for path in ["attributes.closed", "attributes", "password", "tenant"] {
        assert_eq!(check(path), Err(Invalid::Hidden(path.to_owned())));
    }
}

#[test]
fn a_query_is_bounded_in_length_depth_conditions_and_choices() {
    let long = |bytes: usize| format!("{{a:'{}'}}", "x".repeat(bytes - 6));
    assert!(Filter::parse(&long(TEXT_BYTES_MAX)).is_ok());
    assert_eq!(refused(&long(TEXT_BYTES_MAX + 1)), Invalid::TooLong);
    // The document itself is the first level.
    let deep = |depth: usize| format!("{{a:{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(Filter::parse(&deep(DEPTH_MAX)).is_ok());
    assert_eq!(refused(&deep(DEPTH_MAX + 1)), Invalid::TooDeep);
    assert_eq!(refused(&"{a:".repeat(5_000)), Invalid::TooDeep);
    let wide = |fields: usize| {
        let fields: Vec<String> = (0..fields).map(|number| format!("f{number}:1")).collect();
        format!("{{{}}}", fields.join(","))
    };
    assert!(Filter::parse(&wide(CONDITIONS_MAX)).is_ok());
    assert_eq!(refused(&wide(CONDITIONS_MAX + 1)), Invalid::TooManyConditions);
    let choices = |count: usize| format!("{{a:{{$in:[{}]}}}}", vec!["1"; count].join(","));
    assert!(Filter::parse(&choices(CHOICES_MAX)).is_ok());
    assert_eq!(refused(&choices(CHOICES_MAX + 1)), Invalid::TooManyChoices("$in".to_owned()));
}

#[test]
fn the_expressions_of_a_query_are_bounded_together_wherever_they_stand() {
    let one = format!("/{}/", "x".repeat(100));
    let arcs = Regular::parse(&one[1..101], "").unwrap().arcs();
    assert_eq!(arcs, 100);
    let twenty = vec![one.as_str(); 20].join(",");
    for (of_twenty, another) in [
        (format!("{{a:{{$in:[{twenty}]}}"), format!(",b:{one}}}")),
        (format!("{{a:{{$nin:[{twenty}]}}"), format!(",b:{{$not:{one}}}}}")),
        (
            format!("{{$or:[{}]", vec![format!("{{a:{one}}}"); 20].join(",")),
            format!(",b:{{$elemMatch:{{c:{one}}}}}}}"),
        ),
        (
            format!("{{$nor:[{}]", vec![format!("{{a:{{$regex:{one}}}}}"); 20].join(",")),
            ",b:{$elemMatch:{$regex:'x'}}}".to_owned(),
        ),
    ] {
        assert!(Filter::parse(&format!("{of_twenty}}}")).is_ok());
        assert_eq!(refused(&format!("{of_twenty}{another}")), Invalid::Patterns, "{another}");
    }
}

#[test]
fn what_is_not_regular_or_read_differently_elsewhere_is_no_expression() {
    for source in [
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(a)\\1",
        "(?P=a)",
        "(?R)",
        "\\pL",
        "\\p{Greek}",
        "[\\p{L}]",
        "a++",
        "a{2}{3}",
        "[a[b]]",
        "[a&&b]",
        "[a--b]",
        "\\<a",
        "\\b{start}",
        "(?U)a",
        "(?-u)a",
        "(?u:a)",
        "(",
        ")",
        "[",
        "a{",
        "*",
        "\\",
        "\\Qa\\E",
        "a{2,1}",
    ] {
        assert!(matches!(Regular::parse(source, ""), Err(Invalid::Pattern(_))), "{source}");
    }
    for options in ["g", "u", "ig", "I"] {
        assert!(matches!(Regular::parse("a", options), Err(Invalid::Pattern(_))), "{options}");
    }
}

#[test]
fn an_expression_is_bounded_in_length_and_in_what_it_multiplies_to() {
    assert!(Regular::parse(&"a".repeat(400), "").is_ok());
    assert!(Regular::parse(&"a".repeat(150), "i").is_ok());
    for source in [
        "a".repeat(SOURCE_BYTES_MAX + 1),
        "a{256}".to_owned(),
        "a{256,}".to_owned(),
        "((a{10}){10}){10}".to_owned(),
        "(((((a{99}){99}){99}){99}){99}){99}".to_owned(),
        "(a?){60}".to_owned(),
        "(.?.?.?a?){60}".to_owned(),
        "(a|b|c|d|e|f|g|h|ij|kl|mn){30}".to_owned(),
        "[\\x{100}-\\x{10fffe}]".to_owned(),
        "(".repeat(200) + &")".repeat(200),
    ] {
        assert!(matches!(Regular::parse(&source, ""), Err(Invalid::Pattern(_))), "{source}");
    }
    for source in [".*WORD.*", "^[\\w.+-]+@[\\w-]+\\.[\\w.]+$", "(\\d{3}-){2}\\d{4}", "^(a+)+$"] {
        assert!(Regular::parse(source, "i").is_ok(), "{source}");
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_refused(text in "[ -~é\\n]{0,60}") {
        let _ = Filter::parse(&text);
        let _ = Filter::parse(&format!("{{{text}}}"));
        let _ = Filter::parse(&format!("{{a:{text}}}"));
        let _ = Regular::parse(&text, "ix");
    }

    #[test]
    fn json_is_read_as_json(number in any::<i64>(), text in "[^#\\x00]{0,20}", truth: bool) {
        let value = serde_json::json!([number, text, truth, null_or(truth), { "k": text }]);
        let query = serde_json::json!({ "a": value }).to_string();
        let expected = Filter::Field(
            Path::parse("a").unwrap(),
            vec![dossier::domain::filter::Test::Equal(value)],
        );
        prop_assert_eq!(Filter::parse(&query), Ok(expected));
    }
}

fn null_or(truth: bool) -> Option<f64> {
    truth.then_some(0.1)
}
