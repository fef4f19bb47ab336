//! Connections to the database: single ones, listening ones, and pools.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Doing, Error};

/// How long to wait until a host accepts a connection.
const HOST_TIME_MAX: Duration = Duration::from_secs(5);
/// How long opening a connection may take in all: a host may accept it and then not answer.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// After so long without data a connection is probed,
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// so often,
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
/// so many times, before it counts as lost.
const KEEPALIVE_RETRIES: u32 = 3;
/// How long sent data may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(15);
/// How long to wait for a connection from the pool.
const POOL_WAIT: Duration = Duration::from_secs(5);
/// How many notifications may wait; they only say "look", so further ones can be dropped.
const NOTIFICATIONS_WAITING_MAX: usize = 16;

/// Where the log is, and how to connect to it.
#[derive(Clone)]
pub struct Database {
    config: Config,
    tls: MakeRustlsConnect,
}

/// A connection that hears of new events.
pub struct Listener {
    /// Keeps the connection open.
    pub client: Client,
    /// One item for each batch that any process appended; ends with the connection.
    pub heard: mpsc::Receiver<String>,
}

impl Database {
    /// The database that `config` describes; over TLS if its `sslmode` demands it.
    pub fn new(mut config: Config) -> Database {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_roots());
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.connect_timeout(HOST_TIME_MAX);
        // Only these settings notice a network that drops packets.
        config
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES)
            .tcp_user_timeout(UNACKNOWLEDGED_MAX);
        Database { config, tls: MakeRustlsConnect::new(tls) }
    }

    /// The same database with settings for each connection that is opened from now on.
    pub fn with_options(&self, options: &str) -> Database {
        let mut config = self.config.clone();
        let options = match self.config.get_options() {
            Some(before) => format!("{before} {options}"),
            None => options.to_owned(),
        };
        config.options(options);
        Database { config, tls: self.tls.clone() }
    }

    /// The connection settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A single connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn connect(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let connecting = self.config.connect(self.tls.clone());
        let (client, connection) = within(CONNECT_TIME_MAX, "connecting", connecting).await?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a database connection ended");
            }
        });
        Ok((client, driver))
    }

    /// A connection that listens on `channel`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn listen(&self, channel: &str) -> Result<Listener, Error> {
        let connecting = self.config.connect(self.tls.clone());
        let (client, mut connection) =
            within(CONNECT_TIME_MAX, "connecting to listen", connecting).await?;
        let (sender, heard) = mpsc::channel(NOTIFICATIONS_WAITING_MAX);
        tokio::spawn(async move {
            let mut messages = poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(notification) = message {
                    // If it is full, the reader has not looked yet and will see this one too.
                    let _ = sender.try_send(notification.payload().to_owned());
                }
            }
        });
        let listen = format!("listen {channel}");
        within(CONNECT_TIME_MAX, "listening", client.batch_execute(&listen)).await?;
        Ok(Listener { client, heard })
    }

    /// A pool of at most `connections_max` connections.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for settings that no pool can have.
    pub fn pool(&self, connections_max: usize) -> Result<Pool, Error> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(self.config.clone(), self.tls.clone(), recycling);
        Pool::builder(manager)
            .max_size(connections_max)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(POOL_WAIT))
            .build()
            .map_err(|error| Error::Corrupt(format!("building the pool: {error}"), None))
    }
}

/// The result of work with the database within a time limit: a server that accepts a connection and
/// does not answer must not hold up its callers.
///
/// # Errors
/// [`Error::Unavailable`] when the time is over; the connection must then be dropped.
pub async fn within<T>(
    time_max: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(time_max, work).await {
        Ok(done) => done.doing(doing),
        Err(_) => Err(Error::Unavailable(doing, None)),
    }
}

/// The machine's certificates. If the store is unreadable there are none, and TLS fails with a
/// clear error.
fn rustls_roots() -> Vec<rustls::pki_types::CertificateDer<'static>> {
    static ROOTS: std::sync::OnceLock<Arc<Vec<rustls::pki_types::CertificateDer<'static>>>> =
        std::sync::OnceLock::new();
    let roots = ROOTS.get_or_init(|| Arc::new(rustls_native_certs::load_native_certs().certs));
    roots.to_vec()
}
