//! Compares a read model whose rows follow from what each event did to a profile. Streams are read
//! in the order of ids, and beside them the table, once. A profile whose rows seem to differ is
//! read again, with its rows and the checkpoint of one moment.

use std::collections::HashMap;
use std::marker::PhantomData;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::profile::{Past, Profile};
use crate::domain::{Area, Event, Occurred};
use crate::projections::{Transition, TransitionKey, TransitionModel};
use crate::store::{Doing, Error, Reader};

use super::compare_rows::{Check, Source, begin_mend};
use crate::engine::fold::flight::{Write, in_one_flight};
use crate::engine::fold::folder::{insert_rows, query};
use crate::engine::occurred::occurred;
use crate::engine::stream;

/// Rows of the table read at once.
const ROWS_AT_ONCE: i64 = 5_000;
/// How often a profile that is being changed may delay its own repair.
const MENDS_LOST_MAX: usize = 50;

type Rows<M> = HashMap<TransitionKey, <M as crate::projections::ReadModel>::Row>;

/// [`Check`] of a [`TransitionModel`].
pub struct TransitionCheck<M: TransitionModel> {
    /// The profile whose events are being taken.
    current: Option<(Uuid, Past)>,
    /// The rows of the replay.
    pending: Rows<M>,
    /// The first profile up to which the table has not been read.
    from: Uuid,
    suspects: Vec<Uuid>,
    model: PhantomData<M>,
}

impl<M: TransitionModel> Default for TransitionCheck<M> {
    fn default() -> Self {
        TransitionCheck {
            current: None,
            pending: HashMap::new(),
            from: Uuid::nil(),
            suspects: vec![],
            model: PhantomData,
        }
    }
}

impl<M: TransitionModel> TransitionCheck<M> {
    /// Reads the rows of the profiles from `self.from` to `until`, beside those of the replay.
    async fn merge(
        &mut self,
        client: &ClientWrapper,
        tenant: TenantId,
        until: Uuid,
        mut expected: Rows<M>,
    ) -> Result<(), Error> {
        let sql = format!(
            "select profile_id, {name} from {name}
            where tenant_id = $1 and profile_id >= $2 and profile_id <= $3
            order by profile_id limit $4",
            name = M::NAME
        );
        let whole = format!(
            "select {name} from {name} where tenant_id = $1 and profile_id = $2",
            name = M::NAME
        );
        let mut from = self.from;
        loop {
            let rows = query(client, &sql, &[&tenant.0, &from, &until, &ROWS_AT_ONCE]).await;
            let mut rows = rows.doing("reading rows")?;
            let full = rows.len() as i64 == ROWS_AT_ONCE;
            let last: Option<Uuid> = rows.last().map(|row| row.get(0));
            let mut found: Vec<M::Row> = vec![];
            if let (true, Some(last)) = (full, last) {
                // More rows of the last profile may follow: all of them are read at once.
                rows.retain(|row| row.get::<_, Uuid>(0) != last);
                let rest = query(client, &whole, &[&tenant.0, &last]).await;
                found.extend(rest.doing("reading rows")?.iter().map(|row| row.get(0)));
            }
            found.extend(rows.iter().map(|row| row.get(1)));
            for row in found {
                let key = M::key_of(&row);
                if expected.remove(&key).as_ref() != Some(&row) {
                    self.suspects.push(key.0);
                }
            }
            match last.and_then(|last| last.as_u128().checked_add(1)) {
                Some(next) if full => from = Uuid::from_u128(next),
                _ => break,
            }
        }
        self.suspects.extend(expected.into_keys().map(|key| key.0));
        Ok(())
    }
}

