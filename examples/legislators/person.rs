//! From a legislator's record to a person and what changed, in order of time.
//!
//! A term is a fact from its first day on: it sets the whole `term` attribute, even where only
//! the dates differ. Looks at nothing but the record, the committees' ids and the day it is made.

use std::collections::HashSet;

use anyhow::{Result, bail, ensure};
use chrono::{Days, NaiveDate};
use serde::Serialize;

use crate::source::{Legislator, Name, Seat, Term};

/// A term ends on 3 January and the next begins when the new house meets: in this data 0 to 4
/// days later, and 12 once (1979). The next longer pause lasts 406 days. More than this is a gap.
const RECESS_DAYS_MAX: u64 = 31;

const MEMBER: &str = "member";
const LEADER: &str = "instructional";

/// Directory roles of committee titles. Who holds several is what the highest of them makes them.
const ROLE_OF_TITLE: [(&str, &str); 7] = [
    ("Chair", LEADER),
    ("Chairman", LEADER),
    ("Cochairman", LEADER),
    ("Vice Chair", LEADER),
    ("Vice Chairman", LEADER),
    ("Ranking Member", LEADER),
    ("Ex Officio", MEMBER),
];

/// A line of the import format.
#[derive(Debug, PartialEq, Serialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub emails: Vec<String>,
    pub roles: Vec<&'static str>,
    pub departments: Vec<String>,
    pub active: bool,
    pub attributes: FirstAttributes,
    pub occurred_at: NaiveDate,
    pub changes: Vec<Change>,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct FirstAttributes {
    pub birthday: NaiveDate,
    pub gender: String,
    pub term: Term,
}

/// What became true at once; without a date it holds as of the import.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departments: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<ChangedAttributes>,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct ChangedAttributes {
    pub term: Term,
}

/// The person as of a day, or nobody if no term of theirs has begun by then.
pub fn person(
    record: &Legislator,
    email: &str,
    committees: &HashSet<String>,
    as_of: NaiveDate,
) -> Result<Option<Person>> {
    let terms: Vec<&Term> = record.terms.iter().filter(|term| term.start <= as_of).collect();
    let (Some(first), Some(latest)) = (terms.first(), terms.last()) else {
        return Ok(None);
    };
    let mut changes = term_changes(&record.terms)?;
    changes.retain(|change| change.occurred_at.is_none_or(|date| date <= as_of));
    changes.extend(committee_change(latest.kind.chamber(), &record.committees, committees)?);
    Ok(Some(Person {
        id: record.id.clone(),
        name: display_name(&record.name),
        emails: vec![email.to_owned()],
        roles: vec![MEMBER],
        departments: vec![first.kind.chamber().to_owned()],
        active: true,
        attributes: FirstAttributes {
            birthday: record.bio.birthday,
            gender: record.bio.gender.clone(),
            term: (*first).clone(),
        },
        occurred_at: first.start,
        changes,
    }))
}

/// Every change that the terms after the first bring, future ones too.
fn term_changes(terms: &[Term]) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for term in terms {
        ensure!(term.start < term.end, "the term of {} ends before it begins", term.start);
    }
    for (before, term) in terms.iter().zip(terms.iter().skip(1)) {
        let in_order = before.start < term.start;
        ensure!(in_order, "the term of {} does not follow that of {}", term.start, before.start);
        let back = term.start > before.end + Days::new(RECESS_DAYS_MAX);
        if back {
            changes.push(deactivated(before.end));
        }
        let moved = before.kind != term.kind;
        changes.push(Change {
            occurred_at: Some(term.start),
            active: back.then_some(true),
            departments: moved.then(|| vec![term.kind.chamber().to_owned()]),
            attributes: Some(ChangedAttributes { term: term.clone() }),
            ..Change::default()
        });
    }
    changes.extend(terms.last().map(|last| deactivated(last.end)));
    Ok(changes)
}

fn deactivated(date: NaiveDate) -> Change {
    Change { occurred_at: Some(date), active: Some(false), ..Change::default() }
}

/// Seats carry no date: they are true as of the import, beside the chamber.
fn committee_change(
    chamber: &str,
    seats: &[Seat],
    committees: &HashSet<String>,
) -> Result<Option<Change>> {
    if seats.is_empty() {
        return Ok(None);
    }
    let mut departments = vec![chamber.to_owned()];
    let mut role = MEMBER;
    for seat in seats {
        let id = &seat.committee;
        ensure!(committees.contains(id), "committee {id} is not in the list");
        let department = id.to_lowercase();
        if !departments.contains(&department) {
            departments.push(department);
        }
        if role_of(seat)? == LEADER {
            role = LEADER;
        }
    }
    Ok(Some(Change {
        roles: Some(vec![role]),
        departments: Some(departments),
        ..Change::default()
    }))
}

fn role_of(seat: &Seat) -> Result<&'static str> {
    let Some(title) = seat.title.as_deref() else {
        return Ok(MEMBER);
    };
    match ROLE_OF_TITLE.iter().find(|(known, _)| *known == title) {
        Some((_, role)) => Ok(role),
        None => bail!("no role is known for the title `{title}` in {}", seat.committee),
    }
}

fn display_name(name: &Name) -> String {
    if let Some(full) = &name.official_full {
        return full.trim().to_owned();
    }
    let parts = [Some(&name.first), name.middle.as_ref(), Some(&name.last), name.suffix.as_ref()];
    let parts: Vec<&str> = parts.into_iter().flatten().map(|part| part.trim()).collect();
    parts.join(" ")
}

