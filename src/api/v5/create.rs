//! POST /create (contract 4.4): registers profiles, all or none.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::{Failure, FieldError};
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::claims::{LOGIN_EMAIL, PROFILE_ID};
use crate::domain::object_id::ObjectId;
use crate::domain::permission::{RankedRole, can_create};
use crate::domain::profile::{By, Command, Facts, Profile, Refusal, Registration};
use crate::domain::values::Email;
use crate::engine::Error;
use crate::engine::write::halt::{Halt, Ordered};
use crate::engine::write::mint;

use super::ITEMS_MAX;
use super::pick::{self, Picker};
use super::types::bulk::{
    CreateProfileItem, CreateProfilesRequest, CreateProfilesResponse, ProfileFieldError,
    ProfileResultItem,
};
use super::types::headers::{ActorHeaders, OccurredAt};

/// The message of a valid item when another item is invalid.
pub const NOT_APPLIED: &str = "not applied: other items are invalid";

/// Registers profiles. If an item is invalid nothing is written, and each invalid item says why.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/create",
    operation_id = "create_profiles",
    tag = "profiles",
    params(ActorHeaders, OccurredAt),
    request_body = CreateProfilesRequest,
    responses(
        (status = 200, body = CreateProfilesResponse),
    )
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let minted = (0..ITEMS_MAX).map(|_| mint::new_id()).collect();
    write(&app, &call, &Create { minted }).await
}

/// With new ids for the items that choose none.
struct Create {
    minted: Vec<Uuid>,
}

impl Endpoint for Create {
    const KIND: Kind = Kind { area: "profile", operation: "create", exempt: false };
    type Input = CreateProfilesRequest;

    fn input(&self, call: &Call) -> Result<CreateProfilesRequest, Failure> {
        call.body()
    }

    fn permit(&self, actor: &Actor) -> Result<(), Failure> {
        Failure::unless(can_create(&actor.effective), "your role does not let you create profiles")
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        input: &CreateProfilesRequest,
    ) -> Result<Answer, Halt<Failure>> {
        if input.profiles.len() > ITEMS_MAX {
            return Err(Failure::BatchTooLarge.into());
        }
        let results = create_all(attempt, &input.profiles, &self.minted).await?;
        Ok(Answer::ok(&CreateProfilesResponse { results })?.with("x-invalidate-tags", "profiles"))
    }
}

/// The outcome of an item: registered, or there already with the same content (contract 4.4, `id`),
/// or a mistake.
type Outcome = Result<Uuid, Vec<FieldError>>;

async fn create_all(
    attempt: &mut Attempt<'_, '_>,
    items: &[CreateProfileItem],
    minted: &[Uuid],
) -> Result<Vec<ProfileResultItem>, Halt<Failure>> {
    let wanted = items.iter().flat_map(|item| {
        let emails = item.email_ids.iter().flatten().copied();
        item.name_id.into_iter().chain(item.request_limit_id).chain(emails)
    });
    let picker = Picker::look_up(attempt.app, attempt.actor.tenant(), wanted).await?;
    let ids: Vec<Uuid> =
        items.iter().zip(minted).map(|(item, minted)| item.id.unwrap_or(*minted)).collect();
    // Only an id that the caller chose can exist already.
    let chosen: Vec<Uuid> = items.iter().filter_map(|item| item.id).collect();
    attempt.decision.load_all::<Profile>(&chosen).await?;
    let mut seen = HashSet::new();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(items.len());
    for (item, id) in items.iter().zip(&ids) {
        outcomes.push(match seen.insert(ObjectId::of(*id)) {
            true => create_one(attempt, &picker, item, *id).await?,
            false => {
                let message = "the same id twice in one request".to_owned();
                Err(vec![FieldError { field: "id", message }])
            }
        });
    }
    let kinds: &[_] = if chosen.is_empty() { &[LOGIN_EMAIL] } else { &[LOGIN_EMAIL, PROFILE_ID] };
    for taken in attempt.decision.collisions(kinds).await? {
        let place = ids.iter().position(|id| *id == taken.stream_id);
        outcomes[place.ok_or(Failure::Internal)?] = Err(vec![match taken.kind {
            // The same message as for an id of one's own tenant: nobody learns of another tenant's
            // ids.
            PROFILE_ID => refused(&Refusal::AlreadyRegistered),
            _ => email_taken(),
        }]);
    }
    let valid = outcomes.iter().all(Result::is_ok);
    if !valid {
        attempt.decision.take_back();
    }
    Ok(outcomes.into_iter().map(|outcome| result(outcome, valid)).collect())
}

