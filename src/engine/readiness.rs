//! Whether this process can answer requests: the database answers, there is room for more work, and
//! no read model has been behind the log for long.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::Engine;
use super::fold::lane::UNKNOWN;
use crate::store::{Doing, Error};

/// Longest wait for the database.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(2);
/// How old an event may be before it is folded; beyond, `/readyz` answers 503.
pub const BEHIND_MAX: Duration = Duration::from_secs(30);

/// Why requests should go to another server.
#[derive(Clone, Debug, PartialEq)]
pub enum Unready {
    DatabaseSilent,
    /// The embedded database died, and will be started again in this time.
    DatabaseDown {
        seconds: u64,
    },
    QueueFull,
    LogWentBack,
    /// Lanes that have lost their connections.
    Disconnected {
        lane: &'static str,
    },
    /// Lanes that have not folded an event for this long.
    Behind {
        lane: &'static str,
        seconds: u64,
        events: i64,
    },
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unready::DatabaseSilent => write!(f, "the database does not answer"),
            Unready::DatabaseDown { seconds: 0 } => {
                write!(f, "PostgreSQL died and is being started again")
            }
            Unready::DatabaseDown { seconds } => {
                write!(f, "PostgreSQL died: the next try to start it is in {seconds} s")
            }
            Unready::LogWentBack => {
                write!(f, "the log went back: the server must be started again")
            }
            Unready::QueueFull => write!(f, "the append queue is full"),
            Unready::Disconnected { lane } => write!(
                f,
                "the read models of the lane {lane} are not known to be up to date: it has lost \
                 its connection and tries again"
            ),
            Unready::Behind { lane, seconds, events } => write!(
                f,
                "the read models of the lane {lane} are behind by {events} events, the first of \
                 them {seconds} s old"
            ),
        }
    }
}

impl Engine {
    /// Why requests should go to another server now; None if they need not.
    pub async fn unready(&self) -> Option<Unready> {
        if self.went_back().is_cancelled() {
            return Some(Unready::LogWentBack);
        }
        let next_start = self.next_start.as_ref().and_then(|next| *next.borrow());
        if let Some(next) = next_start {
            let seconds = next.saturating_duration_since(Instant::now()).as_secs_f64().ceil();
            return Some(Unready::DatabaseDown { seconds: seconds as u64 });
        }
        if self.is_overloaded() {
            return Some(Unready::QueueFull);
        }
        let looked = tokio::time::timeout(ANSWER_WAIT_MAX, self.behind()).await;
        looked.ok().and_then(Result::ok).unwrap_or(Some(Unready::DatabaseSilent))
    }

    /// The first lane that is too far behind.
    async fn behind(&self) -> Result<Option<Unready>, Error> {
        // The oldest event that the lane has not folded, and its age by the database's clock.
        let sql = "
            select
                (select max(position) from log.events) - $1,
                extract(epoch from clock_timestamp() - recorded_at)::float8
            from log.events
            where position > $1
            order by position
            limit 1";
        let positions = self.projections.positions();
        let client = self.connection().await?;
        let statement = client.prepare_cached(sql).await.doing("asking how old events are")?;
        for (lane, position) in positions {
            let lane = lane.name();
            if position == UNKNOWN {
                return Ok(Some(Unready::Disconnected { lane }));
            }
            let next = client
                .query_opt(&statement, &[&position])
                .await
                .doing("asking how old events are")?;
            let Some((events, seconds)) = next.map(|row| (row.get(0), row.get::<_, f64>(1))) else {
                continue;
            };
            if seconds > BEHIND_MAX.as_secs_f64() {
                let seconds = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs();
                return Ok(Some(Unready::Behind { lane, seconds, events }));
            }
        }
        Ok(None)
    }
}
