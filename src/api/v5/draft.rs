//! PATCH /draft (contract 4.7): stores the whole form, with the version that it is based on.

use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::{Failure, FieldError};
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::draft::{Command, Draft, Form, Refusal};
use crate::domain::permission::can_create;
use crate::domain::values::parse_request_limit;
use crate::engine::write::halt::{Halt, Ordered};

use super::form;
use super::pick::{self, Picker};
use super::types::draft::{PatchProfileDraftRequest, PatchProfileDraftResponse};
use super::types::error::{ProfileDraftConflictResponse, ProfileDraftErrorResponse};
use super::types::headers::ActorHeaders;

/// Stores a draft. Although this is PATCH, the body is the full state: an absent field is empty.
#[utoipa::path(
    patch,
    path = "/api/v5/artifacts/profiles/draft",
    operation_id = "patch_profile_draft",
    tag = "profiles",
    params(ActorHeaders),
    request_body = PatchProfileDraftRequest,
    responses(
        (status = 200, body = PatchProfileDraftResponse),
        (status = 400, body = ProfileDraftErrorResponse),
        (status = 404),
        (status = 409, body = ProfileDraftConflictResponse),
    )
)]
pub async fn draft(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    write(&app, &call, &SaveDraft { draft: Uuid::now_v7(), group: Uuid::now_v7() }).await
}

/// With the id of a new draft.
struct SaveDraft {
    draft: Uuid,
    group: Uuid,
}

impl Endpoint for SaveDraft {
    const KIND: Kind = Kind { area: "draft", operation: "draft", exempt: false };
    type Input = PatchProfileDraftRequest;

    fn input(&self, call: &Call) -> Result<PatchProfileDraftRequest, Failure> {
        call.body()
    }

    fn permit(&self, actor: &Actor) -> Result<(), Failure> {
        Failure::unless(can_create(&actor.effective), "your role does not let you draft profiles")
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        input: &PatchProfileDraftRequest,
    ) -> Result<Answer, Halt<Failure>> {
        let (actor, decision) = (&attempt.actor, &mut attempt.decision);
        let id = input.input_draft_id.unwrap_or(self.draft);
        let before = decision.load::<Draft>(id).await?.state;
        let is_own = before.is_open() && before.owner == actor.id();
        if input.input_draft_id.is_some() && !is_own {
            return Err(Failure::DraftNotFound.into());
        }
        let form = resolve(attempt.app, actor, input).await?;
        let shown = |form: &Form| form::state(form, actor.tenant(), &actor.catalogue);
        let command = Command::SaveDraft {
            owner: actor.id(),
            session: actor.identity.session,
            group: self.group,
            mcp: attempt.call.mcp,
            expected_version: input.expected_version,
            form: form.clone(),
        };
        let saved = decision.order::<Draft>(id, (), command).await;
        saved.or_refuse(|refusal| match refusal {
            Refusal::DraftNotFound => Failure::DraftNotFound,
            Refusal::VersionConflict { current_version } => {
                Failure::DraftVersionConflict(serde_json::json!({
                    "draft_id": input.input_draft_id,
                    "current_version": current_version,
                    "form_state": shown(&before.form),
                }))
            }
        })?;
        let response = PatchProfileDraftResponse {
            success: true,
            draft_id: id,
            new_version: decision.load::<Draft>(id).await?.state.version,
            message: "draft saved".to_owned(),
            form_state: Some(shown(&form)),
        };
        Ok(Answer::ok(&response)?.with("x-invalidate-tags", "profiles,drafts"))
    }
}

async fn resolve(
    app: &App,
    actor: &Actor,
    input: &PatchProfileDraftRequest,
) -> Result<Form, Failure> {
    let emails = input.email_ids.iter().flatten().copied();
    let limits = input.request_limit_ids.iter().flatten().copied();
    let wanted = input.name_id.into_iter().chain(emails).chain(limits);
    let picker = Picker::look_up(app, actor.tenant(), wanted).await?;
    let (mut references, mut values) = (Vec::new(), Vec::new());
    let form = fill(&picker, actor, input, &mut references, &mut values);
    if !values.is_empty() {
        values.append(&mut references);
        return Err(Failure::InvalidValue(values));
    }
    if !references.is_empty() {
        return Err(Failure::InvalidReference(references));
    }
    Ok(form)
}

fn fill(
    picker: &Picker,
    actor: &Actor,
    input: &PatchProfileDraftRequest,
    references: &mut Vec<FieldError>,
    values: &mut Vec<FieldError>,
) -> Form {
    let mut form = Form::default();
    match picker.name(input.name_id, input.name.as_deref()) {
        Ok(name) => form.name = name,
        Err(error) if input.name_id.is_some() => references.push(error),
        Err(error) => values.push(error),
    }
    match picker.emails(input.email_ids.as_deref().unwrap_or_default()) {
        Ok(emails) => form.emails = emails,
        Err(error) => references.push(error),
    }
    match input.email.as_deref().map(|address| picker.made_email(address)).transpose() {
        Ok(Some(email)) if !form.emails.contains(&email) => form.emails.push(email),
        Ok(_) => {}
        Err(error) => values.push(error),
    }
    match pick::roles(&actor.catalogue, input.role_ids.as_deref().unwrap_or_default()) {
        Ok(roles) => form.roles = roles.into_iter().map(|role| role.key).collect(),
        Err(error) => references.push(error),
    }
    let departments = input.department_ids.as_deref().unwrap_or_default();
    match pick::departments(&actor.catalogue, Some(departments), None) {
        Ok(departments) => form.departments = departments.unwrap_or_default(),
        Err(error) => references.push(error),
    }
    // Contract 4.7: one limit is kept, the last; a limit given by value counts as last.
    let ids = input.request_limit_ids.as_deref().unwrap_or_default();
    for limit in ids.iter().map(|id| picker.request_limit(*id)) {
        match limit {
            Ok(limit) => form.request_limit = Some(limit),
            Err(error) => references.push(FieldError { field: "request_limit_ids", ..error }),
        }
    }
    if let Some(limit) = input.request_limit {
        match parse_request_limit(limit).map(i64::from).map(|it| picker.made_request_limit(it)) {
            Ok(Ok(limit)) => form.request_limit = Some(limit),
            Ok(Err(error)) => values.push(error),
            Err(error) => {
                values.push(FieldError { field: "request_limit", message: error.to_string() });
            }
        }
    }
    match input.flag_id.map(|id| picker.flag(id)).transpose() {
        Ok(active) => form.active = active,
        Err(error) => references.push(error),
    }
    form
}
