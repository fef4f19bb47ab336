//! The columns: what the index holds for each slot, in blocks.
//!
//! The texts of a block lie end to end, so that one search covers all of them. A block is small
//! enough to be shifted whenever one of its texts changes. No set of slots is kept here.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::mem::size_of;
use std::ops::Range;

use memchr::memmem::Finder;
use uuid::Uuid;

use super::Document;

/// Slots of a block: few enough to shift at a change, many enough to read from memory in one go.
const BLOCK_SLOTS: usize = 512;

/// Slots of one word of a bit set.
pub(super) const WORD_BITS: usize = u64::BITS as usize;

/// Words with a bit for each slot of a block.
const BLOCK_WORDS: usize = BLOCK_SLOTS / WORD_BITS;

/// Below this many texts in a block they are searched one by one: a text by itself costs as much as
/// about eight texts searched in one run.
const SWEEP_TEXTS_MIN: u32 = 64;

/// By which part of its length a block's list may grow before it is moved.
const SPARE_DIVISOR: usize = 16;

/// Length of the name key of a document without a name.
const NO_KEY: u32 = u32::MAX;

/// Length of a name key that differs from the beginning of the text, and so is stored apart.
const KEY_APART: u32 = u32::MAX - 1;

/// A document's place in the list: whether it has a name, name key, id.
pub(super) type Place<'a> = (bool, &'a [u8], Uuid);

/// All columns of all slots.
#[derive(Debug, Default)]
pub(super) struct Documents {
    blocks: Vec<Box<Block>>,
    /// Slots ever used; vacant ones are among them.
    claimed: u32,
    vacant: Vec<u32>,
    keys_apart: HashMap<u32, Box<str>>,
}

/// The columns of the slots of one block.
#[derive(Debug)]
struct Block {
    ids: [Uuid; BLOCK_SLOTS],
    /// Length of the name key.
    key_bytes: [u32; BLOCK_SLOTS],
    /// The texts, each followed by '\n', which no term contains, so that no match spans two of
    /// them.
    texts: Packed<u8>,
    departments: Packed<u32>,
}

/// The lists of a block's slots, end to end.
#[derive(Debug)]
struct Packed<T> {
    values: Vec<T>,
    ends: [u32; BLOCK_SLOTS],
}

impl Documents {
    /// An empty slot: a vacant one, or else a new one.
    pub(super) fn claim(&mut self) -> u32 {
        if let Some(slot) = self.vacant.pop() {
            return slot;
        }
        let slot = self.claimed;
        if slot as usize == self.blocks.len() * BLOCK_SLOTS {
            self.blocks.push(Box::new(Block::vacant()));
        }
        self.claimed += 1;
        slot
    }

    /// Empties a slot so that it can hold another document.
    pub(super) fn release(&mut self, slot: u32) {
        let (block, at) = self.block_mut(slot);
        block.ids[at] = Uuid::nil();
        block.key_bytes[at] = NO_KEY;
        block.texts.resize(at, 0);
        block.departments.resize(at, 0);
        self.keys_apart.remove(&slot);
        self.vacant.push(slot);
    }

    pub(super) fn write(&mut self, slot: u32, document: &Document, departments: &[u32]) {
        self.keys_apart.remove(&slot);
        let key_bytes = match &document.name_key {
            None => NO_KEY,
            Some(key) if document.text.starts_with(key.as_str()) => key.len() as u32,
            Some(key) => {
                self.keys_apart.insert(slot, key.as_str().into());
                KEY_APART
            }
        };
        let text = document.text.as_bytes();
        let (block, at) = self.block_mut(slot);
        block.ids[at] = document.id;
        block.key_bytes[at] = key_bytes;
        let room = block.texts.resize(at, text.len() + 1);
        room[..text.len()].copy_from_slice(text);
        room[text.len()] = b'\n';
        block.departments.resize(at, departments.len()).copy_from_slice(departments);
    }

    pub(super) fn id(&self, slot: u32) -> Uuid {
        let (block, at) = self.block(slot);
        block.ids[at]
    }

