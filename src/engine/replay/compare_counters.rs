//! Compares counters with a recount, and repairs them.

use std::marker::PhantomData;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt};

use crate::domain::ids::TenantId;
use crate::engine::fold::flight::{Write, in_one_flight};
use crate::engine::fold::folder::query;
use crate::projections::CounterModel;
use crate::store::{Doing, Error};

use super::compare_rows::begin_mend;

/// The comparison of a read model of counters.
pub trait CounterCheck: Send + Sync {
    /// Its wire name.
    fn name(&self) -> &'static str;
    /// Compares the counters of a tenant with a recount; repairs them if asked. Returns how many
    /// differ.
    fn settle<'a>(
        &'a self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>>;
}

/// [`CounterCheck`] of a read model.
pub struct Counters<M>(PhantomData<M>);

impl<M> Default for Counters<M> {
    fn default() -> Self {
        Counters(PhantomData)
    }
}

impl<M: CounterModel> CounterCheck for Counters<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn settle<'a>(
        &'a self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>> {
        settle::<M>(client, tenant, mend).boxed()
    }
}

async fn settle<M: CounterModel>(
    client: &ClientWrapper,
    tenant: TenantId,
    mend: bool,
) -> Result<i64, Error> {
    let differing = format!(
        "select
            coalesce(recount.dimension, counted.dimension) as dimension,
            coalesce(recount.key, counted.key) as key,
            coalesce(recount.profiles, 0) as profiles
        from ({recount}) as recount
        full join (
            select dimension, key, profiles from {name} where tenant_id = $1
        ) as counted on counted.dimension = recount.dimension and counted.key = recount.key
        where coalesce(recount.profiles, 0) <> coalesce(counted.profiles, 0)",
        recount = M::RECOUNT,
        name = M::NAME
    );
    let rows = query(client, &differing, &[&tenant.0]).await.doing("comparing counters")?;
    if mend && !rows.is_empty() {
        // Counted again while no lane folds.
        let sql = format!(
            "insert into {name} (tenant_id, dimension, key, profiles)
            select $1, dimension, key, profiles from ({differing}) as differing
            on conflict (tenant_id, dimension, key) do update set profiles = excluded.profiles",
            name = M::NAME
        );
        let writes =
            [begin_mend(tenant, M::schema(), 0, &[]), Write::new(sql, vec![Box::new(tenant.0)])];
        in_one_flight(client, &writes).await.doing("comparing counters")?;
    }
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}
