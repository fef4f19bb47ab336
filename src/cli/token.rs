//! `dossier token`: a bearer token of the local issuer.

use std::process::ExitCode;

use anyhow::Context;
use chrono::{Duration, Utc};
use clap::Args;
use uuid::Uuid;

use crate::domain::claims::Claim;
use crate::domain::ids::TenantId;
use crate::domain::profile::Profile;
use crate::engine::Engine;

use crate::intake::tenant_named;

use super::Place;
use super::open::Directory;

/// Longest life of a token from `dossier token`, in days.
const TTL_DAYS_MAX: i64 = 3_660;

/// Print a bearer token of the local issuer
#[derive(Args)]
#[command(after_help = "Examples:
  dossier token --profile ada@example.org
  dossier token --profile 0198c0de-0000-7000-8000-000000000001 --ttl 30m")]
pub struct Arguments {
    /// The profile, by id or by e-mail address
    #[arg(long, value_name = "ID|EMAIL")]
    profile: String,
    /// How long it is valid, up to ten years: 90s, 30m, 8h, 7d
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = ttl)]
    ttl: Duration,
    /// The profile's tenant
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// What failed, and what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let directory = Directory::open(&arguments.place).await?;
    let minted = mint(&directory, &arguments).await;
    directory.close().await?;
    println!("{}", minted?);
    Ok(ExitCode::SUCCESS)
}

async fn mint(directory: &Directory, arguments: &Arguments) -> anyhow::Result<String> {
    let tenant = tenant_named(&directory.engine, &arguments.tenant).await?;
    let profile = find(&directory.engine, tenant, &arguments.profile).await?;
    let issuer = directory.local_issuer().await?;
    issuer.mint(tenant.0, profile, arguments.ttl, Utc::now()).context("minting the token")
}

async fn find(engine: &Engine, tenant: TenantId, profile: &str) -> anyhow::Result<Uuid> {
    let id = match profile.parse::<Uuid>() {
        Ok(id) => Some(id),
        Err(_) => {
            let claim = Claim::login_email(tenant, profile);
            engine.holder(claim.key).await?.map(|held| held.holder)
        }
    };
    let id = id.with_context(|| format!("no profile logs in as {profile}"))?;
    let known = engine.load::<Profile>(tenant, id).await?;
    known.state.live().map(|_| id).with_context(|| format!("there is no profile {id}"))
}

fn ttl(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time up to ten years: try 90s, 30m, 8h or 7d");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let ttl = match unit {
        's' => Duration::try_seconds(number),
        'm' => Duration::try_minutes(number),
        'h' => Duration::try_hours(number),
        'd' => Duration::try_days(number),
        _ => None,
    };
    ttl.filter(|ttl| *ttl > Duration::zero() && *ttl <= Duration::days(TTL_DAYS_MAX))
        .ok_or_else(wrong)
}
