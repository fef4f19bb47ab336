//! POST /context (contract 4.1): the caller's identity, permissions and theme.

use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::{Actor, current, reach_position};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::identity::identify;
use crate::domain::ids::DepartmentId;
use crate::domain::permission::{RankedRole, is_emulatable};
use crate::domain::tenant::{Catalogue, Setting};

use super::types::context::{
    GetProfileContextRequest, GetProfileContextResponse, QGetProfileContextV4RoleResource,
    ThemePrimitives,
};
use super::types::headers::ActorHeaders;

/// Contract 4.1: the sections in order, each with the artifacts that make it visible.
const SECTIONS: [(&str, &[&str]); 11] = [
    ("home", &["home", "attempt", "chat"]),
    ("practice", &["practice", "attempt", "chat"]),
    ("leaderboard", &["leaderboard"]),
    ("analytics", &["dashboard", "reports", "record", "activity", "session", "pricing", "group"]),
    ("training", &["cohort", "simulation", "scenario", "persona"]),
    ("management", &["profile", "document", "parameter", "field"]),
    ("intelligence", &["agent", "model", "provider", "tool"]),
    ("system", &["department", "rubric", "auth", "eval"]),
    ("health", &["health"]),
    ("benchmark", &["benchmark", "test", "eval"]),
    ("settings", &["settings"]),
];

/// Identity, permissions and theme of the effective profile. Does not count against the daily
/// limit.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/context",
    operation_id = "get_profile_context",
    tag = "profiles",
    params(ActorHeaders),
    request_body = GetProfileContextRequest,
    responses(
        (status = 200, body = GetProfileContextResponse),
        (status = 404),
    )
)]
pub async fn context(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let identity = identify(&app, &call).await?;
    let input = call.body::<GetProfileContextRequest>()?;
    let mut actor = current(&app, &identity, &call).await?;
    reach_position(&app, &actor, &call).await?;
    actor.position = app.engine.readable();
    let department = theme_department(&actor, input.department_id)?;
    actor.answer(&app, &response(&actor, department))
}

/// The department whose setting and theme are shown.
fn theme_department(actor: &Actor, asked: Option<Uuid>) -> Result<Option<DepartmentId>, Failure> {
    let Some(asked) = asked.map(DepartmentId) else {
        return Ok(actor.effective.departments.first().copied());
    };
    let exists = actor.catalogue.department(asked).is_some();
    let own = actor.effective.departments.contains(&asked);
    if exists && (own || actor.effective.is_superadmin()) {
        Ok(Some(asked))
    } else {
        Err(Failure::DepartmentForbidden)
    }
}

fn response(actor: &Actor, department: Option<DepartmentId>) -> GetProfileContextResponse {
    let artifacts = actor.artifacts();
    let sections = SECTIONS
        .iter()
        .filter(|(_, opened_by)| artifacts.iter().any(|one| opened_by.contains(&one.as_str())));
    let setting = department.and_then(|department| setting(&actor.catalogue, department));
    let departments: Vec<Uuid> = actor.effective.departments.iter().map(|one| one.0).collect();
    GetProfileContextResponse {
        id: Some(actor.id().0),
        name: actor.name(),
        role: actor.effective.role.as_ref().map(|role| role.key.clone()),
        active: Some(actor.effective.active),
        role_artifacts: Some(artifacts.to_vec()),
        available_sections: Some(sections.map(|(name, _)| (*name).to_owned()).collect()),
        scoped_roles: Some(scoped_roles(actor)),
        primary_department_id: departments.first().copied(),
        department_ids: Some(departments),
        settings_id: setting.map(|setting| setting.id.0),
        theme: setting.and_then(theme),
        session_id: Some(actor.identity.session.0),
        is_emulation: Some(actor.depth > 0),
        emulation_depth: Some(i64::try_from(actor.depth).unwrap_or_default()),
        role_resources: Some(actor.catalogue.roles.iter().map(role_resource).collect()),
    }
}

fn role_resource(role: &crate::domain::tenant::Role) -> QGetProfileContextV4RoleResource {
    QGetProfileContextV4RoleResource {
        role: Some(role.key.clone()),
        name: Some(role.name.clone()),
        description: Some(role.description.clone()),
        icon_value: None,
        color_hex: None,
    }
}

/// The roles that the effective profile may emulate, ascending.
fn scoped_roles(actor: &Actor) -> Vec<String> {
    let Some(own) = &actor.effective.role else { return vec![] };
    let ranked =
        |role: &crate::domain::tenant::Role| RankedRole { key: role.key.clone(), rank: role.rank };
    let roles = actor.catalogue.roles.iter().map(ranked);
    let mut keys: Vec<String> =
        roles.filter(|role| is_emulatable(own, role)).map(|role| role.key).collect();
    keys.sort_unstable();
    keys
}

fn setting(catalogue: &Catalogue, department: DepartmentId) -> Option<&Setting> {
    let key = catalogue.department(department)?.settings.first()?;
    catalogue.setting(key)
}

fn theme(setting: &Setting) -> Option<ThemePrimitives> {
    let color = |name: &str| setting.colors.get(name).cloned();
    let primary = color("primary").filter(|_| setting.active)?;
    Some(ThemePrimitives {
        primary: Some(primary),
        accent: color("accent"),
        background: color("background"),
        surface: color("surface"),
        success: color("success"),
        warning: color("warning"),
        error: color("error"),
        chart1: color("chart1"),
        chart2: color("chart2"),
        chart3: color("chart3"),
        chart4: color("chart4"),
        chart5: color("chart5"),
    })
}
