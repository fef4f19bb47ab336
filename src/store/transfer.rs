//! Moves the whole log, row by row, from one database to another: events, claims, and the
//! operational state that belongs to them.

use serde_json::value::RawValue;
use tokio_postgres::Client;

use super::read::Reader;
use super::{Doing, Error};

/// A table of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTable {
    Secrets,
    ApiKeyHashes,
    Credentials,
    SealedSecrets,
    TicketTimes,
    IdempotentAnswers,
    MailOutbox,
    Reactions,
    Walks,
    Claims,
    Events,
}

impl LogTable {
    /// All tables, in the order in which they are moved.
    pub const ALL: [LogTable; 11] = [
        LogTable::Secrets,
        LogTable::ApiKeyHashes,
        LogTable::Credentials,
        LogTable::SealedSecrets,
        LogTable::TicketTimes,
        LogTable::IdempotentAnswers,
        LogTable::MailOutbox,
        LogTable::Reactions,
        LogTable::Walks,
        LogTable::Claims,
        LogTable::Events,
    ];

    /// Its name, with its schema.
    pub const fn name(self) -> &'static str {
        match self {
            LogTable::Secrets => "ops.secrets",
            LogTable::ApiKeyHashes => "ops.api_key_hashes",
            LogTable::Credentials => "ops.credentials",
            LogTable::SealedSecrets => "ops.sealed_secrets",
            LogTable::TicketTimes => "ops.ticket_times",
            LogTable::IdempotentAnswers => "ops.idempotent_answers",
            LogTable::MailOutbox => "ops.mail_outbox",
            LogTable::Reactions => "ops.reactions",
            LogTable::Walks => "ops.walks",
            LogTable::Claims => "log.claims",
            LogTable::Events => "log.events",
        }
    }

    /// The table of this name.
    pub fn named(name: &str) -> Option<LogTable> {
        LogTable::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The column that its rows are ordered by, and its type.
    const fn order(self) -> (&'static str, &'static str) {
        match self {
            LogTable::Secrets => ("rows.name", "text"),
            LogTable::ApiKeyHashes => ("rows.api_key_id", "uuid"),
            LogTable::Credentials => ("(rows.tenant_id::text || rows.profile_id::text)", "text"),
            LogTable::SealedSecrets => ("(rows.tenant_id::text || rows.holder::text)", "text"),
            LogTable::TicketTimes => ("rows.ticket_id", "uuid"),
            LogTable::MailOutbox => ("rows.mail_id", "uuid"),
            LogTable::Reactions => ("rows.reaction", "text"),
            LogTable::Walks | LogTable::Events => ("rows.position", "bigint"),
            LogTable::IdempotentAnswers | LogTable::Claims => ("rows.claim", "uuid"),
        }
    }
}

/// The log at one moment, whatever is written meanwhile: one transaction on a connection of its
/// own. Drop it when everything is read.
pub struct Snapshot {
    client: Client,
    pub head: i64,
    pub epoch: i32,
}

impl Snapshot {
    /// Takes it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn take(client: Client) -> Result<Snapshot, Error> {
        let begin = "begin transaction isolation level repeatable read, read only;
            set local statement_timeout = 0;
            set local idle_in_transaction_session_timeout = 0";
        client.batch_execute(begin).await.doing("taking a snapshot of the log")?;
        let sql = "select
            coalesce((select max(position) from log.events), 0),
            (select max(epoch) from log.epoch)";
        let row = client.query_one(sql, &[]).await.doing("taking a snapshot of the log")?;
        let (head, epoch) = (row.get(0), row.get(1));
        Ok(Snapshot { client, head, epoch })
    }

    /// At most `limit` rows as JSON after the row at `after`, each with its place.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn rows(
        &self,
        table: LogTable,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        let (column, kind) = table.order();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // The first query has no place to compare with, and a parameter must have a type.
        let behind = match after {
            Some(_) => format!("{column} > $2::text::{kind}"),
            None => "$2::text is null".to_owned(),
        };
        let sql = format!(
            "select {column}::text, row_to_json(rows)::text from {} as rows
            where {behind} order by {column} limit $1",
            table.name()
        );
        let rows = self.client.query(&sql, &[&limit, &after]).await.doing("exporting the log")?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

