//! GET /api/v1/profiles: who held what at a moment (History contract 2).

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::domain::permission::SUPERADMIN;
use crate::domain::tenant::Catalogue;
use crate::engine::holdings::HolderThen;
use crate::engine::past::moment::Moment;
use crate::projections::profile_holdings::read::Wanted;
use crate::projections::profile_holdings::{
    APPLICATION_ROLE, DELETED, DEPARTMENT, INACTIVE, LIVE, ROLE, STATE, UNASSIGNED,
};

use super::entry::Mark;
use super::error::Problem;
use super::events::auditor;
use super::filter::{each_once, flag, too_broad};
use super::moment::{DirectoryMoment, MomentShown, token_of};
use super::page::{Asked, Limited};
use super::query::{Name, Query, name};

/// What profiles held: those that held one of each list that is given.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HolderParameters {
    /// They held a role with which one audits.
    #[param(inline, value_type = Option<OnlyTrue>)]
    pub audits: Option<bool>,
    /// Keys of directory roles.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub role: Vec<String>,
    /// Ids or keys of departments.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub department: Vec<String>,
    /// Names of application roles.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub application_role: Vec<String>,
    /// `live`, `inactive`, `deleted` or `unassigned`, which is live without a directory role;
    /// `live` if nothing else is asked for.
    #[param(inline, max_items = 100, value_type = Option<Vec<HoldableState>>)]
    pub state: Vec<String>,
}

/// A flag without another value, for the OpenAPI document.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
enum OnlyTrue {
    True,
}

/// A state that profiles are in, for the OpenAPI document.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
enum HoldableState {
    Live,
    Inactive,
    Deleted,
    Unassigned,
}

/// A profile as it was at the moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderShown {
    pub id: Uuid,
    pub name: Option<String>,
    /// `live` or `deleted`.
    pub state: &'static str,
    /// The keys of its directory roles.
    pub roles: Vec<String>,
    pub departments: Vec<Uuid>,
    pub active: bool,
    /// The event with which it began to hold what was asked for; the latest one, if several were.
    pub held_since: Option<Mark>,
}

/// Profiles at a moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderPage {
    pub moment: MomentShown,
    /// How many there were, on all pages.
    pub total: i64,
    /// By id.
    pub profiles: Vec<HolderShown>,
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

impl HolderParameters {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> HolderParameters {
        HolderParameters {
            audits: query.one("audits", |text| match flag(text) {
                Ok(true) => Ok(true),
                _ => Err("true is expected"),
            }),
            role: query.list("role", name),
            department: query.list("department", name),
            application_role: query.list("application_role", name),
            state: query.list("state", state),
        }
    }

    /// What was to be held, by the catalogue of that moment.
    ///
    /// # Errors
    /// [`Failure::NoSuchDepartment`] for a department that the catalogue does not have.
    pub fn wanted(&self, catalogue: &Catalogue) -> Result<Vec<Wanted>, Failure> {
        let mut wanted = vec![];
        let mut want =
            |kind, keys: Vec<String>| wanted.push(Wanted { kind, keys: each_once(keys) });
        if !self.role.is_empty() {
            want(ROLE, self.role.clone());
        }
        if self.audits.is_some() {
            let auditing =
                catalogue.roles.iter().filter(|role| role.audits || role.rank >= SUPERADMIN);
            want(ROLE, auditing.map(|role| role.key.clone()).collect());
        }
        if !self.application_role.is_empty() {
            want(APPLICATION_ROLE, self.application_role.clone());
        }
        if !self.department.is_empty() {
            want(DEPARTMENT, departments(&self.department, catalogue)?);
        }
        if !self.state.is_empty() {
            want(STATE, self.state.clone());
        }
        if wanted.is_empty() {
            wanted.push(Wanted { kind: STATE, keys: vec![LIVE.to_owned()] });
        }
        Ok(wanted)
    }
}

/// The ids of departments that are given by id or key.
///
/// # Errors
/// [`Failure::NoSuchDepartment`] for a key that the catalogue does not have.
pub fn departments(given: &[String], catalogue: &Catalogue) -> Result<Vec<String>, Failure> {
    let id = |text: &String| {
        let id = text.parse::<Uuid>().ok();
        let id = id.or_else(|| Some(catalogue.department_by_key(text)?.id.0));
        id.map(|id| id.to_string()).ok_or_else(|| Failure::NoSuchDepartment(text.clone()))
    };
    given.iter().map(id).collect()
}

/// The profiles that held what is asked for, at any moment.
#[utoipa::path(
    get,
    path = "/api/v1/profiles",
    operation_id = "list_profiles_at_moment",
    tag = "history",
    params(DirectoryMoment, HolderParameters, Limited),
    responses(
        (status = 200, body = HolderPage),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 409),
        (status = 422),
    )
)]
pub async fn profiles(
    State(app): State<Arc<App>>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = auditor(&app, &call).await?;
    let moment = DirectoryMoment::take(&mut query);
    let asked = HolderParameters::take(&mut query);
    let page = Limited::take(&mut query);
    query.finish()?;
    let (moment, after) = place(&app, &actor, &moment, &page).await?;
    let wanted = asked.wanted(&*app.engine.catalogue_at(moment).await?)?;
    let limit = page.limit();
    let found = app.engine.holders_at(moment, &wanted, after, limit + 1).await;
    let mut found = found.map_err(too_broad)?;
    let total = app.engine.count_holders(moment, &wanted).await.map_err(too_broad)?;
    let more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or_default());
    let next = found.last().filter(|_| more).map(|last| {
        page.cursor_after(&app, moment.tenant, moment.position, &[&last.id.to_string()])
    });
    let shown = HolderPage {
        moment: MomentShown::new(&app, &moment),
        total,
        profiles: found.iter().map(|one| holder(&app, one)).collect(),
        next_cursor: next,
    };
    Ok(Answer::ok(&shown)?.with("dossier-position", token_of(&app, &moment)).validated(&call))
}

/// The moment of all pages, which a cursor keeps, and the id after which the page begins.
async fn place(
    app: &App,
    actor: &Actor,
    moment: &DirectoryMoment,
    page: &Limited,
) -> Result<(Moment, Option<Uuid>), Failure> {
    let Some((position, [after])) = page.place(app, actor.tenant())? else {
        return Ok((moment.find(app, actor).await?, None));
    };
    let after = after.parse().map_err(|_| Failure::InvalidCursor)?;
    Ok((app.engine.moment(actor.tenant(), position).await?, Some(after)))
}

fn holder(app: &App, one: &HolderThen) -> HolderShown {
    let facts = one.past.state.last_known();
    HolderShown {
        id: one.id,
        name: facts.and_then(|facts| Some(facts.name.as_ref()?.name.0.clone())),
        state: one.past.state.name(),
        roles: facts.map(|facts| facts.roles.clone()).unwrap_or_default(),
        departments: facts
            .map(|facts| facts.departments.iter().map(|id| id.0).collect())
            .unwrap_or_default(),
        active: facts.is_some_and(|facts| facts.is_active()),
        held_since: Some(Mark::of(app, &one.since)),
    }
}

fn state(text: &str) -> Result<String, String> {
    let states = [LIVE, INACTIVE, DELETED, UNASSIGNED];
    let known = states.contains(&text);
    known
        .then(|| text.to_owned())
        .ok_or_else(|| format!("one of {} is expected", states.join(", ")))
}
