//! `selector=Profile(username,email)` (contract 0): keeps only those fields of the answer's beans.
//! Beans that it does not name stay whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::error::Failure;
use super::parameters::Parameters;

/// Most characters of a selector.
const CHARACTERS_MAX: usize = 4_000;

/// A bean: an object in answers, which a selector can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bean {
    AccessToken,
    TenantPermission,
    Tenant,
    AttributeDefinition,
    AttributePermission,
    Profile,
    Ticket,
    PersistentLogin,
    VerificationToken,
    ProfileAttachment,
    MemoryInfo,
    StatusInfo,
    VersionInfo,
}

/// For each named bean, in lower case, the fields that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(BTreeMap<String, BTreeSet<String>>);

impl Bean {
    /// Its name in selectors.
    pub const fn name(self) -> &'static str {
        match self {
            Bean::AccessToken => "AccessToken",
            Bean::TenantPermission => "TenantPermission",
            Bean::Tenant => "Tenant",
            Bean::AttributeDefinition => "AttributeDefinition",
            Bean::AttributePermission => "AttributePermission",
            Bean::Profile => "Profile",
            Bean::Ticket => "Ticket",
            Bean::PersistentLogin => "PersistentLogin",
            Bean::VerificationToken => "VerificationToken",
            Bean::ProfileAttachment => "ProfileAttachment",
            Bean::MemoryInfo => "MemoryInfo",
            Bean::StatusInfo => "StatusInfo",
            Bean::VersionInfo => "VersionInfo",
        }
    }

    /// Its field that holds other beans.
    const fn nested(self) -> Option<(&'static str, Bean)> {
        match self {
            Bean::AccessToken => Some(("tenantPermissions", Bean::TenantPermission)),
            Bean::Tenant => Some(("attributeDefinitions", Bean::AttributeDefinition)),
            Bean::AttributeDefinition => Some(("permissions", Bean::AttributePermission)),
            _ => None,
        }
    }
}

impl Selector {
    /// The selector of a call, if there is one.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub fn of(parameters: &Parameters) -> Result<Option<Selector>, Failure> {
        parameters.filled("selector")?.map(Selector::parse).transpose()
    }

    /// Reads `Bean(field,field)`, several separated by commas. Unknown beans and fields are
    /// accepted: they select nothing.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub fn parse(text: &str) -> Result<Selector, Failure> {
        let malformed = || Failure::invalid("parameter selector reads Bean(field,field)");
        if text.len() > CHARACTERS_MAX {
            return Err(malformed());
        }
        let mut selector = Selector::default();
        let mut rest = text.trim();
        loop {
            let (bean, after) = rest.split_once('(').ok_or_else(malformed)?;
            let (fields, after) = after.split_once(')').ok_or_else(malformed)?;
            let bean = bean.trim().to_ascii_lowercase();
            let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
            if !is_word(&bean) || !fields.iter().all(|field| is_word(field)) {
                return Err(malformed());
            }
            let kept = selector.0.entry(bean).or_default();
            kept.extend(fields.into_iter().map(str::to_owned));
            let after = after.trim_start();
            if after.is_empty() {
                return Ok(selector);
            }
            rest = after.strip_prefix(',').ok_or_else(malformed)?;
        }
    }

    /// Keeps the selected fields of this bean, or of each bean of this list.
    pub fn kept(&self, bean: Bean, value: Value) -> Value {
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.kept(bean, item)).collect(),
            Value::Object(mut fields) => {
                if let Some(names) = self.0.get(&bean.name().to_ascii_lowercase()) {
                    fields.retain(|name, _| names.contains(name));
                }
                if let Some((name, inner)) = bean.nested()
                    && let Some(value) = fields.get_mut(name)
                {
                    *value = self.kept(inner, value.take());
                }
                Value::Object(fields)
            }
            other => other,
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.$".contains(c))
}
