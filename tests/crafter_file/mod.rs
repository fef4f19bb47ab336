//! Crafter's own files: what is read from them, and what is said of mistakes.

mod export;
mod extended;
mod records;
mod robust;
mod seed;

use dossier::crafter_file::problem::Problem;
use dossier::crafter_file::read::{Entry, Reading};
use dossier::crafter_file::records::{Collection, ProfileRecord, Record};

const TENANT_EXPORT: &str = include_str!("../../examples/crafter/mongoexport/tenant.json");
const PROFILE_EXPORT: &str = include_str!("../../examples/crafter/mongoexport/profile.json");

/// A profile as mongoexport writes it.
fn exported(number: u32, more: &str) -> String {
    let id = format!(r#"{{"$oid":"5f1d7b02e4b0c2a9{number:08x}"}}"#);
    format!(r#"{{"_id":{id},"username":"u{number}","tenant":"t"{more}}}"#)
}

fn read(text: impl AsRef<[u8]>) -> Vec<Result<Entry, Problem>> {
    Reading::new(Collection::Profile, "profile.json", text.as_ref()).collect()
}

/// The problems of an export of profiles, and the user names of those that were read.
fn outcome(text: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let (mut problems, mut names) = (Vec::new(), Vec::new());
    for item in read(text) {
        match item {
            Ok(entry) => names.push(profile(entry).username.0),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    (problems, names)
}

fn profile(entry: Entry) -> ProfileRecord {
    match entry.record {
        Record::Profile(profile) => *profile,
        other => panic!("not a profile: {other:?}"),
    }
}

/// The profile of one exported record.
fn one(more: &str) -> ProfileRecord {
    let mut all = read(exported(1, more));
    assert_eq!(all.len(), 1, "{more}");
    profile(all.remove(0).unwrap_or_else(|problem| panic!("{problem}: {more}")))
}

/// The only problem of one exported record.
fn refused(more: &str) -> String {
    let (mut problems, names) = outcome(exported(1, more));
    assert_eq!((problems.len(), names.len()), (1, 0), "{more}");
    problems.remove(0)
}
