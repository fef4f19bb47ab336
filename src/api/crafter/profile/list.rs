//! Lists and counts of profiles (contract 1, 4.7, 4.8).

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, json};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundTenant};
use crate::api::crafter::parameters::{Page, Sort};
use crate::api::crafter::selector::Bean;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::domain::entitlement::TenantAction;
use crate::domain::filter::{Filter, Path};
use crate::domain::ids::TenantId;
use crate::domain::object_id::ObjectId;
use crate::engine::Doing;
use crate::projections::profile_counts;
use crate::projections::profile_documents::read::{
    by_ids as documents_of, count as count_documents,
};

use super::listing::{
    Wanted, direction, failed as too_slow, first_page, list, sorted_by, turn, wire,
};

/// The first profile that a query finds.
#[utoipa::path(
    get,
    path = "/api/1/profile/one_by_query",
    operation_id = "crafter_get_profile_by_query",
    tag = "crafter",
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn one_by_query(State(app): State<Arc<App>>, call: Call) -> Answer {
    let (tenant, filter) = queried(&app, &call).await?;
    let page = Page { start: 0, count: Some(1) };
    let wanted = Wanted { filter, sort: None, page, is_query: true };
    let found = first_page(&app, &call, &tenant, wanted).await?;
    let first = found.into_iter().next().ok_or(Failure::NoSuchProfile)?;
    let wanted = call.parameters.attribute_to_return()?;
    let (call, tenant) = (&call, &tenant);
    super::bean(call, Bean::Profile, &wire(call, tenant, first, &wanted)?)
}

/// How many profiles a query finds.
#[utoipa::path(
    get,
    path = "/api/1/profile/count_by_query",
    operation_id = "crafter_count_profiles_by_query",
    tag = "crafter",
    responses((status = 200, body = u64), (status = 404))
)]
pub async fn count_by_query(State(app): State<Arc<App>>, call: Call) -> Answer {
    let (tenant, filter) = queried(&app, &call).await?;
    let _turn = turn(&app).await?;
    let client = app.engine.connection().await?;
    let count = count_documents(&client, tenant.id.0, &filter).await.doing("counting profiles");
    json(&count.map_err(too_slow)?)
}

/// The profiles that a query finds.
#[utoipa::path(
    get,
    path = "/api/1/profile/by_query",
    operation_id = "crafter_get_profiles_by_query",
    tag = "crafter",
    responses((status = 200, body = Vec<Wire>), (status = 404))
)]
pub async fn by_query(State(app): State<Arc<App>>, call: Call) -> Answer {
    let (sort, page) = (call.parameters.sort()?, call.parameters.page()?);
    let (tenant, filter) = queried(&app, &call).await?;
    list(&app, call, tenant, Wanted { filter, sort, page, is_query: true }).await
}

/// How many profiles a tenant has.
#[utoipa::path(
    get,
    path = "/api/1/profile/count",
    operation_id = "crafter_count_profiles",
    tag = "crafter",
    responses((status = 200, body = u64))
)]
pub async fn count(State(app): State<Arc<App>>, call: Call) -> Answer {
    let tenant = call.parameters.required("tenantName")?;
    call.caller.may(tenant, TenantAction::ManageProfiles)?;
    let Some(tenant) = find::tenant_by_name(&app, tenant).await? else { return json(&0) };
    let client = app.engine.connection().await?;
    let count = profile_counts::read::all(&client, tenant.id.0).await;
    json(&count.doing("counting profiles")?)
}

/// The profiles of a tenant.
#[utoipa::path(
    get,
    path = "/api/1/profile/range",
    operation_id = "crafter_get_profile_range",
    tag = "crafter",
    responses((status = 200, body = Vec<Wire>))
)]
pub async fn range(State(app): State<Arc<App>>, call: Call) -> Answer {
    let (sort, page) = (call.parameters.sort()?, call.parameters.page()?);
    found_by(app, call, sort, page, |_, _| Some(Filter::everything())).await
}

/// The profiles that have an application role.
#[utoipa::path(
    get,
    path = "/api/1/profile/by_role",
    operation_id = "crafter_get_profiles_by_role",
    tag = "crafter",
    responses((status = 200, body = Vec<Wire>))
)]
pub async fn by_role(State(app): State<Arc<App>>, call: Call) -> Answer {
    let sort = call.parameters.sort()?;
    call.parameters.required("tenantName")?;
    let roles = Path::parse("roles").map_err(|_| Failure::Internal)?;
    let filter = Filter::has_text(roles, call.parameters.required("role")?);
    found_by(app, call, sort, Page::default(), |_, _| Some(filter)).await
}

/// The profiles that have an attribute, or a part of one.
#[utoipa::path(
    get,
    path = "/api/1/profile/by_existing_attribute",
    operation_id = "crafter_get_profiles_by_existing_attribute",
    tag = "crafter",
    responses((status = 200, body = Vec<Wire>))
)]
pub async fn by_existing_attribute(State(app): State<Arc<App>>, call: Call) -> Answer {
    let sort = call.parameters.sort()?;
    call.parameters.required("tenantName")?;
    let name = call.parameters.required("attributeName")?.to_owned();
    found_by(app, call, sort, Page::default(), |call, tenant| {
        attribute(call, tenant, &name).map(Filter::has)
    })
    .await
}

