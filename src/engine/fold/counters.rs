//! Keeps counters together with the rows that they count: each stretch adds its differences.

use std::collections::HashMap;
use std::marker::PhantomData;

use crate::projections::{Counter, CounterModel, ReadModel};

use super::flight::Write;
use super::folder::{Change, Observer};

/// Keeps the counters of the read model `C`.
pub struct Counting<C>(PhantomData<C>);

impl<C> Default for Counting<C> {
    fn default() -> Self {
        Counting(PhantomData)
    }
}

impl<C: CounterModel> Observer<C::Counted> for Counting<C> {
    fn writes<'a>(&self, changes: &'a [Change<<C::Counted as ReadModel>::Row>]) -> Vec<Write<'a>> {
        add::<C>(differences::<C>(changes)).into_iter().collect()
    }
}

fn differences<C: CounterModel>(
    changes: &[Change<<C::Counted as ReadModel>::Row>],
) -> HashMap<Counter, i64> {
    let mut counters: HashMap<Counter, i64> = HashMap::new();
    for change in changes {
        for counter in change.before.iter().flat_map(C::counters_of) {
            *counters.entry(counter).or_default() -= 1;
        }
        for counter in change.after.iter().flat_map(C::counters_of) {
            *counters.entry(counter).or_default() += 1;
        }
    }
    counters.retain(|_, profiles| *profiles != 0);
    counters
}

/// Adds to counters.
fn add<C: CounterModel>(counters: HashMap<Counter, i64>) -> Option<Write<'static>> {
    if counters.is_empty() {
        return None;
    }
    let (mut tenants, mut dimensions) = (Vec::new(), Vec::new());
    let (mut keys, mut profiles) = (Vec::new(), Vec::new());
    for ((tenant, dimension, key), difference) in counters {
        tenants.push(tenant);
        dimensions.push(dimension);
        keys.push(key);
        profiles.push(difference);
    }
    let sql = format!(
        "insert into {name} (tenant_id, dimension, key, profiles)
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
        on conflict (tenant_id, dimension, key)
        do update set profiles = {name}.profiles + excluded.profiles",
        name = C::NAME
    );
    Some(Write::new(
        sql,
        vec![Box::new(tenants), Box::new(dimensions), Box::new(keys), Box::new(profiles)],
    ))
}
