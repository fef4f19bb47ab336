//! What a catalogue file may say, that nothing in it stands twice or refers to nothing, and that
//! all mistakes are named with their lines. The bounds of single values: `catalogue_values.rs`.

use dossier::catalogue_file::{CatalogueFile, line_at, parse};

pub(super) const TENANT: &str = "[[tenants]]\nname = \"default\"\n";

fn read(text: &str) -> CatalogueFile {
    parse(text).unwrap_or_else(|problems| panic!("refused: {problems:#?}\n{text}"))
}

pub(super) fn problems(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(file) => panic!("accepted: {file:#?}"),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// The entry begins on line 3, after the two lines of its tenant.
pub(super) fn refused(entry: &str, expected: &[&str]) {
    assert_eq!(problems(&format!("{TENANT}{entry}")), expected, "{entry}");
}

pub(super) fn accepted(entry: &str) -> CatalogueFile {
    read(&format!("{TENANT}{entry}"))
}

pub(super) fn role(fields: &str) -> String {
    format!("[[tenants.roles]]\nkey = \"member\"\nrank = 2\nname = \"Member\"\n{fields}\n")
}

pub(super) fn issuer(fields: &str) -> String {
    format!(
        "[[tenants.issuers]]\nissuer = \"https://id.example\"\naudience = \"dossier\"\n{fields}"
    )
}

pub(super) fn profile(fields: &str) -> String {
    format!("[[tenants.profiles]]\nid = \"ada\"\nname = \"Ada\"\n{fields}")
}

#[test]
fn the_demo_catalogue_is_accepted() {
    let file = read(include_str!("../../ops/demo/catalogue.toml"));
    let [tenant] = file.tenants.as_slice() else { panic!("one tenant") };
    let ranks: Vec<(&str, i16)> =
        tenant.roles.iter().map(|role| (role.key.as_ref().as_str(), *role.rank.as_ref())).collect();
    assert_eq!(
        ranks,
        [
            ("superadmin", 5),
            ("admin", 4),
            ("instructional", 3),
            ("member", 2),
            ("guest", 1),
            ("custom", 1)
        ]
    );
    assert!(tenant.settings.iter().all(|setting| setting.colors.given().count() == 12));
    assert!(tenant.departments.iter().all(|department| department.settings.len() == 1));
    assert_eq!(tenant.profiles[0].roles[0].as_ref(), "superadmin");
}

#[test]
fn every_field_is_read() {
    let file = accepted(
        r##"
[[tenants.roles]]
key = "member"
rank = 2
name = "Member"
description = "Sits in a chamber"
artifacts = ["home"]
[[tenants.departments]]
key = "house"
name = "House"
description = "The lower chamber"
settings = ["green"]
[[tenants.settings]]
key = "green"
name = "Green"
active = false
colors = { primary = "#0A7b3c" }
[[tenants.issuers]]
issuer = "https://id.example"
audience = "dossier"
algorithms = ["ES256", "EdDSA"]
jwks_url = "https://id.example/keys"
[[tenants.api_keys]]
name = "demo"
expires_at = 2030-01-31T01:00:00+01:00
key_file = "demo.key"
[[tenants.profiles]]
id = "ada"
name = "Ada"
emails = ["ada@directory.example"]
roles = ["member"]
departments = ["house"]
request_limit = 1000
"##,
    );
    let tenant = &file.tenants[0];
    assert_eq!(tenant.roles[0].description.as_deref(), Some("Sits in a chamber"));
    assert_eq!(tenant.departments[0].settings[0].as_ref(), "green");
    assert!(!tenant.settings[0].active);
    assert_eq!(tenant.settings[0].colors.given().count(), 1);
    assert_eq!(tenant.issuers[0].algorithms.as_ref()[1].as_ref(), "EdDSA");
    let expires_at = tenant.api_keys[0].expires_at.expect("an expiry");
    assert_eq!(expires_at.to_rfc3339(), "2030-01-31T00:00:00+00:00");
    assert_eq!(tenant.profiles[0].request_limit.as_ref().map(|limit| *limit.as_ref()), Some(1000));
}

#[test]
fn what_may_be_left_out_has_its_default() {
    let file = accepted(
        "[[tenants.settings]]\nkey = \"plain\"\nname = \"Plain\"\n\
         [[tenants.api_keys]]\nname = \"demo\"\n\
         [[tenants.profiles]]\nid = \"ada\"\nname = \"Ada\"\n",
    );
    let tenant = &file.tenants[0];
    assert!(tenant.settings[0].active);
    assert_eq!(tenant.settings[0].colors.given().count(), 0);
    assert_eq!(tenant.api_keys[0].expires_at, None);
    assert_eq!(tenant.profiles[0].request_limit, None);
    assert!(tenant.roles.is_empty());
}

#[test]
fn a_value_knows_its_line() {
    let text = format!("{TENANT}{}", profile("emails = [\n  \"ada@directory.example\",\n]"));
    let file = read(&text);
    assert_eq!(line_at(&text, file.tenants[0].profiles[0].emails[0].span()), 7);
    assert_eq!(line_at(&text, file.tenants[0].name.span()), 2);
}

#[test]
fn all_mistakes_are_named_in_order_of_line() {
    refused(
        "[[tenants.roles]]\nkey = \"member\"\nrank = 6\nname = \"\"\n\
         [[tenants.roles]]\nkey = \"guest\"\nname = \"Guest\"\nrnak = 1\n\
         [[tenants.profiles]]\nid = \"ada\"\nname = \"Ada\"\nroles = [\"guest\", \"chair\"]\n\
         emails = [\"ada\"]\n",
        &[
            "line 5: rank 6 is outside 0 to 5",
            "line 6: the role name is empty",
            "line 10: unknown field `rnak`, expected one of `key`, `rank`, `name`, \
             `description`, `artifacts`, `audits`",
            "line 14: this tenant has no role `chair`",
            "line 15: `ada` is no e-mail address: it has no @",
        ],
    );
}

#[test]
fn broken_syntax_is_refused_on_its_line() {
    let found = problems("[[tenants]]\nname = \"default\n\n[[tenants.roles]\nkey = 1\n");
    assert!(found[0].starts_with("line 2: "), "{found:?}");
    assert!(found.iter().any(|problem| problem.starts_with("line 4: ")), "{found:?}");
    assert!(problems("name = \"a\"\nname = \"b\"\n")[0].starts_with("line 2: duplicate key"));
}

#[test]
fn a_file_without_tenants_is_refused() {
    let expected = ["line 1: the file names no tenant: it needs [[tenants]] with a name"];
    assert_eq!(problems(""), expected);
    assert_eq!(problems("tenants = []"), expected);
}

#[test]
fn fields_no_one_knows_are_refused() {
    assert_eq!(
        problems(&format!("{TENANT}[extra]\n")),
        ["line 3: unknown field `extra`, expected `tenants`"]
    );
    refused(
        "role = []\n",
        &["line 3: unknown field `role`, expected one of `name`, `roles`, `departments`, \
           `settings`, `issuers`, `api_keys`, `profiles`"],
    );
    refused(
        "[[tenants.settings]]\nkey = \"a\"\nname = \"A\"\ncolors.main = \"#000000\"\n",
        &["line 6: unknown field `main`, expected one of `primary`, `accent`, `background`, \
           `surface`, `success`, `warning`, `error`, `chart1`, `chart2`, `chart3`, `chart4`, \
           `chart5`"],
    );
}

#[test]
fn missing_fields_are_refused_on_the_line_of_their_entry() {
    refused("[[tenants.roles]]\nkey = \"a\"\nname = \"A\"\n", &["line 3: missing field `rank`"]);
    refused("[[tenants.profiles]]\nname = \"Ada\"\n", &["line 3: missing field `id`"]);
    assert_eq!(problems("\n[[tenants]]\n"), ["line 2: missing field `name`"]);
}

#[test]
fn values_of_another_type_are_refused() {
    refused(
        &role("artifacts = \"home\""),
        &["line 7: invalid type: string \"home\", expected a sequence"],
    );
    refused("roles = 3\n", &["line 3: `roles` must be a list of tables, as [[…roles]]"]);
    refused("roles = [3]\n", &["line 3: invalid type: integer `3`, expected struct RoleEntry"]);
    assert_eq!(problems("tenants = [1]\n"), ["line 1: a tenant must be a table"]);
    let found = problems(&format!("{TENANT}{}", role("").replace("rank = 2", "rank = 70000")));
    assert_eq!(found, ["line 5: invalid value: integer `70000`, expected i16"]);
}

#[test]
fn the_same_key_twice_is_refused() {
    assert_eq!(
        problems("[[tenants]]\nname = \"a\"\n[[tenants]]\nname = \"a\"\n"),
        ["line 4: tenant `a` is already on line 2"]
    );
    refused(
        &format!("{}{}", role(""), role("").replace("Member", "Sitter")),
        &["line 9: role `member` is already on line 4"],
    );
    refused(
        "[[tenants.api_keys]]\nname = \"demo\"\n[[tenants.api_keys]]\nname = \"demo\"\n",
        &["line 6: API key `demo` is already on line 4"],
    );
    refused(
        &format!("{}{}", profile(""), profile("")),
        &["line 7: profile id `ada` is already on line 4"],
    );
    let keys = "algorithms = [\"RS256\"]\njwks_file = \"keys.json\"\n";
    refused(
        &format!("{}{}", issuer(keys), issuer(keys)),
        &["line 9: issuer `https://id.example` is already on line 4"],
    );
}

#[test]
fn names_and_emails_are_compared_as_people_do() {
    refused(
        "[[tenants.departments]]\nkey = \"a\"\nname = \"Straße\"\n\
         [[tenants.departments]]\nkey = \"b\"\nname = \"STRASSE\"\n",
        &["line 8: department name `STRASSE` is already on line 5"],
    );
    refused(
        &profile("emails = [\"a@b.example\", \"A@B.example\"]\n"),
        &["line 6: e-mail `A@B.example` is already on line 6"],
    );
}

#[test]
fn another_tenant_may_use_the_same_keys() {
    let second = TENANT.replace("default", "second");
    read(&format!("{TENANT}{}{second}{}", role(""), role("")));
}

#[test]
fn one_tenants_keys_are_unknown_to_another() {
    let second = TENANT.replace("default", "second");
    let text = format!("{TENANT}{}{second}{}", role(""), profile("roles = [\"member\"]\n"));
    assert_eq!(problems(&text), ["line 13: this tenant has no role `member`"]);
}

#[test]
fn references_to_what_is_not_declared_are_refused() {
    refused(
        "[[tenants.departments]]\nkey = \"a\"\nname = \"A\"\nsettings = [\"green\"]\n",
        &["line 6: this tenant has no setting `green`"],
    );
    refused(
        &profile("roles = [\"member\"]\ndepartments = [\"house\"]\n"),
        &[
            "line 6: this tenant has no role `member`",
            "line 7: this tenant has no department `house`",
        ],
    );
    refused(
        &format!("{}{}", role(""), profile("roles = [\"member\", \"member\"]\n")),
        &["line 11: role `member` is already on line 11"],
    );
}

#[test]
fn mistakes_in_a_malformed_entry_do_not_blame_those_who_refer_to_it() {
    let typo = role("artefacts = []");
    let found = problems(&format!("{TENANT}{typo}{}", profile("roles = [\"member\"]\n")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("line 7: unknown field `artefacts`"), "{found:?}");
}
