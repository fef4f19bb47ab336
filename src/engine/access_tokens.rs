//! Issuing access tokens (Crafter contract 4.1), by masters and by imports alike. Their ids are
//! found by a digest and kept sealed, so that they can be listed.

use uuid::Uuid;

use crate::domain::access::{self, Access, AccessToken, Command, decide};
use crate::domain::ids::INSTALLATION;
use crate::sealing::{SealingKeys, context};
use crate::store::Error;

use super::claims::Bearer;
use super::credentials::sealed_secret;
use super::execute::Decision;

/// What the sealed id of this token is bound to.
pub fn sealed_for(stream: Uuid) -> Vec<u8> {
    context(INSTALLATION.0, stream, "access_token")
}

/// The sealed id of a token.
pub fn seal(sealing: &SealingKeys, stream: Uuid, id: &str) -> Vec<u8> {
    sealing.seal(&sealed_for(stream), id.as_bytes())
}

/// Puts a new token into the log, unless there is one of this id: whether there was none.
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
    if decision.engine.reader.claims(&[claim]).await?.contains_key(&claim) {
        return Ok(false);
    }
    let events = decide(&access::State::Absent, Command::IssueAccessToken(token));
    let Ok(events) = events else { return Ok(false) };
    decision.append::<Access>(stream, events, None)?;
    decision.take(Bearer::AccessToken.take(INSTALLATION, id, stream, None));
    decision.row(sealed_secret(INSTALLATION, stream, sealed));
    Ok(true)
}
