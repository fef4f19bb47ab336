//! Descriptors of the 14 endpoints and of the predicates behind them. Never decides anything: the
//! predicates themselves are in the domain.

use super::{Operation, defaulted, optional, required};

/// Contract 1.3: who may do what.
pub(super) const PERMISSIONS: [Operation; 6] = [
    Operation {
        name: "has_access",
        description: "View: oneself; everyone for a superadmin; for all others, profiles without \
                      a department and those who share one with the caller.",
        params: &[
            required("caller_id", "string"),
            required("caller_role", "string"),
            required("caller_department_ids", "string[]"),
            required("target_id", "string"),
            required("target_department_ids", "string[]"),
        ],
        returns: "boolean",
    },
    Operation {
        name: "can_edit",
        description: "Edit: oneself, everyone for a superadmin; for admin and instructional those \
                      of lower rank whose departments are all the caller's too.",
        params: &[
            required("caller_id", "string"),
            required("caller_role", "string"),
            required("caller_department_ids", "string[]"),
            required("target_id", "string"),
            required("target_role", "string"),
            required("target_department_ids", "string[]"),
        ],
        returns: "boolean",
    },
    Operation {
        name: "can_delete",
        description: "Delete: never oneself; everyone else for a superadmin, and for an admin \
                      those of lower rank in view.",
        params: &[
            required("caller_id", "string"),
            required("caller_role", "string"),
            required("caller_department_ids", "string[]"),
            required("target_id", "string"),
            required("target_role", "string"),
            required("target_department_ids", "string[]"),
        ],
        returns: "boolean",
    },
    Operation {
        name: "can_duplicate",
        description: "Duplicate: admin and superadmin, a given profile if it is in view and not \
                      of higher rank.",
        params: &[
            required("caller_role", "string"),
            optional("caller_department_ids", "string[]"),
            optional("target_role", "string"),
            optional("target_department_ids", "string[]"),
        ],
        returns: "boolean",
    },
    Operation {
        name: "can_create",
        description: "Create: admin and superadmin.",
        params: &[required("caller_role", "string")],
        returns: "boolean",
    },
    Operation {
        name: "can_draft",
        description: "Save drafts: admin and superadmin.",
        params: &[required("caller_role", "string")],
        returns: "boolean",
    },
];

/// Contract 4: the endpoints, in its order.
pub(super) const ENDPOINTS: [Operation; 14] = [
    CONTEXT, GET, SEARCH, CREATE, UPDATE, DUPLICATE, DRAFT, DRAFTS, DELETE, DOCS, EMULATE,
    UNEMULATE, EXPORT, REFRESH,
];

/// Contract 4.1.
pub(super) const CONTEXT: Operation = Operation {
    name: "context",
    description: "Who the caller is, what they may do and how it looks.",
    params: &[optional("department_id", "string")],
    returns: "GetProfileContextResponse",
};

/// Contract 4.2.
pub(super) const GET: Operation = Operation {
    name: "get",
    description: "One profile as a form to edit, or the form of a new one.",
    params: &[optional("target_profile_id", "string"), optional("draft_id", "string")],
    returns: "GetProfileResponse",
};

/// Contract 4.3.
pub(super) const SEARCH: Operation = Operation {
    name: "search",
    description: "A page of the active profiles in view by name, with facets to narrow it.",
    params: &[
        optional("search", "string"),
        optional("cohort_ids", "string[]"),
        optional("filter_department_ids", "string[]"),
        optional("role_filter", "string"),
        optional("cohort_search", "string"),
        optional("department_search", "string"),
        optional("role_search", "string"),
        defaulted("page_size", 12),
        defaulted("page_offset", 0),
    ],
    returns: "SearchProfilesResponse",
};

/// Contract 4.4.
pub(super) const CREATE: Operation = Operation {
    name: "create",
    description: "Makes up to 100 profiles, all or none.",
    params: &[required("profiles", "CreateProfileItem[]")],
    returns: "CreateProfilesResponse",
};

/// Contract 4.5.
pub(super) const UPDATE: Operation = Operation {
    name: "update",
    description: "Changes up to 100 profiles, all or none; what is absent stays.",
    params: &[required("profiles", "UpdateProfileItem[]")],
    returns: "UpdateProfilesResponse",
};

/// Contract 4.6.
pub(super) const DUPLICATE: Operation = Operation {
    name: "duplicate",
    description: "Makes an inactive copy of a profile, without its e-mails.",
    params: &[required("target_profile_id", "string")],
    returns: "DuplicateProfileResponse",
};

/// Contract 4.7.
pub(super) const DRAFT: Operation = Operation {
    name: "draft",
    description: "Saves the full state of a draft, if it is still at the version expected.",
    params: &[
        optional("input_draft_id", "string"),
        defaulted("expected_version", 0),
        optional("name", "string"),
        optional("name_id", "string"),
        optional("email", "string"),
        optional("request_limit", "integer"),
        optional("flag_id", "string"),
        optional("department_ids", "string[]"),
        optional("email_ids", "string[]"),
        optional("role_ids", "string[]"),
        optional("request_limit_ids", "string[]"),
    ],
    returns: "PatchProfileDraftResponse",
};

/// Contract 4.8.
pub(super) const DRAFTS: Operation = Operation {
    name: "drafts",
    description: "The caller's own active drafts, last saved first.",
    params: &[],
    returns: "ListProfileDraftsResponse",
};

/// Contract 4.9.
pub(super) const DELETE: Operation = Operation {
    name: "delete",
    description: "Deletes up to 100 profiles, each on its own.",
    params: &[required("profile_ids", "string[]")],
    returns: "DeleteProfilesResponse",
};

/// Contract 4.10.
pub(super) const DOCS: Operation = Operation {
    name: "docs",
    description: "This documentation.",
    params: &[optional("entity_id", "string")],
    returns: "GetProfileDocsResponse",
};

/// Contract 4.11.
pub(super) const EMULATE: Operation = Operation {
    name: "emulate",
    description: "From the next request on, acts as somebody else for a limited time.",
    params: &[required("target_profile_id", "string"), defaulted("ttl_minutes", 120)],
    returns: "EmulateProfileResponse",
};

/// Contract 4.12.
pub(super) const UNEMULATE: Operation = Operation {
    name: "unemulate",
    description: "Leaves the innermost layer of emulation.",
    params: &[],
    returns: "UnemulateProfileResponse",
};

/// Contract 4.13.
pub(super) const EXPORT: Operation = Operation {
    name: "export",
    description: "Writes the profiles in view to a CSV file for download.",
    params: &[optional("profile_export_id", "string")],
    returns: "ExportProfilesResponse",
};

/// Contract 4.14.
pub(super) const REFRESH: Operation = Operation {
    name: "refresh",
    description: "Replays the log, mends read models that differ and drops caches.",
    params: &[],
    returns: "RefreshProfilesResponse",
};
