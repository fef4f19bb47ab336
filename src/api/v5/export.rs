//! POST /export (contract 4.13): the profiles that the caller may see, as CSV.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::export::{self, Command, Export};
use crate::domain::folding::folded;
use crate::domain::ids::{DepartmentId, ProfileId};
use crate::domain::permission::{RankedRole, Standing, can_operate, has_access, is_listed};
use crate::engine::Doing;
use crate::engine::write::halt::{Halt, Ordered};
use crate::projections::profiles_view::{self, Row};

use super::types::export::{ExportProfilesRequest, ExportProfilesResponse};
use super::types::headers::ActorHeaders;

/// Most rows of an export.
const ROWS_MAX: usize = 100_000;
/// Rows read at once.
const PAGE_ROWS: i64 = 2_000;
/// The columns of the file.
const COLUMNS: [&str; 7] =
    ["profile_id", "name", "active", "departments", "emails", "request_limit", "roles"];

/// Makes a file of the profiles. It can be downloaded for 24 hours.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/export",
    operation_id = "export_profiles",
    tag = "profiles",
    params(ActorHeaders),
    request_body = ExportProfilesRequest,
    responses(
        (status = 200, body = ExportProfilesResponse),
        (status = 404),
    )
)]
pub async fn export(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let actor = reading_actor(&app, &call).await?;
    let input = call.body::<ExportProfilesRequest>()?;
    if !can_operate(&actor.effective, actor.artifacts()) {
        return Err(Failure::Forbidden("your role does not let you export profiles"));
    }
    let rows = match input.profile_export_id {
        Some(id) => vec![one(&app, &actor, id).await?],
        None => all(&app, &actor).await?,
    };
    let content = content(&actor, &rows)?;
    let id = Uuid::now_v7();
    let made_at = call.received_at;
    let expires_at = made_at + Duration::hours(export::HOURS_KEPT);
    app.engine.keep_file(id, actor.tenant(), &content, expires_at).await?;
    let made = Made {
        id,
        owner: actor.id(),
        file_name: file_name(made_at),
        row_count: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        profile: input.profile_export_id.map(ProfileId),
    };
    // Counted above, before the file is made.
    write(&app, &call.uncounted(), &made).await
}

/// The file that was made.
struct Made {
    id: Uuid,
    owner: ProfileId,
    file_name: String,
    row_count: i64,
    profile: Option<ProfileId>,
}

impl Endpoint for Made {
    const KIND: Kind = Kind { area: "export", operation: "export", exempt: false };
    type Input = ();

    fn input(&self, _: &Call) -> Result<(), Failure> {
        Ok(())
    }

    fn permit(&self, actor: &Actor) -> Result<(), Failure> {
        Failure::unless(
            can_operate(&actor.effective, actor.artifacts()) && actor.id() == self.owner,
            "your rights have changed meanwhile",
        )
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        (): &(),
    ) -> Result<Answer, Halt<Failure>> {
        let command = Command::MakeExport {
            owner: self.owner,
            file_name: self.file_name.clone(),
            row_count: self.row_count,
            profile: self.profile,
        };
        let made = attempt.decision.begin::<Export>(self.id, (), command);
        made.or_refuse(|_| Failure::StreamConflict)?;
        Ok(Answer::ok(&ExportProfilesResponse {
            upload_id: self.id,
            file_name: self.file_name.clone(),
            row_count: self.row_count,
        })?)
    }
}

fn file_name(at: DateTime<Utc>) -> String {
    format!("profiles_export_{}.csv", at.format("%Y-%m-%d_%H%M%S"))
}

async fn one(app: &App, actor: &Actor, id: Uuid) -> Result<Row, Failure> {
    let client = app.engine.connection().await?;
    let mut rows = profiles_view::read::by_ids(&client, actor.tenant().0, &[id])
        .await
        .doing("reading a profile")?;
    rows.pop().filter(|row| in_scope(actor, row)).ok_or(Failure::ProfileNotFound)
}

async fn all(app: &App, actor: &Actor) -> Result<Vec<Row>, Failure> {
    let mut rows: Vec<Row> = Vec::new();
    let mut after = Uuid::nil();
    loop {
        let client = app.engine.connection().await?;
        let page = profiles_view::read::page(&client, actor.tenant().0, after, PAGE_ROWS)
            .await
            .doing("reading profiles")?;
        let Some(last) = page.last() else { break };
        after = last.id;
        rows.extend(page.into_iter().filter(|row| in_scope(actor, row)));
        if rows.len() > ROWS_MAX {
            let why = format!("more than {ROWS_MAX} profiles: export them one by one, or narrower");
            return Err(Failure::ResultTooLarge(why));
        }
    }
    rows.sort_by_cached_key(|row| {
        let name = row.shown_name();
        (name.is_none(), name.as_deref().map(folded).unwrap_or_default(), row.id)
    });
    Ok(rows)
}

/// Contract 4.13: what the caller may see and list, including the caller.
fn in_scope(actor: &Actor, row: &Row) -> bool {
    let role = row.role_keys.iter().find_map(|key| actor.catalogue.role(key));
    let role = role.map(|role| RankedRole { key: role.key.clone(), rank: role.rank });
    let target = Standing {
        profile: ProfileId(row.id),
        role: role.clone(),
        departments: row.department_ids.iter().copied().map(DepartmentId).collect(),
        active: row.active,
        in_applications: !row.application_roles.is_empty(),
    };
    target.profile == actor.id()
        || (has_access(&actor.effective, &target) && is_listed(&actor.effective, role.as_ref()))
}

fn content(actor: &Actor, rows: &[Row]) -> Result<Vec<u8>, Failure> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let failed = |_| Failure::Internal;
    writer.write_record(COLUMNS).map_err(failed)?;
    let catalogue = &actor.catalogue;
    for row in rows {
        let departments = row
            .department_ids
            .iter()
            .map(|id| catalogue.department(DepartmentId(*id)).map_or("", |one| one.name.as_str()));
        let roles = row
            .role_keys
            .iter()
            .map(|key| catalogue.role(key).map_or(key.as_str(), |role| role.name.as_str()));
        let limit = row.requests_per_day.map(|limit| limit.to_string()).unwrap_or_default();
        writer
            .write_record([
                guarded(&row.id.to_string()),
                guarded(row.shown_name().as_deref().unwrap_or_default()),
                guarded(if row.active { "Yes" } else { "No" }),
                guarded(&joined(departments)),
                guarded(&joined(row.emails.iter().map(String::as_str))),
                guarded(&limit),
                guarded(&joined(roles)),
            ])
            .map_err(failed)?;
    }
    writer.into_inner().map_err(|_| Failure::Internal)
}

fn joined<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let escaped: Vec<String> =
        values.filter(|value| !value.is_empty()).map(|value| value.replace('|', "\\|")).collect();
    escaped.join("|")
}

/// Contract 4.13: an apostrophe is put before a cell that a spreadsheet would read as a formula.
fn guarded(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
