//! Chance that falls the same way each time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Random numbers, one after another (splitmix64 over a counter). The same seed gives the same draws.
#[derive(Default)]
pub struct SeededRng {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededRng {
    /// The draws of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed: mix(seed), drawn: AtomicU64::new(0) }
    }

    /// Whether something that happens this many times of a thousand happens now.
    pub fn happens(&self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// A number below this one.
    pub fn below(&self, most: u64) -> u64 {
        let step = self.drawn.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        mix(self.seed.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15))) % most
    }

    /// One of these.
    pub fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).expect("an index")]
    }
}

/// How much a test does: what the environment says, or else the usual.
pub fn how_much(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |value| value.parse().expect("a number"))
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
