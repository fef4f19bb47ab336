//! The connections of lanes and replays.

use deadpool_postgres::ClientWrapper;
use tokio_util::sync::CancellationToken;

use crate::store::{Database, Error};

/// A connection of a lane.
pub struct Connection {
    pub client: ClientWrapper,
    /// Cancelled when the connection has ended, for any reason.
    pub ended: CancellationToken,
}

/// A connection with the settings of lanes. Rows and checkpoint are lost together in a crash and
/// folded again, so commits do not wait for the disk. A transaction never waits more than a second
/// for this process, which may be paused: all other processes would wait for it.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn connect(database: &Database) -> Result<Connection, Error> {
    let options = "-c synchronous_commit=off -c enable_seqscan=off -c jit=off \
                   -c plan_cache_mode=force_generic_plan -c statement_timeout=60000 \
                   -c idle_in_transaction_session_timeout=1000 \
                   -c application_name=dossier-projector";
    let (client, driver) = database.with_options(options).connect().await?;
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    let driver = tokio::spawn(async move {
        let _end = end;
        let _ = driver.await;
    });
    Ok(Connection { client: ClientWrapper::new(client, driver), ended })
}
