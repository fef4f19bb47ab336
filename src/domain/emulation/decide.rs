//! The rules of emulation (contract 4.11, 4.12).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::Rules;
use crate::domain::permission::{self, Standing};

use super::commands::{Command, Known};
use super::events::Event;
use super::state::{Death, Emulation, Layer, Stack, may_emulate};

/// Deepest stack of emulations.
pub const DEPTH_MAX: usize = 5;

/// Why an order is refused: the contract's stable reasons, in the order of its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Unknown, deleted, or not visible: callers cannot tell which.
    #[error("target not found")]
    TargetNotFound,
    #[error("you act as this profile already")]
    SelfTarget,
    #[error("one of the layers acts as this profile already")]
    Cycle,
    #[error("there are {DEPTH_MAX} layers already, the most that may be")]
    MaxDepth,
    #[error("target is not active")]
    TargetInactive,
    #[error("the target's role may not be emulated")]
    RoleNotAllowed,
    /// There is no layer to leave.
    #[error("you act as no other profile")]
    NotEmulating,
}

impl Refusal {
    /// The contract's `reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::TargetNotFound => "target_not_found",
            Refusal::SelfTarget => "self",
            Refusal::Cycle => "cycle",
            Refusal::MaxDepth => "max_depth",
            Refusal::TargetInactive => "target_inactive",
            Refusal::RoleNotAllowed => "role_not_allowed",
            Refusal::NotEmulating => "not_emulating",
        }
    }
}

impl Rules for Emulation {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// The events of an order to `stack`. Before a grant, ended layers must be cut: see
    /// [`Command::CutEmulation`].
    ///
    /// # Errors
    /// The first reason against it.
    fn decide(_: Uuid, stack: &Stack, (): (), command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::GrantEmulation {
                grant_id,
                real,
                effective,
                target,
                ttl,
                now,
                session_ends_at,
            } => {
                let target = judge(stack, &real, &effective, target)?;
                let outer = stack.layers.last().map_or(session_ends_at, |layer| layer.expires_at);
                // An inner layer never lasts longer than an outer one.
                let expires_at = (now + ttl).min(outer).min(session_ends_at);
                Ok(vec![Event::EmulationGranted {
                    grant_id,
                    real_actor: real.profile,
                    target: target.profile,
                    expires_at,
                }])
            }
            Command::ExitEmulation { real, targets, now } => {
                let mut events = cut(stack, real.as_ref(), &targets, now);
                let (live, _) = stack.live(real.as_ref(), &targets, now);
                let innermost = live.checked_sub(1).and_then(|last| stack.layers.get(last));
                let layer = innermost.ok_or(Refusal::NotEmulating)?;
                events.push(Event::EmulationExited { grant_id: layer.grant_id });
                Ok(events)
            }
            Command::CutEmulation { real, targets, granted_until: None, now } => {
                Ok(cut(stack, real.as_ref(), &targets, now))
            }
            Command::CutEmulation { real, targets, granted_until: Some(until), now } => {
                Ok(cut_granted_until(stack, until, real.as_ref(), &targets, now))
            }
        }
    }
}

fn judge(
    stack: &Stack,
    real: &Standing,
    effective: &Standing,
    target: Known,
) -> Result<Standing, Refusal> {
    let seen = |target: &Standing| {
        permission::has_access(effective, target) && permission::has_access(real, target)
    };
    let target = target.filter(seen).ok_or(Refusal::TargetNotFound)?;
    if target.profile == effective.profile {
        return Err(Refusal::SelfTarget);
    }
    let in_chain = stack.layers.iter().any(|layer| layer.target == target.profile);
    if target.profile == real.profile || in_chain {
        return Err(Refusal::Cycle);
    }
    if stack.layers.len() >= DEPTH_MAX {
        return Err(Refusal::MaxDepth);
    }
    if !target.active {
        return Err(Refusal::TargetInactive);
    }
    if !may_emulate(effective, &target) || !may_emulate(real, &target) {
        return Err(Refusal::RoleNotAllowed);
    }
    Ok(target)
}

/// The events that end the dead layers, innermost first.
fn cut(
    stack: &Stack,
    real: Option<&Standing>,
    targets: &[Known],
    now: DateTime<Utc>,
) -> Vec<Event> {
    let (live, death) = stack.live(real, targets, now);
    let Some(death) = death else { return vec![] };
    let dead = stack.layers.iter().skip(live).rev();
    dead.map(|layer| {
        let expired = death == Death::Expired || now >= layer.expires_at;
        let grant_id = layer.grant_id;
        if expired {
            Event::EmulationExpired { grant_id }
        } else {
            Event::EmulationRevoked { grant_id, reason: death.reason().to_owned() }
        }
    })
    .collect()
}

/// The events that end the dead layers among those granted until then, and all layers inside them.
fn cut_granted_until(
    stack: &Stack,
    granted_until: DateTime<Utc>,
    real: Option<&Standing>,
    targets: &[Known],
    now: DateTime<Utc>,
) -> Vec<Event> {
    let early = |layer: &&Layer| layer.granted_at <= granted_until;
    let outer: Vec<Layer> = stack.layers.iter().take_while(early).cloned().collect();
    let later = stack.layers[outer.len()..].iter().rev().map(|layer| {
        let reason = "outer_layer_ended".to_owned();
        Event::EmulationRevoked { grant_id: layer.grant_id, reason }
    });
    let judged = Stack { real_actor: stack.real_actor, layers: outer };
    let ended = cut(&judged, real, targets, now);
    match ended.is_empty() {
        true => vec![],
        false => later.chain(ended).collect(),
    }
}
