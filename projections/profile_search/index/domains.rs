//! For each domain, '@' included, the slots whose texts have an e-mail address at it.
//!
//! The addresses of a tenant share few domains, and a term that is part of a common domain is in
//! more texts than can be read in time. The sets tell of these texts without reading them. A text
//! that is in no set may contain the term too.

use std::collections::HashMap;
use std::mem::size_of;

use memchr::memmem::Finder;
use memchr::memrchr;
use roaring::RoaringBitmap;

use super::labels::set_bytes;

/// Most domains with a set. Common domains come early, and each term is compared with every domain.
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

    /// Slots whose text contains the term because the term is part of the text's domain. Other
    /// slots may contain it too.
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

/// The part after the last '@' of each line that has one, '@' included.
fn domains(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter_map(|line| Some(&line[memrchr(b'@', line)?..]))
}
