//! What a caller asks of profiles: a Mongo filter in relaxed syntax (contract, Crafter 4.8), read
//! into a type and checked. Knows no SQL and looks at no profile.

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
/// How deep documents and lists of a filter may lie in each other.
pub const DEPTH_MAX: usize = 32;
/// Most conditions in one filter.
pub const CONDITIONS_MAX: usize = 256;
/// Most values in one `$in`, `$nin` or `$all`.
pub const CHOICES_MAX: usize = 1_000;
/// Most segments of one path of a filter.
pub const SEGMENTS_MAX: usize = 32;
/// Most segments of one path that are numbers: each can be read in two ways.
pub const NUMERIC_SEGMENTS_MAX: usize = 3;

/// What must hold of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them; none means every document.
    And(Vec<Filter>),
    /// At least one of them.
    Or(Vec<Filter>),
    /// None of them.
    Nor(Vec<Filter>),
    /// All of these, each by itself, of what the path reaches.
    Field(Path, Vec<Test>),
}

/// What must hold of the values that a path reaches. Wherever a value is a list, its elements
/// count beside the list itself; one that fits is enough.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to this. `null` also fits a path that reaches nothing. The order of a document's
    /// fields is not compared.
    Equal(Value),
    /// Of the same type as the bound (number, text, boolean) and on this side of it.
    Compare(Order, Value),
    /// Equal to one of these, or matched by one.
    In(Vec<Choice>),
    /// Whether the path reaches anything.
    Exists(bool),
    /// A list of this many elements.
    Size(i64),
    /// A list with an element that is a document for which the filter holds.
    Element(Box<Filter>),
    /// A list with an element for which all of these hold.
    ElementValue(Vec<Test>),
    /// Of one of these types.
    Type(Vec<Kind>),
    /// A number of 64 bits that leaves `remainder`, after its fraction is cut off.
    Modulo { divisor: i64, remainder: i64 },
    /// A text that the expression matches somewhere.
    Matches(Regular),
    /// Not all of these hold.
    Not(Vec<Test>),
}

/// One of the things that `$in` allows.
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

/// A side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A type of value, as `$type` names it.
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
    /// When a profile was created or last changed.
    Date,
    Null,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits that does not fit into 32.
    Long,
    /// Any number.
    Number,
    /// A type of which no document has a value.
    Other,
}

/// A field that no document has.
const NOWHERE: &str = "nowhere";

/// Where a value is: `attributes.address.city`. Never empty, nor is any segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

/// Why a text is no filter, or not one that may be asked.
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
    #[error("a query has no #")]
    Hash,
    #[error("{expected} expected at byte {at} of the query")]
    Syntax { at: usize, expected: &'static str },
    #[error("{0} is given twice")]
    Twice(String),
    #[error("there is no operator {0}")]
    Operator(String),
    #[error("{operator} takes {expected}")]
    Misused { operator: String, expected: &'static str },
    #[error("{0} is no date")]
    Date(String),
    #[error("{0} is no name of a field")]
    Path(String),
    #[error("{0} may not be asked about")]
    Hidden(String),
    #[error("the regular expression {0}")]
    Pattern(String),
    #[error("the regular expressions of the query are too large together")]
    Patterns,
}

impl Filter {
    /// The filter that this text writes.
    ///
    /// # Errors
    /// What is wrong with it, beginning with its size.
    pub fn parse(text: &str) -> Result<Filter, Invalid> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Invalid::TooLong);
        }
        // Contract 4.8: a # anywhere is refused, even in a text.
        if text.contains('#') {
            return Err(Invalid::Hash);
        }
        let filter = shape::filter(&parse::parse(text)?)?;
        match weight::of_filter(&filter) {
            ..=weight::ARCS_OF_FILTER_MAX => Ok(filter),
            _ => Err(Invalid::Patterns),
        }
    }

    /// Every document.
    pub fn everything() -> Filter {
        Filter::And(Vec::new())
    }

    /// Documents in which the path reaches this text; numbers that look like it do not count.
    pub fn has_text(path: Path, text: &str) -> Filter {
        Filter::Field(path, vec![Test::Equal(Value::String(text.to_owned()))])
    }

    /// Documents in which the path reaches anything.
    pub fn has(path: Path) -> Filter {
        Filter::Field(path, vec![Test::Exists(true)])
    }

    /// The same filter, with each attribute that is not `defined` a field that no document has.
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

    /// Whether a caller may ask this: nothing about `tenant` or what is stored of a password, and
    /// nothing that tells of an attribute that `readable` denies. `any_unreadable`: whether there
    /// is such an attribute, which closes `attributes` as a whole.
    ///
    /// # Errors
    /// [`Invalid::Hidden`] with the first path that may not be asked about.
    pub fn check(
        &self,
        readable: &dyn Fn(&str) -> bool,
        any_unreadable: bool,
    ) -> Result<(), Invalid> {
        check::check(self, readable, any_unreadable)
    }
}

impl Path {
    /// The path that this text writes, its segments parted by dots.
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

/// The place in a list that a segment may mean.
pub fn index(segment: &str) -> Option<u32> {
    let plain = segment.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = segment == "0" || !segment.starts_with('0');
    if plain && shortest && segment.len() <= 6 { segment.parse().ok() } else { None }
}

/// A whole number as filters hold numbers.
fn whole(number: i64) -> Value {
    Value::Number(Number::from(number))
}
