//! Issues access tokens (Crafter contract 4.1), for masters and imports. An id is found by its
//! digest and stored sealed, so that it can be listed.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::access::{Access, AccessToken, Command};
use crate::domain::claims::{Bearer, Claim};
use crate::domain::ids::INSTALLATION;
use crate::sealing::{SealingKeys, context};
use crate::store::{Envelope, Error, Priority};

use super::decision::Decision;
use super::execute::CommandContext;
use super::halt::Ordered;
use crate::engine::Engine;
use crate::engine::kept::credentials::sealed_secret;

/// If the token with this id exists, makes it act for this application again (Crafter contract
/// 4.4).
///
/// # Errors
/// As [`Engine::execute`].
pub async fn restore_application(
    engine: &Engine,
    envelope: Arc<Envelope>,
    id: &str,
    application: &str,
    master: bool,
) -> Result<(), Error> {
    let claim = Bearer::AccessToken.claim(id);
    let Some(held) = engine.holder(claim).await? else { return Ok(()) };
    let priority = Priority::Caller;
    let context = CommandContext { tenant: INSTALLATION, envelope, area: "access", priority };
    let command = Command::ReassertAccessToken { application: application.to_owned(), master };
    match engine.order::<Access>(&context, held.holder, (), command).await.decided()? {
        Ok(_) => Ok(()),
        Err(refusal) => Err(Error::Corrupt(refusal.to_string(), None)),
    }
}

/// What the seal of a token's id is bound to.
pub fn sealed_for(stream: Uuid) -> Vec<u8> {
    context(INSTALLATION.0, stream, "access_token")
}

/// The sealed id of a token.
pub fn seal(sealing: &SealingKeys, stream: Uuid, id: &str) -> Vec<u8> {
    sealing.seal(&sealed_for(stream), id.as_bytes())
}

/// Adds a new token to the decision, unless there is one with this id; returns whether there was
/// none.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn issue(
    decision: &mut Decision<'_>,
    stream: Uuid,
    id: &str,
    sealed: &[u8],
    token: AccessToken,
) -> Result<bool, Error> {
    let claim = Bearer::AccessToken.claim(id);
    if decision.engine.holder(claim).await?.is_some() {
        return Ok(false);
    }
    let command = Command::IssueAccessToken(token);
    if decision.begin::<Access>(stream, (), command).decided()?.is_err() {
        return Ok(false);
    }
    decision.take(Claim::access_token(id), stream);
    decision.row(sealed_secret(INSTALLATION, stream, sealed));
    Ok(true)
}
