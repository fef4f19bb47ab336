//! POST /create (contract 4.4): profiles, all or none.

use std::collections::HashSet;
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
use crate::domain::object_id::ObjectId;
use crate::domain::permission::can_create;
use crate::domain::profile::{
    Command, Event, Facts, Profile, Refusal, Registration, State as ProfileState, decide,
};
use crate::engine::execute::{Decision, Halt};
use crate::engine::{claims, mint};

use super::logins::Logins;
use super::pick::{self, Picker};
use super::types::bulk::{
    CreateProfileItem, CreateProfilesRequest, CreateProfilesResponse, ProfileFieldError,
    ProfileResultItem,
};
use super::types::headers::ActorHeaders;
use super::{FACE, ITEMS_MAX};

/// What a valid item is told when another one is not.
pub const NOT_APPLIED: &str = "not applied: other items are invalid";

/// Registers profiles. Any invalid item: nothing is written, and each item says why.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/create",
    operation_id = "create_profiles",
    tag = "profiles",
    params(ActorHeaders),
    request_body = CreateProfilesRequest,
    responses(
        (status = 200, body = CreateProfilesResponse),
    )
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let input = call.body::<CreateProfilesRequest>().map(Arc::new);
    let kind = Kind { area: "profile", operation: "create", face: FACE, exempt: false };
    let minted: Arc<Vec<Uuid>> = Arc::new((0..ITEMS_MAX).map(|_| mint::new_id()).collect());
    let shared = app.clone();
    let answer = write(&app, &call, kind, move |decision, actor| {
        let (app, minted) = (shared.clone(), minted.clone());
        let input = match &input {
            Ok(input) => Ok(input.clone()),
            Err(failure) => Err(failure.again()),
        };
        Box::pin(async move {
            if !can_create(&actor.effective) {
                return Err(Failure::Forbidden("your role does not let you create profiles").into());
            }
            let input = input?;
            if input.profiles.len() > ITEMS_MAX {
                return Err(Failure::BatchTooLarge.into());
            }
            let results = create_all(&app, decision, actor, &input.profiles, &minted).await?;
            Ok(Answer::ok(&CreateProfilesResponse { results })?
                .with("x-invalidate-tags", "profiles"))
        })
    });
    answer.await
}

/// What becomes of each item.
enum Planned {
    Invalid(Vec<FieldError>),
    /// Exists already with this very content (contract 4.4, `id`).
    Repeated(Uuid),
    New(Uuid, Box<Event>),
}

async fn create_all(
    app: &App,
    decision: &mut Decision<'_>,
    actor: &Actor,
    items: &[CreateProfileItem],
    minted: &[Uuid],
) -> Result<Vec<ProfileResultItem>, Halt<Failure>> {
    let wanted = items.iter().flat_map(|item| {
        let emails = item.email_ids.iter().flatten().copied();
        item.name_id.into_iter().chain(item.request_limit_id).chain(emails)
    });
    let picker = Picker::look_up(app, actor.tenant(), wanted).await?;
    let ids: Vec<Uuid> =
        items.iter().zip(minted).map(|(item, minted)| item.id.unwrap_or(*minted)).collect();
    // Only ids that callers chose can exist already.
    let chosen: Vec<Uuid> = items.iter().filter_map(|item| item.id).collect();
    let mut known = decision.load_all::<Profile>(&chosen).await?.into_iter();
    let elsewhere = taken_elsewhere(decision, &chosen).await?;
    let states: Vec<Arc<ProfileState>> = items
        .iter()
        .map(|item| item.id.and_then(|_| known.next()).map(|one| one.state).unwrap_or_default())
        .collect();
    let mut seen = HashSet::new();
    let mut logins = Logins::default();
    let mut planned = Vec::with_capacity(items.len());
    for (place, ((item, id), state)) in items.iter().zip(&ids).zip(&states).enumerate() {
        let plan = if !seen.insert(ObjectId::of(*id)) {
            let message = "the same id twice in one request".to_owned();
            Planned::Invalid(vec![FieldError { field: "id", message }])
        } else if elsewhere.contains(id) {
            // Told as an id of one's own tenant: nobody learns where it is.
            refused(&Refusal::AlreadyRegistered)
        } else {
            plan(&picker, actor, item, *id, state)
        };
        if let Planned::New(id, event) = &plan
            && let Event::ProfileRegistered(registration) = &**event
        {
            logins.assign(actor.tenant(), place, ProfileId(*id), None, &registration.emails);
        }
        planned.push(plan);
    }
    for place in logins.taken(decision).await? {
        planned[place] = Planned::Invalid(vec![FieldError {
            field: "email_ids",
            message: "an e-mail address belongs to another profile".to_owned(),
        }]);
    }
    let valid = !planned.iter().any(|plan| matches!(plan, Planned::Invalid(_)));
    if valid {
        for plan in &planned {
            if let Planned::New(id, event) = plan {
                decision.append::<Profile>(*id, vec![(**event).clone()], None)?;
            }
        }
        logins.put(decision);
    }
    Ok(planned.into_iter().map(|plan| result(plan, valid)).collect())
}

