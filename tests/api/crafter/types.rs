//! The JSON of the Crafter Profile face (contract 3).

use chrono::{DateTime, Utc};
use dossier::api::crafter::body;
use dossier::api::crafter::error::Failure;
use dossier::api::crafter::types::access_token::{AccessToken, TenantPermission};
use dossier::api::crafter::types::fields::parse_instant;
use dossier::api::crafter::types::profile::{Profile, ProfileAttachment, file_size};
use dossier::api::crafter::types::session::{PersistentLogin, Ticket, VerificationToken};
use dossier::api::crafter::types::tenant::{AttributeDefinition, AttributePermission, Tenant};
use dossier::system::{MemoryInfo, StatusInfo, VersionInfo};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

const UUID: &str = "0190b1c2-d3e4-7f5a-8b6c-0123456789ab";

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Failure> {
    body::object(Some("application/json"), body.to_string().as_bytes())
}

/// What a body has become when it is shown again.
#[track_caller]
fn shown<T: DeserializeOwned + Serialize>(body: Value) -> Value {
    json!(read::<T>(&body).unwrap())
}

#[track_caller]
fn refused<T: DeserializeOwned>(bodies: &[Value]) {
    for body in bodies {
        assert!(matches!(read::<T>(body), Err(Failure::Invalid(_))), "{body}");
    }
}

fn instant() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_123).unwrap()
}

fn id() -> Uuid {
    Uuid::parse_str(UUID).unwrap()
}

#[test]
fn an_access_token_has_these_fields_and_defaults() {
    let bare = json!({
        "application": null,
        "master": false,
        "tenantPermissions": null,
        "expiresOn": null,
        "id": null,
    });
    assert_eq!(shown::<AccessToken>(json!({})), bare);
    assert_eq!(shown::<AccessToken>(json!({"master": null, "expiresOn": null})), bare);
    let full = json!({
        "application": "engine",
        "master": true,
        "tenantPermissions": [{"allowedActions": ["*"], "tenant": "acme"}],
        "expiresOn": 1_700_000_000_123_i64,
        "id": "any text",
    });
    assert_eq!(shown::<AccessToken>(full.clone()), full);
}

#[test]
fn a_permission_is_for_everything_unless_it_names_something() {
    let token = shown::<AccessToken>(json!({"tenantPermissions": [{}]}));
    assert_eq!(token["tenantPermissions"], json!([{"allowedActions": null, "tenant": "*"}]));
    let definition = shown::<AttributeDefinition>(json!({"permissions": [{}]}));
    assert_eq!(definition["permissions"], json!([{"allowedActions": null, "application": "*"}]));
}

#[test]
fn what_a_permission_is_for_cannot_be_null() {
    refused::<AccessToken>(&[json!({"tenantPermissions": [{"tenant": null}]})]);
    refused::<AttributeDefinition>(&[json!({"permissions": [{"application": null}]})]);
}

#[test]
fn a_tenant_has_these_fields_and_defaults() {
    let bare = json!({
        "name": "",
        "verifyNewProfiles": false,
        "availableRoles": [],
        "ssoEnabled": false,
        "attributeDefinitions": [],
        "cleanseAttributes": true,
        "id": null,
    });
    assert_eq!(shown::<Tenant>(json!({})), bare);
    let nulls = json!({
        "name": null,
        "verifyNewProfiles": null,
        "availableRoles": null,
        "ssoEnabled": null,
        "attributeDefinitions": null,
        "cleanseAttributes": null,
        "id": null,
    });
    assert_eq!(shown::<Tenant>(nulls), bare);
    let full = json!({
        "name": "acme",
        "verifyNewProfiles": true,
        "availableRoles": ["A", "B"],
        "ssoEnabled": true,
        "attributeDefinitions": [{
            "permissions": [{"allowedActions": ["READ_ATTRIBUTE"], "application": "engine"}],
            "name": "city",
            "metadata": {"type": "TEXT", "displayOrder": 1},
            "defaultValue": {"any": ["thing"]},
        }],
        "cleanseAttributes": false,
        "id": "5a1c2e3f4b5d6e7f80918273",
    });
    assert_eq!(shown::<Tenant>(full.clone()), full);
}

#[test]
fn an_attribute_definition_has_these_fields_and_defaults() {
    let bare = json!({"permissions": [], "name": "", "metadata": null, "defaultValue": null});
    assert_eq!(shown::<AttributeDefinition>(json!({})), bare);
    assert_eq!(shown::<AttributeDefinition>(json!({"permissions": null, "name": null})), bare);
}

