//! Removes expired rows, in slices that fit into the time limit of a statement. A failure with one
//! table does not stop the others.

use std::time::{Duration, Instant};

use metrics::counter;

use crate::engine::Engine;
use crate::store::{Doing, ENDED_CLAIMS, Error};

/// Longest time for one table; the rest waits for the next round.
const TABLE_TIME_MAX: Duration = Duration::from_secs(5);

/// A table with rows that expire.
struct Sweep {
    table: &'static str,
    /// The condition of expired rows. An index finds them.
    past: &'static str,
    /// Rows removed by one statement: fewer for tables with large rows.
    slice_rows: u64,
}

const SWEEPS: [Sweep; 4] = [
    Sweep {
        table: "ops.idempotent_answers",
        past: "expires_at < clock_timestamp()",
        slice_rows: 2_000,
    },
    Sweep { table: "ops.export_files", past: "expires_at < clock_timestamp()", slice_rows: 20 },
    Sweep {
        table: "ops.request_counters",
        past: "day < (now() at time zone 'utc')::date - 7",
        slice_rows: 2_000,
    },
    Sweep { table: ENDED_CLAIMS.0, past: ENDED_CLAIMS.1, slice_rows: 2_000 },
];

/// Sweeps each table. A failure is logged, and the next round tries again.
pub async fn sweep(engine: &Engine) {
    for sweep in &SWEEPS {
        if let Err(error) = sweep.run(engine).await {
            let table = sweep.table;
            tracing::warn!(error = %error, table, "could not sweep {table}, trying again");
            counter!("dossier_reactions_total", "reaction" => "sweep", "outcome" => "failed")
                .increment(1);
        }
    }
}

impl Sweep {
    async fn run(&self, engine: &Engine) -> Result<(), Error> {
        let started = Instant::now();
        let sql = format!(
            "delete from {table} where ctid = any(array(
                select ctid from {table} where {past} limit {rows}
            ))",
            table = self.table,
            past = self.past,
            rows = self.slice_rows
        );
        let client = engine.connection().await?;
        loop {
            let removed = client.execute(&sql, &[]).await.doing("sweeping")?;
            if removed < self.slice_rows || started.elapsed() > TABLE_TIME_MAX {
                return Ok(());
            }
        }
    }
}
