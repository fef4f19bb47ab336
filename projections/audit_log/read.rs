//! Queries on `audit_log`.

use deadpool_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::filter::{Filter, Question};

/// Which page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub ascending: bool,
    /// Most events.
    pub limit: i64,
}

/// The positions of a page of a tenant's events, in the order of the page.
///
/// # Errors
/// The driver's.
pub async fn positions(
    client: &Client,
    tenant: Uuid,
    filter: &Filter,
    page: Page,
) -> Result<Vec<i64>, Error> {
    let mut question = Question::of(&tenant, filter);
    let limit = question.parameter(&page.limit);
    let order = if page.ascending { "asc" } else { "desc" };
    let branches = question.branches(&|place| format!("order by {place} {order} limit {limit}"));
    let sql = format!(
        "select distinct position from ({}) as found order by position {order} limit {limit}",
        branches.join(" union all ")
    );
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &question.parameters).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// How many of a tenant's events are wanted.
///
/// # Errors
/// The driver's.
pub async fn count(client: &Client, tenant: Uuid, filter: &Filter) -> Result<i64, Error> {
    let question = Question::of(&tenant, filter);
    let counted = if question.may_repeat() { "distinct position" } else { "*" };
    let branches = question.branches(&|_| String::new()).join(" union all ");
    let sql = format!("select count({counted}) from ({branches}) as found");
    let statement = client.prepare_cached(&sql).await?;
    Ok(client.query_one(&statement, &question.parameters).await?.get(0))
}

/// The position of a tenant's event with this id; None if there is none.
///
/// # Errors
/// The driver's.
pub async fn position_of(
    client: &Client,
    tenant: Uuid,
    event_id: Uuid,
) -> Result<Option<i64>, Error> {
    let sql = "select position from audit_log where tenant_id = $1 and event_id = $2";
    let statement = client.prepare_cached(sql).await?;
    let parameters: [&(dyn ToSql + Sync); 2] = [&tenant, &event_id];
    let row = client.query_opt(&statement, &parameters).await?;
    Ok(row.map(|row| row.get(0)))
}
