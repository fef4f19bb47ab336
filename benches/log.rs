//! What the log, the folds and the search cost, beside bare PostgreSQL in the same run. Read the
//! ratios: machines differ and are noisy. `make bench`; sizes by DOSSIER_BENCH_PROFILES.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dossier::catalogue_file;
use dossier::cluster::{APP, Cluster, OWNER, Options};
use dossier::engine::{Engine, Settings};
use dossier::intake::catalogue::{How, apply};
use dossier::projections::names;
use dossier::projections::profile_search::index::{Access, Query};
use dossier::store::{
    Append, Appender, AppenderSettings, AreaName, Claim, Database, Envelope, NewEvent, Priority,
    StreamKey, StreamWrite, migrate,
};
use futures_util::future::join_all;
use uuid::Uuid;

const PERIOD: Duration = Duration::from_secs(4);
const CATALOGUE: &str = include_str!("../ops/demo/catalogue.toml");

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let cluster = Cluster::start(folder.path(), Options { durable: true }).await.expect("cluster");
    let (mut owner, _driver) =
        Database::new(cluster.config(OWNER)).connect().await.expect("connecting as owner");
    migrate(&mut owner, Some(APP)).await.expect("migrating");
    let database = Database::new(cluster.config(APP));
    owner
        .batch_execute(
            "create table ops.bare (id uuid primary key, tenant uuid, n bigint, body text);
             grant all on ops.bare to dossier_app",
        )
        .await
        .expect("the table for bare inserts");
    appends(&database).await;
    everything_else(&database).await;
    cluster.stop().await.expect("stopping");
}

/// Runs `work` in `callers` tasks for a while; returns how often it was done per second.
async fn rate<F, W>(callers: usize, work: F) -> f64
where
    F: Fn(usize) -> W,
    W: Future<Output = ()>,
{
    let started = Instant::now();
    let counts = join_all((0..callers).map(|caller| {
        let work = &work;
        async move {
            let mut count = 0_u64;
            while started.elapsed() < PERIOD {
                work(caller).await;
                count += 1;
            }
            count
        }
    }))
    .await;
    counts.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64()
}

async fn bare(database: &Database, connections: usize) -> f64 {
    let mut clients = Vec::new();
    for _ in 0..connections {
        let (client, _driver) = database.connect().await.expect("connecting");
        let sql = "insert into ops.bare values ($1, $2, $3, $4)";
        let statement = client.prepare(sql).await.expect("preparing");
        clients.push((client, statement));
    }
    rate(connections, |caller| {
        let (client, statement) = &clients[caller];
        async move {
            let (id, body) = (Uuid::now_v7(), "{\"name\":\"somebody\",\"n\":1}");
            client.execute(statement, &[&id, &id, &1_i64, &body]).await.expect("inserting");
        }
    })
    .await
}

fn append(with_claim: bool) -> Append {
    let stream = StreamKey {
        tenant_id: Uuid::nil(),
        area: AreaName::new("profile").expect("a short name"),
        id: Uuid::now_v7(),
    };
    let event = NewEvent {
        id: Uuid::now_v7(),
        name: "ProfileRenamed".to_owned(),
        schema_version: 1,
        occurred_at: None,
        payload: "{\"name\":\"somebody\",\"n\":1}".to_owned(),
    };
    let claim = Claim {
        claim: Uuid::new_v4(),
        kind: "bench",
        tenant_id: Uuid::nil(),
        holder: stream.id,
        expires_at: None,
    };
    Append {
        envelope: Arc::new(Envelope {
            request_id: Uuid::now_v7(),
            real_actor_kind: "profile",
            operation: "bench",
            ..Envelope::nobody()
        }),
        writes: vec![StreamWrite { stream, expected_version: 0, events: vec![event] }],
        guards: vec![],
        takes: with_claim.then_some(claim).into_iter().collect(),
        releases: vec![],
        rows: vec![],
    }
}

async fn appends(database: &Database) {
    let bare_alone = bare(database, 1).await;
    let bare_sixteen = bare(database, 16).await;
    println!("bare INSERT, 1 connection:   {bare_alone:>9.0}/s");
    println!("bare INSERT, 16 connections: {bare_sixteen:>9.0}/s");
    let (feed, _fed) = tokio::sync::mpsc::channel(1);
    let settings = AppenderSettings { database: database.clone(), feed };
    let (appender, _task) = Appender::start(settings);
    for callers in [1, 16, 256, 1_024] {
        for with_claim in [false, true] {
            let done = rate(callers, |_| async {
                let done = appender.append(append(with_claim), Priority::Caller).await;
                done.expect("appending");
            })
            .await;
            let claim = if with_claim { ", a claim each" } else { "" };
            let beside = if callers == 1 {
                format!("{:.2} times the time of a bare INSERT", bare_alone / done)
            } else {
                format!("{:.2} times the bare INSERTs of 16", done / bare_sixteen)
            };
            println!("append, {callers:>4} callers{claim:<15} {done:>9.0}/s  {beside}");
        }
    }
    let (client, _driver) = database.connect().await.expect("connecting");
    // The events above are of no directory: a fresh database is used from here on.
    drop(client);
}