#[cfg(test)]
pub mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub fn legislator(terms: &str, committees: &str) -> Legislator {
        let line = format!(
            r#"{{"id":"C000127","name":{{"first":"Maria","last":"Cantwell"}},
                 "bio":{{"birthday":"1958-10-13","gender":"F"}},
                 "terms":{terms},"committees":{committees}}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    fn term(kind: &str, start: &str, end: &str) -> Value {
        json!({"type": kind, "start": start, "end": end, "state": "WA", "party": "Democrat"})
    }

    fn made(terms: &[Value], seats: Value) -> Result<Option<Person>> {
        let record = legislator(&json!(terms).to_string(), &seats.to_string());
        let committees = ["SSFI", "JSTX"].map(str::to_owned).into();
        let as_of = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        person(&record, "maria.cantwell@congress.example", &committees, as_of)
    }

    fn changes(terms: &[Value], seats: Value) -> Value {
        serde_json::to_value(made(terms, seats).unwrap().unwrap().changes).unwrap()
    }

    #[test]
    fn the_first_term_gives_the_initial_facts() {
        let first = term("rep", "2025-01-03", "2027-01-03");
        let line = serde_json::to_value(made(std::slice::from_ref(&first), json!([])).unwrap());
        assert_eq!(
            line.unwrap(),
            json!({
                "id": "C000127", "name": "Maria Cantwell",
                "emails": ["maria.cantwell@congress.example"],
                "roles": ["member"], "departments": ["house"], "active": true,
                "attributes": {"birthday": "1958-10-13", "gender": "F", "term": first},
                "occurred_at": "2025-01-03", "changes": [],
            })
        );
    }

    #[test]
    fn a_term_is_a_change_even_where_only_its_dates_differ() {
        let first = term("sen", "2019-01-03", "2025-01-03");
        let second = term("sen", "2025-01-03", "2031-01-03");
        assert_eq!(
            changes(&[first, second.clone()], json!([])),
            json!([{"occurred_at": "2025-01-03", "attributes": {"term": second}}])
        );
    }

    #[test]
    fn another_chamber_moves_and_a_gap_deactivates_until_the_next_term() {
        let first = term("rep", "1993-01-05", "1995-01-03");
        let second = term("sen", "2001-01-03", "2031-01-03");
        assert_eq!(
            changes(&[first, second.clone()], json!([])),
            json!([
                {"occurred_at": "1995-01-03", "active": false},
                {"occurred_at": "2001-01-03", "active": true, "departments": ["senate"],
                 "attributes": {"term": second}},
            ])
        );
    }

    #[test]
    fn a_recess_of_a_month_is_no_gap_and_a_day_more_is_one() {
        let first = term("rep", "1993-01-05", "1995-01-03");
        for (start, count) in [("1995-02-03", 1), ("1995-02-04", 2)] {
            let second = term("rep", start, "2027-01-03");
            let changes = changes(&[first.clone(), second], json!([]));
            assert_eq!(changes.as_array().map(Vec::len), Some(count), "{start}");
        }
    }

    #[test]
    fn an_end_counts_once_it_is_past() {
        let over = json!([{"occurred_at": "2026-11-22", "active": false}]);
        assert_eq!(changes(&[term("rep", "2025-01-03", "2026-11-22")], json!([])), over);
        assert_eq!(changes(&[term("rep", "2025-01-03", "2026-11-23")], json!([])), json!([]));
    }

    #[test]
    fn terms_that_have_not_begun_are_left_out() {
        let first = term("rep", "2025-01-03", "2027-01-03");
        let future = term("sen", "2027-01-03", "2033-01-03");
        assert_eq!(changes(&[first, future.clone()], json!([])), json!([]));
        assert_eq!(made(&[future], json!([])).unwrap(), None);
    }

    #[test]
    fn committees_come_last_and_without_a_date() {
        let seats = json!([
            {"committee": "SSFI", "title": "Ranking Member"},
            {"committee": "JSTX", "title": null},
        ]);
        assert_eq!(
            changes(&[term("sen", "2025-01-03", "2031-01-03")], seats),
            json!([{"roles": ["instructional"], "departments": ["senate", "ssfi", "jstx"]}])
        );
    }

    #[test]
    fn leaders_are_ranked_above_members() {
        for (title, role) in [
            (json!("Chair"), "instructional"),
            (json!("Vice Chairman"), "instructional"),
            (json!("Ex Officio"), "member"),
            (json!(null), "member"),
        ] {
            let seats = json!([{"committee": "SSFI", "title": title}]);
            let changes = changes(&[term("sen", "2025-01-03", "2031-01-03")], seats);
            assert_eq!(changes[0]["roles"], json!([role]), "{title}");
        }
    }

    #[test]
    fn what_the_rules_do_not_cover_is_refused() {
        let sitting = term("sen", "2025-01-03", "2031-01-03");
        let earlier = term("sen", "2019-01-03", "2025-01-03");
        let seat = |committee, title| json!([{"committee": committee, "title": title}]);
        assert!(made(std::slice::from_ref(&sitting), seat("SSFI", "Treasurer")).is_err());
        assert!(made(std::slice::from_ref(&sitting), seat("XXXX", "Chair")).is_err());
        assert!(made(&[sitting, earlier], json!([])).is_err());
        assert!(made(&[term("sen", "2025-01-03", "2025-01-03")], json!([])).is_err());
    }
}
