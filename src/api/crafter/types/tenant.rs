//! Tenants and the attributes that they define. Names are checked elsewhere: an absent name is
//! empty here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::entitlement;

use super::fields;

/// Contract 3: a tenant. An update replaces it except its name and id.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Tenant {
    /// Its name, by which it is found.
    #[serde(deserialize_with = "fields::or_default")]
    pub name: String,
    /// Whether new profiles stay disabled until their e-mail address is verified.
    #[serde(deserialize_with = "fields::or_default")]
    pub verify_new_profiles: bool,
    /// The roles that its profiles can have.
    #[serde(deserialize_with = "fields::or_default")]
    pub available_roles: Vec<String>,
    /// Stored for clients; has no effect here.
    #[serde(deserialize_with = "fields::or_default")]
    pub sso_enabled: bool,
    /// The attributes that its profiles can have.
    #[serde(deserialize_with = "fields::objects")]
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// Whether text attributes are HTML-escaped when written.
    #[serde(deserialize_with = "fields::true_if_null")]
    pub cleanse_attributes: bool,
    /// Its id. Ignored in bodies, never null in answers.
    pub id: Option<String>,
}

impl Default for Tenant {
    fn default() -> Self {
        Tenant {
            name: String::new(),
            verify_new_profiles: false,
            available_roles: Vec::new(),
            sso_enabled: false,
            attribute_definitions: Vec::new(),
            cleanse_attributes: fields::default_true(),
            id: None,
        }
    }
}

/// Contract 3: an attribute that profiles of a tenant can have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AttributeDefinition {
    /// What applications may do with it; the first permission that matches decides. None: nothing.
    #[serde(deserialize_with = "fields::objects")]
    pub permissions: Vec<AttributePermission>,
    /// Its name.
    #[serde(deserialize_with = "fields::or_default")]
    pub name: String,
    /// Free; by convention `label`, `displayOrder`, and `type`: TEXT, LARGE_TEXT, STRING_LIST,
    /// COMPLEX or others.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
    /// The value of profiles that are created without one.
    #[schema(value_type = Option<Value>)]
    pub default_value: Option<Value>,
}

impl AttributeDefinition {
    /// Its `metadata.type`, which decides how values are cleansed.
    pub fn kind(&self) -> Option<&str> {
        self.metadata.as_ref()?.get("type")?.as_str()
    }
}

/// Contract 3: what one application, or all, may do with an attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AttributePermission {
    /// READ_ATTRIBUTE, WRITE_ATTRIBUTE, REMOVE_ATTRIBUTE, or `*` for all. Null: none.
    pub allowed_actions: Option<Vec<String>>,
    /// The application's name, or `*` for every one.
    pub application: String,
}

impl Default for AttributePermission {
    fn default() -> Self {
        AttributePermission { allowed_actions: None, application: entitlement::ANY.to_owned() }
    }
}

impl From<entitlement::AttributePermission> for AttributePermission {
    fn from(permission: entitlement::AttributePermission) -> Self {
        let entitlement::AttributePermission { allowed_actions, application } = permission;
        AttributePermission { allowed_actions, application }
    }
}

impl From<AttributePermission> for entitlement::AttributePermission {
    fn from(permission: AttributePermission) -> Self {
        let AttributePermission { allowed_actions, application } = permission;
        entitlement::AttributePermission { allowed_actions, application }
    }
}
