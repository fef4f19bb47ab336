//! GET /api/v1/profiles/{id}/history: what happened to a person, and what each event changed
//! (History contract 1).

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use utoipa::IntoParams;

use crate::api::app::App;
use crate::api::people::actor::reading_actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::{Call, instant};
use crate::engine::history::StreamFilter;

use super::entry::EventPage;
use super::error::Problem;
use super::page::{Asked, PageParameters};
use super::query::{Name, Query, name};
use super::visible::visible_profile;

/// Which events of a profile are wanted.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProfileEventParameters {
    /// Those that changed one of these fields; `attributes` and `attachments` mean all of them.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub field: Vec<String>,
    /// Those with one of these names, for example `ProfileRenamed`.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub name: Vec<String>,
    /// Recorded at this time (RFC 3339) or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time (RFC 3339).
    pub until: Option<DateTime<Utc>>,
}

impl ProfileEventParameters {
    fn take(query: &mut Query) -> ProfileEventParameters {
        ProfileEventParameters {
            field: query.list("field", name),
            name: query.list("name", name),
            from: query.one("from", instant),
            until: query.one("until", instant),
        }
    }
}

/// The events of a profile, deleted ones included.
#[utoipa::path(
    get,
    path = "/api/v1/profiles/{id}/history",
    operation_id = "get_profile_history",
    tag = "history",
    params(("id" = String, Path), PageParameters, ProfileEventParameters),
    responses(
        (status = 200, body = EventPage),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 404),
        (status = 422),
    )
)]
pub async fn profile_history(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = reading_actor(&app, &call).await?;
    let id = visible_profile(&app, &actor, path).await?;
    let asked = PageParameters::take(&mut query);
    let wanted = ProfileEventParameters::take(&mut query);
    query.finish()?;
    let range = asked.range(&app, actor.tenant())?;
    let filter = StreamFilter {
        fields: wanted.field,
        names: wanted.name,
        from: wanted.from,
        until: wanted.until,
    };
    let page = app.engine.profile_history(actor.tenant(), id, &filter, range).await?;
    let page = EventPage::of(&app, actor.tenant(), &asked, page).await?;
    Ok(actor.answer(&app, &page)?.validated(&call))
}
