//! Finds tenants by name, and profiles by id or username, as calls name them.

use std::sync::Arc;

use crate::api::app::App;
use crate::domain::claims::Claim;
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::object_id::{ObjectId, shown};
use crate::domain::profile::{Facts, Profile};
use crate::domain::tenant::Catalogue;

use super::call::Call;
use super::error::Failure;

/// A tenant that was found.
#[derive(Clone)]
pub struct FoundTenant {
    pub id: TenantId,
    pub name: String,
    pub catalogue: Arc<Catalogue>,
}

/// A profile that was found, and where.
#[derive(Clone)]
pub struct FoundProfile {
    pub tenant: FoundTenant,
    pub id: ProfileId,
    pub facts: Box<Facts>,
}

/// The tenant with this name, if there is one.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn tenant_by_name(app: &App, name: &str) -> Result<Option<FoundTenant>, Failure> {
    let Some(id) = app.engine.tenant_named(name).await? else { return Ok(None) };
    Ok(tenant_by_id(app, id).await?.filter(|tenant| tenant.name == name))
}

/// The tenant with this id, unless it is deleted.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn tenant_by_id(app: &App, id: TenantId) -> Result<Option<FoundTenant>, Failure> {
    Ok(found_tenant(id, app.engine.catalogue(id).await?))
}

/// The tenant of this id and catalogue, unless it is deleted.
pub fn found_tenant(id: TenantId, catalogue: Arc<Catalogue>) -> Option<FoundTenant> {
    let name = catalogue.name.clone();
    name.map(|name| FoundTenant { id, name, catalogue })
}

/// The name that a tenant has, or had until it was deleted. Things made under a name keep it and
/// are judged by it, even if another tenant takes the name (contract 4.7).
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn lasting_name(app: &App, tenant: TenantId) -> Result<String, Failure> {
    Ok(app.engine.catalogue(tenant).await?.last_name.clone().unwrap_or_default())
}

/// The profile in the call's path, which its token must be allowed to manage (contract 1, `PROF`).
///
/// # Errors
/// [`Failure::NoSuchProfile`], [`Failure::ActionDenied`].
pub async fn managed(app: &App, call: &Call, id: &str) -> Result<FoundProfile, Failure> {
    let id = ObjectId::parse(id).ok_or(Failure::NoSuchProfile)?;
    let found = by_id(app, id).await?.ok_or(Failure::NoSuchProfile)?;
    may_manage(call, &found.tenant.name)?;
    Ok(found)
}

/// Contract 1, `PROF`: permission to manage profiles and to read their tenant.
///
/// # Errors
/// [`Failure::ActionDenied`].
pub fn may_manage(call: &Call, tenant: &str) -> Result<(), Failure> {
    call.caller.may_all(tenant, &[TenantAction::ManageProfiles, TenantAction::ReadTenant])
}

/// The live profile with this id, in any tenant.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn by_id(app: &App, id: ObjectId) -> Result<Option<FoundProfile>, Failure> {
    match app.applications.profile_and_tenant(&app.engine, id).await? {
        Some((tenant, profile)) => in_tenant(app, tenant, profile).await,
        None => Ok(None),
    }
}

/// The live profile with this id in this tenant.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn in_tenant(
    app: &App,
    tenant: TenantId,
    id: ProfileId,
) -> Result<Option<FoundProfile>, Failure> {
    let Some(tenant) = tenant_by_id(app, tenant).await? else { return Ok(None) };
    let state = app.engine.load::<Profile>(tenant.id, id.0).await?.state;
    let facts = state.live().cloned();
    Ok(facts.map(|facts| FoundProfile { tenant, id, facts: Box::new(facts) }))
}

/// The live profile with this username. A profile without one, which another API made, is found by
/// its id.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn by_username(
    app: &App,
    tenant: &FoundTenant,
    username: &str,
) -> Result<Option<FoundProfile>, Failure> {
    let claim = Claim::username(tenant.id, username).key;
    if let Some(held) = app.engine.holder(claim).await? {
        return in_tenant(app, tenant.id, ProfileId(held.holder)).await;
    }
    let Some(id) = ObjectId::parse(username) else { return Ok(None) };
    let found = by_id(app, id).await?.filter(|found| found.tenant.id == tenant.id);
    Ok(found.filter(|one| one.facts.username.is_none() && shown(one.id.0) == username))
}
