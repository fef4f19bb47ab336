//! The real router over a real database, without a socket: a directory with a small catalogue,
//! people to act as, and requests.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{Duration, Utc};
use dossier::api::app::App;
use dossier::api::crafter::services;
use dossier::api::routes;
use dossier::bearer::local::LocalIssuer;
use dossier::bearer::{LEEWAY_SECONDS, Verifier};
use dossier::catalogue_file;
use dossier::domain::claims::Claim;
use dossier::domain::ids::{TenantId, catalogue_id, flag_id};
use dossier::engine::{Engine, Settings, react};
use dossier::intake::api_keys::{issue_api_key, make_key};
use dossier::intake::catalogue::{How, apply};
use dossier::store::Database;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use super::crafter;
use super::database::{database, superuser_of};

/// Six roles, three departments, a person of each role; `gil` is a guest without department.
pub const CATALOGUE: &str = r##"
[[tenants]]
name = "acme"
roles = [
    { key = "superadmin", rank = 5, name = "Superadmin", artifacts = ["home", "profile"] },
    { key = "admin", rank = 4, name = "Admin", artifacts = ["home", "profile"] },
    { key = "instructional", rank = 3, name = "Instructional", artifacts = ["cohort"] },
    { key = "member", rank = 2, name = "Member", artifacts = ["home"] },
    { key = "guest", rank = 1, name = "Guest", artifacts = ["home"] },
    { key = "custom", rank = 1, name = "Custom", artifacts = [] },
]
departments = [
    { key = "north", name = "North", settings = ["day"] },
    { key = "south", name = "South", settings = ["night"] },
    { key = "west", name = "West" },
]
settings = [
    { key = "day", name = "Day", colors = { primary = "#102030" } },
    { key = "night", name = "Night", active = false, colors = { primary = "#000000" } },
]
profiles = [
    { id = "root", name = "Root", emails = ["root@acme.example"], roles = ["superadmin"] },
    { id = "ada", name = "Ada North", emails = ["ada@acme.example"], roles = ["admin"], departments = ["north"] },
    { id = "ian", name = "Ian North", emails = ["ian@acme.example"], roles = ["instructional"], departments = ["north"] },
    { id = "mia", name = "Mia North", emails = ["mia@acme.example"], roles = ["member"], departments = ["north"] },
    { id = "sam", name = "Sam South", emails = ["sam@acme.example"], roles = ["member"], departments = ["south"] },
    { id = "gil", name = "Gil", emails = ["gil@acme.example"], roles = ["guest"] },
]
"##;

/// A directory of a test's own.
pub struct Api {
    pub engine: Arc<Engine>,
    pub tenant: TenantId,
    pub key: String,
    pub app: Arc<App>,
    /// Where mails and attachments land; goes with this.
    pub folder: TempDir,
    router: Router,
    issuer: LocalIssuer,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub text: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The body as JSON, of an answer with this status.
    #[track_caller]
    pub fn answers(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }
}

impl Api {
    /// The directory of [`CATALOGUE`].
    pub async fn start() -> Api {
        Api::on(database().await).await
    }

    /// The same on a database that others may use too.
    pub async fn on(database: Database) -> Api {
        Api::with(database, crafter::settings()).await
    }

    /// The same with settings of its own for applications.
    pub async fn with(database: Database, applications: services::Settings) -> Api {
        let engine = engine(database).await;
        engine.keep(tokio::spawn(react::run(engine.clone())));
        let secret = engine.secrets.get_or_make("local_issuer").await.unwrap();
        let issuer = LocalIssuer::from_secret(&secret).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let applications = crafter::services(&engine, folder.path(), applications).await;
        let verifier = Verifier::new(issuer.clone(), Duration::seconds(LEEWAY_SECONDS));
        let app = App::new(engine.clone(), verifier, applications, metrics(), true);
        let file = catalogue_file::parse(CATALOGUE).unwrap();
        let how = How { dry_run: false, prune: false, folder: ".".into() };
        apply(&engine, &file, &how).await.unwrap();
        let key = make_key();
        let tenant = engine.tenant_named("acme").await.unwrap().unwrap();
        issue_api_key(&engine, tenant, &key, None, &key).await.unwrap();
        let router = routes::router(app.clone());
        Api { engine, tenant, key, app, folder, router, issuer }
    }

