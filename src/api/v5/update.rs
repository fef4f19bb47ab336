//! POST /update (contract 4.5): changes of profiles, all or none.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::{Call, invalid_header};
use crate::api::people::failure::{Failure, FieldError};
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::claims::LOGIN_EMAIL;
use crate::domain::permission::{can_edit, has_access};
use crate::domain::profile::{By, Command, Profile, State as ProfileState};
use crate::engine::Error;
use crate::engine::write::halt::Halt;

use super::ITEMS_MAX;
use super::create::{NOT_APPLIED, email_taken, invalid, refused};
use super::pick::{self, Picker};
use super::types::bulk::{
    ProfileResultItem, UpdateProfileItem, UpdateProfilesRequest, UpdateProfilesResponse,
};
use super::types::headers::{ActorHeaders, OccurredAt};

/// Changes profiles. A field that an item does not name stays; a list replaces. A single item may
/// carry `If-Match` with the version that `get` answered as `Dossier-Version`.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/update",
    operation_id = "update_profiles",
    tag = "profiles",
    params(ActorHeaders, OccurredAt),
    request_body = UpdateProfilesRequest,
    responses(
        (status = 200, body = UpdateProfilesResponse),
        (status = 412),
    )
)]
pub async fn update(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    write(&app, &call, &Update).await
}

struct Update;

impl Endpoint for Update {
    const KIND: Kind = Kind { area: "profile", operation: "update", exempt: false };
    type Input = UpdateProfilesRequest;

    fn input(&self, call: &Call) -> Result<UpdateProfilesRequest, Failure> {
        call.body()
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        input: &UpdateProfilesRequest,
    ) -> Result<Answer, Halt<Failure>> {
        let items = &input.profiles;
        if items.len() > ITEMS_MAX {
            return Err(Failure::BatchTooLarge.into());
        }
        let expected = expected_version(attempt.call.if_match.as_deref(), items.len())?;
        let results = update_all(attempt, items, expected).await?;
        Ok(Answer::ok(&UpdateProfilesResponse { results })?.with("x-invalidate-tags", "profiles"))
    }
}

/// The version that `If-Match` requires, quoted or not.
fn expected_version(if_match: Option<&str>, items: usize) -> Result<Option<i64>, Failure> {
    let Some(text) = if_match.filter(|text| *text != "*") else { return Ok(None) };
    if items != 1 {
        return Err(header("If-Match goes with exactly one profile"));
    }
    let version = text.trim_start_matches("W/").trim_matches('"').parse();
    version.map(Some).map_err(|_| header("a version as get answered it"))
}

fn header(message: &str) -> Failure {
    invalid_header("If-Match", message)
}

type Outcome = Result<(), Vec<FieldError>>;

async fn update_all(
    attempt: &mut Attempt<'_, '_>,
    items: &[UpdateProfileItem],
    expected: Option<i64>,
) -> Result<Vec<ProfileResultItem>, Halt<Failure>> {
    let wanted = items.iter().flat_map(|item| {
        let emails = item.email_ids.iter().flatten().copied();
        item.name_id.into_iter().chain(item.request_limit_id).chain(emails)
    });
    let picker = Picker::look_up(attempt.app, attempt.actor.tenant(), wanted).await?;
    let ids: Vec<Uuid> = items.iter().map(|item| item.profile_id).collect();
    let mut count: HashMap<Uuid, usize> = HashMap::new();
    ids.iter().for_each(|id| *count.entry(*id).or_default() += 1);
    let states = attempt.decision.load_all::<Profile>(&ids).await?;
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(items.len());
    for (item, target) in items.iter().zip(&states) {
        if count.get(&item.profile_id).is_some_and(|times| *times > 1) {
            outcomes.push(Err(vec![about("the same profile twice in one request")]));
            continue;
        }
        let outcome = update_one(attempt, &picker, item, &target.state).await?;
        if outcome.is_ok() && expected.is_some_and(|expected| expected != target.version) {
            return Err(Failure::PreconditionFailed.into());
        }
        outcomes.push(outcome);
    }
    for taken in attempt.decision.collisions(&[LOGIN_EMAIL]).await? {
        let place = ids.iter().position(|id| *id == taken.stream_id);
        outcomes[place.ok_or(Failure::Internal)?] = Err(vec![email_taken()]);
    }
    let valid = outcomes.iter().all(Result::is_ok);
    if !valid {
        attempt.decision.take_back();
    }
    Ok(ids.into_iter().zip(outcomes).map(|(id, outcome)| result(id, outcome, valid)).collect())
}

