//! The values a catalogue file may hold, at each bound and one past it.

use super::catalogue_file::{TENANT, accepted, issuer, problems, profile, refused, role};

#[test]
fn ranks_end_at_zero_and_five() {
    for rank in [0, 5] {
        accepted(&role("").replace("rank = 2", &format!("rank = {rank}")));
    }
    for rank in [-1, 6] {
        refused(
            &role("").replace("rank = 2", &format!("rank = {rank}")),
            &[&format!("line 5: rank {rank} is outside 0 to 5")],
        );
    }
}

#[test]
fn artifacts_are_those_of_the_sections() {
    accepted(&role("artifacts = [\"eval\", \"settings\"]"));
    refused(&role("artifacts = [\"hoem\"]"), &["line 7: there is no artifact `hoem`"]);
}

#[test]
fn colours_are_six_digits_after_a_hash() {
    let setting = |color: &str| {
        format!("[[tenants.settings]]\nkey = \"a\"\nname = \"A\"\ncolors.accent = \"{color}\"\n")
    };
    accepted(&setting("#09afAF"));
    for color in ["", "#", "09afAF", "#09afA", "#09afAF0", "#09afAg", "#0é0é", "##9afAF", "red"] {
        refused(
            &setting(color),
            &[&format!("line 6: `{color}` is no colour for accent: write #rrggbb")],
        );
    }
}

#[test]
fn keys_are_short_and_plain() {
    let department =
        |key: &str| format!("[[tenants.departments]]\nkey = \"{key}\"\nname = \"A\"\n");
    for key in ["a", "9", "a-b_c", &"k".repeat(64)] {
        accepted(&department(key));
    }
    for key in ["", "A", "a b", "-a", "é", &"k".repeat(65)] {
        let found = problems(&format!("{TENANT}{}", department(key)));
        assert!(
            found[0].starts_with(&format!("line 4: department key `{key}` is not")),
            "{found:?}"
        );
    }
}

#[test]
fn names_are_neither_empty_nor_longer_than_two_hundred() {
    accepted(&profile("").replace("Ada", &"é".repeat(200)));
    let too_long = profile("").replace("Ada", &"é".repeat(201));
    refused(&too_long, &["line 5: the profile name is longer than 200 characters"]);
    refused(&profile("").replace("Ada", "  "), &["line 5: the profile name is empty"]);
    refused(
        &profile("").replace("Ada", "A\\nda"),
        &["line 5: the profile name is not on one line"],
    );
    assert_eq!(problems("[[tenants]]\nname = \"\"\n"), ["line 2: the tenant name is empty"]);
}

#[test]
fn names_can_be_read() {
    let department =
        |name: &str| format!("[[tenants.departments]]\nkey = \"a\"\nname = \"{name}\"\n");
    for name in ["Öst", "می\\u200Cخواهد"] {
        accepted(&department(name));
    }
    let turns = "changes the direction of the text around it";
    for (name, flaw) in [
        ("\\u200B", "has no visible character"),
        ("A\\u202E", &format!("holds a character that {turns}")),
        ("A\\u2028A", "is not on one line"),
    ] {
        refused(&department(name), &[&format!("line 5: the department name {flaw}")]);
        refused(&role("").replace("Member", name), &[&format!("line 6: the role name {flaw}")]);
        refused(&profile("").replace("Ada", name), &[&format!("line 5: the profile name {flaw}")]);
    }
}

#[test]
fn emails_are_compared_as_log_ins_and_counted_in_characters() {
    accepted(&profile("emails = [\"strasse@b.example\", \"straße@b.example\"]\n"));
    refused(
        &profile("emails = [\"Straße@b.example\", \"straße@b.example\"]\n"),
        &["line 6: e-mail `straße@b.example` is already on line 6"],
    );
    let longest = format!("{}@b.example", "é".repeat(244));
    accepted(&profile(&format!("emails = [\"{longest}\"]\n")));
}