async fn create_one(
    attempt: &mut Attempt<'_, '_>,
    picker: &Picker,
    item: &CreateProfileItem,
    id: Uuid,
) -> Result<Outcome, Error> {
    let (actor, decision) = (&attempt.actor, &mut attempt.decision);
    let registration = match registration(picker, actor, item) {
        Ok(registration) => registration,
        Err(errors) => return Ok(Err(errors)),
    };
    let by = By { authority: &actor.authority(), ranks: &*actor.catalogue };
    let command = Command::RegisterProfile(registration.clone());
    let ordered = match item.id {
        Some(_) => decision.order::<Profile>(id, by, command).await,
        None => decision.begin::<Profile>(id, by, command),
    };
    let known = decision.known::<Profile>(id).and_then(|state| state.live());
    Ok(match ordered.decided()? {
        Err(Refusal::AlreadyRegistered)
            if known.is_some_and(|facts| is_as(facts, registration.with_keys())) =>
        {
            Ok(id)
        }
        Err(refusal) => Err(vec![refused(&refusal)]),
        Ok(_) => Ok(id),
    })
}

/// A refusal as a mistake of the item.
pub fn refused(refusal: &Refusal) -> FieldError {
    FieldError { field: refusal.field(), message: refusal.to_string() }
}

/// The mistake of an item with another profile's log-in address.
pub fn email_taken() -> FieldError {
    let message = "an e-mail address belongs to another profile".to_owned();
    FieldError { field: "email_ids", message }
}

fn registration(
    picker: &Picker,
    actor: &Actor,
    item: &CreateProfileItem,
) -> Result<Registration<RankedRole>, Vec<FieldError>> {
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
    Ok(Registration {
        name,
        emails,
        roles,
        departments,
        request_limit,
        active,
        ..Registration::default()
    })
}

/// Whether a profile is what this registration would make, with its addresses as log-ins.
fn is_as(facts: &Facts, registration: Registration) -> bool {
    let emails = registration.emails.into_iter().map(|email| Email { login: true, ..email });
    facts.name == registration.name
        && facts.emails.iter().cloned().eq(emails)
        && facts.roles == registration.roles
        && facts.departments == registration.departments
        && facts.request_limit == registration.request_limit
        && facts.active == registration.active
        && facts.attributes == registration.attributes
}

fn result(outcome: Outcome, valid: bool) -> ProfileResultItem {
    let (profile_id, message) = match (outcome, valid) {
        (Err(errors), _) => return invalid(None, errors),
        (Ok(id), true) => (Some(id), "profile created"),
        (Ok(_), false) => (None, NOT_APPLIED),
    };
    let message = message.to_owned();
    ProfileResultItem { success: valid, profile_id, message, errors: None }
}

/// The result of an invalid item.
pub fn invalid(profile_id: Option<Uuid>, errors: Vec<FieldError>) -> ProfileResultItem {
    let message = errors.first().map_or_else(String::new, |error| error.message.clone());
    let errors = errors
        .into_iter()
        .map(|error| ProfileFieldError { field: error.field.to_owned(), message: error.message });
    ProfileResultItem { success: false, profile_id, message, errors: Some(errors.collect()) }
}
