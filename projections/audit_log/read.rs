//! Queries on `audit_log`.

use chrono::{DateTime, Utc};
use deadpool_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Which events are wanted. A field that is None is no condition.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub stream_id: Option<Uuid>,
    pub name: Option<String>,
    pub operation: Option<String>,
    pub real_actor_id: Option<Uuid>,
    pub effective_actor_id: Option<Uuid>,
    /// Recorded at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Positions of at most `limit` events of a tenant, nearest to `bound` first: those after it when
/// `ascending`, those before it otherwise.
///
/// # Errors
/// The driver's.
pub async fn positions(
    client: &Client,
    tenant: Uuid,
    filter: &Filter,
    bound: i64,
    ascending: bool,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    // Names only the conditions that are asked for, so that each combination has its own plan.
    let (comparison, order) = if ascending { (">", "asc") } else { ("<", "desc") };
    let mut sql =
        format!("select position from audit_log where tenant_id = $1 and position {comparison} $2");
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&tenant, &bound];
    let conditions: [(&str, Option<&(dyn ToSql + Sync)>); 7] = [
        ("stream_id =", filter.stream_id.as_ref().map(|value| value as _)),
        ("name =", filter.name.as_ref().map(|value| value as _)),
        ("operation =", filter.operation.as_ref().map(|value| value as _)),
        ("real_actor_id =", filter.real_actor_id.as_ref().map(|value| value as _)),
        ("effective_actor_id =", filter.effective_actor_id.as_ref().map(|value| value as _)),
        // Times never decrease with positions, so a time is a bound on positions.
        ("position >= log.first_position_since(", filter.from.as_ref().map(|value| value as _)),
        ("position < log.first_position_since(", filter.until.as_ref().map(|value| value as _)),
    ];
    for (condition, value) in conditions {
        let Some(value) = value else { continue };
        parameters.push(value);
        let close = if condition.ends_with('(') { ")" } else { "" };
        sql.push_str(&format!(" and {condition} ${}{close}", parameters.len()));
    }
    parameters.push(&limit);
    sql.push_str(&format!(" order by position {order} limit ${}", parameters.len()));
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &parameters).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
