//! Argon2id on reused memory, so that a hash does not allocate 19 MiB each time. Every verification
//! fills at least as much memory as a new hash does, and compares in constant time.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;

use super::stored::{
    FILLED_KIB_MAX, MEMORY_KIB_MAX, Malformed, Stored, cost_kib, crafter_hash, parse,
};
use super::{InvalidSettings, Verdict};

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// The memory of one hash. It is not wiped afterwards: that costs a tenth of a hash, and the next
/// hash overwrites it.
type Memory = Vec<Block>;

pub(super) struct Argon {
    today: Params,
    idle: Mutex<Vec<Memory>>,
    filled_kib: AtomicU64,
}

impl Argon {
    pub fn new(memory_kib: u32, iterations: u32) -> Result<Argon, InvalidSettings> {
        let today = Params::new(memory_kib, iterations.max(1), 1, Some(OUTPUT_BYTES))
            .map_err(|_| InvalidSettings::Memory)?;
        if memory_kib > MEMORY_KIB_MAX {
            return Err(InvalidSettings::Memory);
        }
        if iterations == 0 || cost_kib(&today) > FILLED_KIB_MAX {
            return Err(InvalidSettings::Iterations);
        }
        Ok(Argon { today, idle: Mutex::default(), filled_kib: AtomicU64::new(0) })
    }

    /// A hash with today's parameters and a new salt, as text.
    pub fn hash(&self, password: &[u8]) -> String {
        let salt: [u8; SALT_BYTES] = rand::random();
        let mut output = [0; OUTPUT_BYTES];
        self.fill(&self.today, Version::V0x13, password, &salt, &mut output)
            .expect("today's parameters were checked, and the lengths are constants");
        format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            self.today.m_cost(),
            self.today.t_cost(),
            self.today.p_cost(),
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(output)
        )
    }

    /// Whether the password is the stored one. The time tells nothing of what is stored, unless
    /// that is stronger than a new hash.
    pub fn verify(&self, password: &[u8], stored: Option<&str>) -> Result<Verdict, Malformed> {
        let mut spent_kib = 0;
        let verdict = match stored.map(parse) {
            None => Ok(Verdict::Wrong),
            Some(Err(malformed)) => Err(malformed),
            Some(Ok(Stored::Crafter { hash, salt })) => {
                let right = crafter_hash(password, &salt).ct_eq(&hash).into();
                Ok(if right { Verdict::RightButUpgrade } else { Verdict::Wrong })
            }
            Some(Ok(Stored::Argon2id { params, version, salt, output })) => {
                spent_kib = cost_kib(&params);
                let weaker = self.is_weaker(&params, version, &salt, &output);
                let mut computed = vec![0; output.len()];
                self.fill(&params, version, password, &salt, &mut computed).map(|()| {
                    match (bool::from(computed.ct_eq(&output)), weaker) {
                        (true, false) => Verdict::Right,
                        (true, true) => Verdict::RightButUpgrade,
                        (false, _) => Verdict::Wrong,
                    }
                })
            }
        };
        self.top_up(password, spent_kib);
        verdict
    }

    pub fn filled_kib(&self) -> u64 {
        self.filled_kib.load(Ordering::Relaxed)
    }

    pub fn held_kib(&self) -> usize {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Vec::len).sum()
    }

    fn is_weaker(&self, params: &Params, version: Version, salt: &[u8], output: &[u8]) -> bool {
        version != Version::V0x13
            || params.m_cost() < self.today.m_cost()
            || params.t_cost() < self.today.t_cost()
            || salt.len() < SALT_BYTES
            || output.len() < OUTPUT_BYTES
    }

    /// Makes as many passes as are missing to the cost of a new hash.
    fn top_up(&self, password: &[u8], spent_kib: u64) {
        let missing_kib = cost_kib(&self.today).saturating_sub(spent_kib);
        let passes = missing_kib.div_ceil(u64::from(self.today.m_cost()));
        let Ok(passes @ 1..) = u32::try_from(passes) else { return };
        let memory_kib = self.today.m_cost();
        let mut output = [0; OUTPUT_BYTES];
        Params::new(memory_kib, passes, 1, Some(OUTPUT_BYTES))
            .map_err(|_| Malformed::Parameters)
            .and_then(|params| {
                self.fill(&params, Version::V0x13, password, &[0; SALT_BYTES], &mut output)
            })
            .expect("fewer passes than today's are as valid");
        black_box(output);
    }

    fn fill(
        &self,
        params: &Params,
        version: Version,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), Malformed> {
        let usual = self.today.block_count();
        let mut memory = self.take(params.block_count().max(usual));
        let computed = Argon2::new(Algorithm::Argon2id, version, params.clone())
            .hash_password_into_with_memory(password, salt, output, &mut memory)
            .map_err(|_| Malformed::Parameters);
        self.filled_kib.fetch_add(cost_kib(params), Ordering::Relaxed);
        // Extra memory for a stronger hash is released.
        if memory.len() == usual {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        }
        computed
    }

    fn take(&self, blocks: usize) -> Memory {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.pop_if(|memory| memory.len() == blocks) {
            Some(memory) => memory,
            None => {
                drop(idle);
                vec![Block::new(); blocks]
            }
        }
    }
}
