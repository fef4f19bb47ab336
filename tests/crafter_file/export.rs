//! Exported databases: the shapes of a file, what is said of broken ones, the files of a folder.

use std::fs;
use std::io::{self, BufReader, Read, repeat};
use std::path::Path;

use dossier::crafter_file::export::{Export, collection_of};
use dossier::crafter_file::read::{Entry, Reading};
use dossier::crafter_file::recognise::{Kind, recognise};
use dossier::crafter_file::records::{Collection, Record};
use tempfile::TempDir;

use super::{PROFILE_EXPORT, exported, outcome};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn example(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/crafter").join(path)
}

fn read_all(text: &str) -> [Vec<String>; 2] {
    let (problems, names) = outcome(text);
    [problems, names]
}

fn none() -> Vec<String> {
    Vec::new()
}

fn problem(line: usize, reason: &str) -> Vec<String> {
    vec![format!("profile.json line {line}: {reason}")]
}

#[test]
fn every_shape_of_a_file_holds_the_same_records() {
    let (one, two) = (exported(1, ""), exported(2, r#","attributes":{"a":["}]{[\"\\"]}"#));
    let pretty = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    };
    for text in [
        format!("{one}\n{two}\n"),
        format!("{one}\n{two}"),
        format!("\u{FEFF}{one}\r\n\r\n  \t\r\n{two}\r\n"),
        format!("[{one},{two}]"),
        format!("\u{FEFF}[{one},\n{two}]\n"),
        format!(" [\n  {one},\n  {two}\n]\r\n"),
        format!("{}\n{}\n", pretty(&one), pretty(&two)),
        format!("[{},\n{}]\n", pretty(&one), pretty(&two)),
        pretty(&format!("[{one},{two}]")),
    ] {
        assert_eq!(read_all(&text), [none(), vec!["u1".into(), "u2".into()]], "{text}");
    }
}

#[test]
fn an_empty_file_holds_nothing() {
    for text in ["", "\n\r\n", "\u{FEFF}", "[]", "[\n]\n"] {
        assert_eq!(read_all(text), [none(), none()], "{text:?}");
    }
}

#[test]
fn a_record_knows_its_line() {
    let text = format!("\n{}\n\n[\n", exported(1, ""));
    let first = Reading::new(Collection::Profile, "profile.json", text.as_bytes()).next();
    assert_eq!(first.unwrap().unwrap().line.to_string(), "profile.json line 2");
}

#[test]
fn a_bad_record_is_named_and_the_rest_goes_on() {
    let (one, three) = (exported(1, ""), exported(3, ""));
    let both = vec!["u1".to_owned(), "u3".to_owned()];
    for (bad, reason) in [
        (r#"{"username":"u2","tenant":"t"}"#, "\"_id\" is missing"),
        (r#"{"username":}"#, "expected value"),
        (r#"{"username":"u2""#, "the record is cut: another record begins before its end"),
        (r#"{"username":"u2"#, "the record is cut: a line ends inside a text"),
        (r#"{"username":"u2\"}"#, "the record is cut: a line ends inside a text"),
        ("username: u2", "neither a record nor a list of records"),
        ("[]", "neither a record nor a list of records"),
        (r#"{"a":[1}"#, "the record is cut: another record begins before its end"),
        (r#"{"a":[1}}"#, "expected `,` or `]`"),
    ] {
        let text = format!("{one}\n{bad}\n{three}\n");
        assert_eq!(read_all(&text), [problem(2, reason), both.clone()], "{bad}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_alone() {
    let one = exported(1, "");
    let bad = [one.as_bytes(), b"\n{\"username\":\"\xff\"}\n", one.as_bytes()].concat();
    let (problems, names) = outcome(&bad);
    assert_eq!(problems, problem(2, "invalid unicode code point"));
    assert_eq!(names.len(), 2);
    let utf16: Vec<u8> = one.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (problems, names) = outcome([&[0xFF, 0xFE], &utf16[..]].concat());
    assert_eq!(problems, problem(1, "neither a record nor a list of records"));
    assert!(names.is_empty());
}

#[test]
fn a_mistake_inside_a_record_of_several_lines_has_its_own_line() {
    let text = "{\n  \"username\": \"u\",\n  \"tenant\": oops\n}\n";
    assert_eq!(read_all(text), [problem(3, "expected value"), none()]);
}

#[test]
fn a_record_cut_in_several_lines_ends_where_the_next_begins() {
    let text = format!("{{\n  \"username\": \"u\",\n  \"roles\": [\n{}\n", exported(2, ""));
    let reason = "the record is cut: another record begins before its end";
    assert_eq!(read_all(&text), [problem(1, reason), vec!["u2".to_owned()]]);
}

#[test]
fn a_file_that_ends_early_is_told() {
    let one = exported(1, "");
    let names = vec!["u1".to_owned()];
    let lines = format!("{one}\n{}", &exported(2, "")[..30]);
    let inside = "the record is cut: the file ends inside it";
    assert_eq!(read_all(&lines), [problem(2, inside), names.clone()]);
    let open = "the list is not closed: the file is cut, or broken above";
    assert_eq!(read_all(&format!("[{one},\n")), [problem(2, open), names.clone()]);
    let (problems, read) = outcome(format!("[{one},\n{{\"a\":"));
    assert_eq!(problems, [problem(2, inside), problem(2, open)].concat());
    assert_eq!(read, names);
}

#[test]
fn nothing_follows_a_closed_list() {
    let one = exported(1, "");
    let text = format!("[{one}]\n{one}\n{one}\n");
    let reason = "neither a record nor a list of records";
    assert_eq!(read_all(&text), [problem(2, reason), vec!["u1".to_owned()]]);
}

#[test]
fn a_record_has_at_most_16_mib() {
    let (head, tail) = (&br#"{"padding":""#[..], &b"\"}\n"[..]);
    let after = exported(2, "");
    let read = |padding_bytes: usize| {
        let padding = repeat(b'x').take(padding_bytes as u64);
        let source = head.chain(padding).chain(tail).chain(after.as_bytes());
        let source = BufReader::with_capacity(1 << 16, source);
        let items: Vec<Result<Entry, _>> =
            Reading::new(Collection::Profile, "profile.json", source).collect();
        assert!(items[1].is_ok());
        items[0].as_ref().unwrap_err().to_string()
    };
    let most = (16 << 20) - head.len() - 2;
    // Small enough to be looked into.
    assert_eq!(read(most), "profile.json line 1: \"_id\" is missing");
    assert_eq!(read(most + 1), "profile.json line 1: longer than 16 MiB");
}

#[test]
fn unknown_fields_are_told_once_a_name() {
    let nested = r#"{"_id":"a","x":1,"tenantPermissions":[{"y":1},{"y":2}]}"#;
    let text = format!("{{\"_id\":\"b\"}}\n{nested}\n{nested}\n");
    let mut reading = Reading::new(Collection::AccessToken, "accesstoken.json", text.as_bytes());
    assert!(reading.by_ref().all(|item| item.is_ok()));
    let warnings: Vec<String> = reading.unknown_fields().warnings().collect();
    let expected = ["\"tenantPermissions.y\"", "\"x\""].map(|name| {
        format!("accesstoken.json line 2: {name} is not known, left out; records with it: 2")
    });
    assert_eq!(warnings, expected);
}

#[test]
fn warnings_are_bounded_however_many_names_there_are() {
    let lines: Vec<String> =
        (0..1000).map(|number| exported(1, &format!(",\"f{number}\":1"))).collect();
    let text = lines.join("\n");
    let mut reading = Reading::new(Collection::Profile, "profile.json", text.as_bytes());
    assert_eq!(reading.by_ref().filter(Result::is_ok).count(), 1000);
    assert_eq!(reading.unknown_fields().warnings().count(), 200);
}

#[test]
fn a_source_that_fails_is_the_last_item() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let line = format!("{}\n", exported(1, ""));
    let source = BufReader::with_capacity(8, line.as_bytes().chain(Failing));
    let mut reading = Reading::new(Collection::Profile, "profile.json", source);
    assert!(reading.next().unwrap().is_ok());
    let problem = reading.next().unwrap().unwrap_err().to_string();
    assert_eq!(problem, "profile.json line 2: reading stopped here: the disk is gone");
    assert!(reading.failed() && reading.next().is_none());
}

#[test]
fn the_example_is_read_tenants_first() {
    let mut export = Export::open(&example("mongoexport")).unwrap();
    let mut order = Vec::new();
    for item in export.by_ref() {
        order.push(match item.unwrap().record {
            Record::Tenant(tenant) => tenant.name,
            Record::AccessToken(token) => token.application.unwrap(),
            Record::Profile(profile) => profile.username.0,
        });
    }
    assert_eq!(order, ["museum", "museum-site", "marta", "jun.sato", "zoe"]);
    assert_eq!(export.bytes_read(), export.bytes_total());
    assert_eq!((export.warnings(), export.left_out()), (Vec::new(), &[][..]));
}

#[test]
fn a_folder_names_what_it_leaves_alone_and_what_it_leaves_out() {
    let folder = folder(&[
        ("crafterprofile.profile.json", &exported(1, ",\"attachments\":[]")),
        ("crafterprofile.ticket.json", "{}"),
        ("crafterprofile.fs.files.json", "{}"),
        ("notes.txt", ""),
    ]);
    let mut export = Export::open(folder.path()).unwrap();
    assert_eq!(export.by_ref().filter(Result::is_ok).count(), 1);
    assert_eq!(export.left_out(), ["crafterprofile.fs.files.json", "crafterprofile.ticket.json"]);
    let told = "\"attachments\" is not known, left out; records with it: 1";
    assert_eq!(export.warnings(), [format!("crafterprofile.profile.json line 1: {told}")]);
}

#[test]
fn one_file_is_an_export_when_its_name_says_the_collection() {
    let mut export = Export::open(&example("mongoexport/profile.json")).unwrap();
    assert_eq!(export.bytes_total(), PROFILE_EXPORT.len() as u64);
    assert_eq!(export.bytes_read(), 0);
    assert!(export.next().unwrap().is_ok());
    let first_line = PROFILE_EXPORT.lines().next().unwrap().len() as u64;
    assert_eq!(export.bytes_read(), first_line);
    assert_eq!(export.count(), 2);
}

#[test]
fn a_folder_that_cannot_be_an_export_is_refused() {
    let refused = |path: &Path| Export::open(path).err().map(|error| error.to_string()).unwrap();
    let nothing = folder(&[("people.ndjson", "")]);
    assert!(refused(nothing.path()).contains("no accesstoken.json, tenant.json or profile.json"));
    let twice = folder(&[("a.profile.json", ""), ("b.profile.json", "")]);
    let reason = refused(twice.path());
    let expected = "both a.profile.json and b.profile.json hold the collection profile";
    assert!(reason.ends_with(expected), "{reason}");
    assert!(refused(&nothing.path().join("gone")).starts_with("reading "));
}

#[test]
fn a_name_says_the_collection() {
    assert_eq!(collection_of("profile.json"), Some(Collection::Profile));
    assert_eq!(collection_of("crafterprofile.tenant.json"), Some(Collection::Tenant));
    assert_eq!(collection_of("x.accesstoken.json"), Some(Collection::AccessToken));
    // As programs write it that do not tell small letters from capitals.
    assert_eq!(collection_of("Profile.JSON"), Some(Collection::Profile));
    for other in ["profile", "profiles.json", ".profile.json", "a.b.profile.json", "json"] {
        assert_eq!(collection_of(other), None, "{other}");
    }
}

#[test]
fn crafters_files_are_told_from_the_projects_own() {
    let people = "{\"id\":\"L1\",\"name\":\"Ada\"}\n";
    let at = |name: &str, text: &str| {
        let folder = folder(&[(name, text)]);
        recognise(&folder.path().join(name))
    };
    assert_eq!(recognise(&example("mongoexport")), Some(Kind::Export));
    assert_eq!(recognise(&example("mongoexport/tenant.json")), Some(Kind::Export));
    assert_eq!(recognise(&example("seed.json")), Some(Kind::Seed));
    assert_eq!(recognise(&example("gone")), None);
    assert_eq!(recognise(folder(&[("people.ndjson", people)]).path()), None);
    assert_eq!(at("people.ndjson", people), None);
    assert_eq!(at("profile.json", people), None);
    assert_eq!(
        at("profile.json", &exported(1, ",\"id\":\"L1\",\"name\":\"Ada\"")),
        Some(Kind::Export)
    );
    assert_eq!(at("profile.json", ""), Some(Kind::Export));
    assert_eq!(at("profile.json", "{broken"), Some(Kind::Export));
    assert_eq!(at("people.json", &exported(1, "")), None);
    assert_eq!(at("profile.json", "{\"tenant\":\"t\",\"_id\":\"x\"}"), Some(Kind::Export));
}
