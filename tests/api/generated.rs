//! Requests generated from the OpenAPI document, for every operation in it: each answer has a
//! status that the document declares and a body of the schema declared with it, and what the
//! document calls valid is not refused as malformed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::support::api::Answer;
use crate::support::crafter::{Crafter, MASTER, encoded};

/// Requests of each operation.
const REQUESTS: usize = 40;

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    definition: Value,
    /// Of a JSON body.
    request: Option<Validator>,
    /// By status; None where no JSON is declared.
    answers: BTreeMap<u16, Option<Validator>>,
}

/// A request, and whether the document calls it valid.
struct Generated {
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    valid: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_generated_requests_as_the_document_declares() {
    let crafter = Crafter::start().await;
    let document = serde_json::to_value(dossier::api::openapi()).unwrap();
    let mut maker =
        Maker { random: StdRng::seed_from_u64(7), document: document.clone(), ids: vec![] };
    let (mut sent, mut successes, mut wrong) = (0, 0, BTreeMap::<String, String>::new());
    for (number, operation) in operations(&document).into_iter().enumerate() {
        // Some operations delete, and some act as others.
        let token = crafter.deref().token("root").await;
        maker.ids = someone(&crafter, &token, number).await;
        for _ in 0..REQUESTS {
            let request = maker.request(&operation, &crafter.key, &token);
            let headers: Vec<(&str, &str)> =
                request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = crafter
                .send_bare(&operation.method, &request.path, &headers, request.body.clone())
                .await;
            sent += 1;
            successes += usize::from(answer.status.is_success());
            if let Err(why) = judge(&operation, &request, &answer) {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let told = format!("{} {body}: {} {}", request.path, answer.status, answer.text);
                let told: String = told.chars().take(600).collect();
                wrong
                    .entry(format!("{} {}: {why}", operation.method, operation.path))
                    .or_insert(told);
            }
        }
    }
    let told: Vec<String> =
        wrong.iter().map(|(what, told)| format!("{what}\n    {told}")).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(sent > 70 * REQUESTS, "{sent}");
    assert!(successes > sent / 4, "{successes} of {sent}: hardly any request is a good one");
}

/// People for one operation: two of `acme`, and the one of `corp`.
async fn someone(crafter: &Crafter, token: &str, number: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["Ada", "Mia"] {
        let item =
            json!({ "name": format!("{name} {number}"), "role_ids": [crafter.role("member")] });
        ids.push(crafter.create(token, item).await.to_string());
    }
    if crafter.get("tenant/corp", &[]).await.status.as_u16() != 200 {
        crafter.tenant("corp", json!({ "availableRoles": ["user"] })).await;
    }
    let id =
        crafter.get("profile/by_username", &[("tenantName", "corp"), ("username", "jdoe")]).await;
    let id = id.json()["id"].as_str().map(str::to_owned);
    ids.push(match id {
        Some(id) => id,
        None => crafter.profile("corp", "jdoe", &[]).await["id"].as_str().unwrap().to_owned(),
    });
    ids
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, definition) in item.as_object().unwrap() {
            let answers = definition["responses"].as_object().unwrap().iter();
            let answers = answers.map(|(status, response)| {
                let mut contents = response["content"].as_object().into_iter().flatten();
                let json = contents.find(|(kind, _)| kind.contains("json"));
                let validator = json.map(|(_, content)| validator(document, &content["schema"]));
                (status.parse().unwrap(), validator)
            });
            let body = &definition["requestBody"]["content"]["application/json"]["schema"];
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                definition: definition.clone(),
                request: (!body.is_null()).then(|| validator(document, body)),
                answers: answers.collect(),
            });
        }
    }
    operations
}

