//! Makes a new cluster with the database and roles that everything else relies on.
//!
//! A cluster is made beside its place and moved there when it is complete, so that half a cluster
//! is never used.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use nix::unistd::mkdtemp;
use tokio_postgres::{Client, NoTls};
use tracing::{debug, info, warn};

use crate::cluster::site::Site;
use crate::cluster::{APP, DATABASE, Error, OWNER, SUPERUSER, config};

/// The beginning of the names of folders in which clusters are made.
const UNFINISHED: &str = "data.new.";

/// Makes the cluster if there is none.
pub async fn initialise(site: &Site) -> Result<(), Error> {
    info!("making a new database in {}, this takes a few seconds", site.data_dir.display());
    let began = Instant::now();
    // A new name each time: the initdb of a killed process may still write to its folder.
    let template = site.home.join(format!("{UNFINISHED}XXXXXX"));
    let unfinished = mkdtemp(&template).map_err(|errno| Error::File {
        doing: "make",
        path: template,
        source: errno.into(),
    })?;
    site.account.give(&unfinished)?;
    run_initdb(site, &unfinished).await?;
    fs::rename(&unfinished, &site.cluster)
        .and_then(|()| File::open(&site.home)?.sync_all())
        .map_err(|source| Error::File { doing: "put in place", path: unfinished, source })?;
    let milliseconds = began.elapsed().as_millis();
    debug!(milliseconds, "made a new database in {milliseconds} ms");
    Ok(())
}

/// Removes folders that a killed start left behind.
pub fn discard_unfinished(home: &Path) {
    let Ok(entries) = fs::read_dir(home) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            // The initdb of a killed process is still running there. The next start tries again.
            warn!(%error, "could not remove {}", entry.path().display());
        }
    }
}

/// Makes the database and its roles, in a new cluster, or in one whose first start was killed
/// between two steps.
pub async fn provision(socket_directory: &Path) -> Result<(), Error> {
    let failed = |doing| move |source| Error::Database { doing, source };
    let client = connect(socket_directory, SUPERUSER).await?;
    for role in [OWNER, APP] {
        let found = client
            .query_opt("select from pg_roles where rolname = $1", &[&role])
            .await
            .map_err(failed("look for a role"))?;
        if found.is_none() {
            let statement = format!("create role {role} login");
            client.batch_execute(&statement).await.map_err(failed("create a role"))?;
        }
    }
    let found = client
        .query_opt("select from pg_database where datname = $1", &[&DATABASE])
        .await
        .map_err(failed("look for the database"))?;
    if found.is_none() {
        let statement = format!("create database {DATABASE} owner {OWNER}");
        client.batch_execute(&statement).await.map_err(failed("create the database"))?;
    }
    let client = connect(socket_directory, DATABASE).await?;
    let not_granted = "select from pg_namespace join pg_roles on pg_roles.oid = nspowner
                   where nspname = 'public' and rolname <> $1";
    let found =
        client.query_opt(not_granted, &[&OWNER]).await.map_err(failed("look for rights"))?;
    if found.is_some() {
        // One transaction. The owner of the schema shows that it was done.
        let statements = format!(
            "revoke all on database {DATABASE} from public;
             grant connect on database {DATABASE} to {APP};
             revoke create on schema public from public;
             alter schema public owner to {OWNER};"
        );
        client.batch_execute(&statements).await.map_err(failed("grant the roles their rights"))?;
    }
    Ok(())
}

async fn run_initdb(site: &Site, folder: &Path) -> Result<(), Error> {
    let reachable_folder = site.reachable_folder(folder)?;
    let mut command = site.command("initdb");
    command
        .arg("--pgdata")
        .arg(&reachable_folder.path)
        .args(["--username", SUPERUSER, "--encoding=UTF8", "--locale=C", "--data-checksums"])
        .args(["--auth-local=trust", "--auth-host=reject"])
        .args((!site.options.durable).then_some("--no-sync"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Dropping this step ends the connection.
        .kill_on_drop(true);
    let child = site.spawn(&mut command)?;
    let output = child.wait_with_output().await.map_err(|source| Error::Create { source })?;
    if output.status.success() {
        return Ok(());
    }
    discard_unfinished(&site.home);
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    Err(Error::Create { source: io::Error::other(format!("{}: {said}", output.status)) })
}

async fn connect(socket_directory: &Path, database: &str) -> Result<Client, Error> {
    let mut config = config(socket_directory, SUPERUSER);
    config.dbname(database);
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(|source| Error::Database { doing: "sign in as superuser", source })?;
    // Ends when the client is dropped. Errors also reach the client's statements.
    tokio::spawn(connection);
    Ok(client)
}
