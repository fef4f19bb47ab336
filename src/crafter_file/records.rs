//! Crafter's records as types: access tokens, tenants, profiles (contract 3, 4.5). Types and
//! required fields are checked; free names, existing tenants and valid addresses are not.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::entitlement::{ANY, AttributePermission, TenantPermission};
use crate::domain::personal::Personal;
use crate::domain::tenant::AttributeDefinition;

use super::extended::Typed;
use super::fields::Fields;

/// Bytes of a stored password's hash and of its salt (contract 4.5).
const PASSWORD_HASH_BYTES: usize = 32;
const PASSWORD_SALT_BYTES: usize = 16;

/// The collections that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    Tenant,
    AccessToken,
    Profile,
}

/// The source of a record. It decides which fields may be missing, and what a password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Written by people: ids may be missing, a password may be plain.
    Seed,
    /// Written by mongoexport: ids are required, a password must be in stored form.
    Export,
}

/// One document of any collection.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    AccessToken(AccessTokenRecord),
    Tenant(TenantRecord),
    Profile(Box<ProfileRecord>),
}

/// An application's access token.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessTokenRecord {
    /// The id that the application sends: a secret.
    pub id: Secret,
    pub application: Option<String>,
    pub master: bool,
    /// In order; the first that matches a tenant decides (contract 4.2). None denies everything.
    pub tenant_permissions: Option<Vec<TenantPermission>>,
    /// When it ends; None is never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantRecord {
    /// None only in a seed.
    pub id: Option<Uuid>,
    pub name: String,
    pub verify_new_profiles: bool,
    pub sso_enabled: bool,
    pub cleanse_attributes: bool,
    pub available_roles: Vec<String>,
    pub attribute_definitions: Vec<AttributeDefinition>,
}

/// A profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileRecord {
    /// None only in a seed.
    pub id: Option<Uuid>,
    pub username: Personal<String>,
    /// As stored: Base64(hash), a bar, Base64(salt).
    pub password_hash: Option<Secret>,
    /// Only in a seed, and only without a hash.
    pub plain_password: Option<Secret>,
    pub email: Option<Personal<String>>,
    pub verified: bool,
    pub enabled: bool,
    pub created_at: Option<DateTime<Utc>>,
    pub modified_at: Option<DateTime<Utc>>,
    /// The tenant's name.
    pub tenant: String,
    pub roles: Vec<String>,
    pub attributes: BTreeMap<String, Personal<Value>>,
    pub failed_log_in_attempts: u32,
    pub last_failed_log_in: Option<DateTime<Utc>>,
}

/// A secret text. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Collection {
    /// All of them, in the order in which they are taken in: profiles need their tenants.
    pub const ALL: [Collection; 3] =
        [Collection::Tenant, Collection::AccessToken, Collection::Profile];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Collection::Tenant => "tenant",
            Collection::AccessToken => "accesstoken",
            Collection::Profile => "profile",
        }
    }
}

