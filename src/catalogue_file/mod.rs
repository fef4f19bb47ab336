//! The catalogue file: the tenants and catalogues that `dossier apply` brings about.
//!
//! Turns TOML into entries and names every mistake with its line. Other files and the database are
//! not read here. `ops/demo/README.md` describes the format.

mod check;
mod problem;
mod shape;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;
use toml::de::DeTable;

use self::problem::{Findings, Lines};
pub use self::problem::{Problem, line_at};

/// Values keep their place in the text, so that a mistake that only the database shows (an e-mail
/// address of another profile) is reported with its line too: see [`line_at`].
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueFile {
    pub tenants: Vec<TenantEntry>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TenantEntry {
    pub name: Spanned<String>,
    pub roles: Vec<RoleEntry>,
    pub departments: Vec<DepartmentEntry>,
    pub settings: Vec<SettingEntry>,
    pub issuers: Vec<IssuerEntry>,
    pub api_keys: Vec<ApiKeyEntry>,
    pub profiles: Vec<ProfileEntry>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    pub key: Spanned<String>,
    pub rank: Spanned<i16>,
    pub name: Spanned<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub artifacts: Vec<Spanned<String>>,
    #[serde(default)]
    pub audits: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartmentEntry {
    pub key: Spanned<String>,
    pub name: Spanned<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub settings: Vec<Spanned<String>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingEntry {
    pub key: Spanned<String>,
    pub name: Spanned<String>,
    #[serde(default = "default_true")]
    pub active: bool,
    #[serde(default)]
    pub colors: ColorsEntry,
}

/// The colours of a theme. Without `primary` the setting gives its departments no theme.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorsEntry {
    pub primary: Option<Spanned<String>>,
    pub accent: Option<Spanned<String>>,
    pub background: Option<Spanned<String>>,
    pub surface: Option<Spanned<String>>,
    pub success: Option<Spanned<String>>,
    pub warning: Option<Spanned<String>>,
    pub error: Option<Spanned<String>>,
    pub chart1: Option<Spanned<String>>,
    pub chart2: Option<Spanned<String>>,
    pub chart3: Option<Spanned<String>>,
    pub chart4: Option<Spanned<String>>,
    pub chart5: Option<Spanned<String>>,
}

/// A token issuer and the place of its public keys: exactly one of `jwks_file` and `jwks_url`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerEntry {
    pub issuer: Spanned<String>,
    pub audience: Spanned<String>,
    pub algorithms: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub jwks_file: Option<Spanned<String>>,
    #[serde(default)]
    pub jwks_url: Option<Spanned<String>>,
    #[serde(default)]
    pub auto_provision_guests: bool,
}

/// An API key by its name. The program generates the secret and shows it once, or reads it from
/// `key_file`; the catalogue never contains it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyEntry {
    pub name: Spanned<String>,
    #[serde(default, deserialize_with = "instant")]
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub key_file: Option<Spanned<String>>,
}

/// A first profile. `id` is the line's own id, as in an import file, not the profile's id.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileEntry {
    pub id: Spanned<String>,
    pub name: Spanned<String>,
    #[serde(default)]
    pub emails: Vec<Spanned<String>>,
    #[serde(default)]
    pub roles: Vec<Spanned<String>>,
    #[serde(default)]
    pub departments: Vec<Spanned<String>>,
    #[serde(default)]
    pub request_limit: Option<Spanned<i32>>,
}

/// Reads a catalogue file, or tells every mistake with its line.
pub fn parse(text: &str) -> Result<CatalogueFile, Vec<Problem>> {
    let mut findings = Findings::new(Lines::of(text));
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    for error in &syntax_errors {
        findings.add(error.span().unwrap_or_default(), error.message());
    }
    // After a syntax error the parser guesses, so nothing else is reported.
    let shaped = if syntax_errors.is_empty() {
        shape::file(root, &mut findings)
    } else {
        shape::Shaped::default()
    };
    check::file(&shaped, &mut findings);
    findings.into_result()?;
    let tenants = shaped.tenants.into_iter().map(|tenant| tenant.entry).collect();
    Ok(CatalogueFile { tenants })
}

impl ColorsEntry {
    /// The colours that are given, with their names in a theme.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &Spanned<String>)> {
        [
            ("primary", &self.primary),
            ("accent", &self.accent),
            ("background", &self.background),
            ("surface", &self.surface),
            ("success", &self.success),
            ("warning", &self.warning),
            ("error", &self.error),
            ("chart1", &self.chart1),
            ("chart2", &self.chart2),
            ("chart3", &self.chart3),
            ("chart4", &self.chart4),
            ("chart5", &self.chart5),
        ]
        .into_iter()
        .filter_map(|(name, color)| color.as_ref().map(|color| (name, color)))
    }
}

fn default_true() -> bool {
    true
}

fn instant<'de, D: Deserializer<'de>>(source: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let written = toml::value::Datetime::deserialize(source)?;
    let instant = DateTime::parse_from_rfc3339(&written.to_string()).map_err(|_| {
        de::Error::custom(format!(
            "`{written}` is not an instant: write date, time and offset, as 2030-01-31T00:00:00Z"
        ))
    })?;
    Ok(Some(instant.with_timezone(&Utc)))
}
