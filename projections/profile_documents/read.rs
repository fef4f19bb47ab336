//! Queries on `profile_documents`. Each is planned with its actual values: a generic plan would
//! read a whole tenant where an index finds ten rows. Filters are checked before they come here.

use std::collections::BTreeMap;

use futures_util::{TryStreamExt, pin_mut};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{Client, Error, Row};
use uuid::Uuid;

use crate::domain::filter::{Filter, Path};
use crate::domain::object_id::ObjectId;

use super::filter::{Compiled, Parameter, compile};
use super::place::Place;

/// Which profiles of a tenant are wanted, and in which order.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub tenant: Uuid,
    /// [`Filter::everything`] selects all.
    pub filter: &'a Filter,
    /// None means storage order.
    pub sort: Option<(&'a Path, Direction)>,
    /// How many of them to skip at the beginning.
    pub skip: i64,
    /// None means all of them.
    pub limit: Option<i64>,
}

/// A way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// A profile that was found.
#[derive(Debug)]
pub struct Found {
    pub id: Uuid,
    pub username: String,
    pub email: Option<String>,
    pub verified: bool,
    pub enabled: bool,
    /// Milliseconds since 1970.
    pub created_on: i64,
    /// Milliseconds since 1970.
    pub last_modified: i64,
    pub roles: Vec<String>,
    /// By name; the values as they are stored.
    pub attributes: BTreeMap<String, Box<RawValue>>,
}

/// The column `document`, without the names that are there for the index only.
#[derive(Deserialize)]
struct Document {
    roles: Vec<String>,
    attributes: BTreeMap<String, Box<RawValue>>,
}

/// Rows of the first fetch, while the size of rows is not known.
const ROWS_FETCHED_FIRST: usize = 64;
/// Bytes of values in one fetch, estimated from the rows before.
const FETCH_BYTES: usize = 256 << 10;
/// A page with so many bytes of values is handed on, however few profiles it has.
const PAGE_BYTES: usize = 1 << 20;

impl Found {
    fn weight(&self) -> usize {
        self.attributes.values().map(|value| value.get().len()).sum()
    }
}

/// Hands on the wanted profiles, a bounded number at a time, until there are no more or the reader
/// is gone: however many and large they are, only few are in memory. Each fetch is a statement of
/// its own, within the time limit of one statement.
///
/// # Errors
/// The driver's.
pub async fn pages(
    client: &mut Client,
    asked: Asked<'_>,
    page_rows: usize,
    handed: mpsc::Sender<Vec<Found>>,
) -> Result<(), Error> {
    let (sql, parameters) = listing(asked);
    let (values, types): (Vec<_>, Vec<_>) = parameters.into_iter().unzip();
    let transaction = client.transaction().await?;
    let statement = transaction.prepare_typed(&sql, &types).await?;
    let portal = transaction.bind_raw(&statement, values).await?;
    let mut fetched = ROWS_FETCHED_FIRST;
    let mut page: Vec<Found> = Vec::new();
    let mut bytes = 0;
    loop {
        let wanted = fetched.min(page_rows - page.len());
        let rows = i32::try_from(wanted).unwrap_or(i32::MAX);
        let rows = transaction.query_portal(&portal, rows).await?;
        let last = rows.len() < wanted;
        let before = bytes;
        for row in &rows {
            let found = decode(row)?;
            bytes += found.weight();
            page.push(found);
        }
        let fits = FETCH_BYTES * rows.len() / (bytes - before).max(1);
        fetched = fits.clamp(1, page_rows.min(4 * wanted));
        if last || page.len() == page_rows || bytes >= PAGE_BYTES {
            bytes = 0;
            if handed.send(std::mem::take(&mut page)).await.is_err() || last {
                return transaction.rollback().await;
            }
        }
    }
}

fn listing(asked: Asked<'_>) -> (String, Vec<Parameter>) {
    let Compiled { sql: condition, mut parameters } = compile(asked.filter, 2);
    let order = match asked.sort {
        Some((path, direction)) => order(path, direction, &mut parameters, 1),
        None => "ordinal".to_owned(),
    };
    let skip = bind(&mut parameters, asked.skip);
    let limit = bind(&mut parameters, asked.limit);
    let sql = format!(
        "select id, username, email, verified, enabled, created_on, last_modified, document
        from profile_documents
        where tenant_id = $1 and {condition}
        order by {order}
        offset {skip} limit {limit}"
    );
    (sql, with_tenant(asked.tenant, parameters))
}

