//! What all operations of an API have in common in the OpenAPI document: credentials, and the
//! answers that any request can get. Answers of single operations are documented at their handlers.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type};

/// An API as the document describes it.
struct DocumentedFace {
    /// The tag of its operations.
    tag: &'static str,
    /// The names of its credentials.
    schemes: &'static [&'static str],
    /// The content type of its errors.
    content_type: &'static str,
    /// The schema of its errors, and of its 422.
    error: &'static str,
    invalid: &'static str,
    /// The answers that any request can get besides success.
    statuses: &'static [u16],
    /// Headers that any request may have: name, most bytes, purpose.
    headers: &'static [(&'static str, usize, &'static str)],
}

const PEOPLES_HEADERS: &[(&str, usize, &str)] = &[
    ("Idempotency-Key", 200, "The same request under the same key is answered the same way again"),
    ("Dossier-Min-Position", 200, "Answer with what this position and all before it made true"),
    ("Dossier-Reason", 8_000, "Why, for the record; the first 500 characters are kept"),
];

const PROFILES: DocumentedFace = DocumentedFace {
    tag: "profiles",
    schemes: &["api_key", "bearer"],
    content_type: "application/json",
    error: "ErrorResponse",
    invalid: "HTTPValidationError",
    statuses: &[400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503],
    headers: PEOPLES_HEADERS,
};

const CRAFTER: DocumentedFace = DocumentedFace {
    tag: "crafter",
    schemes: &["access_token"],
    content_type: "application/json;charset=UTF-8",
    error: "ErrorDetails",
    invalid: "ErrorDetails",
    statuses: &[400, 403, 408, 409, 413, 415, 500, 503],
    headers: &[],
};

const FACES: [DocumentedFace; 4] = [
    PROFILES,
    DocumentedFace {
        tag: "history",
        content_type: "application/problem+json",
        error: "ProblemDetails",
        invalid: "ProblemDetails",
        ..PROFILES
    },
    CRAFTER,
    DocumentedFace {
        tag: "monitoring",
        schemes: &["management_token"],
        statuses: &[400, 401, 408, 413, 415, 500, 503],
        ..CRAFTER
    },
];

/// Adds this to every operation.
pub fn document(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for (name, scheme) in schemes() {
        components.add_security_scheme(name, scheme);
    }
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let tags = operation.tags.iter().flatten();
        let mut faces = FACES.iter().filter(|face| tags.clone().any(|tag| tag == face.tag));
        if let Some(face) = faces.next() {
            complete(operation, face);
        }
    }
}

fn schemes() -> [(&'static str, SecurityScheme); 4] {
    let in_query = |name, what| {
        SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::with_description(name, what)))
    };
    let key = ApiKeyValue::with_description("X-Api-Key", "The key of the tenant");
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    [
        ("api_key", SecurityScheme::ApiKey(ApiKey::Header(key))),
        ("bearer", SecurityScheme::Http(bearer.description(Some("Who calls")).build())),
        (
            "access_token",
            in_query("accessTokenId", "The token of the application, in the query or in a form"),
        ),
        ("management_token", in_query("token", "The management token of the installation")),
    ]
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.patch].into_iter().flatten()
}

fn complete(operation: &mut Operation, face: &DocumentedFace) {
    let mut requirement = SecurityRequirement::default();
    for scheme in face.schemes {
        requirement = requirement.add::<_, [String; 0], String>(*scheme, []);
    }
    operation.security = Some(vec![requirement]);
    for (name, bytes, what) in face.headers {
        let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(*bytes));
        let header = ParameterBuilder::new()
            .name(*name)
            .parameter_in(ParameterIn::Header)
            .description(Some(*what))
            .schema(Some(text.build()));
        operation.parameters.get_or_insert_default().push(RefOr::T(header.build()));
    }
    let responses = &mut operation.responses.responses;
    let own: Vec<u16> = responses.keys().filter_map(|status| status.parse().ok()).collect();
    let refused = own.into_iter().filter(|status| *status >= 400);
    let statuses: BTreeSet<u16> = refused.chain(face.statuses.iter().copied()).collect();
    for status in statuses {
        let own = responses.remove(&status.to_string());
        let own = own.and_then(|own| body_of(own, face.content_type));
        responses.insert(status.to_string(), RefOr::T(refusal(face, status, own)));
    }
}

/// The schema of a response that a handler declares.
fn body_of(response: RefOr<Response>, content_type: &str) -> Option<RefOr<Schema>> {
    let RefOr::T(mut response) = response else { return None };
    response.content.shift_remove(content_type).and_then(|content| match content {
        RefOr::T(content) => content.schema,
        RefOr::Ref(_) => None,
    })
}

/// The answer with this status: as the handler declares it, else in the form of the API.
fn refusal(face: &DocumentedFace, status: u16, own: Option<RefOr<Schema>>) -> Response {
    let name = if status == 422 { face.invalid } else { face.error };
    let common = Ref::from_schema_name(name);
    let schema = match own {
        Some(own) if own != RefOr::Ref(common.clone()) => {
            RefOr::T(Schema::AnyOf(AnyOfBuilder::new().item(own).item(common).build()))
        }
        _ => RefOr::Ref(common),
    };
    let reason = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let mut response = ResponseBuilder::new()
        .description(reason.unwrap_or_default())
        .content(face.content_type, content);
    if [429, 503].contains(&status) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).build();
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("After how many seconds another try makes sense"));
        response = response.header("Retry-After", header.build());
    }
    response.build()
}
