//! What POST /docs answers, composed from descriptors compiled in. Never looks anything up: the
//! one name it may show arrives from the handler.

mod operations;
mod resources;
pub mod tables;

use serde_json::{Value, json};

use crate::api::v5::docs_content::tables::ReadModel;
use crate::api::v5::types::docs::{
    ColumnInfo, DocsApiResponse, DocsResponse, GetProfileDocsResponse, MvInfo, OperationInfo,
    PageMetaItem, ParamInfo, TableInfo,
};

/// Contract 4.10: the whole documentation. `profile_name` goes into the title of the detail page;
/// the handler passes none for a profile that is unknown or not the caller's to see.
pub fn docs(profile_name: Option<&str>) -> GetProfileDocsResponse {
    GetProfileDocsResponse {
        name: "profile".to_owned(),
        r#type: "artifact".to_owned(),
        description: "A person's account: who they are, what they may do and where they belong."
            .to_owned(),
        artifact: Some(part(&resources::ARTIFACT)),
        entries: vec![part(&resources::PROFILE_DRAFTS)],
        resources: resources::RESOURCES.iter().map(part).collect(),
        permissions: operations::PERMISSIONS.iter().map(operation).collect(),
        api_operations: operations::ENDPOINTS.iter().map(operation).collect(),
        page_metadata: Some(pages(profile_name)),
    }
}

/// One part of the documentation: the artifact, an entry or a resource.
struct Part {
    name: &'static str,
    kind: &'static str,
    description: &'static str,
    /// The read model behind it; none for flags, which are compiled in.
    read_model: Option<&'static ReadModel>,
    tables: &'static [&'static ReadModel],
    operations: &'static [Operation],
}

/// An endpoint, a predicate, a command or a query.
struct Operation {
    name: &'static str,
    description: &'static str,
    params: &'static [Parameter],
    /// A JSON type, or a schema of the OpenAPI document.
    returns: &'static str,
}

/// What an operation takes.
struct Parameter {
    name: &'static str,
    kind: &'static str,
    required: bool,
    default: Option<i64>,
}

const fn required(name: &'static str, kind: &'static str) -> Parameter {
    Parameter { name, kind, required: true, default: None }
}

const fn optional(name: &'static str, kind: &'static str) -> Parameter {
    Parameter { name, kind, required: false, default: None }
}

const fn defaulted(name: &'static str, default: i64) -> Parameter {
    Parameter { name, kind: "integer", required: false, default: Some(default) }
}

fn part(part: &Part) -> DocsResponse {
    DocsResponse {
        name: part.name.to_owned(),
        r#type: part.kind.to_owned(),
        description: part.description.to_owned(),
        materialized_view: part.read_model.map(|read_model| MvInfo {
            name: read_model.name.to_owned(),
            definition: read_model.definition.to_owned(),
            columns: columns(read_model),
        }),
        tables: part
            .tables
            .iter()
            .map(|table| TableInfo { name: table.name.to_owned(), columns: columns(table) })
            .collect(),
        operations: part.operations.iter().map(operation).collect(),
    }
}

fn columns(read_model: &ReadModel) -> Vec<ColumnInfo> {
    read_model
        .columns()
        .into_iter()
        .map(|column| ColumnInfo {
            name: column.name.to_owned(),
            r#type: column.sql_type.to_owned(),
            nullable: column.nullable,
        })
        .collect()
}

fn operation(operation: &Operation) -> OperationInfo {
    OperationInfo {
        name: operation.name.to_owned(),
        description: operation.description.to_owned(),
        params: operation.params.iter().map(parameter).collect(),
        returns: Some(json!({ "type": operation.returns })),
    }
}

fn parameter(parameter: &Parameter) -> ParamInfo {
    ParamInfo {
        name: parameter.name.to_owned(),
        r#type: parameter.kind.to_owned(),
        required: parameter.required,
        default: parameter.default.map(Value::from),
    }
}

fn pages(profile_name: Option<&str>) -> DocsApiResponse {
    let base_title = "Profile";
    DocsApiResponse {
        list: page("Profiles", "Everyone the caller may see, to search and to narrow down."),
        detail: PageMetaItem {
            title: match profile_name {
                Some(name) => format!("{name} {base_title}"),
                None => base_title.to_owned(),
            },
            description: "One profile, to read and to edit.".to_owned(),
        },
        new: page("New profile", "An empty form for a profile yet to be made."),
    }
}

fn page(title: &str, description: &str) -> PageMetaItem {
    PageMetaItem { title: title.to_owned(), description: description.to_owned() }
}
