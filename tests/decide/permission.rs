//! Who may do what (contract 1.3): each predicate over all pairs of roles, with the departments
//! in common or not.

use dossier::domain::ids::DepartmentId;
use dossier::domain::permission::{
    Authority, Facet, RankedRole, Standing, can_assign_departments, can_assign_role, can_create,
    can_delete, can_duplicate, can_edit, can_operate, has_access, is_emulatable, is_listed,
    may_change_own,
};

use crate::support::given::ROLES;

use super::{HISTORY, NO_ROLE, PHYSICS, person, role, standing};

/// A role, and the roles of those towards whom it may.
type Row = (&'static str, &'static str);

const ALL: &str = "superadmin admin instructional member guest custom -";
const NONE: &str = "";

const EVERYBODY: [Row; 7] = [
    ("superadmin", ALL),
    ("admin", ALL),
    ("instructional", ALL),
    ("member", ALL),
    ("guest", ALL),
    ("custom", ALL),
    (NO_ROLE, ALL),
];

const SUPERADMINS_EVERYBODY: [Row; 7] = [
    ("superadmin", ALL),
    ("admin", NONE),
    ("instructional", NONE),
    ("member", NONE),
    ("guest", NONE),
    ("custom", NONE),
    (NO_ROLE, NONE),
];

fn keys() -> impl Iterator<Item = &'static str> {
    ROLES.into_iter().map(|(key, _)| key).chain([NO_ROLE])
}