#[test]
fn the_kind_of_an_attribute_is_a_text_in_its_metadata() {
    let kind = |metadata: Value| {
        let definition: AttributeDefinition = read(&json!({"metadata": metadata})).unwrap();
        definition.kind().map(str::to_owned)
    };
    assert_eq!(kind(json!({"type": "TEXT"})), Some("TEXT".to_owned()));
    for metadata in [json!(null), json!({}), json!({"type": null}), json!({"type": 5})] {
        assert_eq!(kind(metadata), None);
    }
}

#[test]
fn unknown_properties_are_refused_at_every_depth() {
    refused::<AccessToken>(&[
        json!({"Master": true}),
        json!({"tenantPermissions": [{"tenants": "*"}]}),
    ]);
    refused::<Tenant>(&[
        json!({"ssoEnable": true}),
        json!({"attributeDefinitions": [{"label": "x"}]}),
        json!({"attributeDefinitions": [{"permissions": [{"actions": []}]}]}),
    ]);
}

#[test]
fn values_of_another_type_are_refused_at_every_depth() {
    refused::<AccessToken>(&[
        json!({"master": "yes"}),
        json!({"master": 1}),
        json!({"id": 5}),
        json!({"tenantPermissions": {}}),
        json!({"tenantPermissions": [[]]}),
        json!({"tenantPermissions": [null]}),
        json!({"tenantPermissions": [{"allowedActions": "*"}]}),
        json!({"expiresOn": true}),
    ]);
    refused::<Tenant>(&[
        json!({"name": 5}),
        json!({"availableRoles": "A"}),
        json!({"availableRoles": [null]}),
        json!({"attributeDefinitions": [[]]}),
        json!({"attributeDefinitions": [{"permissions": [["*"]]}]}),
        json!({"attributeDefinitions": [{"metadata": []}]}),
    ]);
}

#[test]
fn an_expiry_is_read_as_milliseconds_or_iso_8601() {
    let millis =
        |expiry: Value| shown::<AccessToken>(json!({"expiresOn": expiry}))["expiresOn"].clone();
    for expiry in [
        json!(1_700_000_000_123_i64),
        json!("2023-11-14T22:13:20.123Z"),
        json!("2023-11-14T22:13:20.123+00:00"),
        json!("2023-11-14T23:13:20.123+0100"),
        json!("2023-11-14T22:13:20.123999"),
    ] {
        assert_eq!(millis(expiry), json!(1_700_000_000_123_i64));
    }
    assert_eq!(millis(json!("2023-11-14T22:13:20Z")), json!(1_700_000_000_000_i64));
    assert_eq!(millis(json!("2023-11-14")), json!(1_699_920_000_000_i64));
    assert_eq!(millis(json!(-1)), json!(-1));
    refused::<AccessToken>(&[
        json!({"expiresOn": ""}),
        json!({"expiresOn": "soon"}),
        json!({"expiresOn": "2023-13-01"}),
        json!({"expiresOn": 1.5}),
        json!({"expiresOn": i64::MAX}),
        json!({"expiresOn": u64::MAX}),
    ]);
}

#[test]
fn a_profile_has_exactly_these_fields() {
    let profile = Profile {
        username: "ada".to_owned(),
        email: None,
        verified: false,
        enabled: true,
        created_on: instant(),
        last_modified: instant(),
        tenant: "acme".to_owned(),
        roles: Vec::new(),
        attributes: [("x".to_owned(), Value::Null)].into(),
        id: "5a1c2e3f4b5d6e7f80918273".to_owned(),
    };
    let written = json!({
        "username": "ada",
        "email": null,
        "verified": false,
        "enabled": true,
        "createdOn": 1_700_000_000_123_i64,
        "lastModified": 1_700_000_000_123_i64,
        "tenant": "acme",
        "roles": [],
        "attributes": {"x": null},
        "id": "5a1c2e3f4b5d6e7f80918273",
    });
    assert_eq!(json!(profile), written);
}

#[test]
fn tickets_logins_and_tokens_have_exactly_these_fields() {
    let (tenant, profile_id) = ("acme".to_owned(), "7".to_owned());
    let (millis, time) = (1_700_000_000_123_i64, instant());
    let ticket = Ticket {
        tenant: tenant.clone(),
        profile_id: profile_id.clone(),
        last_request_time: time,
        id: id(),
    };
    let written =
        json!({"tenant": "acme", "profileId": "7", "lastRequestTime": millis, "id": UUID});
    assert_eq!(json!(ticket), written);
    let login = PersistentLogin {
        tenant: tenant.clone(),
        profile_id: profile_id.clone(),
        token: Uuid::nil(),
        timestamp: time,
        id: id(),
    };
    let mut written = json!({"tenant": "acme", "profileId": "7", "timestamp": millis, "id": UUID});
    let token = VerificationToken { tenant, profile_id, timestamp: time, id: id() };
    assert_eq!(json!(token), written);
    written["token"] = json!(Uuid::nil());
    assert_eq!(json!(login), written);
}

