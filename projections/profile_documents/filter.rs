//! Filters as SQL over `profile_documents`: a condition in which every value is bound. Permissions
//! are checked before a filter comes here.
//!
//! A condition that SQL can neither affirm nor deny (null) counts as false. Each negation says so
//! by `is not true`; conditions that an index can serve are written without that.

use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::domain::filter::{Choice, Filter, Kind, Order, Regular, Test};
use crate::domain::object_id::ObjectId;

use super::place::{Column, Place};
use super::{jsonpath, necessary, pattern};

/// A value to bind, and the type to declare for it.
pub type Parameter = (Box<dyn ToSql + Sync + Send>, Type);

/// A condition on a row, and the values of its parameters in order.
pub struct Compiled {
    pub sql: String,
    pub parameters: Vec<Parameter>,
}

/// The condition that is true of rows that fit the filter. Its parameters begin at
/// `$first_parameter`.
pub fn compile(filter: &Filter, first_parameter: usize) -> Compiled {
    let mut compiler = Compiler { first_parameter, parameters: Vec::new(), aliases: 0 };
    let sql = compiler.filter(filter, None);
    Compiled { sql, parameters: compiler.parameters }
}

struct Compiler {
    first_parameter: usize,
    parameters: Vec<Parameter>,
    aliases: usize,
}

impl Compiler {
    /// `element`: the SQL of a list's element if the filter is about one; None if it is about a
    /// row.
    fn filter(&mut self, filter: &Filter, element: Option<&str>) -> String {
        match filter {
            Filter::And(parts) if parts.is_empty() => "true".to_owned(),
            Filter::And(parts) => self.filters(parts, element, " and "),
            Filter::Or(parts) => self.filters(parts, element, " or "),
            Filter::Nor(parts) => format!("({} is not true)", self.filters(parts, element, " or ")),
            Filter::Field(path, tests) => {
                let place = match element {
                    Some(element) => Place::of_element(element, path),
                    None => Place::of_row(path),
                };
                self.tests(&place, tests)
            }
        }
    }

