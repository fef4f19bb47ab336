//! Tenants: create, get, update, delete, count, list, and the flag for verification.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, bean, empty, json};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundTenant};
use crate::api::crafter::selector::Bean;
use crate::api::crafter::shown;
use crate::api::crafter::types::tenant as wire;
use crate::api::crafter::write::{Kind, execute, write};
use crate::domain::claims::{API_KEY_NAME, TENANT_NAME};
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::TenantId;
use crate::domain::tenant::{
    ApplicationCommand, AttributeDefinition, Catalogue, Command, Event, Tenant,
};
use crate::engine::react;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, Executed};
use crate::engine::write::halt::{Halt, Ordered};
use crate::engine::write::mint;

use super::{change, named};

/// Makes a tenant.
#[utoipa::path(
    post,
    path = "/api/1/tenant/create",
    operation_id = "crafter_create_tenant",
    tag = "crafter",
    request_body = wire::Tenant,
    responses((status = 200, body = wire::Tenant))
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let wanted: wire::Tenant = call.body()?;
    call.caller.may_everywhere(TenantAction::CreateTenant)?;
    let name = named("tenant", &wanted.name)?.to_owned();
    let nothing = Catalogue::default();
    let orders = replacing(&nothing, &wanted)?;
    let tenant = TenantId(mint::new_id());
    let kind = Kind { area: "tenant", operation: "create_tenant" };
    let catalogue = write(&app, &call, tenant, kind, &Create { name: &name, orders }).await?;
    bean(&call, Bean::Tenant, &shown::tenant(&FoundTenant { id: tenant, name, catalogue }))
}

struct Create<'a> {
    name: &'a str,
    orders: Vec<ApplicationCommand>,
}

impl Change for Create<'_> {
    type Done = Arc<Catalogue>;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Arc<Catalogue>, Halt<Failure>> {
        let id = decision.tenant.0;
        let register = Command::RegisterTenant { name: self.name.to_owned() };
        decision.begin::<Tenant>(id, (), register).or_refuse(|_| Failure::Internal)?;
        for order in &self.orders {
            let order = Command::ForApplications(order.clone());
            let ordered = decision.order::<Tenant>(id, (), order).await;
            ordered.or_refuse(|_| Failure::Internal)?;
        }
        match decision.collisions(&[TENANT_NAME]).await?.is_empty() {
            true => Ok(decision.load::<Tenant>(id).await?.state),
            false => Err(Failure::TenantExists.into()),
        }
    }
}

/// A tenant.
#[utoipa::path(
    get,
    path = "/api/1/tenant/{name}",
    operation_id = "crafter_get_tenant",
    tag = "crafter",
    params(("name" = String, Path)),
    responses((status = 200, body = wire::Tenant), (status = 404))
)]
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Answer {
    let name = call.path("name");
    call.caller.may(name, TenantAction::ReadTenant)?;
    let tenant = find::tenant_by_name(&app, name).await?.ok_or(Failure::NoSuchTenant)?;
    bean(&call, Bean::Tenant, &shown::tenant(&tenant))
}

/// Replaces a tenant except its name and id.
#[utoipa::path(
    post,
    path = "/api/1/tenant/update",
    operation_id = "crafter_update_tenant",
    tag = "crafter",
    request_body = wire::Tenant,
    responses((status = 200, body = wire::Tenant), (status = 404))
)]
pub async fn update(State(app): State<Arc<App>>, call: Call) -> Answer {
    let wanted: wire::Tenant = call.body()?;
    replacing(&Catalogue::default(), &wanted)?;
    change(&app, &call, &wanted.name, "update_tenant", |tenant| {
        // Invalid names were refused above.
        replacing(&tenant.catalogue, &wanted).unwrap_or_default()
    })
    .await
}

/// Deletes a tenant; reactions then delete its profiles. If there is none, nothing changes.
#[utoipa::path(
    post,
    path = "/api/1/tenant/{name}/delete",
    operation_id = "crafter_delete_tenant",
    tag = "crafter",
    params(("name" = String, Path)),
    responses((status = 200))
)]
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Answer {
    let name = call.path("name");
    call.caller.may(name, TenantAction::DeleteTenant)?;
    let Some(tenant) = find::tenant_by_name(&app, name).await? else { return empty() };
    // API keys of the other APIs belong to the tenant: they must be revoked before it can go.
    if !app.engine.claimed(tenant.id, API_KEY_NAME).await?.is_empty() {
        return Err(Failure::ActionDenied(TenantAction::DeleteTenant.name()));
    }
    let kind = Kind { area: "tenant", operation: "delete_tenant" };
    let Executed { value: events, position, .. } =
        execute(&app, &call, tenant.id, kind, &Delete).await?;
    if let Some(position) = position {
        react::profiles::begin(&app.engine, tenant.id, &events, position).await?;
    }
    empty()
}