/// The profiles with these ids, in any tenant, in storage order. Unknown ids are left out.
///
/// # Errors
/// The driver's.
pub async fn by_ids(
    client: &Client,
    ids: &[ObjectId],
    sort: Option<(&Path, Direction)>,
) -> Result<Vec<(Uuid, Found)>, Error> {
    let mut parameters = Vec::new();
    let order = match sort {
        Some((path, direction)) => order(path, direction, &mut parameters, 1),
        None => "ordinal".to_owned(),
    };
    let sql = format!(
        "select id, username, email, verified, enabled, created_on, last_modified,
            document, tenant_id
        from profile_documents
        where object_id = any($1::uuid[])
        order by {order}"
    );
    let ids: Vec<Uuid> = ids.iter().map(|id| id.held()).collect();
    let ids: Parameter = (Box::new(ids), Type::UUID_ARRAY);
    let parameters = std::iter::once(ids).chain(parameters).collect::<Vec<_>>();
    let rows = client.query_typed_raw(&sql, parameters).await?;
    let rows: Vec<Row> = rows.try_collect().await?;
    rows.iter().map(|row| Ok((row.try_get(8)?, decode(row)?))).collect()
}

/// How many profiles of a tenant fit the filter. To count all of them, read the counters instead.
///
/// # Errors
/// The driver's.
pub async fn count(client: &Client, tenant: Uuid, filter: &Filter) -> Result<i64, Error> {
    let Compiled { sql: condition, parameters } = compile(filter, 2);
    let sql =
        format!("select count(*) from profile_documents where tenant_id = $1 and {condition}");
    let rows = client.query_typed_raw(&sql, with_tenant(tenant, parameters)).await?;
    pin_mut!(rows);
    rows.try_next().await?.map_or(Ok(0), |row| row.try_get(0))
}

/// The profile in one record of a list.
///
/// # Errors
/// The driver's.
fn decode(record: &Row) -> Result<Found, Error> {
    let Json(document): Json<Document> = record.try_get(7)?;
    Ok(Found {
        id: record.try_get(0)?,
        username: record.try_get(1)?,
        email: record.try_get(2)?,
        verified: record.try_get(3)?,
        enabled: record.try_get(4)?,
        created_on: record.try_get(5)?,
        last_modified: record.try_get(6)?,
        roles: document.roles,
        attributes: document.attributes,
    })
}

/// Sorts missing values and null first, then numbers, texts by their bytes, documents, lists,
/// booleans; equal values in storage order. A list is compared as one value.
fn order(
    path: &Path,
    direction: Direction,
    parameters: &mut Vec<Parameter>,
    before: usize,
) -> String {
    let (way, nulls) = match direction {
        Direction::Ascending => ("asc", "nulls first"),
        Direction::Descending => ("desc", "nulls last"),
    };
    let place = Place::of_row(path);
    match place.column {
        // Never null: the index's own order serves.
        Some(column) if column.name() == Some("username") => format!("username {way}, ordinal"),
        Some(column) => match column.name() {
            Some(name) => format!("{name} {way} {nulls}, ordinal"),
            None => "ordinal".to_owned(),
        },
        None => {
            parameters.push((Box::new(path.segments().to_vec()), Type::TEXT_ARRAY));
            let value = format!("(document #> ${}::text[])", parameters.len() + before);
            let kind = format!("jsonb_typeof{value}");
            format!(
                "case {kind} when 'number' then 1 when 'string' then 2 when 'object' then 3 \
                 when 'array' then 4 when 'boolean' then 5 else 0 end {way}, \
                 case {kind} when 'string' then {value} #>> '{{}}' end collate \"C\" {way}, \
                 case when {kind} not in ('string', 'null') then {value} end {way}, \
                 ordinal"
            )
        }
    }
}

fn bind<T>(parameters: &mut Vec<Parameter>, value: T) -> String
where
    T: tokio_postgres::types::ToSql + Sync + Send + 'static,
{
    parameters.push((Box::new(value), Type::INT8));
    format!("${}", parameters.len() + 1)
}

fn with_tenant(tenant: Uuid, parameters: Vec<Parameter>) -> Vec<Parameter> {
    let tenant: Parameter = (Box::new(tenant), Type::UUID);
    std::iter::once(tenant).chain(parameters).collect()
}