impl<M: TransitionModel> Check for TransitionCheck<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn areas(&self) -> &'static [Area] {
        &[Area::Profile]
    }

    fn take(&mut self, event: &Occurred) {
        let past = match &mut self.current {
            Some((id, past)) if *id == event.stream_id => past,
            other => &mut other.insert((event.stream_id, Past::default())).1,
        };
        add_rows::<M>(past, event, &mut self.pending);
    }

    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        unfinished: Option<Uuid>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let pending = std::mem::take(&mut self.pending);
            let (wait, done) = pending.into_iter().partition(|(key, _)| Some(key.0) == unfinished);
            self.pending = wait;
            let until = unfinished
                .map_or(Uuid::max(), |id| Uuid::from_u128(id.as_u128().saturating_sub(1)));
            if self.from <= until {
                self.merge(client, tenant, until, done).await?;
            }
            self.from = unfinished.unwrap_or(Uuid::max());
            Ok(())
        }
        .boxed()
    }

    fn walk<'a>(
        &'a mut self,
        _: &'a ClientWrapper,
        _: TenantId,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async { Ok(()) }.boxed()
    }

    fn settle<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        reader: &'a Reader,
        tenant: TenantId,
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>> {
        async move {
            let mut suspects = std::mem::take(&mut self.suspects);
            suspects.sort_unstable();
            suspects.dedup();
            let mut differing = 0;
            for profile in suspects {
                differing += settle::<M>(client, reader, tenant, profile, mend).await?;
            }
            Ok(differing)
        }
        .boxed()
    }
}

fn add_rows<M: TransitionModel>(past: &mut Past, event: &Occurred, rows: &mut Rows<M>) {
    let Event::Profile(fact) = &event.event else { return };
    let step = past.step(fact, event.version, event.occurred_at);
    let new = M::rows(Transition { event, past, step: step.as_ref() });
    rows.extend(new.into_iter().map(|row| (M::key_of(&row), row)));
}

/// Compares the rows of a profile again, at one moment; repairs them if asked. Returns how many
/// are missing, wrong or stray.
async fn settle<M: TransitionModel>(
    client: &ClientWrapper,
    reader: &Reader,
    tenant: TenantId,
    profile: Uuid,
    mend: bool,
) -> Result<i64, Error> {
    for _ in 0..MENDS_LOST_MAX {
        let (position, mut found) = rows_at_once::<M>(client, tenant, profile).await?;
        let mut right = Rows::<M>::new();
        let mut past = Past::default();
        for event in reader.streams(&[(stream::<Profile>(tenant, profile), 0)]).await? {
            if event.position <= position {
                add_rows::<M>(&mut past, &occurred(&event)?, &mut right);
            }
        }
        let same = |key: &TransitionKey, row: &M::Row| found.get(key) == Some(row);
        let wrong = right.iter().filter(|(key, row)| !same(key, row)).count();
        found.retain(|key, _| !right.contains_key(key));
        let differing = i64::try_from(wrong + found.len()).unwrap_or(i64::MAX);
        if differing == 0 || !mend {
            return Ok(differing);
        }
        let source: Source = (Area::Profile, profile);
        let delete = format!("delete from {} where tenant_id = $1 and profile_id = $2", M::NAME);
        let rows: Vec<M::Row> = right.into_values().collect();
        let mut writes = vec![
            begin_mend(tenant, M::schema(), position, &[source]),
            Write::new(delete, vec![Box::new(tenant.0), Box::new(profile)]),
        ];
        writes.extend(insert_rows::<M>(&rows));
        match in_one_flight(client, &writes).await {
            Ok(()) => return Ok(differing),
            // It was folded since it was judged.
            Err(error) if error.code().is_some_and(|code| code.code() == "DOS03") => {}
            Err(error) => return Err(Error::of_statement("mending rows", error)),
        }
    }
    Err(Error::Unavailable("mending rows that keep changing", None))
}

/// The checkpoint of a read model and the rows of a profile, at one moment.
async fn rows_at_once<M: TransitionModel>(
    client: &ClientWrapper,
    tenant: TenantId,
    profile: Uuid,
) -> Result<(i64, Rows<M>), Error> {
    let sql = format!(
        "select folded.position, {name}
        from (
            select coalesce(max(to_position), 0) as position from views.folds where model = $1
        ) as folded
        left join {name} on tenant_id = $2 and profile_id = $3",
        name = M::NAME
    );
    let rows = query(client, &sql, &[&M::schema(), &tenant.0, &profile]).await;
    let rows = rows.doing("comparing rows")?;
    let position = rows.first().map_or(0, |row| row.get(0));
    let found = rows.iter().filter_map(|row| row.get::<_, Option<M::Row>>(1));
    Ok((position, found.map(|row| (M::key_of(&row), row)).collect()))
}
