//! The state of a stack, and which of its layers are live.

use chrono::{DateTime, Utc};

use crate::domain::ids::{GrantId, ProfileId};
use crate::domain::permission::{self, Standing};
use crate::domain::{Aggregate, Area};

use super::events::Event;

/// The aggregate.
pub struct Emulation;

/// The layers that have not been exited, expired or revoked in an event; outermost first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack {
    pub real_actor: Option<ProfileId>,
    pub layers: Vec<Layer>,
}

/// One layer: a profile that is acted as.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub grant_id: GrantId,
    pub target: ProfileId,
    pub granted_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Why a layer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    Expired,
    RealActorInactive,
    TargetInactive,
    RoleNotAllowed,
    AccessLost,
}

impl Death {
    /// The reason as events write it.
    pub fn reason(self) -> &'static str {
        match self {
            Death::Expired => "expired",
            Death::RealActorInactive => "real_actor_inactive",
            Death::TargetInactive => "target_inactive",
            Death::RoleNotAllowed => "role_not_allowed",
            Death::AccessLost => "access_lost",
        }
    }
}

impl Stack {
    /// Contract 4.11, on each request: goes through the stack, outermost first; the first ended
    /// layer ends itself and everything inside it. Returns how many layers are live, and why the
    /// next one is not. `targets` are the standings of the layers' targets, in their order.
    pub fn live(
        &self,
        real: Option<&Standing>,
        targets: &[Option<Standing>],
        now: DateTime<Utc>,
    ) -> (usize, Option<Death>) {
        let mut outer = real;
        for (depth, layer) in self.layers.iter().enumerate() {
            let target = targets.get(depth).and_then(Option::as_ref);
            if let Some(death) = death(layer, real, outer, target, now) {
                return (depth, Some(death));
            }
            outer = target;
        }
        (self.layers.len(), None)
    }
}

fn death(
    layer: &Layer,
    real: Option<&Standing>,
    outer: Option<&Standing>,
    target: Option<&Standing>,
    now: DateTime<Utc>,
) -> Option<Death> {
    if now >= layer.expires_at {
        return Some(Death::Expired);
    }
    let (Some(real), Some(outer)) = (real.filter(|real| real.active), outer) else {
        return Some(Death::RealActorInactive);
    };
    let Some(target) = target.filter(|target| target.active) else {
        return Some(Death::TargetInactive);
    };
    if !may_emulate(outer, target) || !may_emulate(real, target) {
        return Some(Death::RoleNotAllowed);
    }
    if !permission::has_access(outer, target) || !permission::has_access(real, target) {
        return Some(Death::AccessLost);
    }
    None
}

/// Whether a profile with the role of `by` may act as one with the role of `target`.
pub fn may_emulate(by: &Standing, target: &Standing) -> bool {
    match (&by.role, &target.role) {
        (Some(by), Some(target)) => permission::is_emulatable(by, target),
        _ => false,
    }
}

impl Aggregate for Emulation {
    const AREA: Area = Area::Emulation;
    type State = Stack;
    type Event = Event;

    fn evolve(stack: &mut Stack, event: &Event, occurred_at: DateTime<Utc>) {
        match event {
            Event::EmulationGranted { grant_id, real_actor, target, expires_at } => {
                stack.real_actor = Some(*real_actor);
                stack.layers.push(Layer {
                    grant_id: *grant_id,
                    target: *target,
                    granted_at: occurred_at,
                    expires_at: *expires_at,
                });
            }
            Event::EmulationExited { grant_id }
            | Event::EmulationExpired { grant_id }
            | Event::EmulationRevoked { grant_id, .. } => {
                stack.layers.retain(|layer| layer.grant_id != *grant_id);
            }
        }
    }
}
