//! E-mail addresses as log-ins: each is claimed by at most one live profile of a tenant, whatever
//! its case (contract 1.4).

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::profile::Facts;
use crate::domain::values::Email;
use crate::engine::Error;
use crate::engine::claims::{login_email, take_login_email};
use crate::engine::execute::Decision;

/// The log-ins that a request gives and takes away.
#[derive(Default)]
pub struct Logins {
    /// Who shall hold a claim, in the order of the items.
    wanted: Vec<(usize, ProfileId, Uuid, String)>,
    released: HashSet<Uuid>,
}

impl Logins {
    /// The profile `id` of item `item` has these addresses from now on.
    pub fn assign(
        &mut self,
        tenant: TenantId,
        item: usize,
        id: ProfileId,
        before: Option<&Facts>,
        after: &[Email],
    ) {
        let held: HashSet<Uuid> = before
            .into_iter()
            .flat_map(|facts| &facts.emails)
            .filter(|email| email.login)
            .map(|email| login_email(tenant, &email.address.0))
            .collect();
        let after = || after.iter().filter(|email| email.login);
        let kept: HashSet<Uuid> =
            after().map(|email| login_email(tenant, &email.address.0)).collect();
        self.released.extend(held.difference(&kept));
        for email in after() {
            let claim = login_email(tenant, &email.address.0);
            let new = !held.contains(&claim)
                && !self
                    .wanted
                    .iter()
                    .any(|(_, holder, other, _)| *other == claim && *holder == id);
            if new {
                self.wanted.push((item, id, claim, email.address.0.clone()));
            }
        }
    }

    /// The items that want an address which another profile has, or gets from an item before.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn taken(&self, decision: &Decision<'_>) -> Result<HashSet<usize>, Error> {
        if self.wanted.is_empty() {
            return Ok(HashSet::new());
        }
        let claims: Vec<Uuid> = self.wanted.iter().map(|(_, _, claim, _)| *claim).collect();
        let held = decision.engine.reader.claims(&claims).await?;
        let mut items = HashSet::new();
        let mut first: HashMap<Uuid, usize> = HashMap::new();
        for (item, _, claim, _) in &self.wanted {
            let other = held.contains_key(claim) && !self.released.contains(claim);
            if other || first.insert(*claim, *item).is_some() {
                items.insert(*item);
            }
        }
        Ok(items)
    }

    /// Puts the claims into the decision.
    pub fn put(self, decision: &mut Decision<'_>) {
        let tenant = decision.tenant;
        for claim in self.released {
            decision.release(claim);
        }
        for (_, id, _, address) in self.wanted {
            decision.take(take_login_email(tenant, &address, id));
        }
    }
}