/// Holds for exactly these pairs, when one is in `own` and the other in `theirs`.
#[track_caller]
fn assert_holds(
    predicate: impl Fn(&Standing, &Standing) -> bool,
    (own, theirs): (&[DepartmentId], &[DepartmentId]),
    expected: [Row; 7],
) {
    let towards = |key: &str| {
        let by = standing(person(1), key, own);
        let held = keys().filter(|other| predicate(&by, &standing(person(2), other, theirs)));
        held.collect::<Vec<_>>().join(" ")
    };
    let found: Vec<(&str, String)> = keys().map(|key| (key, towards(key))).collect();
    let expected = expected.map(|(key, others)| (key, others.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn people_see_those_with_whom_they_share_a_department() {
    assert_holds(has_access, (&[HISTORY], &[HISTORY]), EVERYBODY);
    assert_holds(has_access, (&[HISTORY, PHYSICS], &[PHYSICS]), EVERYBODY);
    assert_holds(has_access, (&[PHYSICS], &[HISTORY, PHYSICS]), EVERYBODY);
}

#[test]
fn everybody_sees_those_of_no_department() {
    assert_holds(has_access, (&[HISTORY], &[]), EVERYBODY);
    assert_holds(has_access, (&[], &[]), EVERYBODY);
}

#[test]
fn only_superadmins_see_those_of_other_departments() {
    assert_holds(has_access, (&[HISTORY], &[PHYSICS]), SUPERADMINS_EVERYBODY);
    assert_holds(has_access, (&[], &[PHYSICS]), SUPERADMINS_EVERYBODY);
}

#[test]
fn admins_and_the_instructional_edit_lower_ranks_in_their_departments() {
    let below = [
        ("superadmin", ALL),
        ("admin", "instructional member guest custom -"),
        ("instructional", "member guest custom -"),
        ("member", NONE),
        ("guest", NONE),
        ("custom", NONE),
        (NO_ROLE, NONE),
    ];
    assert_holds(can_edit, (&[HISTORY], &[HISTORY]), below);
    assert_holds(can_edit, (&[HISTORY, PHYSICS], &[PHYSICS]), below);
    assert_holds(can_edit, (&[HISTORY], &[]), below);
    assert_holds(can_edit, (&[], &[]), below);
}

#[test]
fn one_department_that_is_not_theirs_keeps_all_but_superadmins_from_editing() {
    assert_holds(can_edit, (&[HISTORY], &[HISTORY, PHYSICS]), SUPERADMINS_EVERYBODY);
    assert_holds(can_edit, (&[HISTORY], &[PHYSICS]), SUPERADMINS_EVERYBODY);
    assert_holds(can_edit, (&[], &[PHYSICS]), SUPERADMINS_EVERYBODY);
}

#[test]
fn admins_delete_lower_ranks_that_they_see() {
    let below = [
        ("superadmin", ALL),
        ("admin", "instructional member guest custom -"),
        ("instructional", NONE),
        ("member", NONE),
        ("guest", NONE),
        ("custom", NONE),
        (NO_ROLE, NONE),
    ];
    // Other than for editing, one department in common is enough.
    assert_holds(can_delete, (&[HISTORY], &[HISTORY, PHYSICS]), below);
    assert_holds(can_delete, (&[HISTORY], &[]), below);
    assert_holds(can_delete, (&[HISTORY], &[PHYSICS]), SUPERADMINS_EVERYBODY);
}

#[test]
fn admins_duplicate_up_to_their_own_rank_those_they_see() {
    let up_to_own = [
        ("superadmin", ALL),
        ("admin", "admin instructional member guest custom -"),
        ("instructional", NONE),
        ("member", NONE),
        ("guest", NONE),
        ("custom", NONE),
        (NO_ROLE, NONE),
    ];
    assert_holds(can_duplicate, (&[HISTORY], &[HISTORY, PHYSICS]), up_to_own);
    assert_holds(can_duplicate, (&[HISTORY], &[]), up_to_own);
    assert_holds(can_duplicate, (&[HISTORY], &[PHYSICS]), SUPERADMINS_EVERYBODY);
}

#[test]
fn roles_up_to_ones_own_are_given() {
    let gives = |by: &Standing, other: &Standing| {
        other.role.as_ref().is_some_and(|role| can_assign_role(by, role.rank))
    };
    let options = [
        ("superadmin", "superadmin admin instructional member guest custom"),
        ("admin", "admin instructional member guest custom"),
        ("instructional", "instructional member guest custom"),
        ("member", "member guest custom"),
        ("guest", "guest custom"),
        ("custom", "guest custom"),
        (NO_ROLE, NONE),
    ];
    assert_holds(gives, (&[], &[]), options);
}

#[test]
fn one_without_a_role_gives_none_of_any_rank() {
    assert!(!can_assign_role(&standing(person(1), NO_ROLE, &[]), 0));
}

#[test]
fn roles_below_ones_own_are_emulated_and_custom_by_nobody() {
    let emulates = |by: &Standing, other: &Standing| match (&by.role, &other.role) {
        (Some(by), Some(other)) => is_emulatable(by, other),
        _ => false,
    };
    let scoped = [
        ("superadmin", "superadmin admin instructional member guest"),
        ("admin", "instructional member guest"),
        ("instructional", "member guest"),
        ("member", NONE),
        ("guest", NONE),
        ("custom", NONE),
        (NO_ROLE, NONE),
    ];
    assert_holds(emulates, (&[], &[]), scoped);
}

#[test]
fn ones_own_rank_and_below_are_listed() {
    let listed = |by: &Standing, other: &Standing| is_listed(by, other.role.as_ref());
    let visible = [
        ("superadmin", ALL),
        ("admin", "admin instructional member guest -"),
        ("instructional", "instructional member guest"),
        ("member", "member guest"),
        ("guest", "guest"),
        ("custom", "guest"),
        (NO_ROLE, NONE),
    ];
    assert_holds(listed, (&[], &[]), visible);
}

#[test]
fn people_see_and_edit_themselves_but_never_delete_themselves() {
    for key in keys() {
        for (before, now) in [(vec![], vec![]), (vec![HISTORY], vec![PHYSICS])] {
            let own = standing(person(1), key, &before);
            let own_now = standing(person(1), key, &now);
            assert!(has_access(&own, &own_now), "{key}");
            assert!(can_edit(&own, &own_now), "{key}");
            assert!(!can_delete(&own, &own_now), "{key}");
        }
    }
}

#[test]
fn admins_create_and_draft() {
    let creators: Vec<&str> =
        keys().filter(|key| can_create(&standing(person(1), key, &[]))).collect();
    assert_eq!(creators, ["superadmin", "admin"]);
}

#[test]
fn admins_whose_role_opens_profiles_export_and_refresh() {
    let open = |artifacts: &[&str]| artifacts.iter().map(|one| (*one).to_owned()).collect();
    let operators = |artifacts: Vec<String>| {
        let by = |key: &str| standing(person(1), key, &[]);
        keys().filter(|key| can_operate(&by(key), &artifacts)).collect::<Vec<&str>>()
    };
    assert_eq!(operators(open(&["home", "profile"])), ["superadmin", "admin"]);
    assert!(operators(open(&["home", "profiles", "Profile"])).is_empty());
    assert!(operators(open(&[])).is_empty());
}

#[test]
fn departments_of_ones_own_are_given_and_any_by_superadmins() {
    for (key, _) in ROLES {
        let by = standing(person(1), key, &[HISTORY]);
        let any = key == "superadmin";
        assert!(can_assign_departments(&by, &[]), "{key}");
        assert!(can_assign_departments(&by, &[HISTORY]), "{key}");
        assert_eq!(can_assign_departments(&by, &[PHYSICS]), any, "{key}");
        assert_eq!(can_assign_departments(&by, &[HISTORY, PHYSICS]), any, "{key}");
    }
}

#[test]
fn people_change_their_name_and_addresses_admins_departments_superadmins_all() {
    use Facet::{Activity, Attributes, Departments, Emails, Name, RequestLimit, Roles};
    let all = [Name, Emails, Roles, Departments, RequestLimit, Activity, Attributes];
    for key in keys() {
        let own = standing(person(1), key, &[HISTORY]);
        let may: Vec<Facet> =
            all.into_iter().filter(|facet| may_change_own(&own, *facet)).collect();
        let expected = match key {
            "superadmin" => all.to_vec(),
            "admin" => vec![Name, Emails, Departments, Attributes],
            _ => vec![Name, Emails],
        };
        assert_eq!(may, expected, "{key}");
    }
}

#[test]
fn one_without_a_role_ranks_below_all_roles() {
    let without = standing(person(1), NO_ROLE, &[]);
    assert_eq!(without.rank(), 0);
    for (key, rank) in ROLES {
        let with = standing(person(1), key, &[]);
        assert_eq!(with.rank(), rank);
        assert_eq!(with.is_superadmin(), key == "superadmin");
        assert_eq!(with.is_admin(), ["superadmin", "admin"].contains(&key));
        assert!(with.rank() > without.rank());
    }
}

#[test]
fn one_acts_as_another_when_the_effective_profile_is_not_the_real_one() {
    let effective = standing(person(1), "member", &[]);
    let acting = |real| Authority::Profile { effective: effective.clone(), real };
    assert!(!acting(person(1)).is_emulation());
    assert!(acting(person(2)).is_emulation());
    assert!(!Authority::Operator.is_emulation());
}

#[test]
fn a_role_of_a_rank_between_is_judged_by_its_rank() {
    let mut assistant = role("member").expect("a role of these tests");
    "assistant".clone_into(&mut assistant.key);
    let instructional = role("instructional").expect("a role of these tests");
    assert!(is_emulatable(&instructional, &assistant));
    assert!(!is_emulatable(&assistant, &role("guest").expect("a role of these tests")));
}

#[test]
fn a_custom_role_is_emulated_by_nobody_and_emulates_nobody_whatever_its_rank() {
    let guest = role("guest").expect("a role of these tests");
    for rank in 0..=5 {
        let custom = RankedRole { key: "custom".to_owned(), rank };
        let superadmin = role("superadmin").expect("a role of these tests");
        assert!(!is_emulatable(&superadmin, &custom), "{rank}");
        assert!(!is_emulatable(&custom, &guest), "{rank}");
    }
}
