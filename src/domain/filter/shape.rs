//! Turns syntax into meaning: operators, and the values that each accepts. Operators that are not
//! here are refused, such as `$where`, `$expr` and `$function`.

use serde_json::{Map, Value};

use super::parse::Node;
use super::{
    CHOICES_MAX, CONDITIONS_MAX, Choice, Filter, Invalid, Kind, Order, Path, Regular, Test,
    literal, whole,
};

/// The filter of a document.
///
/// # Errors
/// An unknown operator, a value that it does not accept, too many of either.
pub fn filter(node: &Node) -> Result<Filter, Invalid> {
    Shaper { conditions: 0 }.filter(node, "a query")
}

struct Shaper {
    conditions: usize,
}

impl Shaper {
    fn filter(&mut self, node: &Node, operator: &str) -> Result<Filter, Invalid> {
        let Node::Document(fields) = node else {
            return Err(misused(operator, "a document"));
        };
        let mut parts = Vec::with_capacity(fields.len());
        for (key, node) in fields {
            self.count()?;
            parts.push(match key.as_str() {
                "$and" => Filter::And(self.filters(node, key)?),
                "$or" => Filter::Or(self.filters(node, key)?),
                "$nor" => Filter::Nor(self.filters(node, key)?),
                operator if operator.starts_with('$') => {
                    return Err(Invalid::Operator(operator.to_owned()));
                }
                path => Filter::Field(Path::parse(path)?, self.tests(node)?),
            });
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Filter::And(parts),
        })
    }

    fn filters(&mut self, node: &Node, operator: &str) -> Result<Vec<Filter>, Invalid> {
        match node {
            Node::List(parts) if !parts.is_empty() => {
                parts.iter().map(|part| self.filter(part, operator)).collect()
            }
            _ => Err(misused(operator, "a list of documents that is not empty")),
        }
    }

    /// The conditions on a field: operators, or the value itself.
    fn tests(&mut self, node: &Node) -> Result<Vec<Test>, Invalid> {
        match operators(node)? {
            Some(fields) => self.operators(fields),
            None => Ok(vec![equal(node)?]),
        }
    }

    fn operators(&mut self, fields: &[(String, Node)]) -> Result<Vec<Test>, Invalid> {
        let options = fields.iter().find(|(key, _)| key == "$options").map(|(_, node)| node);
        if options.is_some() && !fields.iter().any(|(key, _)| key == "$regex") {
            return Err(misused("$options", "a $regex beside it"));
        }
        let mut tests = Vec::with_capacity(fields.len());
        for (key, node) in fields.iter().filter(|(key, _)| key != "$options") {
            self.count()?;
            tests.push(match key.as_str() {
                "$regex" => Test::Matches(regular(node, options)?),
                _ => self.operator(key, node)?,
            });
        }
        Ok(tests)
    }

    fn operator(&mut self, key: &str, node: &Node) -> Result<Test, Invalid> {
        Ok(match key {
            "$eq" => Test::Equal(value(node)?),
            "$ne" => Test::Not(vec![Test::Equal(value(node)?)]),
            "$gt" => compare(Order::Greater, key, node)?,
            "$gte" => compare(Order::GreaterOrEqual, key, node)?,
            "$lt" => compare(Order::Less, key, node)?,
            "$lte" => compare(Order::LessOrEqual, key, node)?,
            "$in" => Test::In(choices(key, node)?),
            "$nin" => Test::Not(vec![Test::In(choices(key, node)?)]),
            "$exists" => Test::Exists(boolean(key, node)?),
            "$size" => Test::Size(count(key, node)?),
            "$mod" => modulo(node)?,
            "$type" => Test::Type(kinds(node)?),
            "$not" => self.negation(node)?,
            "$all" => self.all(node)?,
            "$elemMatch" => self.element(node)?,
            _ => return Err(Invalid::Operator(key.to_owned())),
        })
    }

    fn negation(&mut self, node: &Node) -> Result<Test, Invalid> {
        match (node, operators(node)?) {
            (Node::Pattern { .. }, _) => Ok(Test::Not(vec![Test::Matches(regular(node, None)?)])),
            (_, Some(fields)) => Ok(Test::Not(self.operators(fields)?)),
            _ => Err(misused("$not", "operators or a regular expression")),
        }
    }

    fn all(&mut self, node: &Node) -> Result<Test, Invalid> {
        let items = list("$all", node)?;
        if items.is_empty() {
            return Ok(Test::In(Vec::new()));
        }
        let mut tests = Vec::with_capacity(items.len());
        for item in items {
            self.count()?;
            tests.push(match operators(item)? {
                Some([(key, node)]) if key == "$elemMatch" => self.element(node)?,
                Some(_) => return Err(misused("$all", "values or $elemMatch")),
                None => equal(item)?,
            });
        }
        // The negation of a negation: all of them are true, as one test.
        Ok(Test::Not(vec![Test::Not(tests)]))
    }

    fn element(&mut self, node: &Node) -> Result<Test, Invalid> {
        let logical = |key: &str| matches!(key, "$and" | "$or" | "$nor");
        match node {
            Node::Document(fields) if fields.first().is_some_and(|(key, _)| !logical(key)) => {
                match operators(node)? {
                    Some(fields) => Ok(Test::ElementValue(self.operators(fields)?)),
                    None => Ok(Test::Element(Box::new(self.filter(node, "$elemMatch")?))),
                }
            }
            _ => Ok(Test::Element(Box::new(self.filter(node, "$elemMatch")?))),
        }
    }

    fn count(&mut self) -> Result<(), Invalid> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX { Err(Invalid::TooManyConditions) } else { Ok(()) }
    }
}

