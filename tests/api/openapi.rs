//! The OpenAPI document against `contract.json`, a transcription of the Profiles v5 contract:
//! every type field by field, and every endpoint. Never asks a server.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use dossier::api::v5::docs_content;

/// What the contract says.
#[derive(Deserialize)]
struct Contract {
    types: BTreeMap<String, Vec<Field>>,
    headers: Vec<Header>,
    endpoints: Vec<Endpoint>,
}

/// A field of a type. `type` is a JSON type or the name of another type, `[]` behind it for a list.
#[derive(Debug, Deserialize, PartialEq)]
struct Field {
    name: String,
    r#type: String,
    required: bool,
    nullable: bool,
    default: Option<Value>,
}

/// A header that every endpoint declares.
#[derive(Deserialize)]
struct Header {
    name: String,
    required: bool,
}

/// An endpoint and the types of its bodies.
#[derive(Deserialize)]
struct Endpoint {
    method: String,
    path: String,
    request: Option<String>,
    response: String,
}

#[test]
fn the_document_holds_every_type_of_the_v5_contract_field_by_field() {
    let document = document();
    let mut differences = Vec::new();
    for (name, fields) in contract().types {
        match document.pointer(&format!("/components/schemas/{name}")) {
            Some(schema) => differences.extend(field_differences(&name, &fields, schema)),
            None => differences.push(format!("{name} is not in the document")),
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_document_declares_every_endpoint_of_the_v5_contract() {
    let document = document();
    let contract = contract();
    let mut differences = Vec::new();
    for endpoint in &contract.endpoints {
        match document["paths"][&endpoint.path].get(&endpoint.method) {
            Some(operation) => {
                differences.extend(endpoint_differences(endpoint, &contract.headers, operation));
            }
            None => differences.push(format!("{} {} is missing", endpoint.method, endpoint.path)),
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_docs_list_every_endpoint_with_the_parameters_of_its_request() {
    let contract = contract();
    let shown = docs_content::docs(None).api_operations;
    assert_eq!(shown.len(), contract.endpoints.len());
    for (operation, endpoint) in shown.into_iter().zip(&contract.endpoints) {
        assert!(endpoint.path.ends_with(&format!("/{}", operation.name)), "{}", endpoint.path);
        assert_eq!(operation.returns, Some(json!({ "type": endpoint.response })));
        let shown: Vec<_> = operation
            .params
            .into_iter()
            .map(|parameter| {
                (parameter.name, parameter.r#type, parameter.required, parameter.default)
            })
            .collect();
        let declared: Vec<_> = endpoint
            .request
            .iter()
            .flat_map(|request| &contract.types[request])
            .map(|field| {
                (field.name.clone(), field.r#type.clone(), field.required, field.default.clone())
            })
            .collect();
        assert_eq!(shown, declared, "{}", operation.name);
    }
}

#[test]
fn the_docs_name_the_table_behind_roles_and_departments() {
    for part in docs_content::docs(None).resources {
        if !["roles", "departments"].contains(&part.name.as_str()) {
            continue;
        }
        let view = part.materialized_view.expect("a read model");
        assert_eq!(view.name, "catalogue", "{}", part.name);
        assert_eq!(part.tables[0].name, "catalogue", "{}", part.name);
        assert!(part.tables[0].columns.iter().any(|column| column.name == "kind"));
    }
}

fn contract() -> Contract {
    serde_json::from_str(include_str!("contract.json")).expect("contract.json is well-formed")
}

fn document() -> Value {
    serde_json::to_value(dossier::api::openapi()).expect("the document is JSON")
}

fn field_differences(name: &str, fields: &[Field], schema: &Value) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else {
        return vec![format!("{name} is no plain object: {schema}")];
    };
    let mut differences = Vec::new();
    for expected in fields {
        match properties.get(&expected.name) {
            Some(property) => {
                let found = field(&expected.name, property, schema);
                if found != *expected {
                    differences.push(format!("{name}: {expected:?} expected, {found:?} found"));
                }
            }
            None => differences.push(format!("{name}.{} is missing", expected.name)),
        }
    }
    let expected: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let extra = properties.keys().filter(|property| !expected.contains(property.as_str()));
    differences.extend(extra.map(|property| format!("{name}.{property} is not in the contract")));
    differences
}

/// A property of a schema, said as the contract says it.
fn field(name: &str, property: &Value, schema: &Value) -> Field {
    let mut types = types(property);
    let nullable = types.remove("null") || types.contains("any");
    let required = schema["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
    Field {
        name: name.to_owned(),
        r#type: alternatives(types),
        required,
        nullable,
        default: property.get("default").cloned(),
    }
}

/// All that a value may be: JSON types, names of types, lists of either.
fn types(schema: &Value) -> BTreeSet<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return BTreeSet::from([type_name(reference)]);
    }
    if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        return choices.iter().flat_map(types).collect();
    }
    let named = match &schema["type"] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any"],
    };
    named
        .into_iter()
        .map(|name| match name {
            "array" => format!("{}[]", alternatives(types(&schema["items"]))),
            other => other.to_owned(),
        })
        .collect()
}

fn alternatives(types: BTreeSet<String>) -> String {
    let count = types.len();
    let joined = types.into_iter().rev().collect::<Vec<_>>().join("|");
    if count == 1 { joined } else { format!("({joined})") }
}

fn type_name(reference: &str) -> String {
    reference.trim_start_matches("#/components/schemas/").to_owned()
}

fn endpoint_differences(endpoint: &Endpoint, headers: &[Header], operation: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, expected: Value, found: Value| {
        if expected != found {
            let path = &endpoint.path;
            differences.push(format!("{path}: {what}: {expected} expected, {found} found"));
        }
    };
    compare("request", json!(endpoint.request), body(&operation["requestBody"]));
    let body_required = json!(endpoint.request.is_some());
    let declared = operation["requestBody"].get("required").cloned().unwrap_or(json!(false));
    compare("request required", body_required, declared);
    compare("200", json!(endpoint.response), body(&operation["responses"]["200"]));
    compare("422", json!("HTTPValidationError"), body(&operation["responses"]["422"]));
    for header in headers {
        let declared = operation["parameters"].as_array().into_iter().flatten();
        let found: Vec<_> = declared
            .filter(|declared| declared["name"] == header.name.as_str())
            .map(|declared| json!({ "in": declared["in"], "required": declared["required"] }))
            .collect();
        let expected = json!([{ "in": "header", "required": header.required }]);
        compare(&header.name, expected, Value::Array(found));
    }
    differences
}

/// The name of the type of a JSON body, null where there is none.
fn body(carrier: &Value) -> Value {
    let reference = &carrier["content"]["application/json"]["schema"]["$ref"];
    reference.as_str().map_or(Value::Null, |reference| json!(type_name(reference)))
}

#[test]
fn every_operation_of_the_crafter_face_tells_what_it_is_called_with() {
    let document = serde_json::to_value(dossier::api::openapi()).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/1/") {
            continue;
        }
        let token = if path.contains("/monitoring/") { "token" } else { "accessTokenId" };
        for operation in item.as_object().unwrap().values() {
            let in_query = operation["parameters"].as_array().is_some_and(|parameters| {
                parameters.iter().any(|one| one["name"] == token && one["required"] == true)
            });
            let content = operation["requestBody"]["content"].as_object();
            let in_form = content.is_some_and(|content| {
                content.values().any(|form| form["schema"]["properties"][token].is_object())
            });
            assert!(in_query || in_form, "{path}: {operation}");
            operations += 1;
        }
    }
    assert_eq!(operations, 59);
}