impl Reader {
    /// Which guarantees of the log are broken, in words; none in a sound log.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn broken_promises(&self) -> Result<Vec<String>, Error> {
        let mut client = self.connection().await?;
        // In a transaction, so that the connection's settings are restored in any case.
        let checking = client.transaction().await.doing("checking the log")?;
        checking
            .batch_execute("set local statement_timeout = 0")
            .await
            .doing("checking the log")?;
        let mut broken = Vec::new();
        for (promise, sql) in PROMISES {
            let row = checking.query_one(sql, &[]).await.doing("checking the log")?;
            let count: i64 = row.get(0);
            if count > 0 {
                broken.push(format!("{promise}: {count} times"));
            }
        }
        checking.rollback().await.doing("checking the log")?;
        Ok(broken)
    }
}

const PROMISES: [(&str, &str); 5] = [
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
    (
        "an idempotency key is claimed without its answer",
        "select count(*) from log.claims
        where kind = 'idempotency' and expires_at > now() and not exists (
            select 1 from ops.idempotent_answers as answers where answers.claim = claims.claim
        )",
    ),
    (
        "an API key is claimed without its hash",
        "select count(*) from log.claims
        where kind = 'api_key' and not exists (
            select 1 from ops.api_key_hashes as hashes where hashes.api_key_id = claims.holder
        )",
    ),
];

/// The import of a log, on a connection of its own, as the log's owner. If it is dropped before
/// [`Import::commit`], the connection closes and nothing is left.
pub struct Import {
    client: Client,
    next_position: i64,
}

impl Import {
    /// Begins to import a log, all of it or nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Corrupt`] when there is a log already.
    pub async fn begin(client: Client) -> Result<Import, Error> {
        let begin =
            "begin; set local statement_timeout = 0; lock table log.events in exclusive mode";
        client.batch_execute(begin).await.doing("beginning to import the log")?;
        let head = "select coalesce(max(position), 0) from log.events";
        let head: i64 =
            client.query_one(head, &[]).await.doing("beginning to import the log")?.get(0);
        if head != 0 {
            return Err(Error::Corrupt("there is a log already".to_owned(), None));
        }
        Ok(Import { client, next_position: 1 })
    }

    /// Imports rows.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for rows that the table refuses, and for events with a gap.
    pub async fn rows(&mut self, table: LogTable, rows: &[Box<RawValue>]) -> Result<(), Error> {
        if table == LogTable::Events {
            self.check_positions(rows)?;
        }
        let rows = rows.iter().map(|row| row.get()).collect::<Vec<_>>().join(",");
        // Opening the directory made its first secrets: those of the file replace them.
        let replace = match table {
            LogTable::Secrets => "on conflict (name) do update set secret = excluded.secret",
            _ => "",
        };
        let sql = format!(
            "insert into {name} select * from json_populate_recordset(null::{name}, $1::text::json)
            {replace}",
            name = table.name()
        );
        let taken = self.client.execute(&sql, &[&format!("[{rows}]")]).await;
        taken.map(|_| ()).doing("importing the log")
    }

    fn check_positions(&mut self, rows: &[Box<RawValue>]) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        struct At {
            position: i64,
        }
        for row in rows {
            let at: Option<At> = serde_json::from_str(row.get()).ok();
            if at.is_none_or(|at| at.position != self.next_position) {
                let why = format!("the event at position {} is missing", self.next_position);
                return Err(Error::Corrupt(why, None));
            }
            self.next_position += 1;
        }
        Ok(())
    }

    /// Commits the import, in an epoch of its own: position tokens that the old directory gave out
    /// after the copy must not stand for other events here.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn commit(self, epoch_before: i32) -> Result<(), Error> {
        let raise = "insert into log.epoch (epoch)
            select greatest(max(epoch), $1) + 1 from log.epoch";
        self.client.execute(raise, &[&epoch_before]).await.doing("importing the log")?;
        self.client.batch_execute("commit").await.doing("importing the log")
    }
}