/// The fields of a document of operators; None for any other value.
fn operators(node: &Node) -> Result<Option<&[(String, Node)]>, Invalid> {
    let Node::Document(fields) = node else { return Ok(None) };
    match fields.first() {
        Some((key, _)) if key.starts_with('$') => {}
        _ => return Ok(None),
    }
    if let [(key, value)] = fields.as_slice()
        && literal::extended(key, value)?.is_some()
    {
        return Ok(None);
    }
    match fields.iter().find(|(key, _)| !key.starts_with('$')) {
        Some((key, _)) => Err(Invalid::Operator(key.clone())),
        None => Ok(Some(fields)),
    }
}

fn equal(node: &Node) -> Result<Test, Invalid> {
    Ok(match choice(node)? {
        Choice::Value(value) => Test::Equal(value),
        Choice::Pattern(pattern) => Test::Matches(pattern),
    })
}

fn choice(node: &Node) -> Result<Choice, Invalid> {
    match node {
        Node::Pattern { .. } => regular(node, None).map(Choice::Pattern),
        Node::Document(fields) => match fields.as_slice() {
            [(key, inner)] => match literal::extended(key, inner)? {
                Some(pattern @ Node::Pattern { .. }) => {
                    regular(&pattern, None).map(Choice::Pattern)
                }
                _ => value(node).map(Choice::Value),
            },
            _ => value(node).map(Choice::Value),
        },
        _ => value(node).map(Choice::Value),
    }
}

