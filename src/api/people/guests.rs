//! Guests (contract 1.2.3): a person whom a trusted issuer names and no profile knows becomes a
//! profile with role `guest`, if the issuer's entry in the catalogue allows it.

use std::sync::Arc;

use crate::domain::claims::Claim;
use crate::domain::ids::{ProfileId, TenantId, ValueId};
use crate::domain::permission::RankedRole;
use crate::domain::profile::{By, Command, Profile, Refusal, Registration};
use crate::domain::tenant::Tenant;
use crate::domain::values::{Email, ValueKind, parse_email};
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, CommandContext};
use crate::engine::write::halt::{Halt, Ordered};
use crate::engine::write::mint;
use crate::engine::{Engine, Error, Priority};

use super::call::Call;

/// The key of the role that guests get, if the tenant's catalogue has it.
const ROLE: &str = "guest";

/// The profile that logs in with this address; if there is none, a new guest with it. None for a
/// text that is no address.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn guest(
    engine: &Engine,
    tenant: TenantId,
    address: &str,
    call: &Call,
) -> Result<Option<ProfileId>, Error> {
    let Ok(address) = parse_email(address) else { return Ok(None) };
    let id = ProfileId(mint::new_id());
    let email_id = engine.secrets.value_ids(tenant).await?.id(ValueKind::Email, &address);
    let context = CommandContext {
        tenant,
        envelope: Arc::new(call.envelope_without_reason(id, "provision_guest")),
        area: "profile",
        priority: Priority::Caller,
    };
    let guest = Guest { id, email_id, address };
    let executed = engine.execute(&context, &guest).await;
    Ok(executed.decided()?.ok().map(|executed| executed.value))
}

/// A guest to be registered.
struct Guest {
    id: ProfileId,
    email_id: ValueId,
    address: String,
}

impl Change for Guest {
    type Done = ProfileId;
    type Refusal = Refusal;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<ProfileId, Halt<Refusal>> {
        let tenant = decision.tenant;
        let claim = Claim::login_email(tenant, &self.address);
        if let Some(held) = decision.engine.holder(claim.key).await? {
            return Ok(ProfileId(held.holder));
        }
        let catalogue = decision.load::<Tenant>(tenant.0).await?.state;
        let role = catalogue.role(ROLE);
        let role = role.map(|role| RankedRole { key: role.key.clone(), rank: role.rank });
        let address = self.address.clone().into();
        let command = Command::RegisterProfile(Registration {
            emails: vec![Email { id: self.email_id, address, login: true }],
            roles: role.into_iter().collect(),
            ..Registration::default()
        });
        decision.begin::<Profile>(self.id.0, By::OPERATOR, command)?;
        Ok(self.id)
    }
}
