//! The only way to write: load states, decide, append; after a conflict, again. Everything that a
//! decision has read is guarded, so that it is still true when the events are appended.

use std::sync::Arc;

use metrics::counter;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use crate::domain::Rules;
use crate::domain::ids::TenantId;
use crate::store::{Envelope, Error, Priority, StreamKey, StreamWrite};

use super::decision::Decision;
use super::halt::Halt;
use crate::engine::states::Cached;
use crate::engine::{Engine, FOLD_WAIT_MAX};

/// Most attempts for one change; beyond, it is a conflict. In one process turns make a second
/// conflict unlikely; other processes do not share them.
pub const ATTEMPTS_MAX: usize = 8;

/// Number of places for turns, which streams are spread over: enough that the hundred streams of a
/// batch seldom share a place with one that is contended.
const TURNS: usize = 4_096;

/// The result of a decision.
#[derive(Debug)]
pub struct Executed<T> {
    pub value: T,
    /// The position of its last event; None when nothing changed.
    pub position: Option<i64>,
    /// Whether reads already show it.
    pub folded: bool,
}

/// A change as code. It may run several times, each time on the current states, and its result must
/// not depend on how often.
pub trait Change: Sync {
    /// Its answer.
    type Done: Send;
    /// Why it is refused.
    type Refusal: Send;

    /// Reads, orders, and answers.
    ///
    /// # Errors
    /// The refusal or the failure: nothing is written then.
    fn decide(
        &self,
        decision: &mut Decision<'_>,
    ) -> impl Future<Output = Result<Self::Done, Halt<Self::Refusal>>> + Send;
}

/// A change that is one order to one aggregate.
pub struct OneOrder<'a, A: Rules> {
    pub id: Uuid,
    pub by: A::By<'a>,
    pub command: A::Command,
}

impl<A: for<'a> Rules<By<'a> = ()>> OneOrder<'_, A> {
    /// For an aggregate whose rules do not ask who gives the order.
    pub fn new(id: Uuid, command: A::Command) -> Self {
        OneOrder { id, by: (), command }
    }
}

impl<A: Cached + Rules> Change for OneOrder<'_, A> {
    type Done = Vec<A::Event>;
    type Refusal = A::Refusal;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Vec<A::Event>, Halt<A::Refusal>> {
        decision.order::<A>(self.id, self.by, self.command.clone()).await
    }
}

/// The tenant and the actor of a change, and the name under which it is counted.
pub struct CommandContext {
    pub tenant: TenantId,
    pub envelope: Arc<Envelope>,
    /// Area and command, for metrics.
    pub area: &'static str,
    pub priority: Priority,
}

/// Turns at contended streams: one change at a time, first come, first served, for changes that had
/// a conflict and for all that arrive while a turn is taken. For other streams only a look at their
/// place is needed. A change with a turn waits for no other turn.
pub struct Turns(Vec<Arc<Mutex<()>>>);

impl Default for Turns {
    fn default() -> Self {
        Turns((0..TURNS).map(|_| Arc::default()).collect())
    }
}

impl Turns {
    fn place(&self, stream: StreamKey) -> &Arc<Mutex<()>> {
        let place = stream.id.as_u128() % TURNS as u128;
        &self.0[usize::try_from(place).unwrap_or_default()]
    }

    async fn wait(&self, stream: StreamKey) -> OwnedMutexGuard<()> {
        self.place(stream).clone().lock_owned().await
    }

    /// The first of these streams at which a turn is taken; new streams are never contended.
    fn contended(&self, writes: &[StreamWrite]) -> Option<StreamKey> {
        let known = writes.iter().filter(|write| write.expected_version > 0);
        let mut streams = known.map(|write| write.stream);
        streams.find(|stream| self.place(*stream).try_lock().is_err())
    }
}

impl Engine {
    /// Gives one order to one aggregate; returns the events.
    ///
    /// # Errors
    /// As [`Engine::execute`].
    pub async fn order<A: Cached + Rules>(
        &self,
        context: &CommandContext,
        id: Uuid,
        by: A::By<'_>,
        command: A::Command,
    ) -> Result<Executed<Vec<A::Event>>, Halt<A::Refusal>> {
        self.execute(context, &OneOrder::<A> { id, by, command }).await
    }

