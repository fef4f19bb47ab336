//! What one may order a tenant and its catalogue to become.

use super::events::AttributeDefinition;
use super::state::{Department, Issuer, Role, Setting};

/// An order to a tenant.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    RegisterTenant {
        name: String,
    },
    DefineRole(Role),
    RemoveRole {
        key: String,
    },
    DefineDepartment(Department),
    RemoveDepartment {
        key: String,
    },
    DefineSetting(Setting),
    RemoveSetting {
        key: String,
    },
    TrustIssuer(Issuer),
    DistrustIssuer {
        issuer: String,
    },
    /// What only applications speak of.
    ForApplications(ApplicationCommand),
    /// Remove the tenant, and with it its profiles.
    DeleteTenant,
}

/// An order to a tenant about what only applications speak of (Crafter contract 1, 4.7).
#[derive(Clone, Debug, PartialEq)]
pub enum ApplicationCommand {
    /// Let new profiles be disabled until their e-mail address is verified, or not.
    RequireVerification { required: bool },
    /// What applications make of it is theirs.
    OfferSingleSignOn { offered: bool },
    /// Let texts given as attributes be made safe for HTML, or not.
    CleanseAttributes { cleansed: bool },
    /// Let profiles have this application role.
    OfferApplicationRole { role: String },
    /// Let no profile have it any more.
    WithdrawApplicationRole { role: String },
    /// Let profiles have this attribute; those that have none get its default.
    DefineAttribute(AttributeDefinition),
    /// Let it be so from now on, whatever profiles have.
    RedefineAttribute(AttributeDefinition),
    /// Let no profile have it any more.
    RemoveAttribute { name: String },
}