async fn update_one(
    attempt: &mut Attempt<'_, '_>,
    picker: &Picker,
    item: &UpdateProfileItem,
    state: &ProfileState,
) -> Result<Outcome, Error> {
    let (id, actor) = (item.profile_id, &attempt.actor);
    let target = state.live().map(|facts| actor.standing_of(id, facts));
    // Contract 1.3: a profile that one may not see gets the same answer as one that does not exist.
    let Some(target) = target.filter(|target| has_access(&actor.effective, target)) else {
        return Ok(Err(vec![about("profile not found")]));
    };
    if !can_edit(&actor.effective, &target) {
        return Ok(Err(vec![about("not permitted")]));
    }
    let commands = match commands(picker, actor, item) {
        Ok(commands) => commands,
        Err(errors) => return Ok(Err(errors)),
    };
    // Each change is about another part of the profile, and is judged by the target's state before
    // all of them.
    let by = By { authority: &actor.authority(), ranks: &*actor.catalogue };
    let ordered = attempt.decision.order_together::<Profile>(id, by, commands).await?;
    Ok(ordered.map(|_| ()).map_err(|refusals| refusals.iter().map(refused).collect()))
}

fn commands(
    picker: &Picker,
    actor: &Actor,
    item: &UpdateProfileItem,
) -> Result<Vec<Command>, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut commands = Vec::new();
    let mut note = |found: Result<Option<Command>, FieldError>| match found {
        Ok(command) => commands.extend(command),
        Err(error) => errors.push(error),
    };
    let name = picker.name(item.name_id, item.name.as_deref());
    note(name.map(|name| name.map(|name| Command::RenameProfile { name })));
    let emails = item.email_ids.as_deref().map(|ids| picker.emails(ids)).transpose();
    note(emails.map(|emails| emails.map(|emails| Command::AssignEmails { emails })));
    let roles = item.role_ids.as_deref().map(|ids| pick::roles(&actor.catalogue, ids)).transpose();
    note(roles.map(|roles| roles.map(|roles| Command::AssignRoles { roles })));
    let departments = pick::departments(
        &actor.catalogue,
        item.department_ids.as_deref(),
        item.departments.as_deref(),
    );
    note(
        departments
            .map(|found| found.map(|departments| Command::AssignDepartments { departments })),
    );
    let limit = item.request_limit_id.map(|id| picker.request_limit(id)).transpose();
    note(
        limit.map(|limit| limit.map(|request_limit| Command::AssignRequestLimit { request_limit })),
    );
    let active = item.flag_id.map(|id| picker.flag(id)).transpose();
    note(active.map(|active| {
        active.map(
            |active| {
                if active { Command::ActivateProfile } else { Command::DeactivateProfile }
            },
        )
    }));
    if errors.is_empty() { Ok(commands) } else { Err(errors) }
}

fn about(message: &str) -> FieldError {
    FieldError { field: "profile_id", message: message.to_owned() }
}

fn result(id: Uuid, outcome: Outcome, valid: bool) -> ProfileResultItem {
    let done = |success: bool, message: &str| ProfileResultItem {
        success,
        profile_id: Some(id),
        message: message.to_owned(),
        errors: None,
    };
    match outcome {
        Err(errors) => invalid(Some(id), errors),
        Ok(_) if !valid => done(false, NOT_APPLIED),
        Ok(_) => done(true, "profile updated"),
    }
}
