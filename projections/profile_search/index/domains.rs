//! Which slots' texts have an e-mail address at which domain, its '@' included.
//!
//! The addresses of a tenant share few domains, and a term inside a common one is in more texts
//! than can be read in time: these are known to have it unread. A text that is in no set may have
//! it all the same.

use std::collections::HashMap;
use std::mem::size_of;

use memchr::memmem::Finder;
use memchr::memrchr;
use roaring::RoaringBitmap;

use super::labels::set_bytes;

/// Domains beyond so many have no set: common ones are met early, and a term is sought in each.
const DOMAINS_MAX: usize = 1024;

/// The sets of slots by domain; none is empty.
#[derive(Debug, Default)]
pub(super) struct Domains {
    sets: HashMap<Box<[u8]>, RoaringBitmap>,
}

impl Domains {
    /// Replaces the domains in a slot's old text by those in its new one.
    pub(super) fn replace(&mut self, slot: u32, old: &[u8], new: &[u8]) {
        for domain in domains(old).filter(|old| domains(new).all(|new| new != *old)) {
            let Some(set) = self.sets.get_mut(domain) else { continue };
            set.remove(slot);
            if set.is_empty() {
                self.sets.remove(domain);
            }
        }
        for domain in domains(new) {
            if let Some(set) = self.sets.get_mut(domain) {
                set.insert(slot);
            } else if self.sets.len() < DOMAINS_MAX {
                self.sets.insert(domain.into(), RoaringBitmap::from([slot]));
            }
        }
    }

    /// Slots whose text has the term, as it has a domain that the term is in. There may be others.
    pub(super) fn holding(&self, term: &Finder<'_>) -> RoaringBitmap {
        let mut holding = RoaringBitmap::new();
        for (_, set) in self.sets.iter().filter(|(domain, _)| term.find(domain).is_some()) {
            holding |= set;
        }
        holding
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let entry = size_of::<(Box<[u8]>, RoaringBitmap)>();
        self.sets.iter().map(|(domain, set)| entry + domain.len() + set_bytes(set)).sum()
    }
}

/// What follows the last '@' of each line that has one, and the '@'.
fn domains(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter_map(|line| Some(&line[memrchr(b'@', line)?..]))
}
