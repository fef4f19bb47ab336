//! Guests (contract 1.2.3): whoever a trusted issuer vouches for and nobody knows yet is made a
//! profile of role `guest`, if that issuer's entry in the catalogue says so.

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

/// The role that a guest has, where the tenant's catalogue has one of this key.
const ROLE: &str = "guest";

/// The profile that logs in with this address; a guest of that name if there was none. None for
/// what is no address.
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
        envelope: Arc::new(call.envelope_of_coming(id, "provision_guest")),
        area: "profile",
        priority: Priority::Caller,
    };
    let guest = Guest { id, email_id, address };
    let executed = engine.execute(&context, &guest).await;
    Ok(executed.decided()?.ok().map(|executed| executed.value))
}

/// A guest who is to be.
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
