//! The sections of a profile's form. The fields that all sections share are written out in each.
//! Selected values and suggestions are found elsewhere.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v5::types::null_if_empty;
use crate::api::v5::types::resource::{
    ProfileDepartmentResource, ProfileEmailResource, ProfileFlagConfig, ProfileNameResource,
    ProfileRequestLimitResource, ProfileRoleResource,
};

/// Contract 4.2: most resources that a section suggests beside those selected.
pub const SUGGESTIONS_MAX: usize = 20;

/// Contract 4.2: flags that the form offers beside the selected one.
pub const FLAGS_MAX: usize = 50;

/// Contract 2: the section of the name.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileNameSection {
    /// Whether the form shows it.
    #[schema(default = false, required = false)]
    pub show: bool,
    /// Whether the form demands it.
    #[schema(default = false, required = false)]
    pub required: bool,
    /// The ids of the names offered and not selected.
    pub suggestions: Option<Vec<Uuid>>,
    /// Always false: nothing here generates content.
    #[schema(default = false, required = false)]
    pub show_ai_generate: bool,
    /// Always null, as there is no generator.
    pub tool_id: Option<Uuid>,
    /// Always null, as there is no generator.
    pub link_tool_id: Option<Uuid>,
    /// The name selected.
    pub resource: Option<ProfileNameResource>,
    /// All names offered, those selected first.
    pub resources: Option<Vec<ProfileNameResource>>,
}

/// Contract 2: the section of the daily limit of requests.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileRequestLimitSection {
    /// Whether the form shows it.
    #[schema(default = false, required = false)]
    pub show: bool,
    /// Whether the form demands it.
    #[schema(default = false, required = false)]
    pub required: bool,
    /// The ids of the limits offered and not selected.
    pub suggestions: Option<Vec<Uuid>>,
    /// Always false: nothing here generates content.
    #[schema(default = false, required = false)]
    pub show_ai_generate: bool,
    /// Always null, as there is no generator.
    pub tool_id: Option<Uuid>,
    /// Always null, as there is no generator.
    pub link_tool_id: Option<Uuid>,
    /// The limit selected.
    pub resource: Option<ProfileRequestLimitResource>,
    /// All limits offered, those selected first.
    pub resources: Option<Vec<ProfileRequestLimitResource>>,
}

/// Contract 2: the section of the active flag.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileFlagSection {
    /// Whether the form shows it.
    #[schema(default = false, required = false)]
    pub show: bool,
    /// Whether the form demands it.
    #[schema(default = false, required = false)]
    pub required: bool,
    /// The ids of the flags offered and not selected.
    pub suggestions: Option<Vec<Uuid>>,
    /// Always false: nothing here generates content.
    #[schema(default = false, required = false)]
    pub show_ai_generate: bool,
    /// Always null, as there is no generator.
    pub tool_id: Option<Uuid>,
    /// Always null, as there is no generator.
    pub link_tool_id: Option<Uuid>,
    /// The flag selected.
    pub current: Option<ProfileFlagConfig>,
    /// All flags offered, those selected first.
    pub resources: Option<Vec<ProfileFlagConfig>>,
}

/// Contract 2: the section of the e-mail addresses.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileEmailSection {
    /// Whether the form shows it.
    #[schema(default = false, required = false)]
    pub show: bool,
    /// Whether the form demands it.
    #[schema(default = false, required = false)]
    pub required: bool,
    /// The ids of the addresses offered and not selected.
    pub suggestions: Option<Vec<Uuid>>,
    /// Always false: nothing here generates content.
    #[schema(default = false, required = false)]
    pub show_ai_generate: bool,
    /// Always null, as there is no generator.
    pub tool_id: Option<Uuid>,
    /// Always null, as there is no generator.
    pub link_tool_id: Option<Uuid>,
    /// The addresses selected, the primary one first; null when there are none.
    pub current: Option<Vec<ProfileEmailResource>>,
    /// All addresses offered, those selected first.
    pub resources: Option<Vec<ProfileEmailResource>>,
}

/// Contract 2: the section of the departments.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileDepartmentSection {
    /// Whether the form shows it.
    #[schema(default = false, required = false)]
    pub show: bool,
    /// Whether the form demands it.
    #[schema(default = false, required = false)]
    pub required: bool,
    /// The ids of the departments offered and not selected.
    pub suggestions: Option<Vec<Uuid>>,
    /// Always false: nothing here generates content.
    #[schema(default = false, required = false)]
    pub show_ai_generate: bool,
    /// Always null, as there is no generator.
    pub tool_id: Option<Uuid>,
    /// Always null, as there is no generator.
    pub link_tool_id: Option<Uuid>,
    /// The departments selected, the primary one first; null when there are none.
    pub current: Option<Vec<ProfileDepartmentResource>>,
    /// All departments offered, those selected first.
    pub resources: Option<Vec<ProfileDepartmentResource>>,
}