    pub(super) fn departments(&self, slot: u32) -> &[u32] {
        let (block, at) = self.block(slot);
        block.departments.get(at)
    }

    /// Empty for a slot without a document.
    pub(super) fn text(&self, slot: u32) -> &[u8] {
        let (block, at) = self.block(slot);
        block.text(at)
    }

    pub(super) fn place(&self, slot: u32) -> Place<'_> {
        let (block, at) = self.block(slot);
        let key = match block.key_bytes[at] {
            NO_KEY => return (true, &[], block.ids[at]),
            KEY_APART => self.keys_apart[&slot].as_bytes(),
            bytes => &block.text(at)[..bytes as usize],
        };
        (false, key, block.ids[at])
    }

    /// Words that a bit set of all slots takes.
    pub(super) fn words_len(&self) -> usize {
        self.blocks.len() * BLOCK_WORDS
    }

    /// Keeps of the candidates, one bit for each slot, those whose text contains the term.
    pub(super) fn retain_holding(&self, candidates: &mut [u64], term: &Finder<'_>) {
        for (block, candidates) in self.blocks.iter().zip(candidates.chunks_exact_mut(BLOCK_WORDS))
        {
            let texts = candidates.iter().map(|word| word.count_ones()).sum::<u32>();
            if texts >= SWEEP_TEXTS_MIN {
                block.texts.sweep(candidates, term);
            } else if texts > 0 {
                block.texts.retain_each(candidates, term);
            }
        }
    }

    /// All slots by their ids, and apart from them the slots whose id a later slot has too. For an
    /// index of which no slot was ever released.
    pub(super) fn latest_by_id(&self) -> (Vec<u32>, Vec<u32>) {
        let mut by_id: Vec<_> =
            (0..self.claimed).map(|slot| (self.id(slot), Reverse(slot))).collect();
        by_id.sort_unstable();
        let mut replaced = Vec::new();
        by_id.dedup_by(|earlier, latest| {
            let is_replaced = earlier.0 == latest.0;
            replaced.extend(is_replaced.then_some(earlier.1.0));
            is_replaced
        });
        (by_id.into_iter().map(|(_, Reverse(slot))| slot).collect(), replaced)
    }

    /// These slots, in the order of the list.
    pub(super) fn sorted_by_name(&self, slots: &[u32]) -> Vec<u32> {
        let mut keyed: Vec<_> = slots.iter().map(|slot| (self.prefix(*slot), *slot)).collect();
        keyed.sort_unstable();
        let mut sorted = Vec::with_capacity(keyed.len());
        for alike in keyed.chunk_by(|(prefix, _), (next, _)| prefix == next) {
            match alike {
                [(_, slot)] => sorted.push(*slot),
                _ => sorted.extend(self.sorted_by_place(alike.iter().map(|(_, slot)| *slot))),
            }
        }
        sorted
    }

    /// As `sorted_by_name`, but compares whole places: for few slots.
    pub(super) fn sorted_by_place(
        &self,
        slots: impl Iterator<Item = u32>,
    ) -> impl Iterator<Item = u32> {
        let mut places: Vec<_> = slots.map(|slot| (self.place(slot), slot)).collect();
        places.sort_unstable();
        places.into_iter().map(|(_, slot)| slot)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let block = |block: &Block| {
            size_of::<Block>()
                + block.texts.values.capacity()
                + block.departments.values.capacity() * size_of::<u32>()
        };
        let apart = |key: &str| key.len() + size_of::<(u32, Box<str>)>();
        self.blocks.iter().map(|boxed| block(boxed)).sum::<usize>()
            + self.blocks.capacity() * size_of::<Box<Block>>()
            + self.vacant.capacity() * size_of::<u32>()
            + self.keys_apart.values().map(|key| apart(key)).sum::<usize>()
    }

    /// The place's first bytes as a number, so that sorting many slots seldom reads their keys.
    fn prefix(&self, slot: u32) -> (bool, u128) {
        let (nameless, key, _) = self.place(slot);
        let mut prefix = [0; size_of::<u128>()];
        let bytes = key.len().min(prefix.len());
        prefix[..bytes].copy_from_slice(&key[..bytes]);
        (nameless, u128::from_be_bytes(prefix))
    }

    fn block(&self, slot: u32) -> (&Block, usize) {
        (&self.blocks[slot as usize / BLOCK_SLOTS], slot as usize % BLOCK_SLOTS)
    }

    fn block_mut(&mut self, slot: u32) -> (&mut Block, usize) {
        (&mut self.blocks[slot as usize / BLOCK_SLOTS], slot as usize % BLOCK_SLOTS)
    }
}

