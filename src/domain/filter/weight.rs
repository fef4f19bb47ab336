//! How much work a regular expression is: the arcs of its automaton with repetitions written out,
//! counted without building it. The time for one row grows in proportion to them, whatever the
//! text, since nothing in the regular subset makes PostgreSQL backtrack.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

use super::{Choice, Filter, Invalid, Regular, Test};

/// Most arcs of the automaton of a regular expression: enough for four hundred letters, or for a
/// dozen words at any distance.
pub const ARCS_MAX: usize = 500;
/// Most arcs of all expressions of one filter together.
pub const ARCS_OF_FILTER_MAX: usize = 4 * ARCS_MAX;
/// Largest number in a counted repetition: PostgreSQL's own bound.
pub const REPETITION_MAX: u32 = 255;
/// Most characters that classes may list, written out; a class that excludes few lists those.
const LISTED_MAX: usize = 65_536;
/// All characters.
const CHARACTERS: usize = char::MAX as usize + 1;
/// The weight of an assertion, which has an automaton of its own.
const ASSERTION_WIDTH: usize = 8;

/// How many arcs the expression's automaton has.
///
/// # Errors
/// [`Invalid::Pattern`] for one beyond a bound.
pub fn check(hir: &Hir) -> Result<usize, Invalid> {
    let mut bounds = Vec::new();
    let mut listed = 0;
    collect_bounds(hir, &mut bounds, &mut listed);
    if listed > LISTED_MAX {
        return Err(refused("lists too many characters"));
    }
    bounds.sort_unstable();
    bounds.dedup();
    let counted = count(hir, &bounds)?;
    let arcs = counted.arcs.saturating_add(counted.first_width);
    if arcs > ARCS_MAX {
        return Err(refused("is too large once its repetitions are written out"));
    }
    Ok(arcs)
}

/// How many arcs the expressions of a filter have together.
pub fn of_filter(filter: &Filter) -> usize {
    match filter {
        Filter::And(parts) | Filter::Or(parts) | Filter::Nor(parts) => {
            parts.iter().map(of_filter).sum()
        }
        Filter::Field(_, tests) => of_tests(tests),
    }
}

fn of_tests(tests: &[Test]) -> usize {
    let of_test = |test: &Test| match test {
        Test::Matches(regular) => regular.arcs(),
        Test::In(choices) => choices.iter().filter_map(Choice::pattern).map(Regular::arcs).sum(),
        Test::Element(filter) => of_filter(filter),
        Test::ElementValue(tests) | Test::Not(tests) => of_tests(tests),
        Test::Equal(_)
        | Test::Compare(..)
        | Test::Exists(_)
        | Test::Size(_)
        | Test::Type(_)
        | Test::Modulo { .. } => 0,
    };
    tests.iter().map(of_test).sum()
}

/// What the automaton of a part adds to the one around it.
#[derive(Clone, Copy)]
struct Count {
    arcs: usize,
    /// How many arcs each place before it gets: one for each place at which it can begin, and for
    /// each kind of character that fits there.
    first_width: usize,
    /// At how many places it can end.
    last: usize,
    /// Whether it can match the empty text.
    nullable: bool,
}

impl Count {
    const EMPTY: Count = Count { arcs: 0, first_width: 0, last: 0, nullable: true };

    fn place(width: usize) -> Count {
        Count { arcs: 0, first_width: width, last: 1, nullable: false }
    }

    fn then(self, next: Count) -> Count {
        let between = self.last.saturating_mul(next.first_width);
        Count {
            arcs: self.arcs.saturating_add(next.arcs).saturating_add(between),
            first_width: match self.nullable {
                true => self.first_width.saturating_add(next.first_width),
                false => self.first_width,
            },
            last: if next.nullable { self.last.saturating_add(next.last) } else { next.last },
            nullable: self.nullable && next.nullable,
        }
    }

