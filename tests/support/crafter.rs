//! What the Crafter Profile face needs in a test's directory, and its calls: by a master token
//! unless another is named.

use std::fmt::Write as _;
use std::future::Future;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dossier::api::crafter::services::{Parts, Services, Settings};
use dossier::attachments::{Settings as AttachmentSettings, Store};
use dossier::domain::object_id::ObjectId;
use dossier::engine::Engine;
use dossier::intake::crafter::{Intake, Summary, take_in};
use dossier::intake::crafter_seed::seed;
use dossier::mail::{Mailer, Settings as MailSettings};
use dossier::passwords::{Passwords, Settings as PasswordSettings};
use dossier::sealing::SealingKeys;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{Answer, Api};
use super::database::database;

/// The access token that may do everything.
pub const MASTER: &str = "master-token";
/// The password of profiles made here.
pub const PASSWORD: &str = "secret";

/// As by default, but that nobody waits long for an answer held back.
pub fn settings() -> Settings {
    Settings { delay_milliseconds: 1, ..Settings::default() }
}

/// Cheap services: mails and attachments land in the folder.
pub async fn services(engine: &Engine, folder: &Path, settings: Settings) -> Services {
    let cheap = PasswordSettings { memory_kib: 64, iterations: 1, at_once: 2, waiting_max: 64 };
    let attachments = AttachmentSettings::new(folder, None).unwrap();
    let sealing = Arc::new(SealingKeys::from_setting(&"5ea1".repeat(16)).unwrap());
    let mailer = Mailer::open(MailSettings::new(folder)).unwrap();
    Services::new(Parts {
        settings,
        passwords: Passwords::new(cheap).unwrap(),
        outbox: engine.outbox(mailer, sealing.clone()),
        sealing,
        attachments: Store::open(attachments).await.unwrap(),
    })
}

/// A directory with a master token and the tenant `acme`, which other faces have too.
pub struct Crafter {
    pub api: Api,
}

/// Calls by one access token, with paths written in one way.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    api: &'a Api,
    token: &'a str,
    prefix: &'a str,
    suffix: &'a str,
}

impl Deref for Crafter {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Crafter {
    pub async fn start() -> Crafter {
        Crafter::with(settings()).await
    }

    pub async fn with(settings: Settings) -> Crafter {
        let crafter = Crafter { api: Api::with(database().await, settings).await };
        let master = json!([{ "_id": MASTER, "application": "tests", "master": true,
            "tenantPermissions": [{ "tenant": "*", "allowedActions": ["*"] }] }]);
        crafter.take_in(json!({ "accesstoken": master })).await;
        crafter
    }

    /// Takes in a seed that has no mistake.
    pub async fn take_in(&self, text: Value) -> Summary {
        let summary = self.take_in_what_fits(text).await;
        assert_eq!(summary.bad, 0, "{summary}");
        summary
    }

    /// Takes in what can be taken of a seed.
    pub async fn take_in_what_fits(&self, text: Value) -> Summary {
        let services = &self.app.applications;
        let intake = Intake {
            engine: &self.engine,
            sealing: &services.sealing,
            passwords: &services.passwords,
        };
        let entries = seed("seed.json", &text.to_string()).unwrap();
        let entries = futures_util::stream::iter(entries.into_iter().map(Ok));
        let summary = take_in(&intake, entries, &ProgressBar::hidden()).await.unwrap();
        let head = self.engine.head().await.unwrap();
        assert!(self.engine.projections.wait_folded(head, Duration::from_secs(30)).await);
        summary
    }

    /// Calls by this token.
    pub fn by<'a>(&'a self, token: &'a str) -> Caller<'a> {
        Caller { api: &self.api, token, prefix: "", suffix: "" }
    }

    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.by(MASTER).get(path, parameters).await
    }

    pub async fn form(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.by(MASTER).form(path, parameters).await
    }

    pub async fn json(&self, path: &str, body: Value) -> Answer {
        self.by(MASTER).json(path, &[], body).await
    }

    /// A token of this application which may do these things in these tenants.
    pub async fn token(&self, application: &str, permissions: Value) -> String {
        let body = json!({ "application": application, "tenantPermissions": permissions });
        let token = self.json("access_token/create", body).await.answers(200);
        token["id"].as_str().unwrap().to_owned()
    }

    /// A token that may do all in one tenant, and nothing elsewhere.
    pub async fn token_for(&self, tenant: &str) -> String {
        self.token("one", json!([{ "tenant": tenant, "allowedActions": ["*"] }])).await
    }

    /// A tenant; `more` has what is not as by default.
    pub async fn tenant(&self, name: &str, more: Value) -> Value {
        let mut body = json!({ "name": name });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.json("tenant/create", body).await.answers(200)
    }

    /// An enabled profile with [`PASSWORD`].
    pub async fn profile(&self, tenant: &str, username: &str, more: &[(&str, &str)]) -> Value {
        let email = format!("{username}@{tenant}.example");
        let mut parameters = vec![
            ("tenantName", tenant),
            ("username", username),
            ("password", PASSWORD),
            ("email", &email),
            ("enabled", "true"),
        ];
        parameters.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        parameters.extend(more);
        self.form("profile/create", &parameters).await.answers(200)
    }

    /// The id of such a profile.
    pub async fn profile_id(&self, tenant: &str, username: &str) -> String {
        text(&self.profile(tenant, username, &[]).await["id"])
    }

    /// So many profiles, by import; `p00000` is the first.
    pub async fn profiles(&self, tenant: &str, count: usize, more: impl Fn(usize) -> Value) {
        let profile = |number: usize| {
            let mut profile = json!({
                "tenant": tenant,
                "username": format!("p{number:05}"),
                "email": format!("p{number}@{tenant}.example"),
                "enabled": true,
            });
            profile.as_object_mut().unwrap().extend(more(number).as_object().unwrap().clone());
            profile
        };
        for start in (0..count).step_by(1_000) {
            let page: Vec<Value> = (start..count.min(start + 1_000)).map(profile).collect();
            self.take_in(json!({ "profile": page })).await;
        }
    }

