//! For each gram (one byte, or two bytes next to each other) the slots whose texts contain it.
//!
//! A term of one or two bytes is answered exactly. For a longer term the sets tell where it may be,
//! not where it is. Bytes rather than characters bound the number of sets in every script.

use std::collections::BTreeMap;
use std::mem::{size_of, take};

use roaring::RoaringBitmap;

use super::labels::set_bytes;

/// Terms up to this long are answered without reading a text.
pub(super) const GRAM_BYTES_MAX: usize = 2;

/// One or two bytes as a number. The high byte is the first of two bytes plus one; for a single
/// byte it is zero.
type Gram = u16;

/// Words that a loader gathers for a gram before it adds them to its set.
const PENDING_WORDS_MAX: usize = 1024;

/// The sets of slots by gram; no set is empty.
#[derive(Debug, Default)]
pub(super) struct Grams {
    sets: BTreeMap<Gram, RoaringBitmap>,
}

impl Grams {
    /// Replaces the grams of a slot's old text by those of its new one, and touches only those that
    /// differ.
    pub(super) fn replace(&mut self, slot: u32, old: &[u8], new: &[u8]) {
        if old == new {
            return;
        }
        let (old, new) = (distinct(old), distinct(new));
        for gram in old.iter().filter(|gram| new.binary_search(gram).is_err()) {
            if let Some(set) = self.sets.get_mut(gram) {
                set.remove(slot);
                if set.is_empty() {
                    self.sets.remove(gram);
                }
            }
        }
        for gram in new.iter().filter(|gram| old.binary_search(gram).is_err()) {
            self.sets.entry(*gram).or_default().insert(slot);
        }
    }

    /// The sets whose intersection contains every text with this term; None if one of them is
    /// empty.
    pub(super) fn sets_of(&self, term: &[u8]) -> Option<Vec<&RoaringBitmap>> {
        let mut wanted = distinct(term);
        if term.len() >= GRAM_BYTES_MAX {
            // A pair implies both of its bytes.
            wanted.retain(|gram| is_pair(*gram));
        }
        wanted.iter().map(|gram| self.sets.get(gram)).collect()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let entry = size_of::<Gram>() + size_of::<RoaringBitmap>();
        self.sets.values().map(|set| entry + set_bytes(set)).sum()
    }
}

/// Builds `Grams` from texts whose slots ascend.
pub(super) struct GramsLoader {
    /// The current word: for each gram, the slots from `word_start` on that have it.
    word: Vec<u64>,
    word_start: u32,
    /// The grams of which the current word is not zero.
    touched: Vec<Gram>,
    /// For each gram its place in `gathered` plus one; zero if it has none.
    places: Vec<u32>,
    gathered: Vec<Gathered>,
}

/// What a loader has gathered for a gram: its set, and words that are not in the set yet, with
/// their first slots.
struct Gathered {
    gram: Gram,
    set: RoaringBitmap,
    words: Vec<(u32, u64)>,
}

impl Default for GramsLoader {
    fn default() -> Self {
        Self {
            word: vec![0; 1 << Gram::BITS],
            word_start: 0,
            touched: Vec::new(),
            places: vec![0; 1 << Gram::BITS],
            gathered: Vec::new(),
        }
    }
}

impl GramsLoader {
    /// Adds a text. Its slot is greater than that of every text before it.
    pub(super) fn push(&mut self, slot: u32, text: &[u8]) {
        if slot - self.word_start >= u64::BITS {
            self.finish_word();
            self.word_start = slot - slot % u64::BITS;
        }
        let bit = 1 << (slot - self.word_start);
        for_each_gram(text, |gram| self.add(gram, bit));
    }

    pub(super) fn finish(mut self) -> Grams {
        self.finish_word();
        let finished = self.gathered.into_iter().map(|mut gathered| {
            gathered.settle();
            (gathered.gram, gathered.set)
        });
        Grams { sets: finished.collect() }
    }

    fn add(&mut self, gram: Gram, bits: u64) {
        let word = &mut self.word[usize::from(gram)];
        if *word == 0 {
            self.touched.push(gram);
        }
        *word |= bits;
    }

    fn finish_word(&mut self) {
        for at in 0..self.touched.len() {
            let word = self.word[usize::from(self.touched[at])];
            self.add(second_byte(self.touched[at]), word);
        }
        for gram in self.touched.drain(..) {
            let place = &mut self.places[usize::from(gram)];
            if *place == 0 {
                self.gathered.push(Gathered::new(gram));
                *place = self.gathered.len() as u32;
            }
            let gathered = &mut self.gathered[*place as usize - 1];
            gathered.words.push((self.word_start, take(&mut self.word[usize::from(gram)])));
            if gathered.words.len() >= PENDING_WORDS_MAX {
                gathered.settle();
            }
        }
    }
}

impl Gathered {
    fn new(gram: Gram) -> Self {
        Self { gram, set: RoaringBitmap::new(), words: Vec::new() }
    }

    fn settle(&mut self) {
        let Some((start, _)) = self.words.first().copied() else { return };
        let mut bytes = Vec::new();
        for (word_start, word) in self.words.drain(..) {
            bytes.resize((word_start - start) as usize / 8, 0);
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        self.set |= RoaringBitmap::from_lsb0_bytes(start, &bytes);
    }
}

/// Visits the first byte of each line, and each later byte together with the byte before it: terms
/// never cross the end of a line, so neither do grams. The second bytes of pairs are added by the
/// caller.
fn for_each_gram(text: &[u8], mut visit: impl FnMut(Gram)) {
    let mut first = b'\n';
    for second in text.iter().copied() {
        if second != b'\n' {
            let first = if first == b'\n' { 0 } else { Gram::from(first) + 1 };
            visit(first << 8 | Gram::from(second));
        }
        first = second;
    }
}

/// The grams of a text, ascending, each once.
fn distinct(text: &[u8]) -> Vec<Gram> {
    let mut grams = Vec::with_capacity(2 * text.len());
    for_each_gram(text, |gram| grams.extend([gram, second_byte(gram)]));
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The gram of the second byte of a pair; of a single byte, the gram itself.
fn second_byte(gram: Gram) -> Gram {
    gram & Gram::from(u8::MAX)
}

fn is_pair(gram: Gram) -> bool {
    gram > Gram::from(u8::MAX)
}
