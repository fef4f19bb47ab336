//! A real PostgreSQL for the tests: one cluster for the run, one database for each test, made from
//! a migrated template. The cluster and its folder go when the run ends, however it ends.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use dossier::cluster::{self, Cluster, Options};
use dossier::store::{Database, migrate};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, Config};

/// The cluster of this run.
struct Shared {
    superuser: Config,
    app: Config,
    _cluster: &'static Cluster,
    /// Waits for this process to end, then removes the folder.
    _sweeper: Child,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A migrated database of a test's own, as the application's role.
pub async fn database() -> Database {
    let shared = SHARED.get_or_init(start).await;
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let (client, _driver) = Database::new(shared.superuser.clone()).connect().await.unwrap();
    let create = format!("create database {name} template migrated owner dossier_owner");
    client.batch_execute(&create).await.unwrap();
    let grant = format!("grant create on database {name} to {}", cluster::APP);
    client.batch_execute(&grant).await.unwrap();
    let mut app = shared.app.clone();
    app.dbname(&name);
    Database::new(app)
}

/// A connection to the database of `database`, as one who may do anything in it.
pub async fn superuser(database: &Database) -> Client {
    superuser_of(database.config().get_dbname().unwrap()).await
}

/// The same by the database's name.
pub async fn superuser_of(name: &str) -> Client {
    let shared = SHARED.get_or_init(start).await;
    let mut config = shared.superuser.clone();
    config.dbname(name);
    Database::new(config).connect().await.unwrap().0
}

async fn start() -> Shared {
    let folder = std::env::temp_dir().join(format!("dossier-tests-{}", std::process::id()));
    let sweeper = sweeper(&folder);
    // Kept for the whole run, beyond the runtime of the test that came first: its own tasks end
    // with that runtime, the server goes on, and its guardian stops it with this process.
    let started = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let cluster = runtime.block_on(Cluster::start(&folder, Options { durable: false }));
        let cluster: &'static Cluster = Box::leak(Box::new(cluster.unwrap()));
        runtime.block_on(make_template(cluster));
        Box::leak(Box::new(runtime));
        cluster
    });
    let cluster = started.await.unwrap();
    let mut superuser = cluster.config(cluster::SUPERUSER);
    superuser.dbname("postgres");
    Shared { superuser, app: cluster.config(cluster::APP), _cluster: cluster, _sweeper: sweeper }
}

async fn make_template(cluster: &Cluster) {
    let mut superuser = cluster.config(cluster::SUPERUSER);
    superuser.dbname("postgres");
    let (client, _driver) = Database::new(superuser).connect().await.unwrap();
    client.batch_execute("create database migrated owner dossier_owner").await.unwrap();
    let mut owner = cluster.config(cluster::OWNER);
    owner.dbname("migrated");
    let (mut client, driver) = Database::new(owner).connect().await.unwrap();
    migrate(&mut client, Some(cluster::APP)).await.unwrap();
    drop(client);
    driver.await.unwrap();
}

fn sweeper(folder: &PathBuf) -> Child {
    let script = "cat >/dev/null; while [ -e \"$1/postgres/data/postmaster.pid\" ] && \
                  kill -0 \"$(head -n 1 \"$1/postgres/data/postmaster.pid\")\" 2>/dev/null; \
                  do sleep 0.1; done; rm -rf \"$1\"";
    Command::new("sh")
        .args(["-c", script, "sweeper"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
