//! Descriptors of the profile artifact, its drafts and the resources it links to. Never says what
//! an endpoint takes: that is in `operations`.

use super::tables::{
    CATALOGUE, PROFILE_COUNTS, PROFILE_DRAFTS_VIEW, PROFILE_SEARCH, PROFILES_VIEW, SHARED_VALUES,
};
use super::{Operation, Part, operations, required};

/// Contract 4.10: the profile itself.
pub(super) const ARTIFACT: Part = Part {
    name: "profile",
    kind: "artifact",
    description: "An account that links to shared resources: exactly one name, at most one \
                  request limit and flag, any number of e-mails, departments and roles in order.",
    read_model: Some(&PROFILES_VIEW),
    tables: &[&PROFILES_VIEW, &PROFILE_SEARCH, &PROFILE_COUNTS],
    operations: &[
        operations::GET,
        operations::SEARCH,
        operations::CREATE,
        operations::UPDATE,
        operations::DUPLICATE,
        operations::DELETE,
        operations::EXPORT,
    ],
};

/// Contract 4.10: the drafts of profiles.
pub(super) const PROFILE_DRAFTS: Part = Part {
    name: "profile_drafts",
    kind: "entry",
    description: "Unfinished edits of a profile. Each belongs to who started it, counts its saves \
                  and changes no profile.",
    read_model: Some(&PROFILE_DRAFTS_VIEW),
    tables: &[&PROFILE_DRAFTS_VIEW],
    operations: &[operations::DRAFT, operations::DRAFTS],
};

/// Contract 4.10: the resources, in its order.
pub(super) const RESOURCES: [Part; 6] = [
    Part {
        name: "names",
        kind: "resource",
        description: "Names of people, 1 to 200 characters. Equal names share one id.",
        read_model: Some(&SHARED_VALUES),
        tables: &[&SHARED_VALUES],
        operations: &[
            BY_ID,
            Operation {
                name: "get_or_create",
                description: "The id of this name, new if nobody had it before.",
                params: &[required("name", "string")],
                returns: "ProfileNameResource",
            },
        ],
    },
    Part {
        name: "emails",
        kind: "resource",
        description: "E-mail addresses, up to 254 characters. One logs in to one live profile.",
        read_model: Some(&SHARED_VALUES),
        tables: &[&SHARED_VALUES],
        operations: &[
            BY_ID,
            Operation {
                name: "get_or_create",
                description: "The id of this address, new if nobody had it before.",
                params: &[required("email", "string")],
                returns: "ProfileEmailResource",
            },
        ],
    },
    Part {
        name: "flags",
        kind: "resource",
        description: "Switches of the catalogue. The one a profile links to says whether it is \
                      active.",
        read_model: None,
        tables: &[],
        operations: &[BY_ID],
    },
    Part {
        name: "departments",
        kind: "resource",
        description: "Departments of the catalogue. They bound who sees and edits whom.",
        read_model: Some(&CATALOGUE),
        tables: &[&CATALOGUE],
        operations: &[
            BY_ID,
            Operation {
                name: "get_by_name",
                description: "The department of this name, upper or lower case.",
                params: &[required("name", "string")],
                returns: "ProfileDepartmentResource",
            },
        ],
    },
    Part {
        name: "request_limits",
        kind: "resource",
        description: "How many requests a profile may make in a day, 1 to 1000000.",
        read_model: Some(&SHARED_VALUES),
        tables: &[&SHARED_VALUES],
        operations: &[
            BY_ID,
            Operation {
                name: "get_or_create",
                description: "The id of this limit, new if nobody had it before.",
                params: &[required("requests_per_day", "integer")],
                returns: "ProfileRequestLimitResource",
            },
        ],
    },
    Part {
        name: "roles",
        kind: "resource",
        description: "Roles of the catalogue, each with a rank and the artifacts it opens. The \
                      first one linked decides.",
        read_model: Some(&CATALOGUE),
        tables: &[&CATALOGUE],
        operations: &[BY_ID],
    },
];

const BY_ID: Operation = Operation {
    name: "get",
    description: "The resource with this id.",
    params: &[required("id", "string")],
    returns: "object",
};
