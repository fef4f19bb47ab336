//! `/api/1/tenant` (contract 1): tenants, their roles and the attributes that they define.
//! Reactions change the tenant's profiles; the answer waits only for the first of them.

pub mod attribute_definitions;
pub mod manage;
pub mod roles;

use std::sync::Arc;

use crate::api::app::App;
use crate::domain::entitlement::TenantAction;
use crate::domain::naming::readable;
use crate::domain::tenant::{ApplicationCommand, Catalogue, Command, Event, Tenant};
use crate::engine::react;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, Executed};
use crate::engine::write::halt::{Halt, Ordered};

use super::answer::{Answer, bean};
use super::call::Call;
use super::error::Failure;
use super::find::{self, FoundTenant};
use super::selector::Bean;
use super::shown;
use super::write::{Kind, execute};

/// Longest name of a tenant, a role or an attribute, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// A valid name.
///
/// # Errors
/// [`Failure::Invalid`].
fn named<'a>(what: &str, name: &'a str) -> Result<&'a str, Failure> {
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Err(Failure::invalid(format!("a {what}'s name has 1 to {NAME_BYTES_MAX} bytes")));
    }
    readable(name).map_err(|why| Failure::invalid(format!("the {what}'s name {why}")))?;
    Ok(name)
}

/// Changes the tenant of this name by the orders that are made from its state.
async fn change(
    app: &App,
    call: &Call,
    name: &str,
    operation: &'static str,
    orders: impl Fn(&FoundTenant) -> Vec<ApplicationCommand> + Send + Sync,
) -> Answer {
    call.caller.may_all(name, &[TenantAction::ReadTenant, TenantAction::UpdateTenant])?;
    let tenant = find::tenant_by_name(app, name).await?.ok_or(Failure::NoSuchTenant)?;
    let kind = Kind { area: "tenant", operation };
    let changing = Changing { tenant: &tenant, orders };
    let Executed { value: (catalogue, happened), position, .. } =
        execute(app, call, tenant.id, kind, &changing).await?;
    if let Some(position) = position {
        react::profiles::begin(&app.engine, tenant.id, &happened, position).await?;
    }
    bean(call, Bean::Tenant, &shown::tenant(&FoundTenant { catalogue, ..tenant }))
}

struct Changing<'a, F> {
    tenant: &'a FoundTenant,
    orders: F,
}

impl<F> Change for Changing<'_, F>
where
    F: Fn(&FoundTenant) -> Vec<ApplicationCommand> + Send + Sync,
{
    /// The tenant after the orders, and their events.
    type Done = (Arc<Catalogue>, Vec<Event>);
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Self::Done, Halt<Failure>> {
        let id = self.tenant.id.0;
        let catalogue = decision.load::<Tenant>(id).await?.state;
        if catalogue.name.as_deref() != Some(&self.tenant.name) {
            return Err(Failure::NoSuchTenant.into());
        }
        let mut happened = Vec::new();
        for order in (self.orders)(&FoundTenant { catalogue, ..self.tenant.clone() }) {
            let events = decision.order::<Tenant>(id, (), Command::ForApplications(order)).await;
            happened.extend(events.or_refuse(|_| Failure::NoSuchTenant)?);
        }
        Ok((decision.load::<Tenant>(id).await?.state, happened))
    }
}
