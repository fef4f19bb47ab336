//! POST /search (contract 4.3): the profiles that the caller may see, with facets.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::domain::folding::{folded, is_found_by};
use crate::domain::ids::{DepartmentId, ProfileId};
use crate::domain::permission::{
    RankedRole, Standing, can_delete, can_duplicate, can_edit, is_listed,
};
use crate::domain::tenant::Role;
use crate::engine::Doing;
use crate::projections::profile_search::index::{Access, Page, Query};
use crate::projections::profiles_view::{self, Row};

use super::types::headers::ActorHeaders;
use super::types::null_if_empty;
use super::types::search::{
    ListFilterOption, ListFilterSection, ListProfilesApiProfile, SearchProfilesRequest,
    SearchProfilesResponse,
};

/// Page size when none is asked for.
const PAGE_SIZE_DEFAULT: i64 = 12;
/// Most options of one facet.
const OPTIONS_MAX: usize = 100;
/// A tenant with more profiles is searched on a thread for blocking work.
const SEARCH_INLINE_PROFILES_MAX: usize = 20_000;

/// The active profiles whose name or addresses contain the term and which the caller may see,
/// without the caller.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/search",
    operation_id = "search_profiles",
    tag = "profiles",
    params(ActorHeaders),
    request_body = SearchProfilesRequest,
    responses(
        (status = 200, body = SearchProfilesResponse),
    )
)]
pub async fn search(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let actor = reading_actor(&app, &call).await?;
    let input = call.body::<SearchProfilesRequest>()?;
    let query = query(&actor, &input);
    let page = run(&app, actor.tenant().0, query).await;
    let rows = if page.ids.is_empty() {
        vec![]
    } else {
        let client = app.engine.connection().await?;
        profiles_view::read::by_ids(&client, actor.tenant().0, &page.ids)
            .await
            .doing("reading profiles")?
    };
    let response = SearchProfilesResponse {
        actor_name: actor.name(),
        profiles: Some(rows.into_iter().map(|row| item(&actor, row)).collect()),
        department_filter: Some(department_filter(&actor, &input, &page)),
        role_filter: Some(role_filter(&actor, &input, &page)),
        total_count: Some(i64::try_from(page.total).unwrap_or(i64::MAX)),
    };
    Ok(actor.answer(&app, &response)?.with("x-invalidate-tags", "profiles"))
}

async fn run(app: &Arc<App>, tenant: Uuid, query: Query) -> Page {
    let search = app.engine.search.clone();
    if search.len(tenant) <= SEARCH_INLINE_PROFILES_MAX {
        return search.search(tenant, &query);
    }
    let found = tokio::task::spawn_blocking(move || search.search(tenant, &query));
    found.await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}

fn query(actor: &Actor, input: &SearchProfilesRequest) -> Query {
    let size = input.page_size.filter(|size| *size != 0).unwrap_or(PAGE_SIZE_DEFAULT);
    let term = input.search.as_deref().unwrap_or_default();
    let viewer = &actor.effective;
    let listed = |role: &&Role| is_listed(viewer, Some(&ranked(role)));
    let roles: Vec<String> =
        actor.catalogue.roles.iter().filter(listed).map(|role| role.key.clone()).collect();
    let role = input.role_filter.clone().filter(|role| !role.is_empty());
    Query {
        // A document has one line for each name and address; a term never spans two lines.
        term: Some(folded(term)).filter(|term| !term.is_empty()),
        exclude: Some(viewer.profile.0),
        without_role: is_listed(viewer, None),
        access: if viewer.is_superadmin() {
            Access::All
        } else {
            Access::Departments(viewer.departments.iter().map(|one| one.0).collect())
        },
        roles,
        departments: input.filter_department_ids.clone().unwrap_or_default(),
        role,
        // Contract 4.3: there are no cohorts here, so a cohort filter matches nothing.
        nothing: input.cohort_ids.as_ref().is_some_and(|ids| !ids.is_empty())
            || term.contains('\n'),
        offset: usize::try_from(input.page_offset.unwrap_or_default()).unwrap_or_default(),
        limit: usize::try_from(size).unwrap_or_default(),
    }
}

