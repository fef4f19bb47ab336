//! POST /update (contract 4.5): changes of profiles, all or none.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::actor::Actor;
use crate::api::answer::Answer;
use crate::api::app::App;
use crate::api::call::Call;
use crate::api::failure::{Failure, FieldError};
use crate::api::write::{Kind, write};
use crate::domain::ids::ProfileId;
use crate::domain::permission::{can_edit, has_access};
use crate::domain::profile::{Command, Event, Profile, State as ProfileState, decide};
use crate::engine::execute::{Decision, Halt};

use super::create::{NOT_APPLIED, invalid};
use super::logins::Logins;
use super::pick::{self, Picker};
use super::types::bulk::{
    ProfileResultItem, UpdateProfileItem, UpdateProfilesRequest, UpdateProfilesResponse,
};
use super::types::headers::ActorHeaders;
use super::{FACE, ITEMS_MAX};

/// Changes profiles: what an item does not name stays, a list replaces the links. A single item
/// may carry `If-Match` with the version that `get` answered as `Dossier-Version`.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/update",
    operation_id = "update_profiles",
    tag = "profiles",
    params(ActorHeaders),
    request_body = UpdateProfilesRequest,
    responses(
        (status = 200, body = UpdateProfilesResponse),
        (status = 412),
    )
)]
pub async fn update(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let input = call.body::<UpdateProfilesRequest>().map(Arc::new);
    let if_match = call.if_match.clone();
    let kind = Kind { area: "profile", operation: "update", face: FACE, exempt: false };
    let shared = app.clone();
    let answer = write(&app, &call, kind, move |decision, actor| {
        let (app, if_match) = (shared.clone(), if_match.clone());
        let input = match &input {
            Ok(input) => Ok(input.clone()),
            Err(failure) => Err(failure.again()),
        };
        Box::pin(async move {
            let input = input?;
            if input.profiles.len() > ITEMS_MAX {
                return Err(Failure::BatchTooLarge.into());
            }
            let expected = expected_version(if_match.as_deref(), input.profiles.len())?;
            let results = update_all(&app, decision, actor, &input.profiles, expected).await?;
            Ok(Answer::ok(&UpdateProfilesResponse { results })?
                .with("x-invalidate-tags", "profiles"))
        })
    });
    answer.await
}

/// The version that `If-Match` demands, quoted or not.
fn expected_version(if_match: Option<&str>, items: usize) -> Result<Option<i64>, Failure> {
    let Some(text) = if_match.filter(|text| *text != "*") else { return Ok(None) };
    if items != 1 {
        return Err(header("If-Match goes with exactly one profile"));
    }
    let version = text.trim_start_matches("W/").trim_matches('"').parse();
    version.map(Some).map_err(|_| header("a version as get answered it"))
}

fn header(message: &str) -> Failure {
    Failure::Invalid(vec![crate::api::failure::InvalidField {
        location: vec!["header".into(), "If-Match".into()],
        message: message.to_owned(),
        kind: "value_error",
    }])
}

type Plan = Result<Vec<Event>, Vec<FieldError>>;

async fn update_all(
    app: &App,
    decision: &mut Decision<'_>,
    actor: &Actor,
    items: &[UpdateProfileItem],
    expected: Option<i64>,
) -> Result<Vec<ProfileResultItem>, Halt<Failure>> {
    let wanted = items.iter().flat_map(|item| {
        let emails = item.email_ids.iter().flatten().copied();
        item.name_id.into_iter().chain(item.request_limit_id).chain(emails)
    });
    let picker = Picker::look_up(app, actor.tenant(), wanted).await?;
    let ids: Vec<Uuid> = items.iter().map(|item| item.profile_id).collect();
    let mut count: HashMap<Uuid, usize> = HashMap::new();
    ids.iter().for_each(|id| *count.entry(*id).or_default() += 1);
    let states = decision.load_all::<Profile>(&ids).await?;
    let mut logins = Logins::default();
    let mut plans: Vec<Plan> = Vec::with_capacity(items.len());
    for (place, (item, target)) in items.iter().zip(&states).enumerate() {
        let id = item.profile_id;
        if count.get(&id).is_some_and(|times| *times > 1) {
            plans.push(Err(vec![about("the same profile twice in one request")]));
            continue;
        }
        let plan = plan(&picker, actor, item, &target.state);
        if plan.is_ok() && expected.is_some_and(|expected| expected != target.version) {
            return Err(Failure::PreconditionFailed.into());
        }
        for event in plan.iter().flatten() {
            if let Event::EmailsAssigned { emails } = event {
                let before = target.state.live();
                logins.assign(actor.tenant(), place, ProfileId(id), before, emails);
            }
        }
        plans.push(plan);
    }
    let taken: HashSet<usize> = logins.taken(decision).await?;
    for place in taken {
        plans[place] = Err(vec![FieldError {
            field: "email_ids",
            message: "an e-mail address belongs to another profile".to_owned(),
        }]);
    }
    let valid = plans.iter().all(Result::is_ok);
    if valid {
        for (id, plan) in ids.iter().zip(&plans) {
            let events = plan.iter().flatten().cloned().collect();
            decision.append::<Profile>(*id, events, None)?;
        }
        logins.put(decision);
    }
    Ok(ids.into_iter().zip(plans).map(|(id, plan)| result(id, plan, valid)).collect())
}

fn plan(picker: &Picker, actor: &Actor, item: &UpdateProfileItem, state: &ProfileState) -> Plan {
    let id = ProfileId(item.profile_id);
    // Contract 1.3: what one may not see is not told apart from what is not there.
    let seen = |facts| has_access(&actor.effective, &actor.standing_of(id.0, facts));
    if !state.live().is_some_and(seen) {
        return Err(vec![about("profile not found")]);
    }
    let standing = state.live().map(|facts| actor.standing_of(id.0, facts));
    if !standing.is_some_and(|target| can_edit(&actor.effective, &target)) {
        return Err(vec![about("not permitted")]);
    }
    let commands = commands(picker, actor, item)?;
    let rank = |key: &str| actor.catalogue.rank(key);
    let authority = actor.authority();
    let (mut events, mut errors) = (Vec::new(), Vec::new());
    // Each is about another facet and judged by who the target is now, not by who the others make
    // of it.
    for command in commands {
        match decide(id, state, &authority, rank, command) {
            Ok(decided) => events.extend(decided),
            Err(refusal) => {
                let error = FieldError { field: refusal.field(), message: refusal.to_string() };
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
        }
    }
    if errors.is_empty() { Ok(events) } else { Err(errors) }
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

fn result(id: Uuid, plan: Plan, valid: bool) -> ProfileResultItem {
    let done = |success: bool, message: &str| ProfileResultItem {
        success,
        profile_id: Some(id),
        message: message.to_owned(),
        errors: None,
    };
    match plan {
        Err(errors) => invalid(Some(id), errors),
        Ok(_) if !valid => done(false, NOT_APPLIED),
        Ok(_) => done(true, "profile updated"),
    }
}