    /// A connection to its database, as one who may do anything there.
    pub async fn superuser(&self) -> tokio_postgres::Client {
        let client = self.engine.connection().await.unwrap();
        let row = client.query_one("select current_database()::text", &[]).await.unwrap();
        superuser_of(row.get(0)).await
    }

    /// The id of a profile of the catalogue.
    pub async fn id(&self, name: &str) -> Uuid {
        let claim = Claim::import_line(self.tenant, name).key;
        self.engine.holders(&[claim]).await.unwrap()[&claim].holder
    }

    /// A token for a profile of the catalogue; each token opens a session of its own.
    pub async fn token(&self, name: &str) -> String {
        self.token_of(self.id(name).await)
    }

    /// A token for any profile.
    pub fn token_of(&self, id: Uuid) -> String {
        self.issuer.mint(self.tenant.0, id, Duration::hours(8), Utc::now()).unwrap()
    }

    /// The id of a role.
    pub fn role(&self, key: &str) -> Uuid {
        catalogue_id(self.tenant, "role", key)
    }

    /// The id of a department.
    pub fn department(&self, key: &str) -> Uuid {
        catalogue_id(self.tenant, "department", key)
    }

    /// The id of a flag.
    pub fn flag(&self, active: bool) -> Uuid {
        flag_id(self.tenant, active).0
    }

    /// POSTs to an endpoint of v5; `draft` is PATCHed.
    pub async fn v5(&self, token: &str, endpoint: &str, body: Value) -> Answer {
        self.v5_with(token, endpoint, body, &[]).await
    }

    /// The same with more headers.
    pub async fn v5_with(
        &self,
        token: &str,
        endpoint: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let method = if endpoint == "draft" { "PATCH" } else { "POST" };
        let path = format!("/api/v5/artifacts/profiles/{endpoint}");
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send(method, &path, Some(token), &all, body.to_string().into_bytes()).await
    }

    /// GETs anything.
    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, Some(token), &[], vec![]).await
    }

    /// Sends a request with the API key and, if given, a token.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut all = vec![("x-api-key", self.key.as_str())];
        all.extend(headers);
        let bearer = token.map(|token| format!("Bearer {token}"));
        all.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        self.send_bare(method, path, &all, body).await
    }

    /// Sends a request with just these headers.
    pub async fn send_bare(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.into(),
        }
    }

    /// Creates a profile and returns its id.
    pub async fn create(&self, token: &str, item: Value) -> Uuid {
        let answer = self.v5(token, "create", json!({ "profiles": [item] })).await.answers(200);
        let result = &answer["results"][0];
        assert_eq!(result["success"], true, "{answer}");
        result["profile_id"].as_str().unwrap().parse().unwrap()
    }

    /// The id of an e-mail address, made through a draft as clients do.
    pub async fn email(&self, token: &str, address: &str) -> String {
        let answer = self.v5(token, "draft", json!({ "email": address })).await.answers(200);
        answer["form_state"]["email_ids"][0].as_str().unwrap().to_owned()
    }

    /// The names of the events of a profile, oldest first.
    pub async fn events_of(&self, token: &str, id: Uuid) -> Vec<String> {
        let path = format!("/api/v1/profiles/{id}/history?order=oldest&limit=500");
        let page = self.get(token, &path).await.answers(200);
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// An engine that folds.
pub async fn engine(database: Database) -> Arc<Engine> {
    let settings = Settings {
        database,
        pool_connections: 8,
        next_start: None,
        alone: false,
        projecting: true,
    };
    Engine::start(settings).await.unwrap()
}

/// One recorder for the run: the metrics' own is global.
fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap()).clone()
}
