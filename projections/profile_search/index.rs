//! One tenant's profiles as `POST /search` finds them (contract 4.3): exact pages, totals and facet
//! counts, from memory.
//!
//! Each document has a slot, a small number. Sets of slots (`labels`, `grams`, `domains`) answer
//! what they can. Texts (`documents`) are read only for terms longer than a gram. `order` keeps the
//! order of the list. The index never reads the database, folds no case and knows no role by name:
//! texts are compared as they arrive.

mod documents;
mod domains;
mod grams;
mod labels;
mod order;
mod search;

use roaring::RoaringBitmap;
use uuid::Uuid;

use self::documents::Documents;
use self::domains::Domains;
use self::grams::{Grams, GramsLoader};
use self::labels::Labels;
use self::order::Order;

/// What the index knows of one profile. `name_key` and `text` arrive already folded (NFC,
/// case-folded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub id: Uuid,
    /// Folded name the list is sorted by, bytewise; None sorts last.
    pub name_key: Option<String>,
    /// Where a term is looked for: folded name and e-mail addresses, joined by '\n'; texts with
    /// marks appear a second time without them. A term with '\n' in it finds nothing.
    pub text: String,
    /// Key of the first directory role, if there is one.
    pub role: Option<String>,
    /// Each once.
    pub departments: Vec<Uuid>,
    /// Inactive profiles are in no search, so the index does not hold them.
    pub active: bool,
}

/// Which documents a caller may see, judged by departments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    All,
    /// Documents with no department or at least one of these.
    Departments(Vec<Uuid>),
}

/// Who asks, and for what. A document must meet all conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Folded text that the document must contain; None or empty is no condition.
    pub term: Option<String>,
    /// The caller, who is never in the list.
    pub exclude: Option<Uuid>,
    /// Roles visible to the caller.
    pub roles: Vec<String>,
    /// Whether the caller sees documents without a role too.
    pub without_role: bool,
    pub access: Access,
    /// Filter: any of these; empty is no filter.
    pub departments: Vec<Uuid>,
    /// Filter: this role. A role that the caller may not see finds nothing.
    pub role: Option<String>,
    /// A filter that nothing meets (by cohort, where there are no cohorts): page and facets are
    /// empty.
    pub nothing: bool,
    pub offset: usize,
    pub limit: usize,
}

/// One page of the matches, and the counts beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Sorted by name key, documents without a name last, then by id.
    pub ids: Vec<Uuid>,
    /// Matches before paging.
    pub total: u64,
    /// Matches of each department under all conditions but the department filter; none is zero;
    /// unsorted.
    pub departments: Vec<(Uuid, u64)>,
    /// Matches of each role under all conditions but the role filter; none is zero; unsorted.
    pub roles: Vec<(String, u64)>,
}

/// The index of one tenant. Callers hold it in a `RwLock`: searches read, changes write.
#[derive(Debug, Default)]
pub struct Index {
    /// The slots in use.
    all: RoaringBitmap,
    documents: Documents,
    grams: Grams,
    domains: Domains,
    roles: Labels<String>,
    departments: Labels<Uuid>,
    by_name: Order,
    by_id: Order,
}

impl Index {
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds the index from all documents at once, far faster than by one put for each. They need
    /// no order. Of active documents with the same id, the last is kept.
    pub fn load(documents: impl IntoIterator<Item = Document>) -> Self {
        let mut index = Self::default();
        let mut grams = GramsLoader::default();
        for document in documents.into_iter().filter(|document| document.active) {
            let slot = index.documents.claim();
            grams.push(slot, document.text.as_bytes());
            index.write(slot, &document);
        }
        index.grams = grams.finish();
        let (by_id, replaced) = index.documents.latest_by_id();
        for slot in replaced {
            index.release(slot);
        }
        index.by_name = Order::from_sorted(&index.documents.sorted_by_name(&by_id));
        index.by_id = Order::from_sorted(&by_id);
        index
    }

    /// Adds or replaces the document with this id.
    pub fn put(&mut self, document: Document) {
        if !document.active {
            return self.remove(document.id);
        }
        let place = documents::place(&document);
        let known = self.slot(document.id);
        let slot = known.unwrap_or_else(|| self.documents.claim());
        if known.is_none() {
            self.by_id.insert(slot, |other| self.documents.id(other).cmp(&document.id));
            self.by_name.insert(slot, |other| self.documents.place(other).cmp(&place));
        } else if self.documents.place(slot) != place {
            self.leave_names(slot);
            self.by_name.insert(slot, |other| self.documents.place(other).cmp(&place));
        }
        self.grams.replace(slot, self.documents.text(slot), document.text.as_bytes());
        self.write(slot, &document);
    }

    pub fn remove(&mut self, id: Uuid) {
        let Some(slot) = self.slot(id) else { return };
        self.leave_names(slot);
        self.by_id.remove(|other| self.documents.id(other).cmp(&id));
        self.release(slot);
    }

    /// How many documents the index holds.
    pub fn len(&self) -> usize {
        self.all.len() as usize
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Bytes of heap in use, without the allocator's own overhead.
    pub fn memory_bytes(&self) -> usize {
        labels::set_bytes(&self.all)
            + self.documents.memory_bytes()
            + self.grams.memory_bytes()
            + self.domains.memory_bytes()
            + self.roles.memory_bytes()
            + self.departments.memory_bytes()
            + self.by_name.memory_bytes()
            + self.by_id.memory_bytes()
    }

    fn slot(&self, id: Uuid) -> Option<u32> {
        self.by_id.find(|other| self.documents.id(other).cmp(&id))
    }

    fn leave_names(&mut self, slot: u32) {
        let place = self.documents.place(slot);
        self.by_name.remove(|other| self.documents.place(other).cmp(&place));
    }

    /// Writes all of the document but its grams, which a load gathers by itself.
    fn write(&mut self, slot: u32, document: &Document) {
        self.domains.replace(slot, self.documents.text(slot), document.text.as_bytes());
        // A new slot carries no labels yet.
        let old_role = if self.all.insert(slot) { None } else { self.roles.of(slot) };
        let role = document.role.as_ref().map(|role| self.roles.number(role));
        self.roles.replace(slot, old_role.as_slice(), role.as_slice());
        let departments = self.departments.numbers(&document.departments);
        self.departments.replace(slot, self.documents.departments(slot), &departments);
        self.documents.write(slot, document, &departments);
    }

    /// Clears a slot after it has left both orders.
    fn release(&mut self, slot: u32) {
        self.grams.replace(slot, self.documents.text(slot), b"");
        self.domains.replace(slot, self.documents.text(slot), b"");
        self.roles.clear(slot, self.roles.of(slot).as_slice());
        self.departments.clear(slot, self.documents.departments(slot));
        self.documents.release(slot);
        self.all.remove(slot);
    }
}
