//! `dossier seed`: made-up but realistic profiles, for trials and benchmarks.

use std::process::ExitCode;

use chrono::{DateTime, Duration, Utc};
use clap::Args;
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};

use crate::domain::tenant::Catalogue;
use crate::engine::Engine;

use super::Place;
use super::issue::failed;
use super::open::{Directory, named};
use super::people::{Change, Person, take_in};

/// Most changes of a profile on average: nobody has more than twice as many, and what one makes
/// stays below 1 MiB of events.
const CHANGES_MAX: u64 = 500;
/// Profiles made at once, so that they share commits.
const PROFILES_AT_ONCE: usize = 256;

const FIRST: [&str; 40] = [
    "Ada", "Alan", "Amara", "Anna", "Aya", "Bela", "Carla", "Chen", "Dana", "David", "Edsger",
    "Elif", "Emil", "Eva", "Fatima", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jane", "Joao",
    "Karim", "Lena", "Luca", "Maria", "Mila", "Nadia", "Noor", "Olga", "Omar", "Priya", "Rosa",
    "Sara", "Tariq", "Tomas", "Uma", "Vera", "Yuki", "Zoe",
];
const SYLLABLES: [&str; 32] = [
    "al", "an", "ar", "ba", "be", "bo", "ca", "da", "de", "do", "el", "en", "fa", "ga", "go", "ha",
    "in", "ka", "ko", "la", "le", "ma", "mo", "na", "no", "ra", "ri", "sa", "so", "ta", "va", "zi",
];
const ENDINGS: [&str; 8] = ["son", "ez", "ov", "ini", "sen", "er", "ski", "oğlu"];

/// Make up profiles, for trials and benchmarks
#[derive(Args)]
#[command(after_help = "Examples:
  dossier seed --profiles 1000
  dossier seed --profiles 100000 --changes 5 --random 7")]
pub struct Arguments {
    /// How many profiles, 1 to 10000000
    #[arg(long, value_name = "N", default_value_t = 1_000,
        value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    profiles: u64,
    /// How many later changes each has on average, 0 to 500
    #[arg(long, value_name = "M", default_value_t = 3,
        value_parser = clap::value_parser!(u64).range(0..=CHANGES_MAX))]
    changes: u64,
    /// The tenant they belong to
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Where chance begins, any whole number: the same one makes the same people, once
    #[arg(long, value_name = "N", default_value_t = 1)]
    random: u64,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// What is in the way, and what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let directory = Directory::open(&arguments.place).await?;
    let Arguments { profiles, changes, tenant, random, .. } = &arguments;
    let seeded = seed(&directory.engine, tenant, *profiles, *changes, *random, true).await;
    directory.close().await?;
    println!("{} profiles are there", seeded?);
    Ok(ExitCode::SUCCESS)
}

/// Makes up profiles in a tenant: `random` is where chance begins.
///
/// # Errors
/// There is no such tenant, or the log cannot be written.
pub async fn seed(
    engine: &Engine,
    name: &str,
    profiles: u64,
    changes: u64,
    random: u64,
    shown: bool,
) -> anyhow::Result<u64> {
    let tenant = named(engine, name).await?;
    let catalogue = engine.catalogue(tenant).await?;
    let ids = engine.secrets.value_ids(tenant).await?;
    let bar = if shown { ProgressBar::new(profiles) } else { ProgressBar::hidden() };
    let style = "{bar:40} {pos} of {len}, {per_sec}, {eta} to go";
    let bar = bar.with_style(ProgressStyle::with_template(style)?);
    let mut made = stream::iter(0..profiles)
        .map(|number| {
            let person = made_up(&catalogue, changes, random, number);
            let ids = &ids;
            async move { failed(take_in(engine, tenant, ids, &person, "seed").await) }
        })
        .buffer_unordered(PROFILES_AT_ONCE);
    while let Some(one) = made.next().await {
        one?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(profiles)
}

fn made_up(catalogue: &Catalogue, changes: u64, random: u64, number: u64) -> Person {
    let mut chance = StdRng::seed_from_u64(random.wrapping_mul(1 << 32) ^ number);
    let name = name(&mut chance);
    let local = name.to_lowercase().replace(' ', ".").replace('ğ', "g");
    let mut at: DateTime<Utc> =
        Utc::now() - Duration::days(3_650) + Duration::minutes(chance.random_range(0..2_000_000));
    let occurred_at = Some(at);
    let count = chance.random_range(0..=changes * 2);
    let changes = (0..count).map(|_| {
        at = (at + Duration::days(chance.random_range(1..400))).min(Utc::now());
        change(&mut chance, catalogue, at)
    });
    Person {
        id: format!("seed-{}-{number}", random),
        changes: changes.collect(),
        emails: vec![format!("{local}.{}.{number}@people.example", random)],
        name,
        roles: role(&mut chance, catalogue).into_iter().collect(),
        departments: departments(&mut chance, catalogue),
        request_limit: None,
        active: None,
        attributes: Default::default(),
        occurred_at,
    }
}

fn name(chance: &mut impl Rng) -> String {
    let first = FIRST.choose(chance).copied().unwrap_or_default();
    let mut last: String =
        (0..2).map(|_| SYLLABLES.choose(chance).copied().unwrap_or_default()).collect();
    last.push_str(ENDINGS.choose(chance).copied().unwrap_or_default());
    let (head, tail) = last.split_at(1);
    format!("{first} {}{tail}", head.to_uppercase())
}

/// Mostly the lowest ranks, as organisations are.
fn role(chance: &mut impl Rng, catalogue: &Catalogue) -> Option<String> {
    let rank = match chance.random_range(0..100) {
        0..3 => 4,
        3..15 => 3,
        15..80 => 2,
        _ => 1,
    };
    let ranked = |wanted: u8| catalogue.roles.iter().find(move |role| role.rank == wanted);
    ranked(rank).map(|role| role.key.clone())
}

fn departments(chance: &mut impl Rng, catalogue: &Catalogue) -> Vec<String> {
    let count = chance.random_range(1..=3);
    catalogue.departments.sample(chance, count).map(|one| one.key.clone()).collect()
}

fn change(chance: &mut impl Rng, catalogue: &Catalogue, at: DateTime<Utc>) -> Change {
    let mut change = Change {
        occurred_at: Some(at),
        name: None,
        emails: None,
        roles: None,
        departments: None,
        request_limit: None,
        active: None,
        attributes: Default::default(),
    };
    match chance.random_range(0..5) {
        0 => change.name = Some(name(chance)),
        1 => change.departments = Some(departments(chance, catalogue)),
        2 => change.active = Some(chance.random_range(0..10) > 0),
        3 => change.request_limit = Some(chance.random_range(1..20) * 1_000),
        _ => {
            let level = chance.random_range(1..100);
            change.attributes.insert("level".to_owned(), level.into());
        }
    }
    change
}
