//! The whole log, row by row, out of one database and into another: events, claims, and the
//! operational state without which they are worth less.

use deadpool_postgres::Object;
use serde_json::value::RawValue;

use super::Error;
use super::read::Reader;

/// A table that belongs to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTable {
    Secrets,
    ApiKeyHashes,
    Claims,
    Events,
}

impl LogTable {
    /// All of them, in the order in which they are moved.
    pub const ALL: [LogTable; 4] =
        [LogTable::Secrets, LogTable::ApiKeyHashes, LogTable::Claims, LogTable::Events];

    /// Its name, with its schema.
    pub const fn name(self) -> &'static str {
        match self {
            LogTable::Secrets => "ops.secrets",
            LogTable::ApiKeyHashes => "ops.api_key_hashes",
            LogTable::Claims => "log.claims",
            LogTable::Events => "log.events",
        }
    }

    /// The table of this name.
    pub fn named(name: &str) -> Option<LogTable> {
        LogTable::ALL.into_iter().find(|table| table.name() == name)
    }

    /// What its rows are ordered by, and the type of it.
    const fn order(self) -> (&'static str, &'static str) {
        match self {
            LogTable::Secrets => ("name", "text"),
            LogTable::ApiKeyHashes => ("api_key_id", "uuid"),
            LogTable::Claims => ("claim", "uuid"),
            LogTable::Events => ("position", "bigint"),
        }
    }
}

impl Reader {
    /// At most `limit` rows as JSON, each with its place, behind the place `after`; of events only
    /// those up to `head`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn export_rows(
        &self,
        table: LogTable,
        after: Option<&str>,
        head: i64,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        let (column, kind) = table.order();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let bound = if table == LogTable::Events { head } else { i64::MAX };
        let up_to = if table == LogTable::Events { "position <= $2" } else { "$2 > 0" };
        let behind = after.map_or_else(String::new, |_| format!("and {column} > $3::text::{kind}"));
        // Without a place nothing refers to $3, and a parameter must have a type.
        let sql = format!(
            "select {column}::text, row_to_json(rows)::text from {} as rows
            where {up_to} {behind} and ($3::text is null or true)
            order by {column} limit $1",
            table.name()
        );
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&limit, &bound, &after];
        let rows = self.query(&sql, &parameters, "exporting the log").await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Begins to take in a log, all of it or nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin_import(&self) -> Result<Import, Error> {
        let client = self.connection().await?;
        let begin =
            "begin; set local statement_timeout = 0; lock table log.events in exclusive mode";
        let begun = client.batch_execute(begin).await;
        begun.map_err(|error| Error::of_statement("beginning to import the log", error))?;
        Ok(Import { client: Object::take(client) })
    }

    /// Which promises of the log do not hold, in words; none in a sound log.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn broken_promises(&self) -> Result<Vec<String>, Error> {
        let client = self.connection().await?;
        let failed = |error| Error::of_statement("checking the log", error);
        client.batch_execute("set statement_timeout = 0").await.map_err(failed)?;
        let mut broken = Vec::new();
        for (promise, sql) in PROMISES {
            let row = client.query_one(sql, &[]).await.map_err(failed)?;
            let count: i64 = row.get(0);
            if count > 0 {
                broken.push(format!("{promise}: {count} times"));
            }
        }
        client.batch_execute("reset statement_timeout").await.map_err(failed)?;
        Ok(broken)
    }
}

const PROMISES: [(&str, &str); 3] = [
    ("positions have gaps", "select coalesce(max(position), 0) - count(*) from log.events"),
    (
        "versions of streams have gaps",
        "select count(*) from (
            select 1 from log.events
            group by tenant_id, area, stream_id
            having max(version) <> count(*)
        ) as streams",
    ),
    (
        "the clock went back between positions",
        "select count(*) from (
            select recorded_at < lag(recorded_at) over (order by position) as back
            from log.events
        ) as clock where back",
    ),
];

/// A log being taken in, on a connection of its own: dropped before [`Import::commit`], the
/// connection closes and nothing is left.
pub struct Import {
    client: deadpool_postgres::ClientWrapper,
}

impl Import {
    /// Takes rows in.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for rows that the table does not take.
    pub async fn rows(&mut self, table: LogTable, rows: &[Box<RawValue>]) -> Result<(), Error> {
        let rows = rows.iter().map(|row| row.get()).collect::<Vec<_>>().join(",");
        // The first secrets are made as the directory opens: those of the file replace them.
        let replace = if table == LogTable::Secrets {
            "on conflict (name) do update set secret = excluded.secret"
        } else {
            ""
        };
        let sql = format!(
            "insert into {name} select * from json_populate_recordset(null::{name}, $1::text::json)
            {replace}",
            name = table.name()
        );
        let taken = self.client.execute(&sql, &[&format!("[{rows}]")]).await;
        taken.map(|_| ()).map_err(|error| Error::of_statement("importing the log", error))
    }

    /// Makes it so.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn commit(self) -> Result<(), Error> {
        let done = self.client.batch_execute("commit").await;
        done.map_err(|error| Error::of_statement("importing the log", error))
    }
}
