//! Matches a query: intersects sets, reads texts where sets cannot tell, and makes the page and the
//! counts.
//!
//! It only reads, and keeps nothing between queries.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::slice::from_ref;

use memchr::memmem::Finder;
use roaring::RoaringBitmap;
use uuid::Uuid;

use super::documents::WORD_BITS;
use super::grams::GRAM_BYTES_MAX;
use super::{Access, Index, Page, Query};

/// Slots read from a set at a time.
const BATCH_SLOTS: usize = 1024;

/// How many slots of the order are passed in the time that fetching and sorting one match takes.
const STEPS_PER_SORTED_MATCH: u64 = 512;

/// After so many slots of the order it pays to write the matches into a bit set first.
const SET_STEPS_MAX: usize = 16 * 1024;

/// How many entries of the sets of departments are passed in the time that one slot's departments
/// take.
const ENTRIES_PER_SLOT_READ: u64 = 128;

/// A set of slots; borrowed if the index holds it.
type Slots<'a> = Cow<'a, RoaringBitmap>;

impl Index {
    /// One page, the exact total, and the exact counts for the options of both filters.
    pub fn search(&self, query: &Query) -> Page {
        if query.nothing {
            return Page::default();
        }
        let Some(visible) = self.visible(query) else { return Page::default() };
        let in_departments =
            (!query.departments.is_empty()).then(|| self.departments.union(&query.departments));
        let in_role = query.role.as_ref().map(|role| self.roles.union(from_ref(role)));
        let any_role = narrowed(&visible, in_departments.as_ref());
        let any_department = narrowed(&visible, in_role.as_ref());
        let found = narrowed(&any_role, in_role.as_ref());
        Page {
            ids: self.page(&found, query.offset, query.limit),
            total: found.len(),
            departments: self.department_counts(&any_department),
            roles: self.role_counts(&any_role),
        }
    }

