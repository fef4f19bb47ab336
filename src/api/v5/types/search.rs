//! Bodies of POST /search: a page of profiles, and the facets to narrow it. Who is found is decided
//! elsewhere.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bounds;

/// Contract 4.3: what to look for and which page of it.
#[derive(Deserialize, ToSchema)]
pub struct SearchProfilesRequest {
    /// Part of the name or of an e-mail address. Without marks it also finds texts with marks.
    #[serde(default, deserialize_with = "bounds::characters::<_, 200>")]
    #[schema(max_length = 200)]
    pub search: Option<String>,
    /// Members of any of these cohorts.
    #[serde(default, deserialize_with = "bounds::ids::<_, 1000>")]
    #[schema(max_items = 1000)]
    pub cohort_ids: Option<Vec<Uuid>>,
    /// Members of any of these departments.
    #[serde(default, deserialize_with = "bounds::ids::<_, 1000>")]
    #[schema(max_items = 1000)]
    pub filter_department_ids: Option<Vec<Uuid>>,
    /// The key of a role.
    pub role_filter: Option<String>,
    /// Accepted without effect: there is no facet of cohorts.
    pub cohort_search: Option<String>,
    /// Part of a department's name, to narrow its facet.
    pub department_search: Option<String>,
    /// Part of a role's name, to narrow its facet.
    pub role_search: Option<String>,
    /// How many profiles to answer with, at most 100; none or 0 means the default.
    #[serde(default, deserialize_with = "bounds::between::<_, 0, 100>")]
    #[schema(default = 12, minimum = 0, maximum = 100)]
    pub page_size: Option<i64>,
    /// How many profiles to skip.
    #[serde(default, deserialize_with = "bounds::between::<_, 0, { i64::MAX }>")]
    #[schema(default = 0, minimum = 0)]
    pub page_offset: Option<i64>,
}

/// Contract 4.3: one page, and the counts of the whole result.
#[derive(Clone, Serialize, ToSchema)]
pub struct SearchProfilesResponse {
    /// The effective profile's name.
    pub actor_name: Option<String>,
    /// The page.
    pub profiles: Option<Vec<ListProfilesApiProfile>>,
    /// The departments to narrow by.
    pub department_filter: Option<ListFilterSection>,
    /// The roles to narrow by.
    pub role_filter: Option<ListFilterSection>,
    /// How many match in all, before paging.
    pub total_count: Option<i64>,
}

/// Contract 2: a profile in a list.
#[derive(Clone, Serialize, ToSchema)]
pub struct ListProfilesApiProfile {
    /// The profile.
    pub profile_id: Option<Uuid>,
    /// Its e-mail addresses; null when there are none.
    pub emails: Option<Vec<String>>,
    /// The first of them.
    pub primary_email: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The key of its first role.
    pub role: Option<String>,
    /// The first letters of the name's first and last word.
    pub initials: Option<String>,
    /// Its departments; null when there are none.
    pub department_ids: Option<Vec<Uuid>>,
    /// The first of them.
    pub primary_department_id: Option<Uuid>,
    /// Its daily limit of requests.
    pub requests_per_day: Option<i64>,
    /// Whether the caller may edit it.
    pub can_edit: Option<bool>,
    /// Whether the caller may duplicate it.
    pub can_duplicate: Option<bool>,
    /// Whether the caller may delete it.
    pub can_delete: Option<bool>,
}

/// Contract 2: one facet of a list.
#[derive(Clone, Serialize, ToSchema)]
pub struct ListFilterSection {
    /// The options.
    pub options: Option<Vec<ListFilterOption>>,
    /// What the request selected; null when it selected nothing.
    pub selected_ids: Option<Vec<String>>,
    /// The text by which the request narrowed the facet.
    pub search: Option<String>,
}

/// Contract 2: one option of a facet.
#[derive(Clone, Serialize, ToSchema)]
pub struct ListFilterOption {
    /// A department's id or a role's key.
    pub id: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// How many profiles match if it is selected, with all other filters.
    pub count: Option<i64>,
    /// Always null: no facet here has colours.
    pub hex_code: Option<String>,
    /// Always null: the id says it.
    pub value: Option<String>,
    /// Always null: the facet says it.
    pub r#type: Option<String>,
}
