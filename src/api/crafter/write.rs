//! How every write of this API runs: decide, append, answer when the read models show it.

use std::sync::Arc;

use crate::api::app::App;
use crate::domain::access::Access;
use crate::domain::ids::{INSTALLATION, TenantId};
use crate::engine::Priority;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, CommandContext, Executed};
use crate::engine::write::halt::Halt;

use super::call::Call;
use super::error::Failure;

/// The name of a write: the operation in envelopes, the command in metrics, and the area of both.
#[derive(Clone, Copy)]
pub struct Kind {
    pub area: &'static str,
    pub operation: &'static str,
}

/// Decides and appends. Each attempt checks the access token again and guards it.
///
/// # Errors
/// The refusal of `change`; [`Failure::Conflict`], [`Failure::Overloaded`],
/// [`Failure::Unavailable`].
pub async fn write<C: Change<Refusal = Failure>>(
    app: &App,
    call: &Call,
    tenant: TenantId,
    kind: Kind,
    change: &C,
) -> Result<C::Done, Failure> {
    Ok(execute(app, call, tenant, kind, change).await?.value)
}

/// As [`write()`]; also returns the position of the events.
///
/// # Errors
/// As [`write()`].
pub async fn execute<C: Change<Refusal = Failure>>(
    app: &App,
    call: &Call,
    tenant: TenantId,
    kind: Kind,
    change: &C,
) -> Result<Executed<C::Done>, Failure> {
    let context = CommandContext {
        tenant,
        envelope: Arc::new(call.envelope(kind.operation)),
        area: kind.area,
        priority: Priority::Caller,
    };
    Ok(app.engine.execute(&context, &Authorised { call, change }).await?)
}

/// A change by the application of a valid access token.
struct Authorised<'a, C> {
    call: &'a Call,
    change: &'a C,
}

impl<C: Change<Refusal = Failure>> Change for Authorised<'_, C> {
    type Done = C::Done;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<C::Done, Halt<Failure>> {
        let caller = &self.call.caller;
        let token = decision.load_of::<Access>(INSTALLATION, caller.id).await?.state;
        if token.valid_token(self.call.received_at) != Some(&caller.token) {
            return Err(Halt::Refused(Failure::AccessDenied));
        }
        self.change.decide(decision).await
    }
}

impl From<Halt<Failure>> for Failure {
    fn from(halt: Halt<Failure>) -> Self {
        match halt {
            Halt::Refused(failure) => failure,
            Halt::Failed(error) => error.into(),
        }
    }
}

impl From<Failure> for Halt<Failure> {
    fn from(failure: Failure) -> Self {
        Halt::Refused(failure)
    }
}