fn validator(document: &Value, schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn judge(operation: &Operation, request: &Generated, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16();
    let Some(schema) = operation.answers.get(&status) else {
        return Err(format!("{status} is not declared"));
    };
    // Other codes are about what the server has, which no schema can say.
    let malformed = answer.json()["code"].as_str().is_none_or(|code| code == "invalid_request");
    if request.valid && status == 422 && malformed {
        return Err("a valid request is refused as malformed".to_owned());
    }
    if let Some(schema) = operation.request.as_ref().filter(|_| status == 422) {
        let told = answer.json()["detail"].as_array().unwrap().clone();
        let told: BTreeSet<String> = told.iter().map(|one| place(one["loc"].clone())).collect();
        let expected = mistakes(schema, &serde_json::from_slice(&request.body).unwrap());
        if told != expected {
            return Err(format!("mistakes at {expected:?} are told at {told:?}"));
        }
    }
    if let Some(schema) = schema {
        let body = answer.json();
        if let Some(mistake) = schema.iter_errors(&body).next() {
            return Err(format!("{status}: at {:?} {mistake}", mistake.instance_path()));
        }
    }
    Ok(())
}

/// Ways to name a moment, and two of them: a schema cannot say that one excludes the others.
const EXCLUSIVE: [&[&[&str]]; 2] = [
    &[&["as_of"], &["at"], &["at_version"]],
    &[&["from", "to"], &["from_version", "to_version"], &["from_token", "to_token"]],
];

/// The same parameters without those that exclude another one.
fn compatible(mut query: Vec<(String, String)>) -> Vec<(String, String)> {
    for ways in EXCLUSIVE {
        let way = |name: &str| ways.iter().position(|names| names.contains(&name));
        let first = query.iter().find_map(|(name, _)| way(name));
        query.retain(|(name, _)| way(name).is_none() || way(name) == first);
    }
    query
}

/// Where a body is not as its schema says.
fn mistakes(schema: &Validator, body: &Value) -> BTreeSet<String> {
    let places = schema.iter_errors(body).map(|mistake| {
        let mut at = format!("/body{}", mistake.instance_path());
        if let ValidationErrorKind::Required { property } = mistake.kind() {
            at.push_str(&format!("/{}", property.as_str().unwrap()));
        }
        at
    });
    places.collect()
}

fn place(location: Value) -> String {
    let steps = location.as_array().unwrap().iter();
    steps
        .map(|step| format!("/{}", step.as_str().map_or(step.to_string(), str::to_owned)))
        .collect()
}

struct Maker {
    random: StdRng,
    document: Value,
    /// Of profiles.
    ids: Vec<String>,
}

impl Maker {
    fn request(&mut self, operation: &Operation, key: &str, token: &str) -> Generated {
        let mut valid = self.random.random_bool(0.6);
        let mut path = operation.path.clone();
        let mut query = Vec::new();
        let mut headers = Vec::new();
        let parameters = operation.definition["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap().to_owned();
            let needed = parameter["required"] == true && (valid || self.random.random_bool(0.9));
            match parameter["in"].as_str().unwrap() {
                "path" => {
                    let value = self.one_of_path(&name);
                    path = path.replace(&format!("{{{name}}}"), &value);
                }
                "query" if needed || self.random.random_bool(0.3) => {
                    query.extend(self.texts(&name, &parameter["schema"], valid));
                }
                _ => {}
            }
        }
        if valid {
            query = compatible(query);
        }
        let mut body = Vec::new();
        let contents = operation.definition["requestBody"]["content"].as_object();
        if let Some((kind, content)) = contents.and_then(|contents| contents.iter().next()) {
            if kind == "application/json" {
                let value = self.value("", &content["schema"], valid);
                body = value.to_string().into_bytes();
                headers.push(("content-type", kind.clone()));
            } else {
                let fields = self.fields(&content["schema"], valid);
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                (headers, body) = match kind.as_str() {
                    "multipart/form-data" => multipart(&fields),
                    _ => (vec![("content-type", kind.clone())], encoded(&fields).into_bytes()),
                };
            }
        }
        let schemes = operation.definition["security"][0].as_object().unwrap();
        if schemes.contains_key("api_key") && self.kept(&mut valid) {
            headers.push(("x-api-key", key.to_owned()));
        }
        if schemes.contains_key("bearer") && self.kept(&mut valid) {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value): &(String, String)| (name.as_str(), value.as_str()))
            .collect();
        if !query.is_empty() {
            path = format!("{path}?{}", encoded(&query));
        }
        Generated { path, headers, body, valid }
    }

    /// Mostly; a request without is none that the document calls valid.
    fn kept(&mut self, valid: &mut bool) -> bool {
        let kept = self.random.random_bool(0.95);
        *valid &= kept;
        kept
    }

    fn one_of_path(&mut self, name: &str) -> String {
        let nobody = ["nobody", "0123456789abcdef01234567", "%C3%A9", "a%2Fb"];
        match (name, self.random.random_bool(0.7)) {
            ("name", true) => "corp".to_owned(),
            (_, true) => self.ids.choose(&mut self.random).unwrap().clone(),
            (_, false) => nobody.choose(&mut self.random).unwrap().to_string(),
        }
    }

    /// A parameter as it is written in a query or form: lists repeat it.
    fn texts(&mut self, name: &str, schema: &Value, valid: bool) -> Vec<(String, String)> {
        // What only the server can have given cannot be made up.
        if name == "cursor" && valid {
            return vec![];
        }
        let written = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match self.value(name, schema, valid) {
            Value::Null => vec![],
            Value::Array(items) => {
                items.iter().map(|item| (name.to_owned(), written(item))).collect()
            }
            value => vec![(name.to_owned(), written(&value))],
        }
    }

    fn fields(&mut self, schema: &Value, valid: bool) -> Vec<(String, String)> {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut fields = Vec::new();
        for (name, schema) in schema["properties"].as_object().unwrap() {
            let needed = required.contains(&json!(name)) && (valid || self.random.random_bool(0.9));
            if needed || self.random.random_bool(0.3) {
                fields.extend(self.texts(name, schema, valid));
            }
        }
        fields
    }

    /// A value of a schema; where it need not be valid, now and then of another type or too large.
    fn value(&mut self, name: &str, schema: &Value, valid: bool) -> Value {
        if let Some(known) = self.known(name) {
            return known.into();
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let referred = self.document.pointer(&reference[1..]).unwrap().clone();
            return self.value(name, &referred, valid);
        }
        if !valid && self.random.random_bool(0.1) {
            let others =
                [json!(7), json!("x"), json!([1]), json!({ "a": 1 }), json!(true), json!(-1)];
            return others.choose(&mut self.random).unwrap().clone();
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
            _ => vec!["string"],
        };
        match *types.choose(&mut self.random).unwrap() {
            "null" => Value::Null,
            "boolean" => self.random.random_bool(0.5).into(),
            "integer" | "number" => self.number(schema, valid).into(),
            "array" => {
                let count = self.random.random_range(0..4);
                (0..count).map(|_| self.value("", &schema["items"], valid)).collect()
            }
            "object" => {
                let mut object = Map::new();
                let required = schema["required"].as_array().cloned().unwrap_or_default();
                for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                    let needed =
                        required.contains(&json!(name)) && (valid || self.random.random_bool(0.9));
                    if needed || self.random.random_bool(0.5) {
                        object.insert(name.clone(), self.value(name, schema, valid));
                    }
                }
                object.into()
            }
            _ => self.text(schema, valid).into(),
        }
    }

    /// Words that lead somewhere.
    fn known(&mut self, name: &str) -> Option<String> {
        if self.random.random_bool(0.2) {
            return None;
        }
        match name {
            "accessTokenId" => Some(MASTER.to_owned()),
            "tenantName" => Some("corp".to_owned()),
            "username" => Some("jdoe".to_owned()),
            "profileId" => self.ids.choose(&mut self.random).cloned(),
            "query" => Some("{\"username\": \"jdoe\"}".to_owned()),
            "attributes" => Some("{}".to_owned()),
            _ => None,
        }
    }

    fn number(&mut self, schema: &Value, valid: bool) -> i64 {
        let least = schema["minimum"].as_i64().unwrap_or(-5);
        let most = schema["maximum"].as_i64().unwrap_or(1_000);
        let mut numbers = vec![least, most, self.random.random_range(least..=most)];
        if !valid {
            numbers.extend([least.saturating_sub(1), most.saturating_add(1)]);
        }
        *numbers.choose(&mut self.random).unwrap()
    }

    fn text(&mut self, schema: &Value, valid: bool) -> String {
        if let Some(values) = schema["enum"].as_array().filter(|_| valid) {
            return values.choose(&mut self.random).unwrap().as_str().unwrap().to_owned();
        }
        let format = schema["format"].as_str().filter(|_| valid || self.random.random_bool(0.9));
        match format {
            Some("uuid") => self.ids[..2].choose(&mut self.random).unwrap().clone(),
            Some("date-time") => "2026-03-01T12:00:00.5+01:00".to_owned(),
            _ => {
                let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or(300)).unwrap();
                let longest = "x".repeat(if valid { most } else { most + 1 });
                let texts = "|user|Ada|é, ß|jdoe@corp.example|\u{202e}|http://x";
                let texts: Vec<&str> = texts.split('|').chain([longest.as_str()]).collect();
                texts.choose(&mut self.random).unwrap().to_string()
            }
        }
    }
}

fn multipart(fields: &[(&str, &str)]) -> (Vec<(&'static str, String)>, Vec<u8>) {
    let mut body = String::new();
    for (name, value) in fields {
        let file = if *name == "attachment" { "; filename=\"note.txt\"" } else { "" };
        let head = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
        body.push_str(&format!("--X\r\n{head}\r\n\r\n{value}\r\n"));
    }
    body.push_str("--X--\r\n");
    (vec![("content-type", "multipart/form-data; boundary=X".to_owned())], body.into_bytes())
}