struct Delete;

impl Change for Delete {
    type Done = Vec<Event>;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Vec<Event>, Halt<Failure>> {
        let id = decision.tenant.0;
        let deleted = decision.order::<Tenant>(id, (), Command::DeleteTenant).await;
        Ok(deleted.decided()?.unwrap_or_default())
    }
}

/// How many tenants there are.
#[utoipa::path(
    get,
    path = "/api/1/tenant/count",
    operation_id = "crafter_count_tenants",
    tag = "crafter",
    responses((status = 200, body = u64))
)]
pub async fn count(State(app): State<Arc<App>>, call: Call) -> Answer {
    call.caller.may_everywhere(TenantAction::ReadTenant)?;
    json(&app.engine.count_named_tenants().await?)
}

/// The first 10,000 tenants.
#[utoipa::path(
    get,
    path = "/api/1/tenant/all",
    operation_id = "crafter_get_tenants",
    tag = "crafter",
    responses((status = 200, body = Vec<wire::Tenant>))
)]
pub async fn all(State(app): State<Arc<App>>, call: Call) -> Answer {
    call.caller.may_everywhere(TenantAction::ReadTenant)?;
    let named = app.engine.named_tenants().await?.into_iter();
    let tenants = named.filter_map(|(tenant, catalogue)| find::found_tenant(tenant, catalogue));
    let tenants: Vec<wire::Tenant> = tenants.map(|tenant| shown::tenant(&tenant)).collect();
    bean(&call, Bean::Tenant, &tenants)
}

/// Sets whether new profiles must be verified.
#[utoipa::path(
    post,
    path = "/api/1/tenant/{name}/verify_new_profiles",
    operation_id = "crafter_verify_new_profiles",
    tag = "crafter",
    params(("name" = String, Path)),
    responses((status = 200, body = wire::Tenant), (status = 404))
)]
pub async fn verify_new_profiles(State(app): State<Arc<App>>, call: Call) -> Answer {
    let required = call.parameters.required_boolean("verify")?;
    let name = call.path("name");
    change(&app, &call, name, "verify_new_profiles", |_| {
        vec![ApplicationCommand::RequireVerification { required }]
    })
    .await
}

/// The orders that lead from a tenant's state to what a body says.
fn replacing(
    before: &Catalogue,
    wanted: &wire::Tenant,
) -> Result<Vec<ApplicationCommand>, Failure> {
    let mut orders = vec![
        ApplicationCommand::RequireVerification { required: wanted.verify_new_profiles },
        ApplicationCommand::OfferSingleSignOn { offered: wanted.sso_enabled },
        ApplicationCommand::CleanseAttributes { cleansed: wanted.cleanse_attributes },
    ];
    for role in &wanted.available_roles {
        let role = named("role", role)?.to_owned();
        orders.push(ApplicationCommand::OfferApplicationRole { role });
    }
    let gone = before.application_roles.iter().filter(|one| !wanted.available_roles.contains(one));
    let gone = gone.map(|role| ApplicationCommand::WithdrawApplicationRole { role: role.clone() });
    orders.extend(gone);
    for one in &wanted.attribute_definitions {
        orders.push(ApplicationCommand::DefineAttribute(definition(one)?));
    }
    let kept = |name: &str| wanted.attribute_definitions.iter().any(|one| one.name == name);
    let gone = before.attributes.iter().filter(|one| !kept(&one.name));
    let gone = gone.map(|one| ApplicationCommand::RemoveAttribute { name: one.name.clone() });
    orders.extend(gone);
    Ok(orders)
}

/// The definition in a body.
///
/// # Errors
/// [`Failure::Invalid`] for an invalid name: paths separate names by dots.
pub fn definition(wire: &wire::AttributeDefinition) -> Result<AttributeDefinition, Failure> {
    let name = named("attribute", &wire.name)?;
    if name.contains('.') || name.starts_with('$') {
        return Err(Failure::invalid("an attribute's name holds no dot and begins with no $"));
    }
    Ok(AttributeDefinition {
        name: name.to_owned(),
        metadata: wire.metadata.clone().map(Into::into),
        default_value: wire.default_value.clone(),
        permissions: wire.permissions.iter().cloned().map(Into::into).collect(),
    })
}
