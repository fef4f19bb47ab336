//! What a profile begins to hold, and what it ceases to hold.

use std::collections::BTreeSet;

use crate::domain::profile::State;
use crate::projections::Transition;

use super::{APPLICATION_ROLE, DELETED, DEPARTMENT, INACTIVE, LIVE, ROLE, Row, STATE, UNASSIGNED};

type Holdings = BTreeSet<(&'static str, String)>;

pub fn rows(transition: Transition<'_>) -> Vec<Row> {
    let Some(step) = transition.step else { return vec![] };
    let (before, after) = (holdings(&step.before), holdings(&transition.past.state));
    let row = |(kind, key): &(&'static str, String), holds| Row {
        tenant_id: transition.event.tenant_id.0,
        profile_id: transition.event.stream_id,
        kind: (*kind).to_owned(),
        key: key.clone(),
        position: transition.event.position,
        holds,
    };
    let ended = before.difference(&after).map(|one| row(one, false));
    let begun = after.difference(&before).map(|one| row(one, true));
    ended.chain(begun).collect()
}

/// All that a profile holds in this state. A deleted one holds nothing but that.
fn holdings(state: &State) -> Holdings {
    let mut held = Holdings::new();
    if matches!(state, State::Deleted(_)) {
        held.insert((STATE, DELETED.to_owned()));
    }
    let Some(facts) = state.live() else { return held };
    held.insert((STATE, LIVE.to_owned()));
    if !facts.is_active() {
        held.insert((STATE, INACTIVE.to_owned()));
    }
    if facts.roles.is_empty() {
        held.insert((STATE, UNASSIGNED.to_owned()));
    }
    held.extend(facts.roles.iter().map(|role| (ROLE, role.clone())));
    held.extend(facts.departments.iter().map(|id| (DEPARTMENT, id.0.to_string())));
    held.extend(facts.application_roles.iter().map(|role| (APPLICATION_ROLE, role.clone())));
    held
}
