//! GET /api/v1/holdings: in which periods profiles held roles, departments, application roles and
//! states (History contract 2).

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::answer::Answer;
use crate::api::people::call::{Call, instant};
use crate::api::people::failure::Failure;
use crate::domain::tenant::Catalogue;
use crate::engine::holdings::PeriodOf;
use crate::projections::profile_holdings::read::{PeriodsWanted, Wanted};
use crate::projections::profile_holdings::{APPLICATION_ROLE, DEPARTMENT, ROLE};

use super::entry::Mark;
use super::error::Problem;
use super::events::auditor;
use super::filter::{each_once, too_broad};
use super::holders::departments;
use super::page::{Asked, Limited};
use super::query::{Name, Query, name};

/// Which periods are wanted: one of `profile`, `role`, `department` and `application_role` at
/// least.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeriodParameters {
    /// Ids of profiles.
    #[param(max_items = 100, value_type = Option<Vec<Uuid>>)]
    pub profile: Vec<Uuid>,
    /// Keys of directory roles.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub role: Vec<String>,
    /// Ids or keys of departments.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub department: Vec<String>,
    /// Names of application roles.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub application_role: Vec<String>,
    /// They lasted until after this time (RFC 3339).
    pub from: Option<DateTime<Utc>>,
    /// They began before this time (RFC 3339).
    pub until: Option<DateTime<Utc>>,
}

/// A period in which a profile held something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PeriodShown {
    pub profile_id: Uuid,
    /// `role`, `department`, `application_role` or `state`.
    pub kind: String,
    /// The key of a role, the id of a department, the name of an application role, or a state.
    pub key: String,
    pub began: Mark,
    /// Null while it lasts.
    pub ended: Option<Mark>,
}

/// Periods.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PeriodPage {
    /// Those that began first before others.
    pub holdings: Vec<PeriodShown>,
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

impl PeriodParameters {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> PeriodParameters {
        PeriodParameters {
            profile: query.list("profile", str::parse),
            role: query.list("role", name),
            department: query.list("department", name),
            application_role: query.list("application_role", name),
            from: query.one("from", instant),
            until: query.one("until", instant),
        }
    }

    /// What they describe, by the catalogue of now.
    ///
    /// # Errors
    /// [`Failure::TooBroad`] for all periods; [`Failure::NoSuchDepartment`].
    pub fn wanted(&self, catalogue: &Catalogue) -> Result<PeriodsWanted, Failure> {
        let named = [&self.role, &self.department, &self.application_role];
        if self.profile.is_empty() && named.iter().all(|list| list.is_empty()) {
            let add = "add profile, role, department or application_role";
            return Err(Failure::TooBroad(add));
        }
        let departments = departments(&self.department, catalogue)?;
        let held = [
            (ROLE, self.role.clone()),
            (DEPARTMENT, departments),
            (APPLICATION_ROLE, self.application_role.clone()),
        ];
        let held = held.into_iter().filter(|(_, keys)| !keys.is_empty());
        Ok(PeriodsWanted {
            profiles: each_once(self.profile.clone()),
            held: held.map(|(kind, keys)| Wanted { kind, keys: each_once(keys) }).collect(),
            ..PeriodsWanted::default()
        })
    }
}

/// Periods in which profiles held roles, departments, application roles and states.
#[utoipa::path(
    get,
    path = "/api/v1/holdings",
    operation_id = "list_holdings",
    tag = "history",
    params(PeriodParameters, Limited),
    responses(
        (status = 200, body = PeriodPage),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 422),
    )
)]
pub async fn holdings(
    State(app): State<Arc<App>>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = auditor(&app, &call).await?;
    let asked = PeriodParameters::take(&mut query);
    let page = Limited::take(&mut query);
    query.finish()?;
    let mut wanted = asked.wanted(&actor.catalogue)?;
    let limit = page.limit();
    wanted.between = app.engine.positions_between(asked.from, asked.until).await?;
    wanted.limit = limit + 1;
    let place = page.place(&app, actor.tenant())?;
    wanted.after = place.map(|(position, [kind, key])| (position, kind, key));
    let found = app.engine.periods(actor.tenant(), &wanted).await.map_err(too_broad)?;
    let more = found.len() as i64 > limit;
    let next = found.get(usize::try_from(limit - 1).unwrap_or_default()).filter(|_| more);
    let next_cursor = next.map(|PeriodOf { period, .. }| {
        page.cursor_after(&app, actor.tenant(), period.began, &[&period.kind, &period.key])
    });
    let shown = found.iter().take(usize::try_from(limit).unwrap_or_default());
    let holdings = shown.map(|one| PeriodShown {
        profile_id: one.period.profile_id,
        kind: one.period.kind.clone(),
        key: one.period.key.clone(),
        began: Mark::of(&app, &one.began),
        ended: one.ended.as_ref().map(|ended| Mark::of(&app, ended)),
    });
    let shown = PeriodPage { holdings: holdings.collect(), next_cursor };
    Ok(actor.answer(&app, &shown)?.validated(&call))
}
