//! Makes the demo's people and catalogue out of public records of legislators.
//!
//! cargo run --example legislators -- --people legislators.ndjson --committees committees.json \
//!     --as-of 2026-11-22 --out ops/demo
//!
//! The same input and day give the same bytes. `ops/demo/README.md` has the rules.

mod address;
mod catalogue;
mod person;
mod source;

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use chrono::NaiveDate;
use clap::Parser;

use crate::person::Person;
use crate::source::{Committee, Legislator};

#[derive(Parser)]
struct Arguments {
    /// The legislators, one JSON object a line
    #[arg(long)]
    people: PathBuf,
    /// The committees, a JSON list
    #[arg(long)]
    committees: PathBuf,
    /// The day on which the files are true, as 2026-11-22: what lies after it is left out
    #[arg(long)]
    as_of: NaiveDate,
    /// The folder to write people.ndjson and catalogue.toml into
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let legislators = source::legislators(&text_of(&arguments.people)?)
        .with_context(|| format!("reading {}", arguments.people.display()))?;
    let committees = source::committees(&text_of(&arguments.committees)?)
        .with_context(|| format!("reading {}", arguments.committees.display()))?;

    let people = people(&legislators, &committees, arguments.as_of)?;
    let catalogue = catalogue::catalogue(&committees)?;
    refuse_a_bad_catalogue(&catalogue)?;

    let out = &arguments.out;
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    write(&out.join("people.ndjson"), &lines(&people)?)?;
    write(&out.join("catalogue.toml"), &catalogue)?;
    print!("{}", summary(&legislators, &people));
    Ok(())
}

fn people(
    legislators: &[Legislator],
    committees: &[Committee],
    as_of: NaiveDate,
) -> Result<Vec<Person>> {
    let known = committees.iter().map(|committee| committee.id.clone()).collect::<HashSet<_>>();
    let addresses = address::addresses(legislators)?;
    let mut people = Vec::with_capacity(legislators.len());
    for (legislator, address) in legislators.iter().zip(&addresses) {
        let person = person::person(legislator, address, &known, as_of)
            .with_context(|| format!("converting {}", legislator.id))?;
        people.extend(person);
    }
    Ok(people)
}

fn lines(people: &[Person]) -> Result<String> {
    let mut text = String::new();
    for person in people {
        writeln!(text, "{}", serde_json::to_string(person)?)?;
    }
    Ok(text)
}

fn refuse_a_bad_catalogue(catalogue: &str) -> Result<()> {
    dossier::catalogue_file::parse(catalogue).map(drop).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!("the catalogue would be refused:\n{}", problems.join("\n"))
    })
}

fn summary(legislators: &[Legislator], people: &[Person]) -> String {
    let changes = || people.iter().flat_map(|person| &person.changes);
    let led = |role| {
        let roles = changes().filter_map(|change| change.roles.as_ref());
        roles.filter(|roles| roles.contains(&role)).count()
    };
    let counts = [
        ("people", people.len()),
        ("left out, no term begun", legislators.len() - people.len()),
        ("changes", changes().count()),
        ("terms after the first", changes().filter(|change| change.attributes.is_some()).count()),
        ("deactivations", changes().filter(|change| change.active == Some(false)).count()),
        ("reactivations", changes().filter(|change| change.active == Some(true)).count()),
        (
            "chamber moves",
            changes()
                .filter(|change| change.attributes.is_some() && change.departments.is_some())
                .count(),
        ),
        ("committee changes", changes().filter(|change| change.occurred_at.is_none()).count()),
        ("instructional", led("instructional")),
        ("member", people.len() - led("instructional")),
    ];
    counts.iter().map(|(name, count)| format!("{name:<24} {count:>5}\n")).collect()
}

fn text_of(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("opening {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const SHIPPED: &str = include_str!("../../ops/demo/people.ndjson");
    const CATALOGUE: &str = include_str!("../../ops/demo/catalogue.toml");

    fn shipped() -> Vec<Value> {
        SHIPPED.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn texts<'a>(person: &'a Value, list: &'a str) -> impl Iterator<Item = &'a str> {
        let stages = std::iter::once(person).chain(person["changes"].as_array().unwrap());
        stages.filter_map(move |stage| stage[list].as_array()).flatten().filter_map(Value::as_str)
    }

    #[test]
    fn the_shipped_people_are_537_and_share_neither_id_nor_email() {
        let people = shipped();
        let ids: HashSet<&str> = people.iter().filter_map(|person| person["id"].as_str()).collect();
        let emails: HashSet<String> = people
            .iter()
            .flat_map(|person| texts(person, "emails").map(str::to_lowercase))
            .collect();
        assert_eq!((people.len(), ids.len(), emails.len()), (537, 537, 537));
        assert!(emails.iter().all(|email| email.is_ascii() && email.ends_with(".example")));
    }

    #[test]
    fn the_shipped_people_hold_only_what_the_catalogue_has() {
        let file = dossier::catalogue_file::parse(CATALOGUE).unwrap();
        let tenant = &file.tenants[0];
        for person in shipped() {
            for role in texts(&person, "roles") {
                assert!(tenant.roles.iter().any(|known| known.key.as_ref() == role), "{role}");
            }
            for department in texts(&person, "departments") {
                let mut known = tenant.departments.iter();
                assert!(known.any(|known| known.key.as_ref() == department), "{department}");
            }
        }
    }

    #[test]
    fn the_shipped_changes_are_in_order_of_time_with_the_undated_last() {
        for person in shipped() {
            let first = std::iter::once(person["occurred_at"].as_str().unwrap_or("9999"));
            let changes = person["changes"].as_array().unwrap().iter();
            let later = changes.map(|change| change["occurred_at"].as_str().unwrap_or("9999"));
            assert!(first.chain(later).is_sorted(), "{}", person["id"]);
        }
    }
}
