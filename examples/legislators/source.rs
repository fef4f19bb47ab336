//! The public records as they come: one legislator a line, and a list of committees.
//! A field nobody has looked at yet is refused rather than lost.

use anyhow::{Context, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Legislator {
    pub id: String,
    pub name: Name,
    pub bio: Bio,
    pub terms: Vec<Term>,
    pub committees: Vec<Seat>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    pub first: String,
    pub middle: Option<String>,
    pub last: String,
    pub suffix: Option<String>,
    #[expect(dead_code, reason = "in the records, but no part of a displayed name")]
    pub nickname: Option<String>,
    pub official_full: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bio {
    pub birthday: NaiveDate,
    pub gender: String,
}

/// Also written, field for field, as the `term` attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    #[serde(rename = "type")]
    pub kind: TermKind,
    pub start: NaiveDate,
    pub end: NaiveDate,
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<u16>,
    pub party: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TermKind {
    #[serde(rename = "rep")]
    Representative,
    #[serde(rename = "sen")]
    Senator,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    pub committee: String,
    pub title: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committee {
    pub id: String,
    pub name: String,
}

pub fn legislators(text: &str) -> Result<Vec<Legislator>> {
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("reading line {}", number + 1))
    };
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled.map(read).collect()
}

pub fn committees(text: &str) -> Result<Vec<Committee>> {
    serde_json::from_str(text).context("reading the list of committees")
}

impl TermKind {
    /// The chamber, by the key of its department.
    pub fn chamber(self) -> &'static str {
        match self {
            TermKind::Representative => "house",
            TermKind::Senator => "senate",
        }
    }
}
