//! Answers that name the cache tags that they depend on, and 304 for a caller that has the current
//! answer (contract 1, headers). `X-Bypass-Cache: 1` always reads.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::StatusCode;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::range::is_held;
use crate::engine::tags::Tag;

/// What an answer depends on.
pub struct Tagged {
    etag: String,
    names: &'static str,
}

impl Tagged {
    /// The entity tag of the answer to this request, computed before anything is read for it.
    pub fn new(app: &App, call: &Call, actor: &Actor, tags: &[Tag]) -> Tagged {
        let mut hash = DefaultHasher::new();
        app.engine.tags.state(actor.tenant().0, tags).hash(&mut hash);
        (actor.id().0, actor.real.profile.0, actor.depth).hash(&mut hash);
        (&call.route, call.raw_body()).hash(&mut hash);
        let names = if tags.contains(&Tag::Drafts) { "profiles,drafts" } else { "profiles" };
        Tagged { etag: format!("\"{:016x}\"", hash.finish()), names }
    }

    /// 304 if the caller has this answer already.
    pub fn not_modified(&self, call: &Call) -> Option<Answer> {
        let held = call.if_none_match.as_deref().filter(|_| !call.bypass_cache)?;
        is_held(held, &self.etag).then(|| {
            let empty = Answer {
                status: StatusCode::NOT_MODIFIED,
                headers: Default::default(),
                body: String::new(),
            };
            self.mark(empty)
        })
    }

    /// Adds the tags to the answer.
    pub fn mark(&self, answer: Answer) -> Answer {
        answer
            .with("etag", &self.etag)
            .with("x-cache-tags", self.names)
            .with("cache-control", "private, no-cache")
    }
}