    /// The documents that the caller may see and that contain the term: all conditions but the two
    /// filters. None if there are certainly none.
    fn visible(&self, query: &Query) -> Option<Slots<'_>> {
        let term = query.term.as_deref().unwrap_or_default().as_bytes();
        if term.contains(&b'\n') {
            return None;
        }
        let mut conditions: Vec<_> =
            self.grams.sets_of(term)?.into_iter().map(Cow::Borrowed).collect();
        conditions.extend(self.of_visible_role(query));
        if let Access::Departments(departments) = &query.access {
            let accessible = self.departments.union(departments) | self.departments.none();
            conditions.push(Cow::Owned(accessible));
        }
        let mut visible = self.intersection(conditions);
        if let Some(slot) = query.exclude.and_then(|caller| self.slot(caller)) {
            visible.to_mut().remove(slot);
        }
        if term.len() > GRAM_BYTES_MAX {
            visible = Cow::Owned(self.holding(&visible, term));
        }
        Some(visible)
    }

    /// None if the caller sees every role.
    fn of_visible_role(&self, query: &Query) -> Option<Slots<'_>> {
        let is_visible = |role: &String| query.roles.contains(role);
        let sees_all = (query.without_role || self.roles.none().is_empty())
            && self.roles.iter().all(|(role, set)| is_visible(role) || set.is_empty());
        if sees_all {
            return None;
        }
        let mut union = self.roles.union(&query.roles);
        if query.without_role {
            union |= self.roles.none();
        }
        Some(Cow::Owned(union))
    }

    /// Starts with the smallest set, so that the others are compared with few slots.
    fn intersection<'a>(&'a self, mut sets: Vec<Slots<'a>>) -> Slots<'a> {
        sets.sort_by_key(|set| set.len());
        sets.into_iter()
            .reduce(|narrowed, set| match narrowed {
                Cow::Borrowed(narrowed) => Cow::Owned(narrowed & &*set),
                Cow::Owned(narrowed) => Cow::Owned(narrowed & &*set),
            })
            .unwrap_or(Cow::Borrowed(&self.all))
    }

    /// Those of the candidates whose text contains the term.
    fn holding(&self, candidates: &RoaringBitmap, term: &[u8]) -> RoaringBitmap {
        let term = Finder::new(term);
        let known = self.domains.holding(&term) & candidates;
        let mut words = self.words(&(candidates - &known));
        self.documents.retain_holding(&mut words, &term);
        let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        RoaringBitmap::from_lsb0_bytes(0, &bytes) | known
    }

    fn page(&self, found: &RoaringBitmap, offset: usize, limit: usize) -> Vec<Uuid> {
        if limit == 0 || offset as u64 >= found.len() {
            return Vec::new();
        }
        let slots = if found.len() * STEPS_PER_SORTED_MATCH < self.all.len() {
            self.documents.sorted_by_place(found.iter()).skip(offset).take(limit).collect()
        } else {
            self.page_by_walking(found, offset, limit)
        };
        slots.into_iter().map(|slot| self.documents.id(slot)).collect()
    }

    fn page_by_walking(&self, found: &RoaringBitmap, offset: usize, limit: usize) -> Vec<u32> {
        let words = LazyCell::new(|| self.words(found));
        let is_found = |(step, slot): (usize, u32)| {
            let is_found = if step < SET_STEPS_MAX {
                found.contains(slot)
            } else {
                words[slot as usize / WORD_BITS] >> (slot as usize % WORD_BITS) & 1 == 1
            };
            is_found.then_some(slot)
        };
        self.by_name.iter().enumerate().filter_map(is_found).skip(offset).take(limit).collect()
    }

    /// The set with one bit for each slot.
    fn words(&self, slots: &RoaringBitmap) -> Vec<u64> {
        let mut words = vec![0; self.documents.words_len()];
        for_each(slots, |slot| {
            words[slot as usize / WORD_BITS] |= 1 << (slot as usize % WORD_BITS)
        });
        words
    }

    fn role_counts(&self, slots: &RoaringBitmap) -> Vec<(String, u64)> {
        let counts = self.roles.iter().map(|(role, set)| (role, set.intersection_len(slots)));
        counts.filter(|(_, count)| *count > 0).map(|(role, count)| (role.clone(), count)).collect()
    }

    /// Counts the slots, or all the others if those are fewer.
    fn department_counts(&self, slots: &RoaringBitmap) -> Vec<(Uuid, u64)> {
        let others = (slots.len() * 2 > self.all.len()).then(|| &self.all - slots);
        let counted = self.carried_departments(others.as_ref().unwrap_or(slots));
        let departments = self.departments.iter().zip(counted);
        let counts = departments.map(|((department, set), counted)| match others {
            Some(_) => (*department, set.len() - counted),
            None => (*department, counted),
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// How many of the slots carry each department, by the department's number.
    fn carried_departments(&self, slots: &RoaringBitmap) -> Vec<u64> {
        let sets = self.departments.iter().map(|(_, set)| set);
        if slots.len() * ENTRIES_PER_SLOT_READ > sets.clone().map(RoaringBitmap::len).sum() {
            return sets.map(|set| set.intersection_len(slots)).collect();
        }
        let mut counted = vec![0; sets.count()];
        for_each(slots, |slot| {
            for department in self.documents.departments(slot) {
                counted[*department as usize] += 1;
            }
        });
        counted
    }
}

/// Those of the slots that are also in the filter, if there is one.
fn narrowed<'a>(slots: &'a RoaringBitmap, filter: Option<&RoaringBitmap>) -> Slots<'a> {
    filter.map_or(Cow::Borrowed(slots), |filter| Cow::Owned(slots & filter))
}

/// Visits the slots in ascending order.
fn for_each(slots: &RoaringBitmap, mut visit: impl FnMut(u32)) {
    let mut iter = slots.iter();
    let mut batch = [0; BATCH_SLOTS];
    loop {
        let slots = iter.next_many(&mut batch);
        if slots.is_empty() {
            return;
        }
        slots.iter().for_each(|slot| visit(*slot));
    }
}
