//! Records: what each field becomes, what may be missing, what is said of a wrong one.

use chrono::{DateTime, Utc};
use dossier::crafter_file::read::Reading;
use dossier::crafter_file::records::{
    AccessTokenRecord, Collection, Record, TenantRecord, is_stored_password,
};
use dossier::domain::entitlement::AttributePermission;
use serde_json::json;

use super::{PROFILE_EXPORT, TENANT_EXPORT, one, profile, read, refused};

const STORED: &str = "sORCzbSkS7akbJ9vnRxidHmQKACXK6AGKE3i5NTutLM=|AAECAwQFBgcICQoLDA0ODw==";

fn time(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

fn only(collection: Collection, text: &str) -> Result<Record, String> {
    let mut all: Vec<_> = Reading::new(collection, "file.json", text.as_bytes()).collect();
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0).map(|entry| entry.record).map_err(|problem| problem.to_string())
}

fn access_token(text: &str) -> AccessTokenRecord {
    match only(Collection::AccessToken, text) {
        Ok(Record::AccessToken(token)) => token,
        other => panic!("{other:?}: {text}"),
    }
}

fn tenant(text: &str) -> TenantRecord {
    match only(Collection::Tenant, text) {
        Ok(Record::Tenant(tenant)) => tenant,
        other => panic!("{other:?}: {text}"),
    }
}

#[test]
fn a_profile_is_read_with_every_field() {
    let marta = profile(read(PROFILE_EXPORT).remove(0).unwrap());
    assert_eq!(marta.id.unwrap().as_bytes()[..4], [0x5f, 0x1d, 0x7b, 0x02]);
    assert_eq!(marta.username.0, "marta");
    assert_eq!(marta.password_hash.unwrap().expose(), STORED);
    assert_eq!(marta.plain_password, None);
    assert_eq!(marta.email.unwrap().0, "marta@example.org");
    assert!(marta.verified && marta.enabled);
    assert_eq!(marta.created_at, time("2020-07-26T12:44:50.117Z"));
    assert_eq!(marta.modified_at, time("2023-03-14T09:26:53.589Z"));
    assert_eq!((marta.tenant.as_str(), marta.roles), ("museum", vec!["CURATOR".to_owned()]));
    assert_eq!(marta.attributes["newsletters"].0, json!(["openings", "lectures"]));
    assert_eq!(marta.attributes["memberSince"].0, json!(1_398_902_400_000_i64));
    let jun = profile(read(PROFILE_EXPORT).remove(1).unwrap());
    assert_eq!(jun.failed_log_in_attempts, 3);
    assert_eq!(jun.last_failed_log_in, time("2021-11-02T16:05:00.25Z"));
    assert_eq!(jun.password_hash, None);
}