    fn filters(&mut self, parts: &[Filter], element: Option<&str>, between: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.filter(part, element)).collect();
        format!("({})", parts.join(between))
    }

    fn tests(&mut self, place: &Place, tests: &[Test]) -> String {
        let tests: Vec<String> = tests.iter().map(|test| self.test(place, test)).collect();
        if tests.is_empty() { "true".to_owned() } else { format!("({})", tests.join(" and ")) }
    }

    fn test(&mut self, place: &Place, test: &Test) -> String {
        match test {
            // Two negations cancel out. The condition is left without them, so that an index can
            // serve it.
            Test::Not(tests) => match tests.as_slice() {
                [Test::Not(tests)] => self.tests(place, tests),
                tests => format!("({} is not true)", self.tests(place, tests)),
            },
            test if place.column == Some(Column::Id) => self.of_id(test),
            Test::Equal(value) => self.equal(place, value),
            Test::Compare(order, bound) => self.compare(place, *order, bound),
            Test::In(choices) => self.one_of(place, choices),
            Test::Exists(true) => self.exists(place),
            Test::Exists(false) => format!("({} is not true)", self.exists(place)),
            Test::Matches(regular) => self.matches(place, regular),
            Test::Type(kinds) => self.of_kind(place, kinds),
            Test::Size(size) => {
                let size = self.bind(*size, Type::INT8);
                let holds = format!("when 'array' then jsonb_array_length(value) = {size}");
                self.any(place, &[""], &holds)
            }
            Test::Modulo { divisor, remainder } => {
                let divisor = self.bind(*divisor, Type::INT8);
                let remainder = self.bind(*remainder, Type::INT8);
                let holds = format!(
                    "when 'number' then abs(value::numeric) < 9223372036854775808 \
                     and mod(trunc(value::numeric), {divisor}) = {remainder}"
                );
                self.any(place, &["[*]"], &holds)
            }
            Test::Element(filter) => self.element(place, filter),
            Test::ElementValue(tests) => self
                .elements(place, |compiler, element| compiler.tests(&Place::whole(element), tests)),
        }
    }

    /// Ids are compared by their twelve bytes. A value of another type never equals one.
    fn of_id(&mut self, test: &Test) -> String {
        match test {
            Test::Equal(value) => self.compare_id("=", value),
            Test::Compare(order, bound) => self.compare_id(jsonpath::sign(*order), bound),
            Test::In(choices) => {
                let ids = choices.iter().filter_map(|choice| match choice {
                    Choice::Value(Value::String(text)) => held(text),
                    _ => None,
                });
                let ids: Vec<Uuid> = ids.collect();
                format!("object_id = any({})", self.bind(ids, Type::UUID_ARRAY))
            }
            Test::Exists(wanted) => wanted.to_string(),
            Test::Type(kinds) => kinds.contains(&Kind::Id).to_string(),
            _ => "false".to_owned(),
        }
    }

    fn compare_id(&mut self, sign: &str, value: &Value) -> String {
        match value.as_str().and_then(held) {
            Some(id) => format!("object_id {sign} {}", self.bind(id, Type::UUID)),
            None => "false".to_owned(),
        }
    }

    fn equal(&mut self, place: &Place, value: &Value) -> String {
        match value {
            Value::Null => {
                let null = self.reaches(place, &jsonpath::equal(&place.paths, value));
                format!("({null} or {} is not true)", self.exists(place))
            }
            Value::Array(_) | Value::Object(_) => self.equal_nested(place, value),
            value => self
                .compare_column(place, "=", value)
                .unwrap_or_else(|| self.reaches(place, &jsonpath::equal(&place.paths, value))),
        }
    }

    fn equal_nested(&mut self, place: &Place, value: &Value) -> String {
        let necessary = self.necessary(place, |path| necessary::of_value(path, value));
        let wanted = format!("{}::jsonb", self.bind(value.to_string(), Type::TEXT));
        let found = self.found(place, &["", "[*]"]);
        format!("({necessary}exists (select from {found} where value = {wanted}))")
    }

    fn compare(&mut self, place: &Place, order: Order, bound: &Value) -> String {
        match (bound, order) {
            (Value::Null, Order::LessOrEqual | Order::GreaterOrEqual) => self.equal(place, bound),
            (Value::Null, _) => "false".to_owned(),
            _ => self.compare_column(place, jsonpath::sign(order), bound).unwrap_or_else(|| {
                self.reaches(place, &jsonpath::compare(&place.paths, order, bound))
            }),
        }
    }

    /// The comparison with the column itself, if the column holds values of this type.
    fn compare_column(&mut self, place: &Place, sign: &str, value: &Value) -> Option<String> {
        let (name, parameter) = match (place.column?, value) {
            (Column::Text(name), Value::String(text)) => {
                (name, self.bind(text.clone(), Type::TEXT))
            }
            (Column::Boolean(name), Value::Bool(value)) => (name, self.bind(*value, Type::BOOL)),
            (Column::Date(name), Value::Number(number)) => {
                (name, self.bind(number.as_i64()?, Type::INT8))
            }
            _ => return None,
        };
        Some(format!("{name} {sign} {parameter}"))
    }

    fn one_of(&mut self, place: &Place, choices: &[Choice]) -> String {
        let mut texts: Vec<String> = Vec::new();
        let mut paths: Vec<String> = Vec::new();
        let mut conditions: Vec<String> = Vec::new();
        for choice in choices {
            match (place.column, choice) {
                (Some(Column::Text(_)), Choice::Value(Value::String(text))) => {
                    texts.push(text.clone());
                }
                (Some(Column::Text(_)), Choice::Pattern(regular)) => {
                    conditions.push(self.matches(place, regular));
                }
                (_, Choice::Pattern(regular)) => {
                    paths.push(jsonpath::matches(&place.paths, &pattern::advanced(regular)));
                }
                (_, Choice::Value(nested @ (Value::Null | Value::Array(_) | Value::Object(_)))) => {
                    conditions.push(self.equal(place, nested));
                }
                (_, Choice::Value(value)) => paths.push(jsonpath::equal(&place.paths, value)),
            }
        }
        if let (Some(Column::Text(name)), false) = (place.column, texts.is_empty()) {
            conditions.push(format!("{name} = any({})", self.bind(texts, Type::TEXT_ARRAY)));
        }
        if !paths.is_empty() {
            conditions.push(self.reaches(place, &paths.join(" || ")));
        }
        match conditions.is_empty() {
            true => "false".to_owned(),
            false => format!("({})", conditions.join(" or ")),
        }
    }

    fn exists(&mut self, place: &Place) -> String {
        if place.column.is_some() {
            return format!("({} is not null)", place.expression);
        }
        let mut named = String::new();
        if let Some((attribute, whole)) = &place.attribute {
            let path = format!("$.\"names\" == {}", jsonpath::quoted(attribute));
            named = self.reaches(place, &path);
            if *whole {
                return named;
            }
            named.push_str(" and ");
        }
        let paths = place.paths.iter().map(|path| {
            format!("{} @? {}::jsonpath", place.expression, self.bind(path.clone(), Type::TEXT))
        });
        let paths: Vec<String> = paths.collect();
        format!("({named}({}))", paths.join(" or "))
    }

    fn matches(&mut self, place: &Place, regular: &Regular) -> String {
        let advanced = pattern::advanced(regular);
        match place.column {
            Some(Column::Text(name)) => format!("{name} ~ {}", self.bind(advanced, Type::TEXT)),
            _ => self.reaches(place, &jsonpath::matches(&place.paths, &advanced)),
        }
    }

    fn of_kind(&mut self, place: &Place, kinds: &[Kind]) -> String {
        let has = |kind: Kind| kinds.contains(&kind);
        let held = match place.column {
            None => return self.any(place, &["", "[*]"], &kind_cases(kinds)),
            Some(Column::Text(_)) => has(Kind::Text),
            Some(Column::Boolean(_)) => has(Kind::Boolean),
            Some(Column::Date(_)) => has(Kind::Date),
            Some(Column::Id) => has(Kind::Id),
            Some(Column::None) => false,
        };
        if held { self.exists(place) } else { "false".to_owned() }
    }

    fn element(&mut self, place: &Place, filter: &Filter) -> String {
        let necessary = self.necessary(place, |path| necessary::of_element(path, filter));
        let elements = self.elements(place, |compiler, element| {
            let holds = compiler.filter(filter, Some(element));
            format!("case jsonb_typeof({element}) when 'object' then {holds} end")
        });
        format!("({necessary}{elements})")
    }

    /// The condition that one of the values is a list with an element of which `holds` is true.
    fn elements(
        &mut self,
        place: &Place,
        holds: impl FnOnce(&mut Compiler, &str) -> String,
    ) -> String {
        self.aliases += 1;
        let alias = format!("element_{}", self.aliases);
        let found = self.found(place, &[""]);
        let holds = holds(self, &format!("{alias}.item"));
        format!(
            "exists (select from {found}, jsonb_array_elements(case jsonb_typeof(value) \
             when 'array' then value end) as {alias} (item) where {holds})"
        )
    }

    /// A condition that the index can check before elements are read, followed by `and`; or
    /// nothing.
    fn necessary(&mut self, place: &Place, of: impl Fn(&str) -> Vec<String>) -> String {
        let [path] = place.paths.as_slice() else { return String::new() };
        if place.expression != "document" {
            return String::new();
        }
        let equalities = of(path);
        if equalities.is_empty() {
            return String::new();
        }
        format!("{} and ", self.reaches(place, &equalities.join(" && ")))
    }

    /// The condition that a value fits these cases of its type.
    fn any(&mut self, place: &Place, suffixes: &[&str], cases: &str) -> String {
        let found = self.found(place, suffixes);
        format!("exists (select from {found} where case jsonb_typeof(value) {cases} end)")
    }

    /// The values as rows. With the suffix `[*]`: the elements of lists instead of the lists.
    fn found(&mut self, place: &Place, suffixes: &[&str]) -> String {
        let mut queries = Vec::new();
        for path in &place.paths {
            for suffix in suffixes {
                let path = self.bind(format!("{path}{suffix}"), Type::TEXT);
                let expression = &place.expression;
                queries.push(format!("select jsonb_path_query({expression}, {path}::jsonpath)"));
            }
        }
        format!("({}) as found (value)", queries.join(" union all "))
    }

    fn reaches(&mut self, place: &Place, condition: &str) -> String {
        let condition = self.bind(condition.to_owned(), Type::TEXT);
        format!("{} @@ {condition}::jsonpath", place.expression)
    }

    fn bind(&mut self, value: impl ToSql + Sync + Send + 'static, kind: Type) -> String {
        let number = self.first_parameter + self.parameters.len();
        let parameter = format!("${number}::{}", kind.name().trim_start_matches('_'));
        let array = if kind.name().starts_with('_') { "[]" } else { "" };
        self.parameters.push((Box::new(value), kind));
        format!("{parameter}{array}")
    }
}

