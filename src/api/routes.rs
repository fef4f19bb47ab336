//! Every route.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Router, middleware};
use serde_json::json;
use tower::util::{MapRequest, MapResponseLayer};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::map_request_body::MapRequestBodyLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use super::app::App;
use super::face::Face;
use super::rejection::Rejection;
use super::{crafter, documented, history, metrics, observe, v5};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dossier",
        description = "An event-sourced profile directory: Profiles v5, Crafter Profile and the \
                       History API."
    ),
    tags(
        (name = "profiles", description = "Profiles v5"),
        (name = "crafter", description = "Crafter Profile: parameters from query, form or \
                                          multipart, accessTokenId among them"),
        (name = "monitoring", description = "Crafter Profile: how the server does"),
        (name = "history", description = "What happened, when, by whom really, acting as whom")
    ),
    components(schemas(
        v5::types::error::ErrorResponse,
        v5::types::error::HTTPValidationError,
        crafter::error::ErrorDetails,
        history::error::ProblemDetails,
    ))
)]
struct Document;

fn handlers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(profiles_v5()).merge(crafter_profile())
}

fn profiles_v5() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(v5::context::context))
        .routes(routes!(v5::get::get))
        .routes(routes!(v5::search::search))
        .routes(routes!(v5::create::create))
        .routes(routes!(v5::update::update))
        .routes(routes!(v5::duplicate::duplicate))
        .routes(routes!(v5::draft::draft))
        .routes(routes!(v5::drafts::drafts))
        .routes(routes!(v5::delete::delete))
        .routes(routes!(v5::docs::docs))
        .routes(routes!(v5::emulate::emulate))
        .routes(routes!(v5::unemulate::unemulate))
        .routes(routes!(v5::export::export))
        .routes(routes!(v5::refresh::refresh))
        .routes(routes!(v5::download::download))
        .routes(routes!(history::profiles))
        .routes(routes!(history::holdings))
        .routes(routes!(history::profile))
        .routes(routes!(history::profile_history))
        .routes(routes!(history::diff))
        .routes(routes!(history::events))
        .routes(routes!(history::count))
        .routes(routes!(history::event))
        .routes(routes!(history::counts))
}

fn crafter_profile() -> OpenApiRouter<Arc<App>> {
    use crafter::authentication::{log_in, persistent_login, ticket};
    use crafter::profile::{
        attachments, attributes, changes, create, list, one, passwords, update, verification,
    };
    use crafter::tenant::{attribute_definitions, manage, roles};
    use crafter::{access_token, monitoring};
    OpenApiRouter::new()
        .routes(routes!(access_token::create))
        .routes(routes!(access_token::get))
        .routes(routes!(access_token::all))
        .routes(routes!(access_token::delete))
        .routes(routes!(manage::create))
        .routes(routes!(manage::get))
        .routes(routes!(manage::update))
        .routes(routes!(manage::delete))
        .routes(routes!(manage::count))
        .routes(routes!(manage::all))
        .routes(routes!(manage::verify_new_profiles))
        .routes(routes!(roles::add))
        .routes(routes!(roles::remove))
        .routes(routes!(attribute_definitions::add))
        .routes(routes!(attribute_definitions::update))
        .routes(routes!(attribute_definitions::remove))
        .routes(routes!(create::create))
        .routes(routes!(update::update))
        .routes(routes!(verification::verify))
        .routes(routes!(changes::enable))
        .routes(routes!(changes::disable))
        .routes(routes!(changes::add_roles))
        .routes(routes!(changes::remove_roles))
        .routes(routes!(attributes::get))
        .routes(routes!(attributes::update))
        .routes(routes!(attributes::remove))
        .routes(routes!(changes::delete))
        .routes(routes!(list::one_by_query))
        .routes(routes!(one::by_id))
        .routes(routes!(one::by_username))
        .routes(routes!(one::by_ticket))
        .routes(routes!(list::count))
        .routes(routes!(list::count_by_query))
        .routes(routes!(list::by_query))
        .routes(routes!(list::by_ids))
        .routes(routes!(list::range))
        .routes(routes!(list::by_role))
        .routes(routes!(list::by_existing_attribute))
        .routes(routes!(list::by_attribute_value))
        .routes(routes!(passwords::reset))
        .routes(routes!(passwords::change))
        .routes(routes!(verification::create))
        .routes(routes!(verification::get))
        .routes(routes!(verification::delete))
        .routes(routes!(attachments::upload))
        .routes(routes!(attachments::get))
        .routes(routes!(attachments::details))
        .routes(routes!(attachments::list))
        .routes(routes!(log_in::authenticate))
        .routes(routes!(ticket::create))
        .routes(routes!(ticket::get))
        .routes(routes!(ticket::invalidate))
        .routes(routes!(persistent_login::create))
        .routes(routes!(persistent_login::get))
        .routes(routes!(persistent_login::refresh_token))
        .routes(routes!(persistent_login::delete))
        .routes(routes!(monitoring::memory))
        .routes(routes!(monitoring::status))
        .routes(routes!(monitoring::version))
}

