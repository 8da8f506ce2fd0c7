//! Chance that falls the same way each time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Draws, one after another (splitmix64 over a counter).
#[derive(Default)]
pub struct Draws(AtomicU64);

impl Draws {
    /// Whether something that happens this many times of a thousand happens now.
    pub fn happens(&self, permille: u64) -> bool {
        let mut z = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % 1_000 < permille
    }
}
