//! Compares a read model whose rows have the ids of their streams. Streams are read in the order of
//! ids, and beside them the table, once.

use std::marker::PhantomData;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::{Area, Occurred};
use crate::projections::RowModel;
use crate::store::{Doing, Error, Reader};

use super::compare_rows::{Check, Source, settle_all};
use crate::engine::fold::folder::query;

/// Rows of the table read at once.
const ROWS_AT_ONCE: i64 = 5_000;

/// [`Check`] of a read model whose rows bear their streams' ids.
pub struct StreamCheck<M: RowModel> {
    /// The rows of the replay, in the order of the streams.
    pending: Vec<(Source, Option<M::Row>)>,
    /// The first id up to which the table has not been read.
    from: Uuid,
    suspects: Vec<Source>,
    model: PhantomData<M>,
}

impl<M: RowModel> Default for StreamCheck<M> {
    fn default() -> Self {
        StreamCheck { pending: vec![], from: Uuid::nil(), suspects: vec![], model: PhantomData }
    }
}

impl<M: RowModel> StreamCheck<M> {
    /// Reads the table from `self.from` to `last`, beside `expected`.
    async fn merge(
        &mut self,
        client: &ClientWrapper,
        tenant: TenantId,
        last: Uuid,
        expected: Vec<(Source, Option<M::Row>)>,
    ) -> Result<(), Error> {
        let sql = format!(
            "select {name} from {name}
            where tenant_id = $1 and id >= $2 and id <= $3
            order by id limit $4",
            name = M::NAME
        );
        let mut expected = expected.into_iter().peekable();
        let mut from = self.from;
        loop {
            let rows = query(client, &sql, &[&tenant.0, &from, &last, &ROWS_AT_ONCE])
                .await
                .doing("reading rows")?;
            for row in &rows {
                let found: M::Row = row.get(0);
                let id = M::key_of(&found).1;
                while let Some((source, row)) = expected.next_if(|(source, _)| source.1 < id) {
                    self.suspects.extend(row.map(|_| source));
                }
                let right = match expected.next_if(|(source, _)| source.1 == id) {
                    Some((_, row)) => row.is_some_and(|row| row == found),
                    None => false,
                };
                if !right {
                    self.suspects.push(M::source_of(&found));
                }
                from = id;
            }
            match from.as_u128().checked_add(1) {
                Some(next) if rows.len() as i64 == ROWS_AT_ONCE => from = Uuid::from_u128(next),
                _ => break,
            }
        }
        self.suspects.extend(expected.filter_map(|(source, row)| row.map(|_| source)));
        Ok(())
    }
}

impl<M: RowModel> Check for StreamCheck<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn areas(&self) -> &'static [Area] {
        M::AREAS
    }

    fn take(&mut self, event: &Occurred) {
        if M::key(event).is_none() {
            return;
        }
        match self.pending.last_mut() {
            Some((source, row)) if source.1 == event.stream_id => {
                *row = M::fold(row.take(), event);
            }
            _ => self.pending.push(((event.area, event.stream_id), M::fold(None, event))),
        }
    }

    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        unfinished: Option<Uuid>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let waits = |(source, _): &(Source, Option<M::Row>)| Some(source.1) == unfinished;
            let waiting = self.pending.pop_if(|last| waits(last));
            let expected = std::mem::replace(&mut self.pending, waiting.into_iter().collect());
            let last = unfinished
                .map_or(Uuid::max(), |id| Uuid::from_u128(id.as_u128().saturating_sub(1)));
            if self.from <= last {
                self.merge(client, tenant, last, expected).await?;
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
        let suspects = std::mem::take(&mut self.suspects);
        settle_all::<M>(client, reader, tenant, suspects, mend).boxed()
    }
}