#[test]
fn what_a_profile_lacks_has_its_default() {
    for nothing in ["", r#","email":null,"roles":null,"attributes":null,"password":"","email":"""#]
    {
        let profile = one(nothing);
        assert_eq!(profile.email, None);
        assert_eq!((profile.password_hash, profile.plain_password), (None, None));
        assert!(!profile.verified && !profile.enabled);
        assert_eq!((profile.created_at, profile.modified_at), (None, None));
        assert!(profile.roles.is_empty() && profile.attributes.is_empty());
        assert_eq!(profile.failed_log_in_attempts, 0);
    }
}

/// Issue 8.
#[test]
fn names_that_cannot_be_read_are_refused() {
    let reason = |collection, fields: &str| {
        let id = r#""_id":{"$oid":"5926ee77d4c6ad51e5e44f45"}"#;
        only(collection, &format!("{{{id},{fields}}}")).unwrap_err()
    };
    let (invisible, turned) = ("\\u200b\\ufeff", "ada\\u202e");
    let profile = |name: &str, role: &str| {
        format!(r#""username":"{name}","tenant":"acme","roles":["A","{role}"]"#)
    };
    let said = reason(Collection::Profile, &profile(invisible, "B"));
    assert!(said.ends_with("\"username\" has no visible character"), "{said}");
    let said = reason(Collection::Profile, &profile("ada", turned));
    assert!(said.contains("a name in \"roles\" holds a character that changes the direction"));
    let tenant = |name: &str, role: &str, attribute: &str| {
        format!(
            r#""name":"{name}","availableRoles":["{role}"],
            "attributeDefinitions":[{{"name":"{attribute}"}}]"#
        )
    };
    for (name, role, attribute) in [(turned, "a", "a"), ("a", turned, "a"), ("a", "a", turned)] {
        let said = reason(Collection::Tenant, &tenant(name, role, attribute));
        assert!(said.contains("changes the direction"), "{said}");
    }
}

#[test]
fn a_null_attribute_is_kept_as_null() {
    let profile = one(r#","attributes":{"a":null,"b":{"c":{"$numberLong":"5"}}}"#);
    assert_eq!(profile.attributes["a"].0, json!(null));
    assert_eq!(profile.attributes["b"].0, json!({"c": 5}));
}

#[test]
fn a_field_of_another_type_is_named_without_its_value() {
    for (field, reason) in [
        (r#""email":17"#, "\"email\" is not a string"),
        (r#""enabled":"yes""#, "\"enabled\" is not true or false"),
        (r#""createdOn":"soon""#, "\"createdOn\" is not a time"),
        (r#""roles":"ADMIN""#, "\"roles\" is not a list of strings"),
        (r#""roles":["ADMIN",1]"#, "\"roles\" is not a list of strings"),
        (r#""attributes":[1]"#, "\"attributes\" is not an object"),
        (r#""attributes":{"a":{"$code":"f"}}"#, "\"attributes.a\": \"$code\" is not known"),
        (r#""failedLoginAttempts":-1"#, "\"failedLoginAttempts\" is not a count"),
        (r#""failedLoginAttempts":1.5"#, "\"failedLoginAttempts\" is not a count"),
        (r#""failedLoginAttempts":4294967296"#, "\"failedLoginAttempts\" is not a count"),
        (r#""password":1"#, "\"password\" is not a string"),
        (r#""username":"""#, "\"username\" is empty"),
        (r#""tenant":null"#, "\"tenant\" is missing"),
        (r#""_id":"me""#, "\"_id\" is not an ObjectId of 24 hex digits"),
        (r#""_id":null"#, "\"_id\" is missing"),
    ] {
        // Of a name that stands twice the later value counts.
        let problem = refused(&format!(",{field}"));
        assert_eq!(problem, format!("profile.json line 1: {reason}"), "{field}");
    }
}

#[test]
fn a_count_written_by_the_shell_is_a_double() {
    assert_eq!(one(r#","failedLoginAttempts":3.0"#).failed_log_in_attempts, 3);
    let largest = one(r#","failedLoginAttempts":4294967295"#).failed_log_in_attempts;
    assert_eq!(largest, u32::MAX);
}

#[test]
fn the_stored_form_of_a_password_is_told_by_its_form() {
    assert!(is_stored_password(STORED));
    let (hash, salt) = STORED.split_once('|').unwrap();
    for other in [
        String::new(),
        "admin".to_owned(),
        "a|b".to_owned(),
        hash.to_owned(),
        format!("{salt}|{hash}"),
        format!("{hash}|"),
        format!("{STORED}|"),
        format!("{hash}|AAECAwQFBgcICQoLDA0O"),
        STORED.replace('=', ""),
    ] {
        assert!(!is_stored_password(&other), "{other}");
    }
}

#[test]
fn an_exported_password_is_never_taken_for_a_plain_one() {
    for damaged in ["admin", &STORED[..60]] {
        let problem = refused(&format!(r#","password":"{damaged}""#));
        assert!(
            problem.ends_with("\"password\" is not of the stored form Base64(hash)|Base64(salt)")
        );
    }
}

#[test]
fn secrets_and_persons_do_not_show_when_debugged() {
    let profile = one(&format!(
        r#","password":"{STORED}","email":"ada@example.org","attributes":{{"born":"1815"}}"#
    ));
    let token = access_token(r#"{"_id":"key-1"}"#);
    let shown = format!("{profile:?} {token:?}");
    for hidden in ["sORC", "ada@", "1815", "u1", "key-1"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

#[test]
fn an_access_token_is_read_with_every_field() {
    let token = access_token(
        r#"{"_id":"key-1","application":"site","master":true,
            "tenantPermissions":[{"tenant":"a","allowedActions":["*"]},{}],
            "expiresOn":{"$date":"2040-01-31T00:00:00Z"}}"#,
    );
    assert_eq!(token.id.expose(), "key-1");
    assert_eq!(token.application.as_deref(), Some("site"));
    assert!(token.master);
    let permissions = token.tenant_permissions.unwrap();
    assert_eq!(permissions[0].tenant, "a");
    assert_eq!(permissions[0].allowed_actions, Some(vec!["*".to_owned()]));
    // Contract 3: without a tenant it is for all; without actions for none.
    assert_eq!((permissions[1].tenant.as_str(), &permissions[1].allowed_actions), ("*", &None));
    assert_eq!(token.expires_at, time("2040-01-31T00:00:00Z"));
}

#[test]
fn what_an_access_token_lacks_has_its_default() {
    let token = access_token(r#"{"_id":{"$uuid":"7c9e6679-7425-40de-944b-e07fc1f90ae7"}}"#);
    assert_eq!(token.id.expose(), "7c9e6679-7425-40de-944b-e07fc1f90ae7");
    assert_eq!((token.application, token.master), (None, false));
    assert_eq!((token.tenant_permissions, token.expires_at), (None, None));
}

#[test]
fn a_wrong_access_token_is_refused() {
    for (text, reason) in [
        (r#"{"application":"site"}"#, "\"_id\" is missing"),
        (r#"{"_id":""}"#, "\"_id\" is missing"),
        (r#"{"_id":1}"#, "\"_id\" is not a string"),
        (r#"{"_id":"k","tenantPermissions":{}}"#, "\"tenantPermissions\" is not a list of objects"),
        (r#"{"_id":"k","tenantPermissions":[{},1]}"#, "\"tenantPermissions.1\" is not an object"),
        (
            r#"{"_id":"k","tenantPermissions":[{},{"tenant":1}]}"#,
            "\"tenantPermissions.1.tenant\" is not a string",
        ),
    ] {
        let problem = only(Collection::AccessToken, text).unwrap_err();
        assert_eq!(problem, format!("file.json line 1: {reason}"));
    }
}

#[test]
fn a_tenant_is_read_with_every_field() {
    let tenant = tenant(TENANT_EXPORT);
    assert_eq!(tenant.name, "museum");
    assert!(tenant.id.is_some());
    assert!(tenant.verify_new_profiles && !tenant.sso_enabled && tenant.cleanse_attributes);
    assert_eq!(tenant.available_roles, ["CURATOR", "VISITOR"]);
    let newsletters = &tenant.attribute_definitions[2];
    assert_eq!(newsletters.name, "newsletters");
    assert_eq!(newsletters.metadata.as_ref().unwrap()["type"], json!("STRING_LIST"));
    assert_eq!(newsletters.default_value, Some(json!(["openings"])));
    let read_only = AttributePermission {
        application: "museum-site".to_owned(),
        allowed_actions: Some(vec!["READ_ATTRIBUTE".to_owned()]),
    };
    assert_eq!(newsletters.permissions[0], read_only);
    assert_eq!(tenant.attribute_definitions[0].default_value, None);
}

#[test]
fn what_a_tenant_lacks_has_its_default() {
    let tenant = tenant(r#"{"_id":{"$oid":"5f1d7a3be4b0c2a9d8e7f601"},"name":"a"}"#);
    assert!(!tenant.verify_new_profiles && !tenant.sso_enabled);
    // Contract 3: absent before 2019, and true since.
    assert!(tenant.cleanse_attributes);
    assert!(tenant.available_roles.is_empty() && tenant.attribute_definitions.is_empty());
}

#[test]
fn a_wrong_tenant_is_refused() {
    for (field, reason) in [
        (r#""name":null"#, "\"name\" is missing"),
        (
            r#""attributeDefinitions":[{"metadata":{}}]"#,
            "\"attributeDefinitions.0.name\" is missing",
        ),
        (
            r#""attributeDefinitions":[{"name":"a","metadata":[]}]"#,
            "\"attributeDefinitions.0.metadata\" is not an object",
        ),
        (
            r#""attributeDefinitions":[{"name":"a","permissions":[{"allowedActions":"*"}]}]"#,
            "\"attributeDefinitions.0.permissions.0.allowedActions\" is not a list of strings",
        ),
    ] {
        let text = format!(r#"{{"_id":"5f1d7a3be4b0c2a9d8e7f601","name":"a",{field}}}"#);
        let problem = only(Collection::Tenant, &text).unwrap_err();
        assert_eq!(problem, format!("file.json line 1: {reason}"));
    }
}