async fn everything_else(database: &Database) {
    let name = "dossier_bench";
    let (client, _driver) = {
        let mut superuser = database.config().clone();
        superuser.user("postgres").dbname("postgres");
        Database::new(superuser).connect().await.expect("connecting as superuser")
    };
    let create = format!("create database {name} owner dossier_owner");
    client.batch_execute(&create).await.expect("a fresh database");
    let mut owner = database.config().clone();
    owner.user(OWNER).dbname(name);
    let (mut owner, _driver) = Database::new(owner).connect().await.expect("connecting as owner");
    migrate(&mut owner, Some(APP)).await.expect("migrating");
    let mut app = database.config().clone();
    app.dbname(name);
    let settings = || Settings {
        database: Database::new(app.clone()),
        pool_connections: 24,
        next_start: None,
        alone: true,
        projecting: true,
    };
    let engine = Engine::start(settings()).await.expect("starting the engine");
    let file = catalogue_file::parse(CATALOGUE).expect("the demo's catalogue");
    let how = How { dry_run: false, prune: false, folder: ".".into() };
    apply(&engine, &file, &how).await.expect("applying the catalogue");
    seed_and_search(&engine).await;
    rebuild(&engine).await;
    engine.stop().await;
    let started = Instant::now();
    let engine = Engine::start(settings()).await.expect("starting again");
    println!("start with the index loaded: {:>9.2} s", started.elapsed().as_secs_f64());
    engine.stop().await;
}

async fn seed_and_search(engine: &Arc<Engine>) {
    let profiles: u64 = std::env::var("DOSSIER_BENCH_PROFILES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let tenant = engine.tenant_named("default").await.expect("the tenant").expect("a tenant");
    let started = Instant::now();
    dossier::intake::made_up::seed(engine, "default", profiles, 3, 1, false)
        .await
        .expect("seeding");
    let head = engine.head().await.expect("the head");
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "create until folded, 256 callers: {:>6.0} profiles/s, {:.0} events/s",
        profiles as f64 / seconds,
        head as f64 / seconds
    );
    let catalogue = engine.catalogue(tenant).await.expect("the catalogue");
    let some: Vec<Uuid> = catalogue.departments.iter().take(3).map(|one| one.id.0).collect();
    for (viewer, access) in [("superadmin", Access::All), ("admin of 3", Access::Departments(some))]
    {
        for (what, term) in [
            ("no term", None),
            ("one letter", Some("a")),
            ("two", Some("an")),
            ("three dense", Some("exa")),
            ("rare", Some("zizison")),
            ("absent", Some("qqqq")),
        ] {
            let query = Query {
                term: term.map(str::to_owned),
                exclude: None,
                roles: catalogue.roles.iter().map(|role| role.key.clone()).collect(),
                without_role: true,
                access: access.clone(),
                departments: vec![],
                role: None,
                nothing: false,
                offset: 0,
                limit: 12,
            };
            let mut times: Vec<Duration> = (0..200)
                .map(|_| {
                    let started = Instant::now();
                    std::hint::black_box(engine.search.search(tenant.0, &query));
                    started.elapsed()
                })
                .collect();
            times.sort_unstable();
            println!(
                "search of {profiles}, {viewer}, {what}: p50 {:.2} ms, p99 {:.2} ms",
                times[100].as_secs_f64() * 1e3,
                times[198].as_secs_f64() * 1e3
            );
        }
    }
}

async fn rebuild(engine: &Arc<Engine>) {
    let head = engine.head().await.expect("the head");
    let each = names().into_iter().map(|name| (name, vec![name]));
    let every: Vec<(&str, Vec<&str>)> = each.chain([("all at once", names())]).collect();
    for (what, names) in every {
        let started = Instant::now();
        let report = engine.replay(None, &names, true, &|_| {}).await.expect("replaying");
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "rebuild, {what:<20} {:>9.0} events/s of the log ({} events read, {} rows differed)",
            head as f64 / seconds,
            report.events,
            report.differing.values().sum::<i64>()
        );
    }
    let tenant = engine.tenant_named("default").await.expect("the tenant").expect("a tenant");
    let started = Instant::now();
    let report = engine.clone().refresh(tenant).await.expect("refreshing");
    println!(
        "refresh of a tenant:         {:>9.0} events/s",
        report.events as f64 / started.elapsed().as_secs_f64()
    );
}