/// The place that the document would have.
pub(super) fn place(document: &Document) -> Place<'_> {
    let key = document.name_key.as_deref();
    (key.is_none(), key.unwrap_or_default().as_bytes(), document.id)
}

impl Block {
    fn vacant() -> Self {
        Self {
            ids: [Uuid::nil(); BLOCK_SLOTS],
            key_bytes: [NO_KEY; BLOCK_SLOTS],
            texts: Packed::empty(),
            departments: Packed::empty(),
        }
    }

    fn text(&self, at: usize) -> &[u8] {
        self.texts.get(at).strip_suffix(b"\n").unwrap_or_default()
    }
}

impl Packed<u8> {
    /// Searches the text of each candidate.
    fn retain_each(&self, candidates: &mut [u64], term: &Finder<'_>) {
        let mut next = next_bit(candidates, 0);
        while let Some(at) = next {
            if term.find(self.get(at)).is_none() {
                candidates[at / WORD_BITS] &= !(1 << (at % WORD_BITS));
            }
            next = next_bit(candidates, at + 1);
        }
    }

    /// The same by one search through all texts: after each match it goes on at the next candidate.
    fn sweep(&self, candidates: &mut [u64], term: &Finder<'_>) {
        let mut holding = [0; BLOCK_WORDS];
        let mut next = next_bit(candidates, 0);
        while let Some(mut at) = next {
            let start = self.range(at).start;
            let Some(found) = term.find(&self.values[start..]) else { break };
            while self.ends[at] as usize <= start + found {
                at += 1;
            }
            holding[at / WORD_BITS] |= 1 << (at % WORD_BITS);
            next = next_bit(candidates, at + 1);
        }
        candidates.iter_mut().zip(holding).for_each(|(word, holding)| *word &= holding);
    }
}

/// The first bit that is set at or after this one.
fn next_bit(words: &[u64], from: usize) -> Option<usize> {
    let mut word = from / WORD_BITS;
    let mut rest = words.get(word)? & u64::MAX << (from % WORD_BITS);
    while rest == 0 {
        word += 1;
        rest = *words.get(word)?;
    }
    Some(word * WORD_BITS + rest.trailing_zeros() as usize)
}

impl<T: Copy + Default> Packed<T> {
    fn empty() -> Self {
        Self { values: Vec::new(), ends: [0; BLOCK_SLOTS] }
    }

    fn range(&self, at: usize) -> Range<usize> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        start as usize..self.ends[at] as usize
    }

    fn get(&self, at: usize) -> &[T] {
        &self.values[self.range(at)]
    }

    /// Makes the list this long and moves those after it. The caller overwrites what the list then
    /// holds.
    fn resize(&mut self, at: usize, list_len: usize) -> &mut [T] {
        let (old, len) = (self.range(at), self.values.len());
        let (end, new_len) = (old.start + list_len, len - old.len() + list_len);
        if new_len > self.values.capacity() {
            self.values.reserve_exact(new_len - len + new_len / SPARE_DIVISOR);
        }
        self.values.resize(new_len.max(len), T::default());
        self.values.copy_within(old.end..len, end);
        self.values.truncate(new_len);
        let (old_len, list_len) = (old.len() as u32, list_len as u32);
        self.ends[at..].iter_mut().for_each(|later| *later = *later + list_len - old_len);
        &mut self.values[old.start..end]
    }
}
