//! `/api/1/tenant` (contract 1): tenants, their roles and the attributes that they define. What
//! follows for their profiles are reactions; the answer waits for the first of them only.

pub mod attribute_definitions;
pub mod manage;
pub mod roles;

use crate::api::app::App;
use crate::domain::naming::readable;
use crate::domain::tenant::{ApplicationCommand, Command, Tenant, decide};
use crate::domain::{Aggregate, entitlement::TenantAction};
use crate::engine::execute::Executed;
use crate::engine::react;

use super::answer::{Answer, bean};
use super::call::Call;
use super::error::Failure;
use super::find::{self, Place};
use super::selector::Bean;
use super::shown;
use super::write::{Kind, execute};

/// Longest name of a tenant, a role or an attribute, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// A name that can be one.
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

/// Changes the tenant of this name as the orders say, which are made from what it is.
async fn change(
    app: &App,
    call: &Call,
    name: &str,
    operation: &'static str,
    orders: impl Fn(&Place) -> Vec<ApplicationCommand> + Send + Sync,
) -> Answer {
    call.caller.may_all(name, &[TenantAction::ReadTenant, TenantAction::UpdateTenant])?;
    let place = find::tenant(app, name).await?.ok_or(Failure::NoSuchTenant)?;
    let kind = Kind { area: "tenant", operation };
    let (before, orders) = (&place, &orders);
    let changed = execute(app, call, place.tenant, kind, |decision| {
        Box::pin(async move {
            let catalogue = decision.load::<Tenant>(before.tenant.0).await?.state;
            if catalogue.name.as_deref() != Some(&before.name) {
                return Err(Failure::NoSuchTenant.into());
            }
            let place = Place { catalogue: catalogue.clone(), ..before.clone() };
            let mut state = (*catalogue).clone();
            let mut happened = Vec::new();
            for order in orders(&place) {
                let events = decide(&state, Command::ForApplications(order));
                for event in events.map_err(|_| Failure::NoSuchTenant)? {
                    Tenant::evolve(&mut state, &event, call.received_at);
                    happened.push(event);
                }
            }
            decision.append::<Tenant>(before.tenant.0, happened.clone(), None)?;
            Ok((state, happened))
        })
    });
    let Executed { value: (state, happened), position, .. } = changed.await?;
    if let Some(position) = position {
        react::profiles::begin(&app.engine, place.tenant, &happened, position).await?;
    }
    let after = Place { catalogue: state.into(), ..place };
    bean(call, Bean::Tenant, &shown::tenant(&after))
}
