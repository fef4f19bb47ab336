//! `/api/1/profile` (contract 1): profiles as applications know them.

pub mod attachments;
pub mod attributes;
pub mod changes;
pub mod create;
pub mod list;
mod listing;
pub mod one;
pub mod passwords;
pub mod update;
pub mod verification;

use futures_util::future::BoxFuture;

use crate::api::app::App;
use crate::domain::Aggregate;
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::ProfileId;
use crate::domain::naming::readable;
use crate::domain::permission::Authority;
use crate::domain::profile::{Command, Facts, Profile, Refusal, State, decide};
use crate::domain::tenant::Tenant;
use crate::engine::execute::{Decision, Halt};

use super::answer::{Answer, bean};
use super::call::Call;
use super::error::Failure;
use super::find::{self, Found, Place};
use super::selector::Bean;
use super::shown;
use super::write::{Kind, write};

/// Longest username, role or name of an attribute, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// What becomes of a profile by one call: orders given one after the other.
struct Change<'d, 'e> {
    pub decision: &'d mut Decision<'e>,
    pub place: Place,
    pub id: ProfileId,
    pub state: State,
}

impl<'d, 'e> Change<'d, 'e> {
    /// Of a profile that is there and whose tenant is still there.
    async fn of(decision: &'d mut Decision<'e>, found: &Found) -> Result<Self, Halt<Failure>> {
        let tenant = found.place.tenant;
        let catalogue = decision.load::<Tenant>(tenant.0).await?.state;
        let state = decision.load::<Profile>(found.id.0).await?.state;
        if catalogue.name.is_none() || state.live().is_none() {
            return Err(Halt::Refused(Failure::NoSuchProfile));
        }
        let place = Place { catalogue, ..found.place.clone() };
        Ok(Change { decision, place, id: found.id, state: (*state).clone() })
    }

    /// Gives an order.
    fn order(&mut self, command: Command) -> Result<(), Halt<Failure>> {
        let rank = |key: &str| self.place.catalogue.rank(key);
        let events = decide(self.id, &self.state, &Authority::Application, rank, command);
        let events = events.map_err(|refusal| match refusal {
            Refusal::NotPermitted => Failure::ActionDenied(TenantAction::ManageProfiles.name()),
            _ => Failure::NoSuchProfile,
        })?;
        // Only until the log has given them their own time.
        let now = chrono::Utc::now();
        events.iter().for_each(|event| Profile::evolve(&mut self.state, event, now));
        Ok(self.decision.append::<Profile>(self.id.0, events, None)?)
    }

    /// What it is now.
    fn facts(&self) -> Result<&Facts, Halt<Failure>> {
        self.state.live().ok_or(Halt::Refused(Failure::NoSuchProfile))
    }

    /// As the answer shows it.
    fn into_found(self) -> Result<Found, Halt<Failure>> {
        let facts = Box::new(self.facts()?.clone());
        Ok(Found { place: self.place, id: self.id, facts })
    }
}

/// Changes a profile and answers with it.
async fn change<'e, F>(
    app: &'e App,
    call: &'e Call,
    found: &'e Found,
    operation: &'static str,
    orders: F,
) -> Result<Found, Failure>
where
    F: for<'c, 'd> Fn(&'c mut Change<'d, 'e>) -> BoxFuture<'c, Result<(), Halt<Failure>>>
        + Send
        + Sync
        + 'e,
{
    let kind = Kind { area: "profile", operation };
    let orders = std::sync::Arc::new(orders);
    let changed = write(app, call, found.place.tenant, kind, move |decision| {
        let orders = orders.clone();
        Box::pin(async move {
            let mut change = Change::of(decision, found).await?;
            orders(&mut change).await?;
            change.into_found()
        })
    });
    as_recorded(app, changed.await?).await
}

/// What was decided, with the log's own times; as it was decided, should it be gone by now.
async fn as_recorded(app: &App, decided: Found) -> Result<Found, Failure> {
    let recorded = find::in_tenant(app, decided.place.tenant, decided.id).await?;
    Ok(recorded.unwrap_or(decided))
}

/// The answer to a change: readable attributes, and those that the call wrote.
fn changed(call: &Call, found: &Found, written: &[String]) -> Answer {
    let wanted = call.parameters.attribute_to_return()?;
    let (caller, catalogue) = (&call.caller, &found.place.catalogue);
    let attributes = shown::after_change(caller, catalogue, &found.facts, written, &wanted);
    bean(call, Bean::Profile, &shown::profile(found, attributes))
}

/// The answer to a read.
fn read(call: &Call, found: &Found) -> Answer {
    let wanted = call.parameters.attribute_to_return()?;
    let attributes = shown::readable(&call.caller, &found.place.catalogue, &found.facts, &wanted);
    bean(call, Bean::Profile, &shown::profile(found, attributes))
}

/// A name that can be one.
///
/// # Errors
/// [`Failure::Invalid`].
fn named(what: &str, name: &str) -> Result<(), Failure> {
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Err(Failure::invalid(format!("a {what} has 1 to {NAME_BYTES_MAX} bytes")));
    }
    readable(name).map_err(|why| Failure::invalid(format!("the {what} {why}")))
}
