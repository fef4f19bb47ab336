//! Decides in memory which appends of a batch are valid: a second append sees what the first one of
//! the same batch did. Pure. The database's unique keys and `log.require_versions` have the last
//! word.

use std::collections::HashMap;

use uuid::Uuid;

use super::types::{Append, Guard, StreamKey};

/// What is known of the log before the batch.
#[derive(Debug, Default)]
pub struct Known {
    /// Lower bounds of streams' versions; under the lock, the exact versions.
    pub versions: HashMap<StreamKey, i64>,
    /// Whether `versions` has exactly every stream of the batch, and `held` every claim.
    pub exact: bool,
    /// Claims that have a holder.
    pub held: HashMap<Uuid, bool>,
}

/// The verdict on one append of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Admitted,
    Conflict(StreamKey),
    ClaimTaken(Uuid),
    /// It cannot be judged beside an append before it, and waits for the next batch: it releases a
    /// claim that the other takes, and statements release before they take; or it relies on another
    /// version of a stream, and at most one of both is right.
    Deferred,
}

/// A batch as judged.
#[derive(Debug, Default)]
pub struct Admission {
    /// One for each append, in order.
    pub verdicts: Vec<Verdict>,
    /// Versions that the database must still confirm.
    pub required: Vec<Guard>,
}

/// Judges the appends in their order.
pub fn admit(batch: &[&Append], known: &Known) -> Admission {
    let mut judge =
        Judge { known, required: HashMap::new(), written: HashMap::new(), claims: HashMap::new() };
    let mut admission = Admission::default();
    for append in batch {
        let verdict = judge.verdict(append);
        if verdict == Verdict::Admitted {
            judge.require(append);
            judge.accept(append);
        }
        admission.verdicts.push(verdict);
    }
    admission.required =
        judge.required.into_iter().map(|(stream, version)| Guard { stream, version }).collect();
    admission
}

struct Judge<'a> {
    known: &'a Known,
    /// Versions that admitted appends rely on, not confirmed yet: one for each stream.
    required: HashMap<StreamKey, i64>,
    /// Versions of streams after the admitted appends.
    written: HashMap<StreamKey, i64>,
    /// Claims that admitted appends take (true) or release (false).
    claims: HashMap<Uuid, bool>,
}

