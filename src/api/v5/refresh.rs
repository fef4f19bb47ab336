//! POST /refresh (contract 4.14): replays the tenant, repairs rows that differ, invalidates the
//! cache tags.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::ids::TenantId;
use crate::domain::operation::{Command, Operation};
use crate::domain::permission::can_operate;
use crate::engine::write::halt::{Halt, Ordered};
use crate::projections;

use super::types::export::RefreshProfilesResponse;
use super::types::headers::ActorHeaders;

/// How long the caller of `POST /refresh` waits; the run itself goes on.
const WAIT_MAX: Duration = Duration::from_secs(25);

/// Replays the caller's tenant from the log and compares it with the profile read models.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/refresh",
    operation_id = "refresh_profiles",
    tag = "profiles",
    params(ActorHeaders),
    responses(
        (status = 200, body = RefreshProfilesResponse),
    )
)]
pub async fn refresh(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let actor = reading_actor(&app, &call).await?;
    call.no_body()?;
    if !can_operate(&actor.effective, actor.artifacts()) {
        return Err(Failure::Forbidden("your role does not let you refresh the read models"));
    }
    // In a task of its own, so that the run is recorded even if the caller leaves.
    let recorded = tokio::spawn(run_and_record(app, call.uncounted(), actor.tenant()));
    match tokio::time::timeout(WAIT_MAX, recorded).await {
        Ok(done) => done.map_err(|_| Failure::Internal)?,
        Err(_) => Answer::ok(&RefreshProfilesResponse {
            success: false,
            refreshed_views: vec![],
            invalidated_tags: vec![],
        }),
    }
}

async fn run_and_record(app: Arc<App>, call: Call, tenant: TenantId) -> Result<Answer, Failure> {
    let report = app.engine.clone().refresh(tenant).await?;
    let refreshed = Refreshed { id: Uuid::now_v7(), rows_differing: report.rows_differing() };
    write(&app, &call, &refreshed).await
}

/// The findings of a run, and the id of its record.
struct Refreshed {
    id: Uuid,
    rows_differing: BTreeMap<String, i64>,
}

impl Endpoint for Refreshed {
    const KIND: Kind = Kind { area: "operation", operation: "refresh", exempt: false };
    type Input = ();

    fn input(&self, _: &Call) -> Result<(), Failure> {
        Ok(())
    }

    fn permit(&self, actor: &Actor) -> Result<(), Failure> {
        Failure::unless(
            can_operate(&actor.effective, actor.artifacts()),
            "your rights have changed meanwhile",
        )
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        (): &(),
    ) -> Result<Answer, Halt<Failure>> {
        let rows_differing = self.rows_differing.clone();
        let record = Command::RecordRefresh { rows_differing };
        let recorded = attempt.decision.begin::<Operation>(self.id, (), record);
        recorded.or_refuse(|never| match never {})?;
        let response = RefreshProfilesResponse {
            success: true,
            refreshed_views: projections::refreshed().into_iter().map(str::to_owned).collect(),
            invalidated_tags: vec!["profiles".to_owned(), "artifacts".to_owned()],
        };
        Ok(Answer::ok(&response)?.with("x-invalidate-tags", "profiles,artifacts"))
    }
}
