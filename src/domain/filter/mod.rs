//! Queries on profiles: a Mongo filter in relaxed syntax (Crafter contract 4.8), parsed into a type
//! and checked. SQL and profiles are elsewhere.

mod check;
mod literal;
mod parse;
pub mod regular;
mod shape;
mod weight;

use serde_json::{Number, Value};

pub use check::check_path;
pub use regular::Regular;

/// Longest text of a filter, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Deepest nesting of documents and lists in a filter.
pub const DEPTH_MAX: usize = 32;
/// Most conditions in one filter.
pub const CONDITIONS_MAX: usize = 256;
/// Most values in one `$in`, `$nin` or `$all`.
pub const CHOICES_MAX: usize = 1_000;
/// Most segments of one path of a filter.
pub const SEGMENTS_MAX: usize = 32;
/// Most segments of one path that are numbers: each can be understood in two ways.
pub const NUMERIC_SEGMENTS_MAX: usize = 3;

/// A condition on a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of these are true; an empty list is always true.
    And(Vec<Filter>),
    /// At least one of these is true.
    Or(Vec<Filter>),
    /// None of these is true.
    Nor(Vec<Filter>),
    /// All of these are true, each by itself, of what the path reaches.
    Field(Path, Vec<Test>),
}

/// A condition on the values that a path reaches. If a value is a list, its elements count besides
/// the list itself; one that fits is enough.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to this. `null` also equals a path that reaches nothing. The order of a document's
    /// fields does not matter.
    Equal(Value),
    /// Of the same type as the bound (number, text, boolean), and on this side of it.
    Compare(Order, Value),
    /// Equal to one of these, or matched by one of these expressions.
    In(Vec<Choice>),
    /// Whether the path reaches anything.
    Exists(bool),
    /// A list of this many elements.
    Size(i64),
    /// A list with an element that is a document of which the filter is true.
    Element(Box<Filter>),
    /// A list with an element of which all of these are true.
    ElementValue(Vec<Test>),
    /// Of one of these types.
    Type(Vec<Kind>),
    /// A 64-bit number with this `remainder`, after its fraction is cut off.
    Modulo { divisor: i64, remainder: i64 },
    /// A text in which the expression matches.
    Matches(Regular),
    /// Not all of these are true.
    Not(Vec<Test>),
}

/// One of the alternatives of `$in`.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    Value(Value),
    Pattern(Regular),
}

impl Choice {
    /// The expression, if it is one.
    pub fn pattern(&self) -> Option<&Regular> {
        match self {
            Choice::Pattern(regular) => Some(regular),
            Choice::Value(_) => None,
        }
    }
}

/// The side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The type of a value, as `$type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number with a fraction, or beyond 64 bits.
    Double,
    Text,
    Document,
    List,
    /// A profile's id.
    Id,
    Boolean,
    /// The time at which a profile was created or last changed.
    Date,
    Null,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits that does not fit into 32.
    Long,
    /// Any number.
    Number,
    /// A type that no document has.
    Other,
}

/// Stands for a field that no document has.
const NOWHERE: &str = "nowhere";

/// The path of a value: `attributes.address.city`. Neither it nor a segment is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

