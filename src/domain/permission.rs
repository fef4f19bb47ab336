//! Who may do what (contract 1.3): functions of roles, ranks and departments, and of nothing else.

use super::ids::{DepartmentId, ProfileId};

/// Rank of a superadmin.
pub const SUPERADMIN: u8 = 5;
/// Rank of an admin.
pub const ADMIN: u8 = 4;
/// Rank of the instructional role.
pub const INSTRUCTIONAL: u8 = 3;
/// The role that cannot be emulated and that only superadmins list.
pub const CUSTOM: &str = "custom";

/// A role with its rank in the tenant's catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankedRole {
    pub key: String,
    pub rank: u8,
}

/// What permissions of a profile are decided from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub profile: ProfileId,
    /// The first of its roles that is in the catalogue.
    pub role: Option<RankedRole>,
    pub departments: Vec<DepartmentId>,
    pub active: bool,
    /// Whether it has roles in applications, which have no rank here.
    pub in_applications: bool,
}

impl Standing {
    /// The rank of its role; 0 without one.
    pub fn rank(&self) -> u8 {
        self.role.as_ref().map_or(0, |role| role.rank)
    }

    /// Whether its role is the highest.
    pub fn is_superadmin(&self) -> bool {
        self.rank() >= SUPERADMIN
    }

    /// Whether its role is admin or above.
    pub fn is_admin(&self) -> bool {
        self.rank() >= ADMIN
    }

    /// Whether all of these departments are its own.
    pub fn holds_all(&self, departments: &[DepartmentId]) -> bool {
        departments.iter().all(|department| self.departments.contains(department))
    }
}

/// Who gives an order. The operator needs no permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The command line, or a reaction to other events.
    Operator,
    /// A program with an access token. The token's permissions were checked before.
    Application,
    /// A person, or another person acting as that one.
    Profile {
        /// The effective profile: its rights decide.
        effective: Standing,
        /// The real actor.
        real: ProfileId,
    },
}

impl Authority {
    /// Whether the real actor acts as another profile.
    pub fn is_emulation(&self) -> bool {
        match self {
            Authority::Operator | Authority::Application => false,
            Authority::Profile { effective, real } => effective.profile != *real,
        }
    }
}

/// The ranks of a tenant's roles.
pub trait Ranks: Sync {
    /// The rank of the role of this key; None if the tenant has no such role.
    fn rank(&self, key: &str) -> Option<u8>;
}

impl<F: Fn(&str) -> Option<u8> + Sync> Ranks for F {
    fn rank(&self, key: &str) -> Option<u8> {
        self(key)
    }
}

/// No role has a rank: for a tenant without roles, and where ranks do not matter.
pub struct Unranked;

impl Ranks for Unranked {
    fn rank(&self, _: &str) -> Option<u8> {
        None
    }
}

/// `has_access`: whether `viewer` may see `target`.
pub fn has_access(viewer: &Standing, target: &Standing) -> bool {
    viewer.profile == target.profile
        || viewer.is_superadmin()
        || target.departments.is_empty()
        || target.departments.iter().any(|department| viewer.departments.contains(department))
}

/// `can_edit`: whether `editor` may change `target` (for changes of oneself see
/// [`may_change_own`]). Only superadmins change profiles with roles in applications, since these
/// have no rank here.
pub fn can_edit(editor: &Standing, target: &Standing) -> bool {
    editor.profile == target.profile
        || editor.is_superadmin()
        || (!target.in_applications
            && editor.rank() >= INSTRUCTIONAL
            && editor.rank() > target.rank()
            && editor.holds_all(&target.departments))
}

/// `can_delete`.
pub fn can_delete(deleter: &Standing, target: &Standing) -> bool {
    deleter.profile != target.profile
        && (deleter.is_superadmin()
            || (deleter.is_admin()
                && !target.in_applications
                && deleter.rank() > target.rank()
                && has_access(deleter, target)))
}

/// `can_create`, `can_draft`, and `can_duplicate` without a target.
pub fn can_create(creator: &Standing) -> bool {
    creator.is_admin()
}

/// `can_duplicate` of a given profile.
pub fn can_duplicate(duplicator: &Standing, target: &Standing) -> bool {
    can_create(duplicator) && has_access(duplicator, target) && target.rank() <= duplicator.rank()
}

/// Whether `assigner` may assign a role of this rank (`role_options`).
pub fn can_assign_role(assigner: &Standing, rank: u8) -> bool {
    assigner.role.is_some() && rank <= assigner.rank()
}

/// Whether `assigner` may assign these departments.
pub fn can_assign_departments(assigner: &Standing, departments: &[DepartmentId]) -> bool {
    assigner.is_superadmin() || assigner.holds_all(departments)
}

/// Whether a profile with role `by` may emulate one with `role` (`scoped_roles`): superadmins every
/// role; admins and the instructional role those below their own; nobody `custom`.
pub fn is_emulatable(by: &RankedRole, role: &RankedRole) -> bool {
    if role.key == CUSTOM || by.key == CUSTOM {
        return false;
    }
    by.rank >= SUPERADMIN || (by.rank >= INSTRUCTIONAL && role.rank < by.rank)
}

/// Whether profiles with this role are listed for `viewer`: own rank and below; not `custom`, and,
/// for viewers below admin, not profiles without a role.
pub fn is_listed(viewer: &Standing, role: Option<&RankedRole>) -> bool {
    match role {
        None => viewer.is_admin(),
        Some(role) if role.key == CUSTOM => viewer.is_superadmin(),
        Some(role) => viewer.role.is_some() && role.rank <= viewer.rank(),
    }
}

/// Export and refresh: admins whose role opens the artifact `profile`.
pub fn can_operate(operator: &Standing, artifacts: &[String]) -> bool {
    operator.is_admin() && artifacts.iter().any(|artifact| artifact == "profile")
}

/// The parts of a profile that permissions distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facet {
    Name,
    Emails,
    Roles,
    Departments,
    RequestLimit,
    Activity,
    Attributes,
    /// Parts that only applications change: username, password, application roles, files.
    Application,
}

/// Whether programs with an access token change this part. They cannot assign what has a rank here:
/// directory roles, departments, request limits.
pub fn is_open_to_applications(facet: Facet) -> bool {
    match facet {
        Facet::Emails | Facet::Activity | Facet::Attributes | Facet::Application => true,
        Facet::Name | Facet::Roles | Facet::Departments | Facet::RequestLimit => false,
    }
}

/// Whether a profile may change this part of itself: name and e-mail addresses always, departments
/// from admin on, roles, activity and request limit only as a superadmin.
pub fn may_change_own(editor: &Standing, facet: Facet) -> bool {
    match facet {
        Facet::Name | Facet::Emails => true,
        Facet::Departments | Facet::Attributes => editor.is_admin(),
        Facet::Roles | Facet::RequestLimit | Facet::Activity | Facet::Application => {
            editor.is_superadmin()
        }
    }
}
