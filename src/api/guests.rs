//! Guests (contract 1.2.3): whoever a trusted issuer vouches for and nobody knows yet is made a
//! profile of role `guest`, if that issuer's entry in the catalogue says so.

use std::sync::Arc;

use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::permission::{Authority, RankedRole};
use crate::domain::profile::{Command, Profile, Refusal, Registration, State, decide};
use crate::domain::tenant::Tenant;
use crate::domain::values::{Email, ValueKind, parse_email};
use crate::engine::claims::{login_email, take_login_email};
use crate::engine::execute::{Halt, Order};
use crate::engine::{Engine, Error, Priority, mint};

use super::call::Call;
use super::identity::envelope_of;

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
    let order = Order {
        tenant,
        envelope: Arc::new(envelope_of(call, id, "provision_guest")),
        area: "profile",
        priority: Priority::Caller,
    };
    let executed = engine.execute(&order, |decision| {
        let address = address.clone();
        Box::pin(async move {
            let claim = login_email(tenant, &address);
            let held = decision.engine.reader.claims(&[claim]).await?;
            if let Some(held) = held.get(&claim) {
                return Ok(ProfileId(held.holder));
            }
            let catalogue = decision.load::<Tenant>(tenant.0).await?.state;
            let role = catalogue.role(ROLE);
            let role = role.map(|role| RankedRole { key: role.key.clone(), rank: role.rank });
            let email = Email { id: email_id, address: address.clone().into(), login: true };
            let command = Command::RegisterProfile(Registration {
                emails: vec![email],
                roles: role.into_iter().collect(),
                ..Registration::default()
            });
            let rank = |key: &str| catalogue.rank(key);
            let events = decide(id, &State::Absent, &Authority::Operator, rank, command);
            decision.append::<Profile>(id.0, events.map_err(Halt::Refused)?, None)?;
            decision.take(take_login_email(tenant, &address, id));
            Ok::<_, Halt<Refusal>>(id)
        })
    });
    match executed.await {
        Ok(executed) => Ok(Some(executed.value)),
        Err(Halt::Refused(_)) => Ok(None),
        Err(Halt::Failed(error)) => Err(error),
    }
}
