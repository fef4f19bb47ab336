//! `dossier serve --demo`: real people, and credentials to try the APIs with. On loopback only.

use std::fs::{OpenOptions, read_to_string};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use chrono::{Duration, Utc};

use crate::bearer::local::LocalIssuer;
use crate::catalogue_file;
use crate::crafter_file::records::Record;
use crate::domain::claims::{self, Bearer, Claim};
use crate::domain::ids::{INSTALLATION, TenantId};
use crate::engine::Engine;
use crate::engine::kept::credentials::key_digest;
use crate::engine::write::access_tokens;

use crate::intake::api_keys::{issue_api_key, make_key};
use crate::intake::catalogue::{How, apply};
use crate::intake::crafter_seed::seed;
use crate::intake::people::import;
use crate::intake::{operator, tenant_named};

use super::crafter_seed;
use super::open::Directory;

const CATALOGUE: &str = include_str!("../../ops/demo/catalogue.toml");
const PEOPLE: &str = include_str!("../../ops/demo/people.ndjson");
/// The access tokens of Crafter Profile's first boot: its clients know them.
const SEED: &str = include_str!("../../examples/crafter/seed.json");
/// How long those tokens are valid (Crafter contract 4.4): ten years.
const SEED_TOKEN_DAYS: i64 = 3_652;
const TENANT: &str = "default";
/// The line id of the demo's superadmin in its catalogue.
const OPERATOR: &str = "operator";
/// How long the demo's token is valid, in hours.
const TOKEN_HOURS: i64 = 24;

/// Fills the directory, writes `demo.env`, and returns what to print.
///
/// # Errors
/// What failed.
pub async fn prepare(
    directory: &Directory,
    issuer: &LocalIssuer,
    data_dir: &Path,
    address: SocketAddr,
) -> anyhow::Result<String> {
    let engine = &directory.engine;
    fill(engine).await?;
    // Crafter contract 4.4: at the first boot only; what people have deleted since stays deleted.
    if engine.claimed(INSTALLATION, Bearer::AccessToken.kind()).await?.is_empty() {
        first_boot(engine, data_dir).await?;
    }
    restore_tokens(engine).await?;
    let tenant = tenant_named(engine, TENANT).await?;
    let path = data_dir.join("demo.env");
    let key = match kept_key(engine, tenant, &path).await? {
        Some(key) => key,
        None => {
            let key = make_key();
            let name = format!("demo {}", Utc::now().format("%Y-%m-%d %H:%M:%S%.3f"));
            issue_api_key(engine, tenant, &name, None, &key).await?;
            key
        }
    };
    let operator = engine.holder(Claim::import_line(tenant, OPERATOR).key).await?;
    let operator = operator.context("the demo's superadmin is missing")?.holder;
    let ttl = Duration::hours(TOKEN_HOURS);
    let token = issuer.mint(tenant.0, operator, ttl, Utc::now()).context("minting a token")?;
    std::fs::create_dir_all(data_dir).context("making the data directory")?;
    write_env(&path, &key, &token).with_context(|| format!("writing {}", path.display()))?;
    Ok(text(&path, &key, &token, address))
}

/// Takes in the records of Crafter Profile's first boot.
async fn first_boot(engine: &Engine, data_dir: &Path) -> anyhow::Result<()> {
    let mut entries = seed("the demo's seed", SEED)?;
    for entry in &mut entries {
        if let Record::AccessToken(token) = &mut entry.record {
            token.expires_at = Some(Utc::now() + Duration::days(SEED_TOKEN_DAYS));
        }
    }
    crafter_seed::take(engine, data_dir, entries).await?;
    Ok(())
}

/// Crafter contract 4.4: at every boot those of its tokens that exist get their application's name
/// again, and the master token becomes a master.
async fn restore_tokens(engine: &Engine) -> anyhow::Result<()> {
    for entry in seed("the demo's seed", SEED)? {
        if let Record::AccessToken(token) = entry.record
            && let Some(application) = &token.application
        {
            let by = Arc::new(operator("reassert_access_token"));
            let id = token.id.expose();
            access_tokens::restore_application(engine, by, id, application, token.master).await?;
        }
    }
    Ok(())
}

async fn fill(engine: &Engine) -> anyhow::Result<()> {
    let catalogue = catalogue_file::parse(CATALOGUE).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the demo's catalogue: {}", lines.join("; "))
    })?;
    let mut catalogue = catalogue;
    // The demo's key is made below, so that its secret can be written to demo.env.
    catalogue.tenants.iter_mut().for_each(|tenant| tenant.api_keys.clear());
    let how = How { dry_run: false, prune: false, folder: PathBuf::from(".") };
    apply(engine, &catalogue, &how).await?;
    let bar = indicatif::ProgressBar::hidden();
    let done = import(engine, TENANT, "the demo's people", PEOPLE.as_bytes(), bar).await?;
    if done.bad > 0 {
        anyhow::bail!("the demo's people have {} bad lines", done.bad);
    }
    tracing::info!("the demo has its people: {} new, {} before", done.profiles, done.before);
    Ok(())
}

/// The key in `demo.env`, if it is a key of this directory.
async fn kept_key(
    engine: &Engine,
    tenant: TenantId,
    path: &Path,
) -> anyhow::Result<Option<String>> {
    let text = read_to_string(path).unwrap_or_default();
    let key = text.lines().find_map(|line| line.strip_prefix("DOSSIER_API_KEY="));
    let Some(key) = key else { return Ok(None) };
    let held = engine.holder(claims::api_key(&key_digest(key))).await?;
    let ours = held.is_some_and(|held| held.tenant_id == tenant.0);
    Ok(ours.then(|| key.to_owned()))
}

fn write_env(path: &Path, key: &str, token: &str) -> std::io::Result<()> {
    // Written to another file and renamed, so that nobody reads half of it or with other
    // permissions.
    let beside = path.with_extension("env.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    write!(file, "DOSSIER_API_KEY={key}\nDOSSIER_TOKEN={token}\n")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

fn text(path: &Path, key: &str, token: &str, address: SocketAddr) -> String {
    let base = format!("http://{address}");
    let headers = format!("-H 'X-Api-Key: {key}' -H 'Authorization: Bearer {token}'");
    let json = "-H 'Content-Type: application/json'";
    let profiles = format!("{base}/api/v5/artifacts/profiles");
    format!(
        "
Dossier is running on {base} (API reference: {base}/docs)

API key:      {key}
Bearer token: {token}
Both are in {path}: `. {path}` sets them as DOSSIER_API_KEY and DOSSIER_TOKEN.

Try it:

curl -s {headers} {json} -d '{{}}' {profiles}/context

curl -s {headers} {json} -d '{{\"search\":\"sanders\"}}' {profiles}/search

curl -s {headers} '{base}/api/v1/events?order=newest&limit=5'
",
        path = path.display()
    )
}
