//! Every route there is.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tower::util::MapRequest;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use super::app::App;
use super::failure::Failure;
use super::{crafter, history, observe, v5};

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
        (name = "history", description = "What happened, when, by whom really, acting as whom")
    )
)]
struct Document;

fn documented() -> OpenApiRouter<Arc<App>> {
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
        .routes(routes!(history::profile_history))
        .routes(routes!(history::events))
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

/// The OpenAPI document of all faces.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let (_, mut document) = documented().split_for_parts();
    crafter::documented::document(&mut document);
    document
}

/// The router of the main listener.
pub fn router(app: Arc<App>) -> Router {
    let (documented, document) = (documented().split_for_parts().0, openapi());
    let mut router = documented
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz));
    if app.metrics_here {
        router = router.route("/metrics", get(metrics));
    }
    let prefix = app.applications.settings.path_prefix.clone();
    let router = router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app);
    // Before anything is routed: the clients of one face write its paths in several ways.
    Router::new().fallback_service(MapRequest::new(router, move |request| routed(request, &prefix)))
}

/// The request with the path that is routed for it.
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
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(app)
}

async fn not_found(request: Request) -> Response {
    observe::refuse(observe::face(request.uri().path()), Failure::RouteNotFound)
}

async fn method_not_allowed(request: Request) -> Response {
    observe::refuse(observe::face(request.uri().path()), Failure::MethodNotAllowed)
}

async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether requests can be answered: the database answers, the read models keep up.
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

async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.engine.observe();
    let text = app.metrics.render();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
