//! The bounds that callers and operators meet, as `ops/bounds.md` lists them: read off the
//! constants themselves. `UPDATE_EXPECT=1 cargo test bounds` writes the list anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect_file;

/// Where constants stand: a file and names in it.
type Constants = (&'static str, &'static [&'static str]);

/// Who meets them, and where the constants stand.
const BOUNDS: &[(&str, &[Constants])] = &[
    (
        "Any request",
        &[
            (
                "src/api/bounds.rs",
                &[
                    "BODY_BYTES_MAX",
                    "BODY_TIME_MAX",
                    "REQUEST_TIME_MAX",
                    "UPLOAD_TIME_MAX",
                    "REQUESTS_MAX",
                    "LARGE_BYTES",
                    "LARGE_REQUESTS_MAX",
                    "LARGE_WAIT_MAX",
                    "LARGE_BODIES_MAX",
                ],
            ),
            ("src/api/circumstances.rs", &["RECORDED_CHARACTERS_MAX"]),
            ("src/engine/mod.rs", &["FOLD_WAIT_MAX"]),
            ("src/engine/write/execute.rs", &["ATTEMPTS_MAX"]),
            ("src/store/types.rs", &["APPEND_BYTES_MAX", "APPEND_STREAMS_MAX"]),
            ("src/store/append.rs", &["QUEUE_APPENDS_MAX"]),
            ("src/cli/serve.rs", &["CONNECTIONS_MAX", "HEADER_TIME_MAX", "READ_BYTES_MAX"]),
        ],
    ),
    (
        "People's APIs: Profiles v5 and History",
        &[
            ("src/api/v5/mod.rs", &["ITEMS_MAX", "IDS_MAX"]),
            ("src/api/v5/drafts.rs", &["DRAFTS_MAX"]),
            ("src/api/v5/export.rs", &["ROWS_MAX"]),
            ("src/api/v5/refresh.rs", &["WAIT_MAX"]),
            ("src/api/people/call.rs", &["IDEMPOTENCY_KEY_BYTES_MAX"]),
            ("src/api/people/write.rs", &["ANSWER_HOURS_KEPT"]),
            ("src/api/people/identity.rs", &["API_KEY_BYTES_MAX"]),
            ("src/api/people/mistakes.rs", &["MISTAKES_MAX"]),
            ("src/api/history/page.rs", &["LIMIT_MAX"]),
            ("src/api/history/query.rs", &["LIST_MAX", "NAME_BYTES_MAX"]),
            ("src/api/history/diff.rs", &["EVENTS_MAX"]),
            ("src/bearer/token.rs", &["TOKEN_BYTES_MAX"]),
            ("src/domain/session/state.rs", &["HOURS_MAX"]),
            ("src/domain/emulation/decide.rs", &["DEPTH_MAX"]),
            ("projections/deadlines/fold.rs", &["DRAFT_DAYS_MAX"]),
        ],
    ),
    (
        "Crafter Profile",
        &[
            (
                "src/api/crafter/parameters.rs",
                &["PARAMETERS_MAX", "NAME_BYTES_MAX", "PARAMETERS_BYTES_MAX"],
            ),
            ("src/api/crafter/body.rs", &["DEPTH_MAX"]),
            ("src/api/crafter/tenant/mod.rs", &["NAME_BYTES_MAX"]),
            ("src/api/crafter/access_token.rs", &["ID_BYTES_MAX"]),
            ("src/api/crafter/profile/mod.rs", &["NAME_BYTES_MAX"]),
            ("src/api/crafter/profile/create.rs", &["URL_BYTES_MAX"]),
            ("src/api/crafter/profile/attachments.rs", &["ATTACHMENTS_MAX"]),
            ("src/api/crafter/upload.rs", &["PARTS_MAX", "FIELD_BYTES_MAX"]),
            ("src/api/crafter/services.rs", &["LISTS_MAX", "LONG_LISTS_MAX"]),
            ("src/api/crafter/selector.rs", &["CHARACTERS_MAX"]),
            ("src/domain/attributes.rs", &["PATH_NAMES_MAX"]),
            ("src/domain/attachment.rs", &["FILE_NAME_BYTES_MAX"]),
            ("src/passwords/mod.rs", &["PASSWORD_BYTES_MAX"]),
            (
                "src/domain/filter/mod.rs",
                &["TEXT_BYTES_MAX", "DEPTH_MAX", "CONDITIONS_MAX", "CHOICES_MAX", "SEGMENTS_MAX"],
            ),
            ("src/domain/filter/regular.rs", &["SOURCE_BYTES_MAX", "NESTING_MAX"]),
            ("src/domain/filter/weight.rs", &["ARCS_MAX", "REPETITION_MAX"]),
        ],
    ),
    (
        "Values",
        &[(
            "src/domain/values.rs",
            &["NAME_CHARACTERS_MAX", "EMAIL_CHARACTERS_MAX", "REQUESTS_PER_DAY_MAX"],
        )],
    ),
    (
        "Operators",
        &[
            ("src/catalogue_file/check.rs", &["RANK_MAX", "KEY_CHARACTERS_MAX"]),
            ("src/intake/people.rs", &["LINE_BYTES_MAX"]),
            ("src/intake/person.rs", &["LINE_ID_CHARACTERS_MAX"]),
            ("src/crafter_file/seed.rs", &["SEED_BYTES_MAX"]),
            ("src/crafter_file/scan.rs", &["RECORD_BYTES_MAX"]),
            ("src/cli/token.rs", &["TTL_DAYS_MAX"]),
            ("src/cli/serve.rs", &["STOP_TIME_MAX"]),
            ("src/bearer/read.rs", &["READ_SECONDS_MAX", "KEY_SET_BYTES_MAX"]),
            ("src/engine/readiness.rs", &["BEHIND_MAX"]),
            ("src/mail/template.rs", &["TEMPLATE_BYTES_MAX"]),
        ],
    ),
];

const HEAD: &str = "\
# Bounds

What callers and operators meet when they ask for too much. Each bound stands as a constant beside
what it bounds; this list is made of them (`UPDATE_EXPECT=1 cargo test bounds`). Beyond a bound,
requests are refused with a status of 4xx, or with 503 and `Retry-After` where waiting helps.
";

/// The documentation of a constant, and its value as people write it.
fn bound(file: &str, name: &str) -> (String, String) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declares = |line: &str| {
        line.split_once(": ").is_some_and(|(head, _)| head.ends_with(&format!("const {name}")))
    };
    let at = lines.iter().position(|line| declares(line));
    let at = at.unwrap_or_else(|| panic!("{file} has no constant {name}"));
    let comment = lines[..at].iter().rev().map_while(|line| line.strip_prefix("///"));
    let mut comment: Vec<&str> = comment.map(str::trim).collect();
    comment.reverse();
    assert!(!comment.is_empty(), "{file}: {name} has no documentation");
    let comment = comment.join(" ");
    let sentence = comment.split_once(". ").map_or(comment.as_str(), |(first, _)| first);
    let sentence = sentence.trim_end_matches('.').replace('|', "\\|");
    let value = lines[at].split_once(" = ").unwrap().1.trim_end_matches(';');
    let value = shown(value, comment.contains("bytes"));
    (sentence, value)
}

fn shown(value: &str, bytes: bool) -> String {
    for (constructor, unit) in [("from_secs(", "s"), ("from_millis(", "ms")] {
        if let Some((_, rest)) = value.split_once(constructor) {
            return format!("{} {unit}", rest.trim_end_matches(')'));
        }
    }
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
    let product = |text: &str| text.split('*').map(number).product::<u64>();
    let plain = match value.split_once("<<") {
        Some((base, shift)) => product(base) << number(shift),
        None => product(value),
    };
    for (unit, name) in [(1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes && plain % unit == 0 {
            return format!("{} {name}", plain / unit);
        }
    }
    let digits = plain.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join(" ")
}

#[test]
fn the_list_of_bounds_is_that_of_the_constants() {
    let mut document = HEAD.to_owned();
    for (who, files) in BOUNDS {
        let _ = write!(document, "\n## {who}\n\n| What | Bound | Constant |\n|---|---:|---|\n");
        for (file, names) in *files {
            for name in *names {
                let (what, value) = bound(file, name);
                let _ = writeln!(document, "| {what} | {value} | `{name}` in `{file}` |");
            }
        }
    }
    expect_file!["../ops/bounds.md"].assert_eq(&document);
}