/// Contract 2: the section of the roles.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileRoleSection {
    /// Whether the form shows it.
    #[schema(default = false, required = false)]
    pub show: bool,
    /// Whether the form demands it.
    #[schema(default = false, required = false)]
    pub required: bool,
    /// The ids of the roles offered and not selected.
    pub suggestions: Option<Vec<Uuid>>,
    /// Always false: nothing here generates content.
    #[schema(default = false, required = false)]
    pub show_ai_generate: bool,
    /// Always null, as there is no generator.
    pub tool_id: Option<Uuid>,
    /// Always null, as there is no generator.
    pub link_tool_id: Option<Uuid>,
    /// The roles selected, the one that counts first; null when there are none.
    pub current: Option<Vec<ProfileRoleResource>>,
    /// All roles offered, those selected first.
    pub resources: Option<Vec<ProfileRoleResource>>,
}

impl ProfileNameSection {
    /// Always shown and required. Contract 4.2: other people's names are never suggested.
    pub fn new(resource: Option<ProfileNameResource>) -> Self {
        ProfileNameSection {
            show: true,
            required: true,
            suggestions: Some(Vec::new()),
            show_ai_generate: false,
            tool_id: None,
            link_tool_id: None,
            resource: resource.clone(),
            resources: Some(resource.into_iter().collect()),
        }
    }
}

impl ProfileRequestLimitSection {
    /// Always shown.
    pub fn new(
        resource: Option<ProfileRequestLimitResource>,
        suggested: Vec<ProfileRequestLimitResource>,
    ) -> Self {
        let (resources, suggestions) =
            offer(resource.as_slice(), suggested, SUGGESTIONS_MAX, |limit| limit.id);
        ProfileRequestLimitSection {
            show: true,
            required: false,
            suggestions: Some(suggestions),
            show_ai_generate: false,
            tool_id: None,
            link_tool_id: None,
            resource,
            resources: Some(resources),
        }
    }
}

impl ProfileFlagSection {
    /// Always shown. Contract 4.2: the other flags are offered, and no ids suggested.
    pub fn new(current: Option<ProfileFlagConfig>, offered: Vec<ProfileFlagConfig>) -> Self {
        let (resources, _) =
            offer(current.as_slice(), offered, FLAGS_MAX, |flag| flag.flag_option_id);
        ProfileFlagSection {
            show: true,
            required: false,
            suggestions: Some(Vec::new()),
            show_ai_generate: false,
            tool_id: None,
            link_tool_id: None,
            current,
            resources: Some(resources),
        }
    }
}

impl ProfileEmailSection {
    /// Always shown. Contract 4.2: other people's addresses are never suggested.
    pub fn new(current: Vec<ProfileEmailResource>) -> Self {
        ProfileEmailSection {
            show: true,
            required: false,
            suggestions: Some(Vec::new()),
            show_ai_generate: false,
            tool_id: None,
            link_tool_id: None,
            current: null_if_empty(current.clone()),
            resources: Some(current),
        }
    }
}

impl ProfileDepartmentSection {
    /// Contract 4.2: shown when there is any department to choose.
    pub fn new(
        current: Vec<ProfileDepartmentResource>,
        suggested: Vec<ProfileDepartmentResource>,
    ) -> Self {
        let (resources, suggestions) =
            offer(&current, suggested, SUGGESTIONS_MAX, |department| department.id);
        ProfileDepartmentSection {
            show: !resources.is_empty(),
            required: false,
            suggestions: Some(suggestions),
            show_ai_generate: false,
            tool_id: None,
            link_tool_id: None,
            current: null_if_empty(current),
            resources: Some(resources),
        }
    }
}

impl ProfileRoleSection {
    /// Always shown.
    pub fn new(current: Vec<ProfileRoleResource>, suggested: Vec<ProfileRoleResource>) -> Self {
        let (resources, suggestions) = offer(&current, suggested, SUGGESTIONS_MAX, |role| role.id);
        ProfileRoleSection {
            show: true,
            required: false,
            suggestions: Some(suggestions),
            show_ai_generate: false,
            tool_id: None,
            link_tool_id: None,
            current: null_if_empty(current),
            resources: Some(resources),
        }
    }
}

/// Contract 4.2: the options, those selected first and each id once; and the ids of the options
/// that are not selected.
fn offer<T: Clone>(
    selected: &[T],
    suggested: Vec<T>,
    suggestions_max: usize,
    id: fn(&T) -> Option<Uuid>,
) -> (Vec<T>, Vec<Uuid>) {
    let mut resources = selected.to_vec();
    let mut suggestions = Vec::new();
    for candidate in suggested {
        if suggestions.len() == suggestions_max {
            break;
        }
        if let Some(candidate_id) = id(&candidate)
            && !resources.iter().any(|resource| id(resource) == Some(candidate_id))
        {
            resources.push(candidate);
            suggestions.push(candidate_id);
        }
    }
    (resources, suggestions)
}
