//! What goes on record of a request, whichever API it is for.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, request};
use uuid::Uuid;

use crate::engine::Envelope;

use super::face::Face;

/// Longest header value that goes on record, in characters.
const RECORDED_CHARACTERS_MAX: usize = 500;

/// The id of a request: in the log of events, in the server's log, and in its answer.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// What goes on record of a request.
#[derive(Clone, Debug)]
pub struct Circumstances {
    pub request_id: Uuid,
    pub reason: Option<String>,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
}

/// The real actor.
pub struct RealActor {
    /// The kind of actor.
    pub kind: &'static str,
    pub id: Uuid,
    /// The name of an actor that is no profile.
    pub name: Option<String>,
}

impl Circumstances {
    /// Takes them from a request.
    pub fn of(parts: &request::Parts) -> Circumstances {
        let extensions = &parts.extensions;
        let address = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Circumstances {
            request_id: extensions.get::<RequestId>().map_or_else(Uuid::now_v7, |id| id.0),
            reason: recorded(&parts.headers, "dossier-reason"),
            client_address: address.map(|address| address.to_string()),
            user_agent: recorded(&parts.headers, USER_AGENT.as_str()),
        }
    }

    /// The envelope of what this actor does as itself.
    pub fn envelope(&self, face: Face, by: RealActor, operation: &'static str) -> Envelope {
        Envelope {
            request_id: self.request_id,
            correlation_id: self.request_id,
            session_id: None,
            real_actor_kind: by.kind,
            real_actor_id: by.id,
            real_actor_name: by.name,
            effective_actor_id: by.id,
            emulation: vec![],
            grant_id: None,
            operation,
            channel: "http",
            face: face.name(),
            client_address: self.client_address.clone(),
            user_agent: self.user_agent.clone(),
            reason: self.reason.clone(),
        }
    }
}

/// The text of a header that goes on record, cut to its bound.
fn recorded(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    let value = String::from_utf8_lossy(value.as_bytes());
    let kept: String =
        value.chars().filter(|c| !c.is_control()).take(RECORDED_CHARACTERS_MAX).collect();
    Some(kept.trim().to_owned()).filter(|value| !value.is_empty())
}