impl Judge<'_> {
    fn verdict(&self, append: &Append) -> Verdict {
        let writes = append.writes.iter().map(|write| (write.stream, write.expected_version));
        let guards = append.guards.iter().map(|guard| (guard.stream, guard.version));
        let mut own = HashMap::new();
        let mut other = false;
        for (stream, version) in writes.chain(guards) {
            let read_twice = *own.entry(stream).or_insert(version) != version;
            if read_twice || !self.may_be_at(stream, version) {
                return Verdict::Conflict(stream);
            }
            other |= self.conflicts_on_version(stream, version);
        }
        if other {
            return Verdict::Deferred;
        }
        if append.releases.iter().any(|claim| self.claims.get(claim) == Some(&true)) {
            return Verdict::Deferred;
        }
        for take in &append.takes {
            let released = append.releases.contains(&take.claim);
            let held = match self.claims.get(&take.claim) {
                Some(taken) => *taken,
                None => self.known.held.get(&take.claim) == Some(&true),
            };
            if held && !released {
                return Verdict::ClaimTaken(take.claim);
            }
        }
        Verdict::Admitted
    }

    fn may_be_at(&self, stream: StreamKey, version: i64) -> bool {
        if let Some(written) = self.written.get(&stream) {
            return version == *written;
        }
        let least = self.known.versions.get(&stream).copied().unwrap_or_default();
        if self.known.exact { version == least } else { version >= least }
    }

    fn conflicts_on_version(&self, stream: StreamKey, version: i64) -> bool {
        let unwritten = !self.written.contains_key(&stream);
        unwritten && self.required.get(&stream).is_some_and(|required| *required != version)
    }

    /// A guard is always checked by the database, since other processes write too. A write after a
    /// version that was seen needs no check: its unique key tells whether the next version is free.
    fn require(&mut self, append: &Append) {
        if self.known.exact {
            return;
        }
        for guard in &append.guards {
            if !self.written.contains_key(&guard.stream) {
                self.required.insert(guard.stream, guard.version);
            }
        }
        for write in &append.writes {
            let seen = self.known.versions.get(&write.stream).copied().unwrap_or_default();
            if !self.written.contains_key(&write.stream) && write.expected_version > seen {
                self.required.insert(write.stream, write.expected_version);
            }
        }
    }

    fn accept(&mut self, append: &Append) {
        for write in &append.writes {
            let count = i64::try_from(write.events.len()).unwrap_or(i64::MAX);
            self.written.insert(write.stream, write.expected_version + count);
        }
        for claim in &append.releases {
            self.claims.insert(*claim, false);
        }
        for take in &append.takes {
            self.claims.insert(take.claim, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::types::{AreaName, Envelope, NewEvent, StreamWrite};
    use super::*;

    fn stream(id: u128) -> StreamKey {
        let area = AreaName::new("profile").expect("it is short");
        StreamKey { tenant_id: Uuid::nil(), area, id: Uuid::from_u128(id) }
    }

    fn write(id: u128, expected_version: i64) -> StreamWrite {
        let event = NewEvent {
            id: Uuid::nil(),
            name: "ProfileDeactivated".to_owned(),
            schema_version: 1,
            occurred_at: None,
            payload: "{}".to_owned(),
        };
        StreamWrite { stream: stream(id), expected_version, events: vec![event] }
    }

    fn append(writes: Vec<StreamWrite>, guards: &[(u128, i64)]) -> Append {
        let guards =
            guards.iter().map(|(id, version)| Guard { stream: stream(*id), version: *version });
        Append {
            envelope: Arc::new(Envelope::nobody()),
            writes,
            guards: guards.collect(),
            takes: vec![],
            releases: vec![],
            rows: vec![],
        }
    }

    fn judged(batch: &[Append], known: &Known) -> (Vec<Verdict>, Vec<(u128, i64)>) {
        let admission = admit(&batch.iter().collect::<Vec<_>>(), known);
        let required = admission.required.iter();
        let required = required.map(|guard| (guard.stream.id.as_u128(), guard.version));
        (admission.verdicts, required.collect())
    }

    /// Regression: the later append's requirement replaced that of the earlier one.
    #[test]
    fn two_appends_that_stand_on_different_versions_of_a_stream_are_not_admitted_together() {
        for (first, second) in [(1, 2), (2, 1)] {
            let batch = [
                append(vec![write(7, 0)], &[(1, first)]),
                append(vec![write(8, 0)], &[(1, second)]),
            ];
            let (verdicts, required) = judged(&batch, &Known::default());
            assert_eq!(verdicts, [Verdict::Admitted, Verdict::Deferred]);
            assert_eq!(required, [(1, first)]);
        }
        // A write relies on a version just as a guard does.
        let batch = [append(vec![write(7, 0)], &[(1, 1)]), append(vec![write(1, 2)], &[])];
        let (verdicts, required) = judged(&batch, &Known::default());
        assert_eq!(verdicts, [Verdict::Admitted, Verdict::Deferred]);
        assert_eq!(required, [(1, 1)]);
    }

    #[test]
    fn an_append_that_contradicts_itself_is_a_conflict() {
        let batch = [append(vec![write(1, 2)], &[(1, 1)])];
        assert_eq!(judged(&batch, &Known::default()).0, [Verdict::Conflict(stream(1))]);
    }

    #[test]
    fn what_the_batch_itself_writes_is_stood_on_at_its_new_version() {
        let batch = [
            append(vec![write(7, 0)], &[(1, 1)]),
            append(vec![write(1, 1)], &[]),
            append(vec![write(8, 0)], &[(1, 2)]),
            append(vec![write(9, 0)], &[(1, 1)]),
        ];
        let (verdicts, required) = judged(&batch, &Known::default());
        let conflict = Verdict::Conflict(stream(1));
        let admitted = Verdict::Admitted;
        assert_eq!(verdicts, [admitted, admitted, admitted, conflict]);
        assert_eq!(required, [(1, 1)]);
    }
}
