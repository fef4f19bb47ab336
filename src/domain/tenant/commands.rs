//! Orders to a tenant and its catalogue.

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
    /// An order about what only applications use.
    ForApplications(ApplicationCommand),
    /// Delete the tenant; its profiles follow.
    DeleteTenant,
}

/// An order to a tenant about what only applications use (Crafter contract 1, 4.7).
#[derive(Clone, Debug, PartialEq)]
pub enum ApplicationCommand {
    /// Disable new profiles until their e-mail address is verified, or not.
    RequireVerification { required: bool },
    /// Offer single sign-on, or not. Only applications act on it.
    OfferSingleSignOn { offered: bool },
    /// Cleanse texts in attributes for HTML, or not.
    CleanseAttributes { cleansed: bool },
    /// Offer this application role.
    OfferApplicationRole { role: String },
    /// Remove this application role, also from profiles.
    WithdrawApplicationRole { role: String },
    /// Define this attribute. Profiles without a value get its default.
    DefineAttribute(AttributeDefinition),
    /// Redefine it. Profiles stay as they are.
    RedefineAttribute(AttributeDefinition),
    /// Remove this attribute, also from profiles.
    RemoveAttribute { name: String },
}