#[test]
fn an_attachment_that_does_not_exist_is_all_null() {
    let written = json!({
        "md5": null,
        "contentType": null,
        "fileSize": null,
        "fileName": null,
        "fileSizeBytes": 0,
        "id": null,
    });
    assert_eq!(json!(ProfileAttachment::default()), written);
}

#[test]
fn sizes_are_told_with_one_decimal_at_most() {
    let sizes = [
        (0, "0"),
        (1, "1 B"),
        (500, "500 B"),
        (1023, "1023 B"),
        (1024, "1 KB"),
        (1075, "1 KB"),
        (1126, "1.1 KB"),
        // Halves go to the even digit.
        (1280, "1.2 KB"),
        (1792, "1.8 KB"),
        (1536, "1.5 KB"),
        (23_142, "22.6 KB"),
        (5_242_880, "5 MB"),
        (1 << 30, "1 GB"),
        (1 << 41, "2048 GB"),
    ];
    for (bytes, written) in sizes {
        assert_eq!(file_size(bytes), written);
    }
}

#[test]
fn monitoring_has_exactly_these_fields() {
    let names = |value: Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let memory = MemoryInfo {
        total_jvm_memory: 1,
        free_jvm_memory: 2,
        max_jvm_memory: 3,
        total_os_memory: 4,
        free_os_memory: 5,
        total_swap_memory: 6,
        free_swap_memory: 7,
    };
    let written = json!({
        "totalJvmMemory": 1,
        "freeJvmMemory": 2,
        "maxJvmMemory": 3,
        "totalOsMemory": 4,
        "freeOsMemory": 5,
        "totalSwapMemory": 6,
        "freeSwapMemory": 7,
    });
    assert_eq!(json!(memory), written);
    let status = StatusInfo { uptime: 5, startup: instant() };
    assert_eq!(json!(status), json!({"uptime": 5, "startup": "2023-11-14T22:13:20.123Z"}));
    let mut version = names(json!(VersionInfo::this()));
    version.sort();
    let published = "javaVendor javaVersion javaVm osArch osName osVersion \
                     packageBuild packageBuildDate packageName packageVersion";
    assert_eq!(version.join(" "), published);
}

#[test]
fn the_document_knows_the_beans_under_their_own_names() {
    let names = [
        AccessToken::name(),
        TenantPermission::name(),
        Tenant::name(),
        AttributeDefinition::name(),
        AttributePermission::name(),
        Profile::name(),
        Ticket::name(),
        PersistentLogin::name(),
        VerificationToken::name(),
        ProfileAttachment::name(),
        MemoryInfo::name(),
        StatusInfo::name(),
        VersionInfo::name(),
        dossier::api::crafter::error::ErrorDetails::name(),
    ];
    let published = "AccessToken TenantPermission Tenant AttributeDefinition AttributePermission \
                     Profile Ticket PersistentLogin VerificationToken ProfileAttachment \
                     MemoryInfo StatusInfo VersionInfo ErrorDetails";
    assert_eq!(names.join(" "), published);
}

#[test]
fn the_document_says_that_instants_are_integers() {
    let schema = json!(<AccessToken as utoipa::PartialSchema>::schema());
    assert_eq!(schema["properties"]["expiresOn"]["type"], json!(["integer", "null"]));
    let schema = json!(<Profile as utoipa::PartialSchema>::schema());
    assert_eq!(schema["properties"]["createdOn"]["type"], json!("integer"));
    assert_eq!(schema["required"].as_array().unwrap().len(), 10);
}

proptest! {
    #[test]
    fn every_instant_written_is_read_again(millis in -10_000_000_000_000_i64..10_000_000_000_000) {
        let instant = DateTime::from_timestamp_millis(millis).unwrap();
        prop_assert_eq!(parse_instant(&instant.to_rfc3339()), Some(instant));
    }

    #[test]
    fn no_text_is_too_odd_for_an_instant(
        text in "[+-]?[0-9]{1,6}-[01]?[0-9]-[0-3]?[0-9]T[0-2][0-9]:[0-6]0:60(\\.[0-9]{1,10})?\
                 (Z|[+-][0-9]{2}:?[0-9]{2})?",
    ) {
        let instant = parse_instant(&text);
        prop_assert!(instant.is_none_or(|it| it.timestamp_subsec_nanos() % 1_000_000 == 0));
    }
}
