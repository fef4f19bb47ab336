//! Errors as clients get them (Crafter contract 2).

use axum::http::StatusCode;
use axum::response::IntoResponse;
use dossier::api::crafter::error::{ErrorCode, Failure};
use serde_json::json;

#[track_caller]
fn answers(failure: &Failure, status: u16, code: &str) {
    assert_eq!(failure.status().as_u16(), status, "{failure:?}");
    assert_eq!(json!(failure.code()), json!(code), "{failure:?}");
    assert!(!failure.to_string().is_empty(), "{failure:?}");
    let details = json!(failure.details());
    assert_eq!(details["errorCode"], json!(code));
    assert_eq!(details.as_object().unwrap().len(), 2);
    let response = failure.clone().into_response();
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/json;charset=UTF-8");
}

#[test]
fn each_refusal_has_the_status_and_code_of_the_contract() {
    let name = || "x".to_owned();
    answers(&Failure::AccessDenied, 403, "ACCESS_DENIED");
    answers(&Failure::WrongManagementToken, 401, "ACCESS_DENIED");
    answers(&Failure::NotMaster, 403, "ACTION_DENIED");
    answers(&Failure::ActionDenied("READ_TENANT"), 403, "ACTION_DENIED");
    answers(&Failure::AttributeDenied(name()), 403, "ACTION_DENIED");
    answers(&Failure::NoSuchAccessToken, 404, "NO_SUCH_ACCESS_TOKEN_ID");
    answers(&Failure::AccessTokenExists, 409, "ACCESS_TOKEN_EXISTS");
    answers(&Failure::NoSuchTenant, 404, "NO_SUCH_TENANT");
    answers(&Failure::TenantExists, 409, "TENANT_EXISTS");
    answers(&Failure::NoSuchProfile, 404, "NO_SUCH_PROFILE");
    answers(&Failure::ProfileExists, 409, "PROFILE_EXISTS");
    answers(&Failure::BadCredentials, 401, "BAD_CREDENTIALS");
    answers(&Failure::DisabledProfile, 403, "DISABLED_PROFILE");
    answers(&Failure::NoSuchTicket, 404, "NO_SUCH_TICKET");
    answers(&Failure::TicketGone, 400, "NO_SUCH_TICKET");
    answers(&Failure::NoSuchPersistentLogin, 404, "NO_SUCH_PERSISTENT_LOGIN");
    answers(&Failure::NoSuchVerificationToken, 404, "NO_SUCH_VERIFICATION_TOKEN");
    answers(&Failure::InvalidEmailAddress, 400, "INVALID_EMAIL_ADDRESS");
    answers(&Failure::AttributeNotDefined(name()), 400, "ATTRIBUTE_NOT_DEFINED");
    answers(&Failure::NoJsonObject(name()), 400, "PARAM_DESERIALIZATION_ERROR");
    answers(&Failure::InvalidQuery(name()), 400, "INVALID_QUERY");
    answers(&Failure::PermissionError, 500, "PERMISSION_ERROR");
}

#[test]
fn what_the_contract_has_no_code_for_is_other() {
    answers(&Failure::invalid("so not"), 400, "OTHER");
    answers(&Failure::RouteNotFound, 404, "OTHER");
    answers(&Failure::MethodNotAllowed, 405, "OTHER");
    answers(&Failure::BodyTimeout, 408, "OTHER");
    answers(&Failure::Conflict, 409, "OTHER");
    answers(&Failure::BodyTooLarge, 413, "OTHER");
    answers(&Failure::UnsupportedMediaType, 415, "OTHER");
    answers(&Failure::Internal, 500, "OTHER");
    answers(&Failure::Overloaded, 503, "OTHER");
    answers(&Failure::Unavailable, 503, "OTHER");
}

#[test]
fn the_code_that_is_never_given_is_published_all_the_same() {
    assert_eq!(json!(ErrorCode::AttributeAlreadyDefined), json!("ATTRIBUTE_ALREADY_DEFINED"));
}

#[test]
fn only_what_passes_may_be_tried_again() {
    for failure in [Failure::Overloaded, Failure::Unavailable] {
        assert_eq!(failure.into_response().headers()["retry-after"], "1");
    }
    let response = Failure::Internal.into_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!response.headers().contains_key("retry-after"));
}

#[test]
fn a_message_is_cut_at_300_characters() {
    let message = |length| Failure::invalid("é".repeat(length)).details().message;
    assert_eq!(message(300), "é".repeat(300));
    assert_eq!(message(301), "é".repeat(300));
}