/// The types of JSON values that belong to these kinds.
fn kind_cases(kinds: &[Kind]) -> String {
    const WHOLE: &str = "value::numeric % 1 = 0 and value::numeric between";
    const INT: &str = "-2147483648 and 2147483647";
    const LONG: &str = "-9223372036854775808 and 9223372036854775807";
    let mut cases = String::from("when '' then false");
    let mut numbers = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Text => cases.push_str(" when 'string' then true"),
            Kind::Document => cases.push_str(" when 'object' then true"),
            Kind::List => cases.push_str(" when 'array' then true"),
            Kind::Boolean => cases.push_str(" when 'boolean' then true"),
            Kind::Null => cases.push_str(" when 'null' then true"),
            Kind::Number => numbers.push("true".to_owned()),
            Kind::Int => numbers.push(format!("({WHOLE} {INT})")),
            Kind::Long => numbers.push(format!("({WHOLE} {LONG} and not ({WHOLE} {INT}))")),
            Kind::Double => numbers.push(format!("not ({WHOLE} {LONG})")),
            Kind::Id | Kind::Date | Kind::Other => {}
        }
    }
    if !numbers.is_empty() {
        cases.push_str(&format!(" when 'number' then {}", numbers.join(" or ")));
    }
    cases
}

/// The UUID that holds the id written in this text.
fn held(text: &str) -> Option<Uuid> {
    ObjectId::parse(text).map(ObjectId::held)
}
