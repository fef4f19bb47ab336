//! Statements that succeed together, sent to the database at once with the commit behind them: a
//! process that is paused or dies leaves no open transaction for which others would wait.

use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt, MaybeDone, TryFutureExt, maybe_done, poll_fn};
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

/// A parameter of a statement.
pub type Parameter<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// A statement and its parameters.
pub struct Write<'a> {
    sql: String,
    parameters: Vec<Parameter<'a>>,
}

impl<'a> Write<'a> {
    /// A statement with these parameters.
    pub fn new(sql: impl Into<String>, parameters: Vec<Parameter<'a>>) -> Write<'a> {
        Write { sql: sql.into(), parameters }
    }
}

type Sent<'a> = MaybeDone<BoxFuture<'a, Result<u64, Error>>>;

/// Writes all of it or nothing. The transaction needs nothing more from this process once it is
/// sent: the server itself turns the commit into a rollback when a statement fails.
///
/// # Errors
/// The driver's, of the first statement that failed. After a broken connection it is unknown
/// whether the writes succeeded.
pub async fn in_one_flight(client: &ClientWrapper, writes: &[Write<'_>]) -> Result<(), Error> {
    // Statements must be prepared before: preparing one in between would wait for the server.
    let mut statements = Vec::with_capacity(writes.len());
    for write in writes {
        statements.push(client.prepare_cached(&write.sql).await?);
    }
    let parameters = writes.iter().map(|write| {
        let parameters = write.parameters.iter();
        parameters.map(|parameter| &**parameter as &(dyn ToSql + Sync)).collect()
    });
    let parameters: Vec<Vec<&(dyn ToSql + Sync)>> = parameters.collect();
    let word = |word| maybe_done(client.batch_execute(word).map_ok(|()| 0).boxed());
    let mut flight: Vec<Sent<'_>> = vec![word("begin")];
    let works = statements.iter().zip(&parameters);
    flight.extend(works.map(|(one, with)| maybe_done(client.execute(one, with).boxed())));
    send(&mut flight).await;
    // A statement with a parameter that cannot be encoded is not sent at all.
    let unsent = |one: &mut Sent<'_>| matches!(Pin::new(one).output_mut(), Some(Err(_)));
    let end = if flight.iter_mut().any(unsent) { "rollback" } else { "commit" };
    let mut end = [word(end)];
    send(&mut end).await;
    let mut done = Ok(());
    for mut one in flight.into_iter().chain(end) {
        (&mut one).await;
        let answer = Pin::new(&mut one).take_output().unwrap_or(Ok(0));
        done = done.and(answer.map(|_| ()));
    }
    done
}

/// Polls each future once, in order: that sends each behind the ones before.
async fn send(flight: &mut [Sent<'_>]) {
    poll_fn(|context| {
        for one in flight.iter_mut() {
            let _ = one.poll_unpin(context);
        }
        Poll::Ready(())
    })
    .await;
}
