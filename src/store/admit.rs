//! Which appends of a batch hold, decided in memory: a second append sees what the first of the
//! same batch did. Pure. The database's unique keys and `log.require_versions` stay the truth.

use std::collections::HashMap;

use uuid::Uuid;

use super::types::{Append, Guard, StreamKey};

/// What is known of the log before the batch.
#[derive(Debug, Default)]
pub struct Known {
    /// Versions that streams have at least; under the lock, that they have.
    pub versions: HashMap<StreamKey, i64>,
    /// Whether `versions` holds exactly every stream of the batch, and `held` every claim.
    pub exact: bool,
    /// Claims that somebody holds.
    pub held: HashMap<Uuid, bool>,
}

/// What becomes of one append of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Admitted,
    Conflict(StreamKey),
    ClaimTaken(Uuid),
    /// It releases what an append before it takes: statements run release before take, so it
    /// waits for the next batch.
    Deferred,
}

/// A batch as judged.
#[derive(Debug, Default)]
pub struct Admission {
    /// One for each append, in order.
    pub verdicts: Vec<Verdict>,
    /// What the database has yet to confirm about streams as they were before the batch.
    pub required: Vec<Guard>,
}

/// Judges the appends in their order.
pub fn admit(batch: &[&Append], known: &Known) -> Admission {
    let mut judge = Judge { known, written: HashMap::new(), claims: HashMap::new() };
    let mut admission = Admission::default();
    let mut required = HashMap::new();
    for append in batch {
        let verdict = judge.verdict(append);
        if verdict == Verdict::Admitted {
            judge.require(append, &mut required);
            judge.accept(append);
        }
        admission.verdicts.push(verdict);
    }
    admission.required =
        required.into_iter().map(|(stream, version)| Guard { stream, version }).collect();
    admission
}

struct Judge<'a> {
    known: &'a Known,
    /// Versions of streams that admitted appends of this batch have written.
    written: HashMap<StreamKey, i64>,
    /// Claims that admitted appends of this batch took (true) or released (false).
    claims: HashMap<Uuid, bool>,
}

impl Judge<'_> {
    fn verdict(&self, append: &Append) -> Verdict {
        let writes = append.writes.iter().map(|write| (write.stream, write.expected_version));
        let guards = append.guards.iter().map(|guard| (guard.stream, guard.version));
        for (stream, version) in writes.chain(guards) {
            if !self.may_be_at(stream, version) {
                return Verdict::Conflict(stream);
            }
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

    /// A guard is always asked of the database, since other processes write too. A write at an
    /// expected version that has been seen needs nothing: its key tells whether the next is free.
    fn require(&self, append: &Append, required: &mut HashMap<StreamKey, i64>) {
        if self.known.exact {
            return;
        }
        for guard in &append.guards {
            if !self.written.contains_key(&guard.stream) {
                required.insert(guard.stream, guard.version);
            }
        }
        for write in &append.writes {
            let seen = self.known.versions.get(&write.stream).copied().unwrap_or_default();
            if !self.written.contains_key(&write.stream) && write.expected_version > seen {
                required.insert(write.stream, write.expected_version);
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