#[test]
fn text_holds_no_control_characters() {
    refused(&role("description = \"\\u0000\""), &["line 7: the text holds a control character"]);
    refused(
        &profile("emails = [\"a\\u0000@b.example\"]\n"),
        &["line 6: the text holds a control character"],
    );
}

#[test]
fn emails_have_one_at_sign_between_two_parts() {
    let longest = format!("{}@b.example", "a".repeat(244));
    accepted(&profile(&format!("emails = [\"{longest}\", \"o'hara+x@b.example\"]\n")));
    for (email, flaw) in [
        ("ab.example", "it has no @"),
        ("a@b@c.example", "it has more than one @"),
        ("@b.example", "nothing stands before or after its @"),
        ("a@", "nothing stands before or after its @"),
        ("a a@b.example", "it holds white space"),
        (&format!("a{longest}"), "it is longer than 254 characters"),
    ] {
        refused(
            &profile(&format!("emails = [\"{email}\"]\n")),
            &[&format!("line 6: `{email}` is no e-mail address: {flaw}")],
        );
    }
}

#[test]
fn request_limits_end_at_one_and_a_million() {
    for limit in [1, 1_000_000] {
        accepted(&profile(&format!("request_limit = {limit}\n")));
    }
    for limit in [0, -1, 1_000_001] {
        refused(
            &profile(&format!("request_limit = {limit}\n")),
            &[&format!("line 6: request limit {limit} is outside 1 to 1000000")],
        );
    }
}

#[test]
fn an_issuer_has_its_keys_in_exactly_one_place() {
    let algorithms = "algorithms = [\"RS256\"]\n";
    accepted(&issuer(&format!("{algorithms}jwks_file = \"keys.json\"\n")));
    accepted(&issuer(&format!("{algorithms}jwks_url = \"http://localhost:8081/keys\"\n")));
    refused(
        &issuer(algorithms),
        &["line 4: issuer `https://id.example` has no keys: give jwks_file or jwks_url"],
    );
    refused(
        &issuer(&format!("{algorithms}jwks_url = \"https://a.example\"\njwks_file = \"k.json\"\n")),
        &["line 8: give jwks_file or jwks_url, not both"],
    );
    for url in ["", "keys.json", "ftp://a.example", "https://", "http://a.example", "https://a b"] {
        refused(
            &issuer(&format!("{algorithms}jwks_url = \"{url}\"\n")),
            &[&format!(
                "line 7: no keys are fetched from jwks_url `{url}`: give an https address, or \
                 http on this machine, without user name and password"
            )],
        );
    }
}

#[test]
fn an_issuer_signs_with_public_key_algorithms_only() {
    let signed_with = |algorithms: &str| {
        issuer(&format!("algorithms = [{algorithms}]\njwks_file = \"k.json\"\n"))
    };
    let allowed = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
    accepted(&signed_with(&allowed.map(|algorithm| format!("\"{algorithm}\"")).join(", ")));
    for algorithm in ["HS256", "HS384", "HS512", "none", "None", "rs256", "ES512", ""] {
        let listed = allowed.join(", ");
        refused(
            &signed_with(&format!("\"{algorithm}\"")),
            &[&format!("line 6: algorithm `{algorithm}` is not among {listed}")],
        );
    }
    refused(&signed_with(""), &["line 6: an issuer needs at least one algorithm"]);
}

#[test]
fn an_expiry_is_an_instant() {
    let key = |expires_at: &str| {
        format!("[[tenants.api_keys]]\nname = \"demo\"\nexpires_at = {expires_at}\n")
    };
    for expires_at in ["2030-01-31", "2030-01-31T00:00:00"] {
        let found = problems(&format!("{TENANT}{}", key(expires_at)));
        assert!(found[0].starts_with("line 5: ") && found[0].contains("offset"), "{found:?}");
    }
    assert!(problems(&format!("{TENANT}{}", key("\"tomorrow\"")))[0].starts_with("line 5: "));
}
