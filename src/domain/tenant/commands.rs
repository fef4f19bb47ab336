//! What one may order a tenant and its catalogue to become.

use super::state::{Department, Issuer, Role, Setting};

/// An order to a tenant.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    RegisterTenant { name: String },
    DefineRole(Role),
    RemoveRole { key: String },
    DefineDepartment(Department),
    RemoveDepartment { key: String },
    DefineSetting(Setting),
    RemoveSetting { key: String },
    TrustIssuer(Issuer),
    DistrustIssuer { issuer: String },
}
