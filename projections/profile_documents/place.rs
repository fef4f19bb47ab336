//! Where the values of a filter's path are: in a column of the row, in its document, or in an
//! element of a list.

use crate::domain::filter::Path;

use super::jsonpath;

/// A place of values.
pub struct Place {
    /// SQL of type `jsonb`: the value at which the paths begin.
    pub expression: String,
    /// Texts of jsonpath that reach the values.
    pub paths: Vec<String>,
    /// The column that holds the value, if there is one.
    pub column: Option<Column>,
    /// The attribute that the values belong to, and whether they are the whole attribute.
    pub attribute: Option<(String, bool)>,
}

/// A column that can be compared as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Id,
    Text(&'static str),
    Boolean(&'static str),
    /// Milliseconds since 1970.
    Date(&'static str),
    /// No column: profiles have no such field.
    None,
}

impl Place {
    /// What the path reaches from a row.
    pub fn of_row(path: &Path) -> Place {
        let segments = path.segments();
        let column = match (segments[0].as_str(), segments.len()) {
            ("attributes" | "roles", _) => return Place::in_document(segments),
            ("_id" | "id", 1) => Column::Id,
            ("username", 1) => Column::Text("username"),
            ("email", 1) => Column::Text("email"),
            ("verified", 1) => Column::Boolean("verified"),
            ("enabled", 1) => Column::Boolean("enabled"),
            ("createdOn", 1) => Column::Date("created_on"),
            ("lastModified", 1) => Column::Date("last_modified"),
            _ => Column::None,
        };
        let expression = match column.name() {
            Some(name) => format!("to_jsonb({name})"),
            None => "null::jsonb".to_owned(),
        };
        Place { expression, paths: vec!["$".to_owned()], column: Some(column), attribute: None }
    }

    /// What the path reaches from an element of a list.
    pub fn of_element(element: &str, path: &Path) -> Place {
        let paths = jsonpath::paths(path.segments().iter().map(String::as_str));
        Place { expression: element.to_owned(), paths, column: None, attribute: None }
    }

    /// The element itself.
    pub fn whole(element: &str) -> Place {
        let paths = vec!["$".to_owned()];
        Place { expression: element.to_owned(), paths, column: None, attribute: None }
    }

    fn in_document(segments: &[String]) -> Place {
        let attribute = match segments {
            [first, name, rest @ ..] if first == "attributes" => {
                Some((name.clone(), rest.is_empty()))
            }
            _ => None,
        };
        let paths = jsonpath::paths(segments.iter().map(String::as_str));
        Place { expression: "document".to_owned(), paths, column: None, attribute }
    }
}

impl Column {
    /// Its name in the table.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Column::Id => Some("object_id"),
            Column::Text(name) | Column::Boolean(name) | Column::Date(name) => Some(name),
            Column::None => None,
        }
    }
}
