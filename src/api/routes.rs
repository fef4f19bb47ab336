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
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use super::app::App;
use super::failure::Failure;
use super::{history, observe, v5};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dossier",
        description = "An event-sourced profile directory: Profiles v5 and the History API."
    ),
    tags(
        (name = "profiles", description = "Profiles v5"),
        (name = "history", description = "What happened, when, by whom really, acting as whom")
    )
)]
struct Document;

fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
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

/// The OpenAPI document of all faces.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().split_for_parts().1
}

/// The router of the main listener.
pub fn router(app: Arc<App>) -> Router {
    let (documented, document) = documented().split_for_parts();
    let mut router = documented
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz));
    if app.metrics_here {
        router = router.route("/metrics", get(metrics));
    }
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
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
    let head = tokio::time::timeout(std::time::Duration::from_secs(2), app.engine.reader.head());
    let head = match head.await {
        Ok(Ok(head)) => head,
        _ => return unready("the database does not answer"),
    };
    if app.engine.is_overloaded() {
        return unready("the append queue is full");
    }
    let positions = app.engine.projections.positions();
    let lag = positions.iter().map(|(_, position)| head - position).max().unwrap_or_default();
    if lag > LAG_EVENTS_MAX {
        return unready("the read models are behind");
    }
    let body = json!({"status": "ready"});
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// A read model further behind than this is not ready.
const LAG_EVENTS_MAX: i64 = 50_000;

fn unready(why: &str) -> Response {
    let body = json!({"status": "unready", "why": why});
    (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "application/json")], body.to_string())
        .into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.engine.observe();
    let text = app.metrics.render();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