/// The profiles of which an attribute, or a part of one, is this text.
#[utoipa::path(
    get,
    path = "/api/1/profile/by_attribute_value",
    operation_id = "crafter_get_profiles_by_attribute_value",
    tag = "crafter",
    responses((status = 200, body = Vec<Wire>))
)]
pub async fn by_attribute_value(State(app): State<Arc<App>>, call: Call) -> Answer {
    let sort = call.parameters.sort()?;
    call.parameters.required("tenantName")?;
    let name = call.parameters.required("attributeName")?.to_owned();
    let value = call.parameters.required("attributeValue")?.to_owned();
    found_by(app, call, sort, Page::default(), |call, tenant| {
        attribute(call, tenant, &name).map(|path| Filter::has_text(path, &value))
    })
    .await
}

/// The profiles with these ids; unknown ids are left out.
#[utoipa::path(
    get,
    path = "/api/1/profile/by_ids",
    operation_id = "crafter_get_profiles_by_ids",
    tag = "crafter",
    responses((status = 200, body = Vec<Wire>))
)]
pub async fn by_ids(State(app): State<Arc<App>>, call: Call) -> Answer {
    let ids = call.parameters.required_list("id")?;
    let ids: Vec<ObjectId> = ids.iter().filter_map(|id| ObjectId::parse(id)).collect();
    let sort = call.parameters.sort()?;
    let wanted = call.parameters.attribute_to_return()?;
    let client = app.engine.connection().await?;
    let mut found = documents_of(&client, &ids, None).await.doing("listing profiles")?;
    if let Some(sort) = &sort {
        let mut path = Path::parse(&sort.by).ok();
        // Not sorted by an attribute that the caller may not read in one of the tenants.
        for (tenant, _) in &found {
            let tenant = find::tenant_by_id(&app, TenantId(*tenant)).await?;
            path = path.filter(|_| {
                tenant.as_ref().is_some_and(|tenant| sorted_by(&call, tenant, sort).is_some())
            });
        }
        if let Some(path) = &path {
            let by = Some((path, direction(sort)));
            found = documents_of(&client, &ids, by).await.doing("listing profiles")?;
        }
    }
    drop(client);
    let mut profiles = Vec::with_capacity(found.len());
    for (tenant, found) in found {
        let Some(tenant) = find::tenant_by_id(&app, TenantId(tenant)).await? else { continue };
        find::may_manage(&call, &tenant.name)?;
        profiles.push(wire(&call, &tenant, found, &wanted)?);
    }
    super::bean(&call, Bean::Profile, &profiles)
}

/// The tenant and the filter of a query, if the caller may ask it.
async fn queried(app: &App, call: &Call) -> Result<(FoundTenant, Filter), Failure> {
    let tenant = call.parameters.required("tenantName")?;
    let query = call.parameters.required("query")?;
    find::may_manage(call, tenant)?;
    let tenant = find::tenant_by_name(app, tenant).await?.ok_or(Failure::NoSuchTenant)?;
    let invalid = |why: crate::domain::filter::Invalid| Failure::InvalidQuery(why.to_string());
    let filter = Filter::parse(query).map_err(invalid)?;
    let reads = |name: &str| call.caller.reads(&tenant.catalogue, name);
    let unreadable = tenant.catalogue.attributes.iter().any(|one| !reads(&one.name));
    let is_defined = |name: &str| tenant.catalogue.attribute(name).is_some();
    let may_ask = |name: &str| reads(name) || !is_defined(name);
    filter.check(&may_ask, unreadable).map_err(invalid)?;
    // Values that another API wrote under names that the tenant does not define are not searched.
    let filter = filter.among(&is_defined);
    Ok((tenant, filter))
}

/// Lists that need no query. The list of an unknown tenant is empty.
async fn found_by(
    app: Arc<App>,
    call: Call,
    sort: Option<Sort>,
    page: Page,
    filter: impl FnOnce(&Call, &FoundTenant) -> Option<Filter>,
) -> Answer {
    let tenant = call.parameters.required("tenantName")?;
    call.caller.may(tenant, TenantAction::ManageProfiles)?;
    let nothing: [(); 0] = [];
    let Some(tenant) = find::tenant_by_name(&app, tenant).await? else { return json(&nothing) };
    let Some(filter) = filter(&call, &tenant) else { return json(&nothing) };
    list(&app, call, tenant, Wanted { filter, sort, page, is_query: false }).await
}

/// The path to an attribute; None if the caller may not read it: then no profile matches.
fn attribute(call: &Call, tenant: &FoundTenant, name: &str) -> Option<Path> {
    let path = Path::parse(&format!("attributes.{name}")).ok()?;
    let readable = call.caller.reads(&tenant.catalogue, &path.segments()[1]);
    readable.then_some(path)
}
