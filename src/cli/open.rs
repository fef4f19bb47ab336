//! Opens the directory that the arguments name: the embedded database, started or attached to, or
//! a server of one's own.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio_postgres::Config;

use crate::bearer::local::LocalIssuer;
use crate::cluster::{self, Cluster};
use crate::engine::{Engine, Settings};
use crate::store::{Database, migrate};

use super::Place;

/// Connections for requests.
const POOL_CONNECTIONS: usize = 24;

/// An open directory.
pub struct Directory {
    pub engine: Arc<Engine>,
    /// The owner of the log, if it is known.
    owner: Config,
    /// The embedded database, if this process runs it.
    cluster: Option<Cluster>,
}

impl Directory {
    /// Opens a directory that exists: a mistyped place is an error, and is not filled.
    ///
    /// # Errors
    /// What failed, and what to do.
    pub async fn open(place: &Place) -> anyhow::Result<Directory> {
        is_there(place).await?;
        Directory::open_or_make(place).await
    }

    /// Opens the directory, migrated and with its read models. Makes it if there is none.
    ///
    /// # Errors
    /// What failed, and what to do.
    pub async fn open_or_make(place: &Place) -> anyhow::Result<Directory> {
        if let Some(url) = &place.database_url {
            return Directory::on_server(url, place.owner_database_url.as_deref()).await;
        }
        match cluster::attach(&place.data_dir).await? {
            Some(attached) => {
                let (owner, app) = (attached.config(cluster::OWNER), attached.config(cluster::APP));
                Directory::start(owner, app, None, false).await
            }
            None => Directory::embedded(&place.data_dir, cluster::Options::default()).await,
        }
    }

    /// Starts the embedded database, which no other process may run.
    ///
    /// # Errors
    /// What failed, and what to do.
    pub async fn embedded(data_dir: &Path, options: cluster::Options) -> anyhow::Result<Directory> {
        let cluster = Cluster::start(data_dir, options).await?;
        let (owner, app) = (cluster.config(cluster::OWNER), cluster.config(cluster::APP));
        migrate_as(owner.clone(), Some(cluster::APP)).await?;
        Directory::start(owner, app, Some(cluster), true).await
    }

    /// Uses a server of one's own.
    ///
    /// # Errors
    /// What failed, and what to do.
    pub async fn on_server(url: &str, owner_url: Option<&str>) -> anyhow::Result<Directory> {
        let app: Config = url.parse().context("reading --database-url")?;
        match owner_url {
            Some(owner_url) => {
                let owner: Config = owner_url.parse().context("reading --owner-database-url")?;
                let role = app.get_user().context("--database-url names no user")?;
                migrate_as(owner.clone(), Some(role)).await?;
                return Directory::start(owner, app, None, true).await;
            }
            None if is_migrated_by_another(&app).await? => {}
            None => {
                tracing::warn!(
                    "THE SERVER RUNS AS THE OWNER OF THE LOG: give it a role of its own with \
                     --owner-database-url, so that not even a defect could change an event"
                );
                migrate_as(app.clone(), None).await?;
            }
        }
        Directory::start(app.clone(), app, None, true).await
    }

    /// A connection as the owner of the log.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn owner(&self) -> anyhow::Result<tokio_postgres::Client> {
        Ok(Database::new(self.owner.clone()).connect().await?.0)
    }

    async fn start(
        owner: Config,
        config: Config,
        cluster: Option<Cluster>,
        projecting: bool,
    ) -> anyhow::Result<Directory> {
        let settings = Settings {
            database: Database::new(config),
            pool_connections: POOL_CONNECTIONS,
            next_start: cluster.as_ref().map(Cluster::next_start),
            // No other process writes to a database that this process runs.
            alone: cluster.is_some(),
            projecting,
        };
        match Engine::start(settings).await {
            Ok(engine) => Ok(Directory { engine, owner, cluster }),
            Err(error) => {
                if let Some(cluster) = cluster {
                    cluster.stop().await?;
                }
                Err(error).context("starting the engine")
            }
        }
    }

    /// The issuer of this installation's tokens.
    ///
    /// # Errors
    /// The secret cannot be read.
    pub async fn local_issuer(&self) -> anyhow::Result<LocalIssuer> {
        let secret = self.engine.secrets.get_or_make("local_issuer").await?;
        LocalIssuer::from_secret(&secret).context("making the local issuer")
    }

    /// Stops the engine, then the embedded database if this process runs it.
    ///
    /// # Errors
    /// The database did not stop.
    pub async fn close(self) -> anyhow::Result<()> {
        self.engine.stop().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await?;
        }
        Ok(())
    }
}

/// Fails if no directory was made there.
///
/// # Errors
/// The place, and how to make a directory.
async fn is_there(place: &Place) -> anyhow::Result<()> {
    if let Some(url) = &place.database_url {
        let config: Config = url.parse().context("reading --database-url")?;
        let (client, _driver) = Database::new(config).connect().await?;
        // Every role can read the database's catalogue, whatever else it may read.
        let known = "
            select exists (
                select
                from pg_class
                join pg_namespace on pg_namespace.oid = relnamespace
                where nspname = 'log' and relname = 'events')";
        if client.query_one(known, &[]).await.context("looking for the log")?.get(0) {
            return Ok(());
        }
        anyhow::bail!(
            "the database of --database-url holds no directory: name the one you mean, or make one \
             there with `dossier serve`, `dossier apply` or `dossier import-log`"
        );
    }
    if cluster::is_in(&place.data_dir) {
        return Ok(());
    }
    anyhow::bail!(
        "there is no directory in {}: name the one you mean with --data-dir, or make one with \
         `dossier serve`, `dossier apply` or `dossier import-log`",
        place.data_dir.display()
    )
}

/// Whether the log exists and this role may not change it: then its owner migrates it.
async fn is_migrated_by_another(app: &Config) -> anyhow::Result<bool> {
    let (client, _driver) = Database::new(app.clone()).connect().await?;
    let sql = "select coalesce(
        not has_table_privilege(to_regclass('log.events')::oid, 'update'), false)";
    let row = client.query_one(sql, &[]).await.context("asking what the role may do")?;
    Ok(row.get(0))
}

async fn migrate_as(config: Config, role: Option<&str>) -> anyhow::Result<()> {
    let (mut client, _driver) = Database::new(config).connect().await?;
    migrate(&mut client, role).await.context("migrating the database")
}