    pub async fn log_in(&self, tenant: &str, username: &str, password: &str) -> Answer {
        let parameters = [("tenantName", tenant), ("username", username), ("password", password)];
        self.form("authentication/authenticate", &parameters).await
    }

    /// The names of a stream's events, oldest first.
    pub async fn events(&self, id: &str) -> Vec<String> {
        let client = self.engine.connection().await.unwrap();
        let sql = "select name from log.events where stream_id = $1 order by version";
        let rows = client.query(sql, &[&uuid(id)]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// All that was ever put on record, as one text.
    pub async fn log(&self) -> String {
        let client = self.engine.connection().await.unwrap();
        let rows = client.query("select e::text from log.events e", &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
    }

    pub async fn head(&self) -> i64 {
        self.engine.head().await.unwrap()
    }

    /// The hash that is kept of a profile's password.
    pub async fn password(&self, id: &str) -> Option<String> {
        let client = self.engine.connection().await.unwrap();
        let sql = "select password from ops.credentials where profile_id = $1";
        let row = client.query_opt(sql, &[&uuid(id)]).await.unwrap();
        row.map(|row| row.get(0))
    }

    /// The mails of the outbox, sent; each as its text.
    pub async fn mails(&self) -> Vec<String> {
        self.app.applications.outbox.round(chrono::Utc::now()).await.unwrap();
        let folder = self.folder.path().join("mail");
        let files = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files.into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }
}

impl<'a> Caller<'a> {
    /// With this before each path.
    pub fn below(self, prefix: &'a str) -> Caller<'a> {
        Caller { prefix, ..self }
    }

    /// With this behind each path: `.json`, as Crafter's own client writes them.
    pub fn ending(self, suffix: &'a str) -> Caller<'a> {
        Caller { suffix, ..self }
    }

    fn path(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let query = encoded(parameters);
        let question = if query.is_empty() { "" } else { "?" };
        format!("{}/api/1/{path}{}{question}{query}", self.prefix, self.suffix)
    }

    fn all<'b>(&'b self, parameters: &[(&'b str, &'b str)]) -> Vec<(&'b str, &'b str)> {
        let token = (!self.token.is_empty()).then_some(("accessTokenId", self.token));
        token.into_iter().chain(parameters.iter().copied()).collect()
    }

    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let path = self.path(path, &self.all(parameters));
        self.api.send_bare("GET", &path, &[], vec![]).await
    }

    /// All parameters in the body, as Crafter's own client sends them.
    pub async fn form(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = encoded(&self.all(parameters)).into_bytes();
        self.api.send_bare("POST", &self.path(path, &[]), &headers, body).await
    }

    pub async fn json(&self, path: &str, query: &[(&str, &str)], body: Value) -> Answer {
        let path = self.path(path, &self.all(query));
        let headers = [("content-type", "application/json")];
        self.api.send_bare("POST", &path, &headers, body.to_string().into_bytes()).await
    }

    /// A file, with these text fields before it.
    pub async fn upload(
        &self,
        id: &str,
        fields: &[(&str, &str)],
        file_name: &str,
        content: &[u8],
    ) -> Answer {
        let mut body = String::new();
        for (name, value) in self.all(fields) {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"");
            let _ = write!(body, "--X\r\n{head}\r\n\r\n{value}\r\n");
        }
        let head = "Content-Disposition: form-data; name=\"attachment\"";
        let _ = write!(body, "--X\r\n{head}; filename=\"{file_name}\"\r\n\r\n");
        let body = [body.as_bytes(), content, b"\r\n--X--\r\n"].concat();
        let headers = [("content-type", "multipart/form-data; boundary=X")];
        let path = self.path(&format!("profile/{id}/uploadAttachment"), &[]);
        self.api.send_bare("POST", &path, &headers, body).await
    }
}

impl Answer {
    /// An error in the one form of this face.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let body = self.answers(status);
        assert_eq!(body["errorCode"], code, "{}", self.text);
        assert!(body["message"].is_string(), "{}", self.text);
        assert_eq!(body.as_object().unwrap().len(), 2, "{}", self.text);
        let kind = self.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/json"), "{kind}");
    }

    /// What a call answers that only does something.
    #[track_caller]
    pub fn is_empty(&self) {
        assert_eq!((self.status.as_u16(), self.text.as_str()), (200, ""));
        assert!(!self.headers.contains_key("content-type"));
    }
}

/// Waits, for a bounded time, until something holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::task::yield_now().await;
    }
}

/// A text of an answer.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A field of each item of a list.
#[track_caller]
pub fn each(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    items.iter().map(|item| text(&item[field])).collect()
}

/// An attribute that everybody may do everything with.
pub fn attribute(name: &str, kind: &str) -> Value {
    attribute_for(name, kind, json!([{ "application": "*", "allowedActions": ["*"] }]))
}

/// An attribute with these permissions.
pub fn attribute_for(name: &str, kind: &str, permissions: Value) -> Value {
    json!({ "name": name, "metadata": { "type": kind }, "permissions": permissions })
}

/// The UUID that the other faces show of such an id; a UUID is what it is.
pub fn uuid(id: &str) -> Uuid {
    id.parse()
        .ok()
        .filter(|_| id.len() == 36)
        .unwrap_or_else(|| ObjectId::parse(id).unwrap().held())
}

/// An id that nobody has.
pub fn nobody() -> String {
    Uuid::nil().to_string()
}

pub fn encoded(parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", form(name), form(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn form(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
