//! Bodies of POST /docs. Their texts are in `docs_content`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Contract 4.10: asks for the documentation of the profile artifact.
#[derive(Deserialize, ToSchema)]
pub struct GetProfileDocsRequest {
    /// A profile whose name goes into the title of its page.
    pub entity_id: Option<Uuid>,
}

/// Contract 4.10: the whole documentation.
#[derive(Clone, Serialize, ToSchema)]
pub struct GetProfileDocsResponse {
    /// What is documented.
    pub name: String,
    /// Its kind.
    pub r#type: String,
    /// What it is.
    pub description: String,
    /// The artifact itself.
    pub artifact: Option<DocsResponse>,
    /// The resources that are stored with it.
    pub entries: Vec<DocsResponse>,
    /// What it links to.
    pub resources: Vec<DocsResponse>,
    /// The predicates that say who may do what.
    pub permissions: Vec<OperationInfo>,
    /// The endpoints.
    pub api_operations: Vec<OperationInfo>,
    /// The titles of the pages about it.
    pub page_metadata: Option<DocsApiResponse>,
}

/// Contract 2: one part of the documentation.
#[derive(Clone, Serialize, ToSchema)]
pub struct DocsResponse {
    /// What is documented.
    pub name: String,
    /// Its kind: `artifact`, `entry` or `resource`.
    pub r#type: String,
    /// What it is.
    pub description: String,
    /// The read model behind it; null for flags, which are part of the program.
    pub materialized_view: Option<MvInfo>,
    /// The tables of the read model.
    pub tables: Vec<TableInfo>,
    /// The operations on it.
    pub operations: Vec<OperationInfo>,
}

/// Contract 2: a read model.
#[derive(Clone, Serialize, ToSchema)]
pub struct MvInfo {
    /// The read model.
    pub name: String,
    /// How its rows are made, in words.
    pub definition: String,
    /// The columns of its table.
    pub columns: Vec<ColumnInfo>,
}

/// Contract 2: a table.
#[derive(Clone, Serialize, ToSchema)]
pub struct TableInfo {
    /// The table.
    pub name: String,
    /// Its columns.
    pub columns: Vec<ColumnInfo>,
}

/// Contract 2: a column.
#[derive(Clone, Serialize, ToSchema)]
pub struct ColumnInfo {
    /// The column.
    pub name: String,
    /// Its SQL type.
    pub r#type: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// Contract 2: an operation.
#[derive(Clone, Serialize, ToSchema)]
pub struct OperationInfo {
    /// The operation.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its input.
    pub params: Vec<ParamInfo>,
    /// Its output, as free-form JSON.
    #[schema(value_type = Option<Object>)]
    pub returns: Option<Value>,
}

/// Contract 2: a parameter.
#[derive(Clone, Serialize, ToSchema)]
pub struct ParamInfo {
    /// The parameter.
    pub name: String,
    /// Its type.
    pub r#type: String,
    /// Whether it must be given.
    pub required: bool,
    /// The value when it is not given.
    pub default: Option<Value>,
}

/// Contract 2: the titles of the pages about an artifact.
#[derive(Clone, Serialize, ToSchema)]
pub struct DocsApiResponse {
    /// The page that lists all.
    pub list: PageMetaItem,
    /// The page of one.
    pub detail: PageMetaItem,
    /// The page that makes one.
    pub new: PageMetaItem,
}

/// Contract 2: a page.
#[derive(Clone, Serialize, ToSchema)]
pub struct PageMetaItem {
    /// Its title.
    pub title: String,
    /// What it is for.
    pub description: String,
}