/// Those of these ids that a profile of another tenant has or had, or that mean the same as one
/// does where ids are shown as twelve bytes.
async fn taken_elsewhere(
    decision: &Decision<'_>,
    chosen: &[Uuid],
) -> Result<HashSet<Uuid>, Halt<Failure>> {
    if chosen.is_empty() {
        return Ok(HashSet::new());
    }
    let claim = |id: &Uuid| claims::profile_id(ObjectId::of(*id));
    let claims: Vec<Uuid> = chosen.iter().map(claim).collect();
    let held = decision.engine.reader.claims(&claims).await?;
    let is_other = |id: &&Uuid| {
        let held = held.get(&claim(id));
        held.is_some_and(|by| (by.tenant_id, by.holder) != (decision.tenant.0, **id))
    };
    Ok(chosen.iter().filter(is_other).copied().collect())
}

fn plan(
    picker: &Picker,
    actor: &Actor,
    item: &CreateProfileItem,
    id: Uuid,
    state: &ProfileState,
) -> Planned {
    let command = match command(picker, actor, item) {
        Ok(command) => command,
        Err(errors) => return Planned::Invalid(errors),
    };
    let authority = actor.authority();
    let rank = |key: &str| actor.catalogue.rank(key);
    // Judged as new, so that a repetition is seen by its content before it is refused.
    let new = decide(ProfileId(id), &ProfileState::Absent, &authority, rank, command.clone());
    let event = match new.map(|events| events.into_iter().next()) {
        Ok(Some(event)) => event,
        Ok(None) => return Planned::Repeated(id),
        Err(refusal) => return refused(&refusal),
    };
    if let ProfileState::Live(facts) = state
        && is_as(facts, &event)
    {
        return Planned::Repeated(id);
    }
    match decide(ProfileId(id), state, &authority, rank, command) {
        Ok(_) => Planned::New(id, Box::new(event)),
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Planned {
    let (field, message) = (refusal.field(), refusal.to_string());
    Planned::Invalid(vec![FieldError { field, message }])
}

fn command(
    picker: &Picker,
    actor: &Actor,
    item: &CreateProfileItem,
) -> Result<Command, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut take = |error: FieldError| errors.push(error);
    let name = picker.name(item.name_id, item.name.as_deref()).unwrap_or_else(|error| {
        take(error);
        None
    });
    if item.id.is_some_and(|id| id.is_nil() || id.is_max()) {
        take(FieldError { field: "id", message: "choose another id".to_owned() });
    }
    let named = item.name_id.is_some() || item.name.is_some();
    if !named {
        take(FieldError { field: "name", message: "name or name_id is needed".to_owned() });
    }
    let emails = item.email_ids.as_deref().map(|ids| picker.emails(ids)).transpose();
    let emails = emails.map_err(&mut take).ok().flatten().unwrap_or_default();
    let roles = item.role_ids.as_deref().map(|ids| pick::roles(&actor.catalogue, ids)).transpose();
    let roles = roles.map_err(&mut take).ok().flatten().unwrap_or_default();
    let departments = pick::departments(
        &actor.catalogue,
        item.department_ids.as_deref(),
        item.departments.as_deref(),
    );
    let departments = departments.map_err(&mut take).ok().flatten().unwrap_or_default();
    let limit = item.request_limit_id.map(|id| picker.request_limit(id)).transpose();
    let request_limit = limit.map_err(&mut take).ok().flatten();
    let active = item.flag_id.map(|id| picker.flag(id)).transpose();
    let active = active.map_err(&mut take).ok().flatten();
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Command::RegisterProfile(Registration {
        name,
        emails,
        roles,
        departments,
        request_limit,
        active,
        ..Registration::default()
    }))
}

/// Whether a profile is what this registration would make of it.
fn is_as(facts: &Facts, event: &Event) -> bool {
    let Event::ProfileRegistered(registration) = event else { return false };
    facts.name == registration.name
        && facts.emails == registration.emails
        && facts.roles == registration.roles
        && facts.departments == registration.departments
        && facts.request_limit == registration.request_limit
        && facts.active == registration.active
        && facts.attributes == registration.attributes
}

fn result(plan: Planned, valid: bool) -> ProfileResultItem {
    match plan {
        Planned::Invalid(errors) => invalid(None, errors),
        Planned::New(id, _) | Planned::Repeated(id) if valid => ProfileResultItem {
            success: true,
            profile_id: Some(id),
            message: "profile created".to_owned(),
            errors: None,
        },
        Planned::New(..) | Planned::Repeated(_) => ProfileResultItem {
            success: false,
            profile_id: None,
            message: NOT_APPLIED.to_owned(),
            errors: None,
        },
    }
}

/// The result of an item that cannot be.
pub fn invalid(profile_id: Option<Uuid>, errors: Vec<FieldError>) -> ProfileResultItem {
    let message = errors.first().map_or_else(String::new, |error| error.message.clone());
    let errors = errors
        .into_iter()
        .map(|error| ProfileFieldError { field: error.field.to_owned(), message: error.message });
    ProfileResultItem { success: false, profile_id, message, errors: Some(errors.collect()) }
}