impl Secret {
    /// The text itself, to be hashed or compared, never shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// Whether a text has the form of a stored password of Crafter: Base64 of 32 bytes, a bar, Base64
/// of 16 bytes (contract 4.5).
pub fn is_stored_password(text: &str) -> bool {
    let bytes = |text: &str| STANDARD.decode(text).map_or(0, |bytes| bytes.len());
    text.split_once('|').is_some_and(|(hash, salt)| {
        bytes(hash) == PASSWORD_HASH_BYTES && bytes(salt) == PASSWORD_SALT_BYTES
    })
}

/// Reads a document. The names of unknown fields are added to `unknown`.
///
/// # Errors
/// The field that is invalid.
pub(super) fn record(
    collection: Collection,
    source: Source,
    document: Typed,
    unknown: &mut Vec<String>,
) -> Result<Record, String> {
    let fields = Fields::of(document)?;
    match collection {
        Collection::AccessToken => access_token(fields, unknown).map(Record::AccessToken),
        Collection::Tenant => tenant(fields, source, unknown).map(Record::Tenant),
        Collection::Profile => {
            profile(fields, source, unknown).map(|profile| Record::Profile(Box::new(profile)))
        }
    }
}

fn access_token(
    mut fields: Fields,
    unknown: &mut Vec<String>,
) -> Result<AccessTokenRecord, String> {
    let id = fields.text_or_uuid(id_name(&fields))?.filter(|id| !id.is_empty());
    let permissions = fields.objects("tenantPermissions")?;
    let token = AccessTokenRecord {
        id: Secret(id.ok_or("\"_id\" is missing")?),
        application: fields.text("application")?,
        master: fields.flag("master", false)?,
        tenant_permissions: permissions
            .map(|all| all.into_iter().map(|one| tenant_permission(one, unknown)).collect())
            .transpose()?,
        expires_at: fields.time("expiresOn")?,
    };
    fields.finish(unknown);
    Ok(token)
}

fn tenant_permission(
    mut fields: Fields,
    unknown: &mut Vec<String>,
) -> Result<TenantPermission, String> {
    let permission = TenantPermission {
        tenant: fields.text("tenant")?.unwrap_or_else(|| ANY.to_owned()),
        allowed_actions: fields.texts("allowedActions")?,
    };
    fields.finish(unknown);
    Ok(permission)
}

fn tenant(
    mut fields: Fields,
    source: Source,
    unknown: &mut Vec<String>,
) -> Result<TenantRecord, String> {
    let definitions = fields.objects("attributeDefinitions")?.unwrap_or_default();
    let tenant = TenantRecord {
        id: id(&mut fields, source)?,
        name: fields.required_name("name")?,
        verify_new_profiles: fields.flag("verifyNewProfiles", false)?,
        sso_enabled: fields.flag("ssoEnabled", false)?,
        cleanse_attributes: fields.flag("cleanseAttributes", true)?,
        available_roles: fields.names("availableRoles")?,
        attribute_definitions: definitions
            .into_iter()
            .map(|one| attribute_definition(one, unknown))
            .collect::<Result<_, _>>()?,
    };
    fields.finish(unknown);
    Ok(tenant)
}

fn attribute_definition(
    mut fields: Fields,
    unknown: &mut Vec<String>,
) -> Result<AttributeDefinition, String> {
    let permissions = fields.objects("permissions")?.unwrap_or_default();
    let definition = AttributeDefinition {
        name: fields.required_name("name")?,
        metadata: fields
            .object("metadata")?
            .map(|metadata| Value::Object(metadata.into_iter().collect())),
        default_value: fields.json("defaultValue"),
        permissions: permissions
            .into_iter()
            .map(|one| attribute_permission(one, unknown))
            .collect::<Result<_, _>>()?,
    };
    fields.finish(unknown);
    Ok(definition)
}

fn attribute_permission(
    mut fields: Fields,
    unknown: &mut Vec<String>,
) -> Result<AttributePermission, String> {
    let permission = AttributePermission {
        application: fields.text("application")?.unwrap_or_else(|| ANY.to_owned()),
        allowed_actions: fields.texts("allowedActions")?,
    };
    fields.finish(unknown);
    Ok(permission)
}

fn profile(
    mut fields: Fields,
    source: Source,
    unknown: &mut Vec<String>,
) -> Result<ProfileRecord, String> {
    let (password_hash, plain_password) = password(&mut fields, source)?;
    let attributes = fields.object("attributes")?.unwrap_or_default();
    let profile = ProfileRecord {
        id: id(&mut fields, source)?,
        username: fields.required_name("username")?.into(),
        password_hash,
        plain_password,
        email: fields.text("email")?.filter(|email| !email.is_empty()).map(Personal),
        verified: fields.flag("verified", false)?,
        enabled: fields.flag("enabled", false)?,
        created_at: fields.time("createdOn")?,
        modified_at: fields.time("lastModified")?,
        tenant: fields.required_text("tenant")?,
        roles: fields.names("roles")?,
        attributes: attributes.into_iter().map(|(name, value)| (name, value.into())).collect(),
        failed_log_in_attempts: fields.count("failedLoginAttempts")?.unwrap_or_default(),
        last_failed_log_in: fields.time("lastFailedLogin")?,
    };
    fields.finish(unknown);
    Ok(profile)
}

/// The stored form, or in a seed a plain password. In an export another form is refused: taken as
/// plain, a damaged hash would become the password.
fn password(
    fields: &mut Fields,
    source: Source,
) -> Result<(Option<Secret>, Option<Secret>), String> {
    // Contract 4.5: an empty password means no password.
    let password = fields.text("password")?.filter(|password| !password.is_empty());
    match (password, source) {
        (None, _) => Ok((None, None)),
        (Some(text), _) if is_stored_password(&text) => Ok((Some(Secret(text)), None)),
        (Some(text), Source::Seed) => Ok((None, Some(Secret(text)))),
        (Some(_), Source::Export) => {
            Err("\"password\" is not of the stored form Base64(hash)|Base64(salt)".to_owned())
        }
    }
}

fn id(fields: &mut Fields, source: Source) -> Result<Option<Uuid>, String> {
    match (fields.id(id_name(fields))?, source) {
        (None, Source::Export) => Err("\"_id\" is missing".to_owned()),
        (id, _) => Ok(id),
    }
}

/// Stored documents use `_id`; the form of the API, which people copy into seeds, uses `id`.
fn id_name(fields: &Fields) -> &'static str {
    if fields.has("_id") { "_id" } else { "id" }
}
