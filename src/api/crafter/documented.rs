//! The parameters of this API in the OpenAPI document. Handlers read them from query, form or
//! multipart alike, so their types do not tell: each operation must have a line here.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{ContentBuilder, OpenApi, RefOr, Required};

use super::parameters::PARAMETERS_MAX;

/// Operation, and its parameters besides `accessTokenId`: `!` is required, `*` a list, `?` true or
/// false, `#` a number, `@` a file.
const PARAMETERS: &[(&str, &str)] = &[
    ("create_access_token", ""),
    ("get_access_token", ""),
    ("get_access_tokens", ""),
    ("delete_access_token", ""),
    ("create_tenant", ""),
    ("get_tenant", ""),
    ("update_tenant", ""),
    ("delete_tenant", ""),
    ("count_tenants", ""),
    ("get_tenants", ""),
    ("verify_new_profiles", "verify!?"),
    ("add_roles", "role!*"),
    ("remove_roles", "role!*"),
    ("add_attribute_definitions", ""),
    ("update_attribute_definitions", ""),
    ("remove_attribute_definitions", "attributeName!*"),
    (
        "create_profile",
        "tenantName! username! password email! enabled!? role* attributes verificationUrl",
    ),
    ("update_profile", "username password email enabled? role* attributes attributeToReturn*"),
    ("verify_profile", "verificationTokenId! attributeToReturn*"),
    ("enable_profile", "attributeToReturn*"),
    ("disable_profile", "attributeToReturn*"),
    ("add_profile_roles", "role!* attributeToReturn*"),
    ("remove_profile_roles", "role!* attributeToReturn*"),
    ("get_profile_attributes", "attributeToReturn*"),
    ("update_profile_attributes", "attributeToReturn*"),
    ("remove_profile_attributes", "attributeName!* attributeToReturn*"),
    ("delete_profile", ""),
    ("get_profile_by_query", "tenantName! query! attributeToReturn*"),
    ("get_profile", "attributeToReturn*"),
    ("get_profile_by_username", "tenantName! username! attributeToReturn*"),
    ("get_profile_by_ticket", "ticketId! attributeToReturn*"),
    ("count_profiles", "tenantName!"),
    ("count_profiles_by_query", "tenantName! query!"),
    (
        "get_profiles_by_query",
        "tenantName! query! sortBy sortOrder start# count# attributeToReturn*",
    ),
    ("get_profiles_by_ids", "id!* sortBy sortOrder attributeToReturn*"),
    ("get_profile_range", "tenantName! sortBy sortOrder start# count# attributeToReturn*"),
    ("get_profiles_by_role", "tenantName! role! sortBy sortOrder attributeToReturn*"),
    (
        "get_profiles_by_existing_attribute",
        "tenantName! attributeName! sortBy sortOrder attributeToReturn*",
    ),
    (
        "get_profiles_by_attribute_value",
        "tenantName! attributeName! attributeValue! sortBy sortOrder attributeToReturn*",
    ),
    ("reset_password", "resetPasswordUrl! attributeToReturn*"),
    ("change_password", "resetTokenId! newPassword! attributeToReturn*"),
    ("create_verification_token", ""),
    ("get_verification_token", ""),
    ("delete_verification_token", ""),
    ("upload_attachment", "filename attachment!@"),
    ("get_attachment", ""),
    ("get_attachment_details", ""),
    ("get_attachments", "profileId"),
    ("authenticate", "tenantName! username! password!"),
    ("create_ticket", "profileId!"),
    ("get_ticket", ""),
    ("invalidate_ticket", ""),
    ("create_persistent_login", "profileId!"),
    ("get_persistent_login", ""),
    ("refresh_persistent_login", ""),
    ("delete_persistent_login", ""),
    ("get_memory", ""),
    ("get_status", ""),
    ("get_version", ""),
];

/// Adds them to the operations of this API.
pub fn document(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        if let Some(operation) = &mut item.get {
            document_read(operation);
        }
        if let Some(operation) = &mut item.post {
            document_write(operation);
        }
    }
}

/// The parameters of an operation; None for operations of other APIs.
fn parameters(operation: &Operation) -> Option<Vec<&'static str>> {
    let name = operation.operation_id.as_deref()?.strip_prefix("crafter_")?;
    let (_, parameters) = PARAMETERS.iter().find(|(one, _)| *one == name)?;
    let own = parameters.split_whitespace();
    Some(match name {
        "get_memory" | "get_status" | "get_version" => vec!["token!"],
        _ => std::iter::once("accessTokenId!").chain(own).collect(),
    })
}

fn document_read(operation: &mut Operation) {
    let Some(parameters) = parameters(operation) else { return };
    let known = operation.parameters.get_or_insert_default();
    known.extend(parameters.into_iter().map(in_query));
}

/// A write with a JSON body has its parameters in the query; other writes have them in a form.
fn document_write(operation: &mut Operation) {
    let Some(parameters) = parameters(operation) else { return };
    if operation.request_body.is_some() {
        let known = operation.parameters.get_or_insert_default();
        known.extend(parameters.into_iter().map(in_query));
        return;
    }
    let has_file = parameters.iter().any(|parameter| parameter.ends_with('@'));
    let mut form = ObjectBuilder::new();
    for parameter in parameters {
        form = form.property(name(parameter), schema(parameter));
        if is_required(parameter) {
            form = form.required(name(parameter));
        }
    }
    let kind = match has_file {
        true => "multipart/form-data",
        false => "application/x-www-form-urlencoded",
    };
    let content = ContentBuilder::new().schema(Some(RefOr::T(Schema::Object(form.build()))));
    let body = RequestBodyBuilder::new().content(kind, content.build());
    operation.request_body = Some(RefOr::T(body.build()));
}

fn name(parameter: &str) -> &str {
    parameter.trim_end_matches(['!', '*', '?', '#', '@'])
}

fn is_required(parameter: &str) -> bool {
    parameter.contains('!')
}

fn schema(parameter: &str) -> RefOr<Schema> {
    let of = |kind| ObjectBuilder::new().schema_type(SchemaType::Type(kind));
    RefOr::T(match parameter.chars().next_back() {
        Some('*') => {
            let items = ArrayBuilder::new().items(of(Type::String).build());
            Schema::Array(items.max_items(Some(PARAMETERS_MAX)).build())
        }
        Some('?') => Schema::Object(of(Type::Boolean).build()),
        Some('#') => {
            let number =
                of(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)));
            Schema::Object(number.minimum(Some(0)).build())
        }
        _ if parameter == "sortOrder" => {
            Schema::Object(of(Type::String).enum_values(Some(["ASC", "DESC"])).build())
        }
        Some('@') => {
            let file =
                of(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
            Schema::Object(file.build())
        }
        _ => Schema::Object(of(Type::String).build()),
    })
}

fn in_query(parameter: &'static str) -> RefOr<Parameter> {
    let required = if is_required(parameter) { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new()
        .name(name(parameter))
        .parameter_in(ParameterIn::Query)
        .required(required)
        .schema(Some(schema(parameter)));
    RefOr::T(parameter.build())
}
