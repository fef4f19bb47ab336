//! How far read models are folded, as the database has it. What a process remembers may be wrong:
//! other processes fold too, and the last folds before a crash of the database may be lost.

use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use uuid::Uuid;

use crate::store::{Error, within};

use super::folder::query;

/// Longest wait for an answer: a database that does not answer must not hold up a lane.
const LOOK_TIME_MAX: Duration = Duration::from_secs(20);

/// How far some read models are folded.
pub struct Standing {
    /// The position of each, in the given order.
    pub checkpoints: Vec<i64>,
    /// The newest generation of rows: each repair begins one.
    pub generation: i64,
    /// The end of the log.
    pub head: i64,
}

/// Reads the positions of the read models with these schemas, all at one moment.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn read(client: &ClientWrapper, schemas: &[String]) -> Result<Standing, Error> {
    let sql = "
        select
            coalesce(
                (
                    select to_position
                    from views.folds
                    where model = name
                    order by from_position desc
                    limit 1
                ),
                0
            ),
            (select coalesce(max(generation), 0) from views.mends),
            (select coalesce(max(position), 0) from log.events)
        from unnest($1::text[]) with ordinality as wanted (name, ordinal)
        order by ordinal";
    let rows =
        within(LOOK_TIME_MAX, "reading checkpoints", query(client, sql, &[&schemas])).await?;
    Ok(Standing {
        checkpoints: rows.iter().map(|row| row.get(0)).collect(),
        generation: rows.first().map_or(0, |row| row.get(1)),
        head: rows.first().map_or(0, |row| row.get(2)),
    })
}

/// The tenants whose rows were repaired since a generation.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn mended_since(client: &ClientWrapper, generation: i64) -> Result<Vec<Uuid>, Error> {
    let sql = "select tenant_id from views.mends where generation > $1";
    let rows = within(LOOK_TIME_MAX, "reading what was mended", query(client, sql, &[&generation]))
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
