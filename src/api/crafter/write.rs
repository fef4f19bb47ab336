//! The way of every write of this face: decide, append, answer when it is folded.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::api::app::App;
use crate::api::failure::Failure as AnyFailure;
use crate::domain::access::Access;
use crate::domain::ids::{INSTALLATION, TenantId};
use crate::engine::execute::{Decision, Executed, Halt, Order};
use crate::engine::{Error, Priority};

use super::call::Call;
use super::error::Failure;

/// What a write is called: the envelope's operation, the metric's command, and their area.
#[derive(Clone, Copy)]
pub struct Kind {
    pub area: &'static str,
    pub operation: &'static str,
}

/// Decides and appends. `decide` may run several times and must not depend on how often; the
/// access token is asked again each time, and guarded.
///
/// # Errors
/// What `decide` refused; [`Failure::Conflict`], [`Failure::Overloaded`], [`Failure::Unavailable`].
pub async fn write<'e, T, F>(
    app: &'e App,
    call: &'e Call,
    tenant: TenantId,
    kind: Kind,
    decide: F,
) -> Result<T, Failure>
where
    T: Send,
    F: for<'d> Fn(&'d mut Decision<'e>) -> BoxFuture<'d, Result<T, Halt<Failure>>>
        + Send
        + Sync
        + 'e,
{
    Ok(execute(app, call, tenant, kind, decide).await?.value)
}

/// As [`write()`], and tells where the events are.
///
/// # Errors
/// As [`write()`].
pub async fn execute<'e, T, F>(
    app: &'e App,
    call: &'e Call,
    tenant: TenantId,
    kind: Kind,
    decide: F,
) -> Result<Executed<T>, Failure>
where
    T: Send,
    F: for<'d> Fn(&'d mut Decision<'e>) -> BoxFuture<'d, Result<T, Halt<Failure>>>
        + Send
        + Sync
        + 'e,
{
    let order = Order {
        tenant,
        envelope: Arc::new(call.envelope(kind.operation)),
        area: kind.area,
        priority: Priority::Caller,
    };
    let decide = Arc::new(decide);
    let executed = app.engine.execute(&order, |decision| {
        let decide = decide.clone();
        Box::pin(async move {
            let token = decision.load_of::<Access>(INSTALLATION, call.caller.id).await?.state;
            if token.valid_token(call.received_at) != Some(&call.caller.token) {
                return Err(Halt::Refused(Failure::AccessDenied));
            }
            decide(decision).await
        })
    });
    Ok(executed.await?)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        AnyFailure::from(error).into()
    }
}

impl From<AnyFailure> for Failure {
    fn from(failure: AnyFailure) -> Self {
        match failure {
            AnyFailure::StreamConflict => Failure::Conflict,
            AnyFailure::Overloaded => Failure::Overloaded,
            AnyFailure::BatchTooLarge => Failure::invalid("more than 1 MiB of changes at once"),
            AnyFailure::Unavailable => Failure::Unavailable,
            AnyFailure::RouteNotFound => Failure::RouteNotFound,
            AnyFailure::MethodNotAllowed => Failure::MethodNotAllowed(None),
            AnyFailure::BodyTooLarge => Failure::BodyTooLarge,
            AnyFailure::BodyTimeout => Failure::BodyTimeout,
            AnyFailure::UnsupportedMediaType => Failure::UnsupportedMediaType,
            AnyFailure::HostUnclear => Failure::invalid("a request has one Host header"),
            AnyFailure::BodyBroken => Failure::invalid("the body did not arrive whole"),
            _ => Failure::Internal,
        }
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