/// A value in the form of documents: dates as milliseconds, ids as texts.
fn value(node: &Node) -> Result<Value, Invalid> {
    Ok(match node {
        Node::Null => Value::Null,
        Node::Boolean(boolean) => Value::Bool(*boolean),
        Node::Number(number) => Value::Number(number.clone()),
        Node::Text(text) => Value::String(text.clone()),
        Node::Date(milliseconds) => whole(*milliseconds),
        Node::Pattern { .. } => {
            return Err(misused("a regular expression", "no part in a value: use $regex"));
        }
        Node::List(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Node::Document(fields) => match fields.as_slice() {
            [(key, inner)] if key.starts_with('$') => match literal::extended(key, inner)? {
                Some(inner) => value(&inner)?,
                None => return Err(Invalid::Operator(key.clone())),
            },
            _ => Value::Object(document(fields)?),
        },
    })
}

fn document(fields: &[(String, Node)]) -> Result<Map<String, Value>, Invalid> {
    let mut document = Map::new();
    for (key, node) in fields {
        if key.starts_with('$') {
            return Err(Invalid::Operator(key.clone()));
        }
        document.insert(key.clone(), value(node)?);
    }
    Ok(document)
}

fn regular(node: &Node, options: Option<&Node>) -> Result<Regular, Invalid> {
    let (source, own) = match node {
        Node::Text(source) => (source, ""),
        Node::Pattern { source, options } => (source, options.as_str()),
        _ => return Err(misused("$regex", "a regular expression")),
    };
    match options {
        None => Regular::parse(source, own),
        Some(Node::Text(options)) => Regular::parse(source, options),
        Some(_) => Err(misused("$options", "letters")),
    }
}

fn compare(order: Order, operator: &str, node: &Node) -> Result<Test, Invalid> {
    match value(node)? {
        Value::Array(_) | Value::Object(_) => {
            Err(misused(operator, "a number, text, boolean, date or null"))
        }
        bound => Ok(Test::Compare(order, bound)),
    }
}

fn choices(operator: &str, node: &Node) -> Result<Vec<Choice>, Invalid> {
    list(operator, node)?.iter().map(choice).collect()
}

fn list<'n>(operator: &str, node: &'n Node) -> Result<&'n [Node], Invalid> {
    match node {
        Node::List(items) if items.len() > CHOICES_MAX => {
            Err(Invalid::TooManyChoices(operator.to_owned()))
        }
        Node::List(items) => Ok(items),
        _ => Err(misused(operator, "a list")),
    }
}

/// `$exists: 1` means the same as `true`.
fn boolean(operator: &str, node: &Node) -> Result<bool, Invalid> {
    match node {
        Node::Boolean(boolean) => Ok(*boolean),
        Node::Number(number) => Ok(number.as_f64() != Some(0.0)),
        _ => Err(misused(operator, "true or false")),
    }
}

fn count(operator: &str, node: &Node) -> Result<i64, Invalid> {
    match value(node)?.as_i64() {
        Some(count) if count >= 0 => Ok(count),
        _ => Err(misused(operator, "a whole number")),
    }
}

fn modulo(node: &Node) -> Result<Test, Invalid> {
    let error = || misused("$mod", "a divisor that is not 0 and a remainder, both whole numbers");
    let [divisor, remainder] = list("$mod", node)? else { return Err(error()) };
    match (value(divisor)?.as_i64(), value(remainder)?.as_i64()) {
        (Some(divisor), Some(remainder)) if divisor != 0 => Ok(Test::Modulo { divisor, remainder }),
        _ => Err(error()),
    }
}

fn kinds(node: &Node) -> Result<Vec<Kind>, Invalid> {
    match node {
        Node::List(items) if items.len() <= CHOICES_MAX => items.iter().map(kind).collect(),
        other => Ok(vec![kind(other)?]),
    }
}

/// Types, by their names and numbers in BSON.
fn kind(node: &Node) -> Result<Kind, Invalid> {
    let unknown = || misused("$type", "the name or number of a type");
    let name = match node {
        Node::Text(name) => name.clone(),
        Node::Number(number) => number.to_string(),
        _ => return Err(unknown()),
    };
    Ok(match name.as_str() {
        "double" | "1" => Kind::Double,
        "string" | "2" => Kind::Text,
        "object" | "3" => Kind::Document,
        "array" | "4" => Kind::List,
        "objectId" | "7" => Kind::Id,
        "bool" | "8" => Kind::Boolean,
        "date" | "9" => Kind::Date,
        "null" | "10" => Kind::Null,
        "int" | "16" => Kind::Int,
        "long" | "18" => Kind::Long,
        "number" => Kind::Number,
        "binData" | "5" | "undefined" | "6" | "regex" | "11" | "timestamp" | "17" | "decimal"
        | "19" | "minKey" | "-1" | "maxKey" | "127" => Kind::Other,
        _ => return Err(unknown()),
    })
}

fn misused(operator: &str, expected: &'static str) -> Invalid {
    Invalid::Misused { operator: operator.to_owned(), expected }
}
