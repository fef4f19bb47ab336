//! The epochs of the log: one begins when the log may end before what somebody has seen of it.

use tokio_postgres::Client;

use super::{Doing, Error};

/// Begins another epoch if the database was restored or promoted, or if the log ends before what is
/// known of it; returns the epoch. Every role that may append may do this.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn begin_epoch(client: &Client) -> Result<Option<i32>, Error> {
    let begun = client.query_one("select log.begin_epoch()", &[]).await;
    begun.map(|row| row.get(0)).doing("beginning an epoch")
}

/// Begins another epoch, as the owner of the log, because an operator knows of a restore: a copy of
/// a database's files looks exactly like the database.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn raise_epoch(client: &Client) -> Result<i32, Error> {
    let sql = "insert into log.epoch (epoch) select max(epoch) + 1 from log.epoch returning epoch";
    let raised = client.query_one(sql, &[]).await;
    raised.map(|row| row.get(0)).doing("raising the epoch")
}