    fn or(self, other: Count) -> Count {
        Count {
            arcs: self.arcs.saturating_add(other.arcs),
            first_width: self.first_width.saturating_add(other.first_width),
            last: self.last.saturating_add(other.last),
            nullable: self.nullable || other.nullable,
        }
    }

    fn repeated(self, min: u32, max: Option<u32>) -> Count {
        let optional = Count { nullable: true, ..self };
        let looped = Count {
            arcs: self.arcs.saturating_add(self.last.saturating_mul(self.first_width)),
            ..self
        };
        let mut whole = Count::EMPTY;
        for _ in 1..min {
            whole = whole.then(self);
        }
        match max {
            None if min == 0 => Count { nullable: true, ..looped },
            None => whole.then(looped),
            Some(max) => {
                if min > 0 {
                    whole = whole.then(self);
                }
                (min..max).fold(whole, |whole, _| whole.then(optional))
            }
        }
    }
}

fn count(hir: &Hir, bounds: &[u32]) -> Result<Count, Invalid> {
    Ok(match hir.kind() {
        HirKind::Empty => Count::EMPTY,
        HirKind::Look(_) => Count::place(ASSERTION_WIDTH),
        HirKind::Literal(literal) => {
            let characters = String::from_utf8_lossy(&literal.0).chars().count();
            Count { arcs: characters - 1, ..Count::place(1) }
        }
        HirKind::Class(Class::Unicode(class)) => Count::place(width(class, bounds)),
        HirKind::Class(Class::Bytes(_)) => return Err(refused("is about bytes")),
        HirKind::Repetition(Repetition { min, max, sub, .. }) => {
            if max.unwrap_or(*min) > REPETITION_MAX {
                return Err(refused(&format!(
                    "repeats something more than {REPETITION_MAX} times"
                )));
            }
            count(sub, bounds)?.repeated(*min, *max)
        }
        HirKind::Capture(capture) => count(&capture.sub, bounds)?,
        HirKind::Concat(parts) => {
            let mut whole = Count::EMPTY;
            for part in parts {
                whole = whole.then(count(part, bounds)?);
            }
            whole
        }
        HirKind::Alternation(parts) => {
            let mut whole = Count { nullable: false, ..Count::EMPTY };
            for part in parts {
                whole = whole.or(count(part, bounds)?);
            }
            whole
        }
    })
}

/// How many kinds of characters a class has, where all classes together distinguish characters. A
/// class that contains all others is mostly one kind, which is not counted again for each.
fn width(class: &ClassUnicode, bounds: &[u32]) -> usize {
    let kinds = |start: char, end: char| {
        let from = bounds.partition_point(|bound| *bound <= u32::from(start));
        let to = bounds.partition_point(|bound| *bound <= u32::from(end));
        to - from + 1
    };
    class.ranges().iter().map(|range| kinds(range.start(), range.end())).sum::<usize>().max(1)
}

/// Where a kind of character can begin, and how many characters classes list.
fn collect_bounds(hir: &Hir, bounds: &mut Vec<u32>, listed: &mut usize) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => {}
        HirKind::Literal(literal) => {
            for character in String::from_utf8_lossy(&literal.0).chars() {
                bounds.extend([u32::from(character), u32::from(character) + 1]);
            }
        }
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                bounds.extend([u32::from(range.start()), u32::from(range.end()) + 1]);
            }
            let size: usize = class.ranges().iter().map(ClassUnicodeRange::len).sum();
            let open = class.ranges().last().is_some_and(|range| range.end() == char::MAX);
            *listed += if open { CHARACTERS.saturating_sub(size) } else { size };
        }
        HirKind::Repetition(repetition) => collect_bounds(&repetition.sub, bounds, listed),
        HirKind::Capture(capture) => collect_bounds(&capture.sub, bounds, listed),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_bounds(part, bounds, listed));
        }
    }
}

fn refused(reason: &str) -> Invalid {
    Invalid::Pattern(reason.to_owned())
}
