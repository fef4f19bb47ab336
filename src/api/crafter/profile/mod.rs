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

use crate::api::app::App;
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::ProfileId;
use crate::domain::naming::readable;
use crate::domain::profile::{By, Command, Facts, Profile, Refusal, State};
use crate::domain::tenant::Tenant;
use crate::engine::kept::credentials;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};
use crate::passwords::Hash;

use super::answer::{Answer, bean};
use super::call::Call;
use super::error::Failure;
use super::find::{self, FoundProfile, FoundTenant};
use super::selector::Bean;
use super::shown;
use super::write::{Kind, write};

/// Longest username, role or attribute name, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// A profile within a decision. It exists, and so does its tenant.
struct ProfileChange<'d, 'e> {
    pub decision: &'d mut Decision<'e>,
    pub tenant: FoundTenant,
    pub id: ProfileId,
}

impl<'d, 'e> ProfileChange<'d, 'e> {
    async fn of(
        decision: &'d mut Decision<'e>,
        found: &FoundProfile,
    ) -> Result<Self, Halt<Failure>> {
        let catalogue = decision.load::<Tenant>(found.tenant.id.0).await?.state;
        let profile = decision.load::<Profile>(found.id.0).await?.state;
        if catalogue.name.is_none() || profile.live().is_none() {
            return Err(Failure::NoSuchProfile.into());
        }
        let tenant = FoundTenant { catalogue, ..found.tenant.clone() };
        Ok(ProfileChange { decision, tenant, id: found.id })
    }

    /// Orders a change.
    async fn order(&mut self, command: Command) -> Result<(), Halt<Failure>> {
        let by = By::application(&*self.tenant.catalogue);
        let ordered = self.decision.order::<Profile>(self.id.0, by, command).await;
        ordered.or_refuse(|refusal| match refusal {
            Refusal::NotPermitted => Failure::ActionDenied(TenantAction::ManageProfiles.name()),
            _ => Failure::NoSuchProfile,
        })?;
        Ok(())
    }

    /// Orders another password.
    async fn change_password(&mut self, hash: &Hash) -> Result<(), Halt<Failure>> {
        self.order(Command::ChangePassword).await?;
        self.decision.row(credentials::password(self.tenant.id, self.id, hash.as_str()));
        Ok(())
    }

    /// The profile after the orders so far.
    fn facts(&self) -> Result<&Facts, Halt<Failure>> {
        let state = self.decision.known::<Profile>(self.id.0);
        state.and_then(State::live).ok_or(Halt::Refused(Failure::NoSuchProfile))
    }

    /// The profile as answers show it.
    fn into_found(self) -> Result<FoundProfile, Halt<Failure>> {
        let facts = Box::new(self.facts()?.clone());
        Ok(FoundProfile { tenant: self.tenant, id: self.id, facts })
    }
}

/// The changes that a call asks for.
trait Orders: Sync {
    /// Orders the changes, one after the other.
    ///
    /// # Errors
    /// The first refusal or failure.
    fn give(
        &self,
        profile: &mut ProfileChange<'_, '_>,
    ) -> impl Future<Output = Result<(), Halt<Failure>>> + Send;
}

impl Orders for Command {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        profile.order(self.clone()).await
    }
}

/// Changes a profile and answers with it.
async fn change(
    app: &App,
    call: &Call,
    found: &FoundProfile,
    operation: &'static str,
    orders: &impl Orders,
) -> Result<FoundProfile, Failure> {
    let kind = Kind { area: "profile", operation };
    let changed = write(app, call, found.tenant.id, kind, &Changing { found, orders }).await?;
    as_recorded(app, changed).await
}

struct Changing<'a, O> {
    found: &'a FoundProfile,
    orders: &'a O,
}

impl<O: Orders> Change for Changing<'_, O> {
    type Done = FoundProfile;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<FoundProfile, Halt<Failure>> {
        let mut profile = ProfileChange::of(decision, self.found).await?;
        self.orders.give(&mut profile).await?;
        profile.into_found()
    }
}

/// Read again, so that the answer has the times of the log; if it is gone by now, as it was
/// decided.
async fn as_recorded(app: &App, decided: FoundProfile) -> Result<FoundProfile, Failure> {
    let recorded = find::in_tenant(app, decided.tenant.id, decided.id).await?;
    Ok(recorded.unwrap_or(decided))
}

/// The answer to a change: the attributes that may be read, and those that the call wrote.
fn changed(call: &Call, found: &FoundProfile, written: &[String]) -> Answer {
    let wanted = call.parameters.attribute_to_return()?;
    let (caller, catalogue) = (&call.caller, &found.tenant.catalogue);
    let attributes = shown::after_change(caller, catalogue, &found.facts, written, &wanted);
    bean(call, Bean::Profile, &shown::profile(found, attributes))
}

/// The answer to a read.
fn read(call: &Call, found: &FoundProfile) -> Answer {
    let wanted = call.parameters.attribute_to_return()?;
    let attributes = shown::readable(&call.caller, &found.tenant.catalogue, &found.facts, &wanted);
    bean(call, Bean::Profile, &shown::profile(found, attributes))
}

/// A valid name.
///
/// # Errors
/// [`Failure::Invalid`].
fn named(what: &str, name: &str) -> Result<(), Failure> {
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Err(Failure::invalid(format!("a {what} has 1 to {NAME_BYTES_MAX} bytes")));
    }
    readable(name).map_err(|why| Failure::invalid(format!("the {what} {why}")))
}