/// The OpenAPI document of all APIs.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let (_, mut document) = handlers().split_for_parts();
    crafter::documented::document(&mut document);
    documented::document(&mut document);
    document
}

/// Smaller answers are not compressed.
const COMPRESSED_BYTES_MIN: u64 = 1_024;
/// For how long browsers remember a preflight request.
const PREFLIGHT_AGE_MAX: Duration = Duration::from_secs(600);
/// Headers that pages of other origins may read.
const EXPOSED: [&str; 12] = [
    "content-disposition",
    "dossier-folded",
    "dossier-position",
    "dossier-version",
    "etag",
    "idempotent-replayed",
    "retry-after",
    "x-cache-tags",
    "x-invalidate-tags",
    "x-request-id",
    "content-range",
    "accept-ranges",
];

/// The router of the main listener.
pub fn router(app: Arc<App>) -> Router {
    let mut router = handlers()
        .split_for_parts()
        .0
        .merge(SwaggerUi::new("/docs").url("/openapi.json", openapi()))
        .route("/", get(async || Redirect::to("/docs/")))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz));
    if app.metrics_here {
        router = router.route("/metrics", get(metrics::metrics));
    }
    let prefix = app.applications.settings.path_prefix.clone();
    let router = router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe))
        // The bounds hold for the unpacked body. Unknown codings pass here and are refused in the
        // form of the API.
        .layer(MapRequestBodyLayer::new(Body::new))
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .with_state(app);
    // Before routing: clients of Crafter Profile write its paths in several ways.
    let router = MapRequest::new(router, move |request| routed(request, &prefix));
    let worthwhile = DefaultPredicate::new().and(SizeAbove::new(COMPRESSED_BYTES_MIN));
    Router::new()
        .fallback_service(router)
        .layer(CompressionLayer::new().compress_when(worthwhile))
        .layer(MapResponseLayer::new(weakened))
}

/// A compressed answer has other bytes, so its entity tag becomes a weak one.
fn weakened<B>(mut response: axum::http::Response<B>) -> axum::http::Response<B> {
    if response.headers().contains_key(CONTENT_ENCODING)
        && let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok())
        && !tag.starts_with("W/")
        && let Ok(weak) = format!("W/{tag}").parse()
    {
        response.headers_mut().insert(ETAG, weak);
    }
    response
}

/// The router, also for pages of these other origins. Their preflight requests are answered without
/// credentials. `*` is every origin.
///
/// # Errors
/// The first text that is no origin: an origin is scheme, host and port alone.
pub fn with_origins(router: Router, origins: &[String]) -> Result<Router, String> {
    if origins.is_empty() {
        return Ok(router);
    }
    let allowed = match origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::any(),
        false => {
            AllowOrigin::list(origins.iter().map(|one| origin(one)).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .max_age(PREFLIGHT_AGE_MAX);
    Ok(router.layer(cors))
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    let uri: Option<Uri> = text.parse().ok();
    let plain = uri.is_some_and(|uri| {
        let (scheme, authority) = (uri.scheme_str(), uri.authority());
        let rebuilt = scheme.zip(authority).map(|(scheme, host)| format!("{scheme}://{host}"));
        rebuilt.as_deref() == Some(text)
    });
    let value = HeaderValue::from_str(text).ok().filter(|_| plain);
    value.ok_or_else(|| format!("{text:?} is no origin: write it as https://app.example.org"))
}

/// The request with the path that the router knows.
fn routed(mut request: Request, prefix: &str) -> Request {
    let Some(path) = crafter::path::routed(request.uri().path(), prefix) else { return request };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(uri) = format!("{path}{query}").parse() {
        *request.uri_mut() = uri;
    }
    request
}

/// The router of `--ops-listen`.
pub fn ops_router(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(app)
}

async fn not_found(request: Request) -> Response {
    observe::reject(Face::of(request.uri().path()), Rejection::RouteNotFound)
}

async fn method_not_allowed(request: Request) -> Response {
    let path = request.uri().path();
    let mut response = observe::reject(Face::of(path), Rejection::MethodNotAllowed);
    // A GET route answers HEAD too, except the one that records each reading.
    if path.starts_with(v5::download::PREFIX) {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(v5::download::METHODS));
    }
    response
}

async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether requests can be answered: the database answers, and the read models keep up.
async fn readyz(State(app): State<Arc<App>>) -> Response {
    if let Some(why) = app.engine.unready().await {
        let body = json!({"status": "unready", "why": why.to_string()});
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(CONTENT_TYPE, "application/json")],
            body.to_string(),
        )
            .into_response();
    }
    let body = json!({"status": "ready"});
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
