//! A mistake in a catalogue file, and its line.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// One mistake. Shown as `line 12: …`, to stand after the file's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub line: usize,
    pub message: String,
}

/// Where lines begin, to turn an offset into a line number.
pub(super) struct Lines {
    starts: Vec<usize>,
}

/// The mistakes so far: each once, by line.
pub(super) struct Findings {
    lines: Lines,
    problems: BTreeSet<Problem>,
}

/// The line, counted from 1, on which a value begins. Takes the result of `Spanned::span`.
pub fn line_at(text: &str, span: Range<usize>) -> usize {
    Lines::of(text).at(&span)
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.message)
    }
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    fn at(&self, span: &Range<usize>) -> usize {
        self.starts.partition_point(|start| *start <= span.start)
    }
}

impl Findings {
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines, problems: BTreeSet::new() }
    }

    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        let line = self.line(&span);
        self.problems.insert(Problem { line, message: message.into() });
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.lines.at(span)
    }

    pub(super) fn into_result(self) -> Result<(), Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(self.problems.into_iter().collect())
    }
}
