//! What an access token permits (Crafter contract 4.2 and 4.3): lists of permissions, of which the
//! first that matches decides alone. People, ranks and departments do not matter here.

use serde::{Deserialize, Serialize};

/// Stands for every tenant, every application or every action.
pub const ANY: &str = "*";

/// What a token permits in one tenant, or in every one. Its actions are not checked: an unknown
/// action permits nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantPermission {
    /// The tenant's name, or [`ANY`].
    pub tenant: String,
    /// The names of the actions, or [`ANY`]. None permits nothing.
    pub allowed_actions: Option<Vec<String>>,
}

/// What one application, or every one, may do with an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributePermission {
    /// The application's name, or [`ANY`].
    pub application: String,
    /// The names of the actions, or [`ANY`]. None permits nothing.
    pub allowed_actions: Option<Vec<String>>,
}

/// An action in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TenantAction {
    CreateTenant,
    ReadTenant,
    UpdateTenant,
    DeleteTenant,
    ManageProfiles,
    ManageTickets,
}

impl TenantAction {
    /// Every action.
    pub const ALL: [TenantAction; 6] = [
        TenantAction::CreateTenant,
        TenantAction::ReadTenant,
        TenantAction::UpdateTenant,
        TenantAction::DeleteTenant,
        TenantAction::ManageProfiles,
        TenantAction::ManageTickets,
    ];

    /// Its name in permissions.
    pub const fn name(self) -> &'static str {
        match self {
            TenantAction::CreateTenant => "CREATE_TENANT",
            TenantAction::ReadTenant => "READ_TENANT",
            TenantAction::UpdateTenant => "UPDATE_TENANT",
            TenantAction::DeleteTenant => "DELETE_TENANT",
            TenantAction::ManageProfiles => "MANAGE_PROFILES",
            TenantAction::ManageTickets => "MANAGE_TICKETS",
        }
    }
}

/// An action on an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeAction {
    Read,
    Write,
    Remove,
}

impl AttributeAction {
    /// Every action.
    pub const ALL: [AttributeAction; 3] =
        [AttributeAction::Read, AttributeAction::Write, AttributeAction::Remove];

    /// Its name in permissions.
    pub const fn name(self) -> &'static str {
        match self {
            AttributeAction::Read => "READ_ATTRIBUTE",
            AttributeAction::Write => "WRITE_ATTRIBUTE",
            AttributeAction::Remove => "REMOVE_ATTRIBUTE",
        }
    }
}

/// Whether these permissions of a token allow this action in this tenant. A token without a list
/// may do nothing.
pub fn tenant_allows(
    permissions: Option<&[TenantPermission]>,
    tenant: &str,
    action: TenantAction,
) -> bool {
    permissions
        .unwrap_or_default()
        .iter()
        .find(|permission| permission.tenant == ANY || permission.tenant == tenant)
        .is_some_and(|permission| grants(permission.allowed_actions.as_deref(), action.name()))
}

/// Whether they allow this action in every tenant: to create, count or list tenants.
pub fn everywhere_allows(permissions: Option<&[TenantPermission]>, action: TenantAction) -> bool {
    tenant_allows(permissions, ANY, action)
}

/// Whether these permissions of an attribute allow this application this action. A token without an
/// application has the permissions that every application has.
pub fn attribute_allows(
    permissions: &[AttributePermission],
    application: Option<&str>,
    action: AttributeAction,
) -> bool {
    permissions
        .iter()
        .find(|permission| {
            permission.application == ANY || Some(permission.application.as_str()) == application
        })
        .is_some_and(|permission| grants(permission.allowed_actions.as_deref(), action.name()))
}

fn grants(allowed_actions: Option<&[String]>, action: &str) -> bool {
    allowed_actions.unwrap_or_default().iter().any(|allowed| allowed == ANY || allowed == action)
}