/// Why a text is refused as a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("a query has at most {TEXT_BYTES_MAX} bytes")]
    TooLong,
    #[error("a query is at most {DEPTH_MAX} levels deep")]
    TooDeep,
    #[error("a query has at most {CONDITIONS_MAX} conditions")]
    TooManyConditions,
    #[error("{0} takes at most {CHOICES_MAX} values")]
    TooManyChoices(String),
    #[error("a query cannot contain a #")]
    Hash,
    #[error("{expected} expected at byte {at} of the query")]
    Syntax { at: usize, expected: &'static str },
    #[error("{0} is given twice")]
    Twice(String),
    #[error("there is no operator {0}")]
    Operator(String),
    #[error("{operator} takes {expected}")]
    Misused { operator: String, expected: &'static str },
    #[error("{0} is not a date")]
    Date(String),
    #[error("{0} is not the name of a field")]
    Path(String),
    #[error("{0} cannot be queried")]
    Hidden(String),
    #[error("the regular expression {0}")]
    Pattern(String),
    #[error("the regular expressions of the query are too large together")]
    Patterns,
}

impl Filter {
    /// The filter in this text.
    ///
    /// # Errors
    /// What is wrong with it; its size is checked first.
    pub fn parse(text: &str) -> Result<Filter, Invalid> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Invalid::TooLong);
        }
        // Contract 4.8: a # anywhere is refused, also inside a text.
        if text.contains('#') {
            return Err(Invalid::Hash);
        }
        let filter = shape::filter(&parse::parse(text)?)?;
        match weight::of_filter(&filter) {
            ..=weight::ARCS_OF_FILTER_MAX => Ok(filter),
            _ => Err(Invalid::Patterns),
        }
    }

    /// The filter that every document fits.
    pub fn everything() -> Filter {
        Filter::And(Vec::new())
    }

    /// Documents in which the path reaches this text; numbers that look the same do not count.
    pub fn has_text(path: Path, text: &str) -> Filter {
        Filter::Field(path, vec![Test::Equal(Value::String(text.to_owned()))])
    }

    /// Documents in which the path reaches a value.
    pub fn has(path: Path) -> Filter {
        Filter::Field(path, vec![Test::Exists(true)])
    }

    /// The same filter, in which each attribute that is not `defined` is a field that no document
    /// has.
    #[must_use]
    pub fn among(self, defined: &dyn Fn(&str) -> bool) -> Filter {
        let all = |parts: Vec<Filter>| parts.into_iter().map(|one| one.among(defined)).collect();
        match self {
            Filter::And(parts) => Filter::And(all(parts)),
            Filter::Or(parts) => Filter::Or(all(parts)),
            Filter::Nor(parts) => Filter::Nor(all(parts)),
            Filter::Field(path, tests) => {
                let unknown = match path.segments() {
                    [first, name, ..] => first == "attributes" && !defined(name),
                    _ => false,
                };
                let path = if unknown { Path(vec![NOWHERE.to_owned()]) } else { path };
                Filter::Field(path, tests)
            }
        }
    }

    /// Whether a caller may ask this: nothing about `tenant` or a stored password, and nothing
    /// about an attribute that `readable` denies. `any_unreadable` tells whether there is such an
    /// attribute: then `attributes` as a whole cannot be queried.
    ///
    /// # Errors
    /// [`Invalid::Hidden`] with the first path that may not be queried.
    pub fn check(
        &self,
        readable: &dyn Fn(&str) -> bool,
        any_unreadable: bool,
    ) -> Result<(), Invalid> {
        check::check(self, readable, any_unreadable)
    }
}

impl Path {
    /// The path in this text, whose segments are separated by dots.
    ///
    /// # Errors
    /// [`Invalid::Path`] for an empty segment, one that begins like an operator, and too many.
    pub fn parse(text: &str) -> Result<Path, Invalid> {
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        let odd = |segment: &String| segment.is_empty() || segment.starts_with('$');
        let numeric = segments.iter().filter(|segment| index(segment).is_some()).count();
        if segments.iter().any(odd)
            || segments.len() > SEGMENTS_MAX
            || numeric > NUMERIC_SEGMENTS_MAX
            || text.contains('\0')
        {
            return Err(Invalid::Path(text.to_owned()));
        }
        Ok(Path(segments))
    }

    /// Its segments, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.0
    }
}

/// The place in a list, if the segment is a number.
pub fn index(segment: &str) -> Option<u32> {
    let plain = segment.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = segment == "0" || !segment.starts_with('0');
    if plain && shortest && segment.len() <= 6 { segment.parse().ok() } else { None }
}

/// An integer in the form of filters.
fn whole(number: i64) -> Value {
    Value::Number(Number::from(number))
}