fn ranked(role: &Role) -> RankedRole {
    RankedRole { key: role.key.clone(), rank: role.rank }
}

fn item(actor: &Actor, row: Row) -> ListProfilesApiProfile {
    let role = row.role_keys.iter().find_map(|key| actor.catalogue.role(key)).map(ranked);
    let target = Standing {
        profile: ProfileId(row.id),
        role: role.clone(),
        departments: row.department_ids.iter().copied().map(DepartmentId).collect(),
        active: row.active,
        in_applications: !row.application_roles.is_empty(),
    };
    let own = &actor.effective;
    let name = row.shown_name();
    ListProfilesApiProfile {
        profile_id: Some(row.id),
        primary_email: row.emails.first().cloned(),
        emails: null_if_empty(row.emails),
        initials: name.as_deref().and_then(initials),
        name,
        role: role.map(|role| role.key),
        primary_department_id: row.department_ids.first().copied(),
        department_ids: null_if_empty(row.department_ids),
        requests_per_day: row.requests_per_day.map(i64::from),
        can_edit: Some(can_edit(own, &target)),
        can_duplicate: Some(can_duplicate(own, &target)),
        can_delete: Some(can_delete(own, &target)),
    }
}

/// The first letters of the first and the last word, in upper case; of a single word, one letter.
fn initials(name: &str) -> Option<String> {
    let mut words = name.split_whitespace();
    let first = words.next()?.chars().next()?;
    let last = words.next_back().and_then(|word| word.chars().next());
    Some(std::iter::once(first).chain(last).flat_map(char::to_uppercase).collect())
}

fn department_filter(
    actor: &Actor,
    input: &SearchProfilesRequest,
    page: &Page,
) -> ListFilterSection {
    let counts: HashMap<Uuid, u64> = page.departments.iter().copied().collect();
    let sought = folded(input.department_search.as_deref().unwrap_or_default().trim());
    let own = &actor.effective;
    let options = actor
        .catalogue
        .departments
        .iter()
        .filter(|one| own.is_superadmin() || own.departments.contains(&one.id))
        .filter(|one| is_found_by(&one.name, &sought))
        .map(|one| option(one.id.0.to_string(), &one.name, counts.get(&one.id.0)))
        .take(OPTIONS_MAX);
    let selected = input.filter_department_ids.clone().unwrap_or_default();
    ListFilterSection {
        options: Some(options.collect()),
        selected_ids: null_if_empty(selected.iter().map(Uuid::to_string).collect()),
        search: input.department_search.clone(),
    }
}

fn role_filter(actor: &Actor, input: &SearchProfilesRequest, page: &Page) -> ListFilterSection {
    let counts: HashMap<&str, u64> =
        page.roles.iter().map(|(role, count)| (role.as_str(), *count)).collect();
    let sought = folded(input.role_search.as_deref().unwrap_or_default().trim());
    let options = actor
        .catalogue
        .roles
        .iter()
        .filter(|role| is_listed(&actor.effective, Some(&ranked(role))))
        .filter(|role| is_found_by(&role.name, &sought))
        .map(|role| option(role.key.clone(), &role.name, counts.get(role.key.as_str())))
        .take(OPTIONS_MAX);
    ListFilterSection {
        options: Some(options.collect()),
        selected_ids: input
            .role_filter
            .clone()
            .filter(|role| !role.is_empty())
            .map(|role| vec![role]),
        search: input.role_search.clone(),
    }
}

fn option(id: String, name: &str, count: Option<&u64>) -> ListFilterOption {
    ListFilterOption {
        id: Some(id),
        name: Some(name.to_owned()),
        count: Some(count.copied().and_then(|count| i64::try_from(count).ok()).unwrap_or(0)),
        hex_code: None,
        value: None,
        r#type: None,
    }
}
