//! The embedded database: it starts on anything a crash can leave behind, and leaves nothing
//! behind itself.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use dossier::cluster::{APP, Cluster, Error, OWNER, Options, attach};

const FOR_TESTS: Options = Options { durable: false };
/// Names the data directory to own in a process that is one of these tests run once more.
const HOLD: &str = "DOSSIER_TEST_HOLD";
const HOLDING: &str = "holding";
/// Only ever reached by a failure.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_new_directory_gets_a_database_that_only_its_roles_can_use() {
    let place = Place::new();
    let cluster = place.start().await;
    let owner = connect(cluster.config(OWNER)).await;
    let facts = "select current_setting('server_encoding'), datcollate, \
                 pg_get_userbyid(datdba)::text, current_setting('data_checksums'), \
                 current_setting('listen_addresses') \
                 from pg_database where datname = current_database()";
    let row = owner.query_one(facts, &[]).await.unwrap();
    let facts: [&str; 5] = std::array::from_fn(|column| row.get(column));
    assert_eq!(facts, ["UTF8", "C", OWNER, "on", ""]);
    let mode = fs::metadata(socket_directory(&cluster)).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "others can reach the socket");

    owner.batch_execute("create table fact (id int)").await.unwrap();
    let app = connect(cluster.config(APP)).await;
    for refused in ["select * from fact", "create table own (id int)", "create schema own"] {
        let error = app.batch_execute(refused).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{refused}");
    }
    owner.batch_execute(&format!("grant select on fact to {APP}")).await.unwrap();
    app.batch_execute("select * from fact").await.unwrap();
    let roles = "select bool_or(rolsuper or rolcreatedb or rolcreaterole) from pg_roles \
                 where rolname = any($1)";
    let row = owner.query_one(roles, &[&[OWNER, APP].as_slice()]).await.unwrap();
    assert!(!row.get::<_, bool>(0), "a role may do more than it needs");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_has_one_owner_and_others_attach_to_it() {
    let place = Place::new();
    assert_eq!(attach(&place.data_dir).await.unwrap(), None);
    assert!(!place.data_dir.exists(), "a look made a directory");
    let cluster = place.start().await;
    let second = Cluster::start(&place.data_dir, FOR_TESTS).await;
    let Err(Error::AlreadyRunning { pid, .. }) = second else { panic!("{second:?}") };
    assert_eq!(pid, Some(std::process::id()));
    let attached = attach(&place.data_dir).await.unwrap().expect("an owner");
    assert_eq!(attached.pid, Some(std::process::id()));
    connect(attached.config(OWNER)).await.batch_execute("select").await.unwrap();
    cluster.stop().await.unwrap();
    assert_eq!(attach(&place.data_dir).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_after_a_drop() {
    let place = Place::new();
    let cluster = place.start().await;
    write(&connect(cluster.config(OWNER)).await).await;
    cluster.stop().await.unwrap();
    assert_eq!(place.postmaster(), None);
    let cluster = place.start().await;
    assert_written(&cluster).await;
    drop(cluster);
    assert_eq!(place.postmaster(), None);
    let cluster = place.start().await;
    assert_written(&cluster).await;
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_owner_takes_its_server_with_it() {
    let place = Place::new();
    let mut owner = Owner::hold(&place).await;
    owner.child.kill().await.unwrap();
    owner.disconnected().await;
    let cluster = place.start().await;
    assert_written(&cluster).await;
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_its_owner_left_running_is_taken_over() {
    let place = Place::new();
    let mut owner = Owner::hold(&place).await;
    let left_running = place.postmaster().expect("a server");
    kill_now(guardian_of(left_running));
    owner.child.kill().await.unwrap();
    let cluster = place.start().await;
    owner.disconnected().await;
    assert_ne!(place.postmaster(), Some(left_running));
    assert_written(&cluster).await;
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_backend_that_outlives_its_server_is_ended_by_the_next_start() {
    let place = Place::new();
    let Owner { mut child, client, connection } = Owner::hold(&place).await;
    // While it computes, a backend does not notice that its postmaster is gone.
    let endless = "select count(*) from generate_series(1, 1000000000000)";
    let busy = tokio::spawn(async move { client.batch_execute(endless).await.unwrap_err() });
    let postmaster = place.postmaster().expect("a server");
    kill_now(guardian_of(postmaster));
    kill_now(postmaster);
    child.kill().await.unwrap();
    let cluster = place.start().await;
    timeout(PATIENCE, busy).await.expect("the backend ended").unwrap();
    timeout(PATIENCE, connection).await.expect("the backend ended").unwrap();
    assert_written(&cluster).await;
    cluster.stop().await.unwrap();
}

/// Not a test of its own, but the process the ones above kill.
#[tokio::test]
async fn an_owner_holds_its_directory_until_killed() {
    let Some(data_dir) = env::var_os(HOLD) else {
        return;
    };
    let _cluster = Cluster::start(Path::new(&data_dir), FOR_TESTS).await.unwrap();
    println!("{HOLDING}");
    std::future::pending().await
}

#[tokio::test]
async fn a_killed_server_is_started_again_in_place_until_stopped() {
    let place = Place::new();
    let cluster = place.start().await;
    write(&connect(cluster.config(OWNER)).await).await;
    let mut health = cluster.health();
    for restarts in 1..=2 {
        kill_now(place.postmaster().expect("a server"));
        let again = health.wait_for(|now| now.restarts == restarts && now.postmaster.is_some());
        timeout(PATIENCE, again).await.expect("a restart").unwrap();
        assert_written(&cluster).await;
    }
    fs::remove_file(place.cluster().join("postgresql.conf")).unwrap();
    kill_now(place.postmaster().expect("a server"));
    timeout(PATIENCE, health.wait_for(|now| now.postmaster.is_none())).await.unwrap().unwrap();
    // It cannot start: whoever asks is told when the next try is, each time later.
    let mut next_start = cluster.next_start();
    for pause in [200, 400, 800].map(Duration::from_millis) {
        let at_least = Instant::now() + pause / 2;
        let waits = next_start.wait_for(|next| next.is_some_and(|next| next > at_least));
        let next = timeout(PATIENCE, waits).await.expect("a next try").unwrap().unwrap();
        assert!(next < Instant::now() + Duration::from_secs(10), "it never waits longer");
    }
    timeout(PATIENCE, cluster.stop()).await.expect("an end").unwrap();
}

#[tokio::test]
async fn a_start_given_up_at_any_moment_does_no_harm() {
    let place = Place::new();
    for milliseconds in [1, 30, 300, 30_000, 1, 10, 30, 60, 90] {
        let start = Cluster::start(&place.data_dir, FOR_TESTS);
        drop(timeout(Duration::from_millis(milliseconds), start).await);
    }
    place.start().await.stop().await.unwrap();
    assert_eq!(place.unfinished(), 0);
}

#[tokio::test]
async fn a_name_too_long_for_a_socket_is_no_obstacle() {
    let place = Place::below(&["n".repeat(100), "n".repeat(100)].join("/"));
    let cluster = place.start().await;
    let socket_directory = socket_directory(&cluster);
    assert!(!socket_directory.starts_with(&place.data_dir));
    let attached = attach(&place.data_dir).await.unwrap().expect("an owner");
    connect(attached.config(APP)).await.batch_execute("select").await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!socket_directory.exists());
}

#[tokio::test]
async fn a_name_with_signs_that_mean_something_elsewhere_is_no_obstacle() {
    let place = Place::below("a b, 'c' \"d\" $e");
    let cluster = place.start().await;
    let attached = attach(&place.data_dir).await.unwrap().expect("an owner");
    connect(attached.config(APP)).await.batch_execute("select").await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_crash_left_is_no_obstacle_and_does_not_stay() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    // A process of ours, but no server.
    let note = format!("{}\n/elsewhere\n1\n5432\n..\n\n1 1\nready\n", std::process::id());
    fs::write(place.cluster().join("postmaster.pid"), note).unwrap();
    fs::create_dir_all(place.data_dir.join("postgres/data.new.killed/base")).unwrap();
    let logs = place.data_dir.join("postgres/log");
    for hour in 10..20 {
        fs::write(logs.join(format!("server-20010101-{hour}0000.log")), "old").unwrap();
    }
    place.start().await.stop().await.unwrap();
    assert_eq!(place.unfinished(), 0);
    assert!(fs::read_dir(&logs).unwrap().count() <= 6, "old logs stay");
    assert!(logs.join("server-20010101-190000.log").exists(), "not the oldest went");
}

#[tokio::test]
async fn a_cluster_that_cannot_be_started_says_why_and_what_to_do() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    fs::write(place.cluster().join("postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = Cluster::start(&place.data_dir, FOR_TESTS).await.unwrap_err();
    let Error::Start { source, .. } = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("no_such_setting"), "{source}");

    fs::write(place.cluster().join("PG_VERSION"), "9\n").unwrap();
    let error = Cluster::start(&place.data_dir, FOR_TESTS).await.unwrap_err();
    assert!(matches!(error, Error::WrongVersion { made: 9, .. }), "{error:?}");
    for word in ["PostgreSQL 9", "DOSSIER_PG_BIN", "export-log", "import-log"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_directory_of_somebody_else_is_refused_with_both_named() {
    let place = Place::new();
    fs::create_dir(&place.data_dir).unwrap();
    let foreign = if geteuid().is_root() {
        chown(&place.data_dir, Some(12345), None).unwrap();
        place.data_dir.clone()
    } else {
        PathBuf::from("/usr")
    };
    let error = Cluster::start(&foreign, FOR_TESTS).await.unwrap_err();
    let Error::ForeignOwner { owner, ours, .. } = error else { panic!("{error:?}") };
    assert_ne!(owner, ours);
}

/// A data directory that goes with the test.
struct Place {
    data_dir: PathBuf,
    _folder: TempDir,
}

impl Place {
    fn new() -> Place {
        Place::below("data")
    }

    fn below(name: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place { data_dir: folder.path().join(name), _folder: folder }
    }

    async fn start(&self) -> Cluster {
        Cluster::start(&self.data_dir, FOR_TESTS).await.unwrap()
    }

    fn cluster(&self) -> PathBuf {
        self.data_dir.join("postgres/data")
    }

    /// The server process that has noted the cluster as its own.
    fn postmaster(&self) -> Option<u32> {
        let note = fs::read_to_string(self.cluster().join("postmaster.pid")).ok()?;
        Some(note.lines().next().unwrap().parse().unwrap())
    }

    fn unfinished(&self) -> usize {
        let entries = fs::read_dir(self.data_dir.join("postgres")).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().starts_with("data.new.")).count()
    }
}

/// Another process that owns a data directory in which something is written, and a connection to
/// its database.
struct Owner {
    child: Child,
    client: Client,
    connection: JoinHandle<()>,
}

impl Owner {
    async fn hold(place: &Place) -> Owner {
        let (_, module) = module_path!().split_once("::").unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .arg(format!("{module}::an_owner_holds_its_directory_until_killed"))
            .args(["--exact", "--nocapture"])
            .env(HOLD, &place.data_dir)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = String::new();
        while !line.contains(HOLDING) {
            line = lines.next_line().await.unwrap().expect("the owner holds");
        }
        let attached = attach(&place.data_dir).await.unwrap().expect("an owner");
        assert_eq!(attached.pid, child.id());
        let (client, connection) = attached.config(OWNER).connect(NoTls).await.unwrap();
        let connection = tokio::spawn(async move { drop(connection.await) });
        write(&client).await;
        Owner { child, client, connection }
    }

    /// Waits until the server has closed the connection.
    async fn disconnected(self) {
        timeout(PATIENCE, self.connection).await.expect("the server ended").unwrap();
    }
}

async fn connect(config: Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn write(owner: &Client) {
    // Not to be lost with the server, as the rest may be under these options.
    let statements = "set synchronous_commit = on; create table written as select 7 as number";
    owner.batch_execute(statements).await.unwrap();
}

async fn assert_written(cluster: &Cluster) {
    let owner = connect(cluster.config(OWNER)).await;
    let row = owner.query_one("select number from written", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
}

fn socket_directory(cluster: &Cluster) -> PathBuf {
    match cluster.config(APP).get_hosts() {
        [Host::Unix(path)] => path.clone(),
        hosts => panic!("{hosts:?}"),
    }
}

fn kill_now(pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
}

/// The process that would end the server when its owner is killed.
fn guardian_of(postmaster: u32) -> u32 {
    let wanted = format!("dossier-guardian\0{postmaster}\0");
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find(|process| {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            line.ends_with(wanted.as_bytes())
        })
        .and_then(|process| process.file_name().to_str()?.parse().ok())
        .expect("a guardian")
}
