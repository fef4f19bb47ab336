//! POST /duplicate (contract 4.6): an inactive copy without log-ins.

use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::ids::ProfileId;
use crate::domain::permission::{RankedRole, can_create, can_duplicate, has_access};
use crate::domain::profile::{By, Command, Facts, Profile, Registration};
use crate::domain::values::{NAME_CHARACTERS_MAX, Name};
use crate::engine::write::halt::{Halt, Ordered};
use crate::engine::write::mint;

use super::pick::Picker;
use super::types::bulk::{DuplicateProfileRequest, DuplicateProfileResponse};
use super::types::headers::{ActorHeaders, OccurredAt};

/// The end of a copy's name.
const SUFFIX: &str = " Copy";

/// Registers a copy of a profile.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/duplicate",
    operation_id = "duplicate_profile",
    tag = "profiles",
    params(ActorHeaders, OccurredAt),
    request_body = DuplicateProfileRequest,
    responses(
        (status = 200, body = DuplicateProfileResponse),
        (status = 404),
    )
)]
pub async fn duplicate(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    write(&app, &call, &Duplicate { id: mint::new_id() }).await
}

/// With the id of the copy.
struct Duplicate {
    id: Uuid,
}

impl Endpoint for Duplicate {
    const KIND: Kind = Kind { area: "profile", operation: "duplicate", exempt: false };
    type Input = DuplicateProfileRequest;

    fn input(&self, call: &Call) -> Result<DuplicateProfileRequest, Failure> {
        call.body()
    }

    fn permit(&self, actor: &Actor) -> Result<(), Failure> {
        Failure::unless(
            can_create(&actor.effective),
            "your role does not let you duplicate profiles",
        )
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        input: &DuplicateProfileRequest,
    ) -> Result<Answer, Halt<Failure>> {
        let (actor, decision) = (&attempt.actor, &mut attempt.decision);
        let picker = Picker::look_up(attempt.app, actor.tenant(), []).await?;
        let source = decision.load::<Profile>(input.target_profile_id).await?;
        let command = copy(actor, &picker, input.target_profile_id, source.state.live())?;
        let by = By { authority: &actor.authority(), ranks: &*actor.catalogue };
        decision
            .begin::<Profile>(self.id, by, command)
            .or_refuse(|_| Failure::Forbidden("the copy would exceed your rights"))?;
        let response = DuplicateProfileResponse {
            success: true,
            profile_id: self.id,
            message: "profile duplicated".to_owned(),
        };
        Ok(Answer::ok(&response)?.with("x-invalidate-tags", "profiles"))
    }
}

fn copy(
    actor: &Actor,
    picker: &Picker,
    id: Uuid,
    source: Option<&Facts>,
) -> Result<Command, Failure> {
    let source = source.ok_or(Failure::ProfileNotFound)?;
    let standing = actor.standing_of(id, source);
    if !has_access(&actor.effective, &standing) || !can_duplicate(&actor.effective, &standing) {
        return Err(Failure::Forbidden("your role and departments do not let you duplicate it"));
    }
    let superadmin = actor.effective.is_superadmin();
    let held = |id: &&crate::domain::ids::DepartmentId| {
        superadmin || actor.effective.departments.contains(id)
    };
    let roles = source.roles.iter().filter_map(|key| {
        actor.catalogue.rank(key).map(|rank| RankedRole { key: key.clone(), rank })
    });
    Ok(Command::RegisterProfile(Registration {
        name: Some(copied_name(picker, source.name.as_ref())?),
        roles: roles.filter(|role| role.rank <= actor.effective.rank()).collect(),
        departments: source.departments.iter().filter(held).copied().collect(),
        request_limit: source.request_limit.clone(),
        active: Some(false),
        duplicated_from: Some(ProfileId(id)),
        ..Registration::default()
    }))
}

fn copied_name(picker: &Picker, name: Option<&Name>) -> Result<Name, Failure> {
    let name = name.map_or("Unknown", |name| name.name.0.as_str());
    let kept: String = name.chars().take(NAME_CHARACTERS_MAX - SUFFIX.len()).collect();
    picker.made_name(&format!("{kept}{SUFFIX}")).map_err(|_| Failure::Internal)
}
