//! When the data behind each cache tag changed last: for each tenant and tag a position that moves
//! with every fold and refresh. In memory; after a restart clients only read once more.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use uuid::Uuid;

use crate::domain::{Area, Occurred};

/// The cache tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Everything that a profile or the catalogue shows.
    Profiles,
    Drafts,
}

/// The tags of all tenants.
pub struct Tags {
    moved: RwLock<HashMap<(Uuid, Tag), u64>>,
    /// Different at each start, so that positions of an earlier start mean nothing.
    start: u64,
}

impl Default for Tags {
    fn default() -> Self {
        Tags { moved: RwLock::default(), start: rand::random() }
    }
}

impl Tags {
    /// Moves the tags of this event.
    pub fn follow<'a>(&self, events: impl IntoIterator<Item = &'a Occurred>) {
        let mut moved = self.moved.write().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            let tag = match event.area {
                Area::Profile | Area::Tenant => Tag::Profiles,
                Area::Draft => Tag::Drafts,
                Area::Emulation | Area::Access | Area::Session | Area::Export | Area::Operation => {
                    continue;
                }
            };
            *moved.entry((event.tenant_id.0, tag)).or_default() += 1;
        }
    }

    /// Moves a tenant's tags without an event: after a refresh.
    pub fn invalidate(&self, tenant: Uuid) {
        let mut moved = self.moved.write().unwrap_or_else(PoisonError::into_inner);
        for tag in [Tag::Profiles, Tag::Drafts] {
            *moved.entry((tenant, tag)).or_default() += 1;
        }
    }

    /// The state of these tags, as a number that only tells whether they moved.
    pub fn state(&self, tenant: Uuid, tags: &[Tag]) -> u64 {
        let moved = self.moved.read().unwrap_or_else(PoisonError::into_inner);
        let mut hash = DefaultHasher::new();
        self.start.hash(&mut hash);
        for tag in tags {
            moved.get(&(tenant, *tag)).copied().unwrap_or_default().hash(&mut hash);
        }
        hash.finish()
    }
}