    /// Decides and appends, with a bounded number of attempts, and answers when the events are
    /// durable and folded (or after two seconds, when they are only durable).
    ///
    /// # Errors
    /// The refusal or failure of `change`; [`Error::ClaimTaken`]; [`Error::Conflict`] when the
    /// streams kept changing; any other failure of the log.
    pub async fn execute<C: Change>(
        &self,
        context: &CommandContext,
        change: &C,
    ) -> Result<Executed<C::Done>, Halt<C::Refusal>> {
        let executed = self.decide_and_append(context, change).await;
        count(context, &executed);
        let mut executed = executed?;
        if let (Some(position), Priority::Caller) = (executed.position, context.priority) {
            executed.folded = self.wait_readable(position, FOLD_WAIT_MAX).await;
        }
        Ok(executed)
    }

    async fn decide_and_append<C: Change>(
        &self,
        context: &CommandContext,
        change: &C,
    ) -> Result<Executed<C::Done>, Halt<C::Refusal>> {
        let mut attempt = 0;
        let mut turn = None;
        loop {
            attempt += 1;
            let mut decision = Decision::new(self, context.tenant, context.envelope.clone());
            let decided = change.decide(&mut decision).await;
            let changes = decided.is_ok() && decision.changes_anything();
            let read = decision.versions();
            if !changes {
                // A decision that writes nothing has no expected version to protect it.
                let may_be_stale = decision.from_cache && attempt < ATTEMPTS_MAX;
                if may_be_stale && self.forget_moved(read).await? {
                    continue;
                }
                return decided.map(|value| Executed { value, position: None, folded: true });
            }
            let value = decided?;
            if turn.is_none()
                && let Some(stream) = self.turns.contended(&decision.writes)
            {
                turn = Some(self.turns.wait(stream).await);
                attempt -= 1;
                continue;
            }
            let written: Vec<StreamKey> =
                decision.writes.iter().map(|write| write.stream).collect();
            match self.appender.append(decision.into_append(), context.priority).await {
                Ok(appended) => {
                    let position = Some(appended.last_position);
                    return Ok(Executed { value, position, folded: true });
                }
                Err(Error::Conflict(moved)) if attempt < ATTEMPTS_MAX => {
                    // Streams that were only read need no turn.
                    if turn.is_none() && written.contains(&moved) {
                        turn = Some(self.turns.wait(moved).await);
                    }
                    self.forget_moved(read).await?;
                }
                Err(Error::ClaimTaken(_)) if attempt < ATTEMPTS_MAX => {
                    self.forget_moved(read).await?;
                }
                Err(error) => return Err(Halt::Failed(error)),
            }
        }
    }

    /// Whether any of these streams is past the version that was read. Its cached state is
    /// forgotten, unless newer events have updated it already: a long stream is not read again
    /// because of a conflict.
    async fn forget_moved(&self, read: Vec<(StreamKey, i64)>) -> Result<bool, Error> {
        let (streams, versions): (Vec<StreamKey>, Vec<i64>) = read.into_iter().unzip();
        let heads = self.reader.heads(&streams).await?;
        let moved = versions != heads;
        self.states.forget_below(streams.into_iter().zip(heads));
        Ok(moved)
    }
}

fn count<T, R>(context: &CommandContext, executed: &Result<Executed<T>, Halt<R>>) {
    let outcome = match executed {
        Ok(Executed { position: Some(_), .. }) => "done",
        Ok(Executed { position: None, .. }) => "unchanged",
        Err(Halt::Refused(_)) => "refused",
        Err(Halt::Failed(Error::Conflict(_))) => "conflict",
        Err(Halt::Failed(Error::ClaimTaken(_))) => "claim_taken",
        Err(Halt::Failed(Error::Overloaded)) => "overloaded",
        Err(Halt::Failed(_)) => "failed",
    };
    counter!(
        "dossier_commands_total",
        "area" => context.area,
        "command" => context.envelope.operation,
        "outcome" => outcome
    )
    .increment(1);
}
