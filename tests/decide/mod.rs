//! The rules, exhaustively and without I/O: what each order leads to, and what refuses it.

mod access;
mod attachment;
mod attributes;
mod catalogue_file;
mod catalogue_values;
mod changes;
mod cleansing;
mod draft;
mod emulation;
mod emulation_layers;
mod entitlement;
mod export;
mod filter;
mod filter_refused;
mod folding;
mod invariants;
mod mailbox;
mod naming;
mod object_id;
mod permission;
mod profile;
mod profile_rights;
mod session;
mod tenant;
mod values;

use dossier::domain::ids::{DepartmentId, ProfileId, ValueId};
use dossier::domain::permission::{RankedRole, Standing};
use dossier::domain::values::{Email, Name, RequestLimit};
use uuid::Uuid;

use crate::support::given::rank;

/// Stands for a profile without a role, where the key of one is asked for.
const NO_ROLE: &str = "-";

const HISTORY: DepartmentId = DepartmentId(Uuid::from_u128(0xd1));
const PHYSICS: DepartmentId = DepartmentId(Uuid::from_u128(0xd2));

fn person(number: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(number))
}

/// The role of this key; none of [`NO_ROLE`].
fn role(key: &str) -> Option<RankedRole> {
    rank(key).map(|rank| RankedRole { key: key.to_owned(), rank })
}

/// An active profile.
fn standing(profile: ProfileId, key: &str, departments: &[DepartmentId]) -> Standing {
    Standing {
        profile,
        role: role(key),
        departments: departments.to_vec(),
        active: true,
        in_applications: false,
    }
}

fn name(name: &str) -> Name {
    Name { id: ValueId(Uuid::from_u128(name.len() as u128)), name: name.to_owned().into() }
}

/// An address as a log-in, which is how profiles hold them.
fn email(address: &str) -> Email {
    let id = ValueId(Uuid::from_u128(address.len() as u128));
    Email { id, address: address.to_owned().into(), login: true }
}

fn request_limit(requests_per_day: i32) -> RequestLimit {
    let id = ValueId(Uuid::from_u128(u128::from(requests_per_day.unsigned_abs())));
    RequestLimit { id, requests_per_day }
}
