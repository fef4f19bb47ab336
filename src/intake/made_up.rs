//! Made-up but realistic profiles, for trials and benchmarks.

use chrono::{DateTime, Duration, Utc};
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};

use crate::domain::tenant::Catalogue;
use crate::engine::Engine;

use super::person::{Change, Person, take_in};
use super::{failed, tenant_named};

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

/// Makes up profiles in a tenant. `random` decides which.
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
    let tenant = tenant_named(engine, name).await?;
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

/// Mostly the lowest ranks, as in organisations.
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
