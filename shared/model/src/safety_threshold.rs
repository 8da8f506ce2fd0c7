//! How much a run that nobody watches may take away.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Past which share a run holds that takes something from users by itself: a resync that revokes numbers, a sync that deactivates users.
/// Both parts must be passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SafetyThreshold {
    /// What a run may take from without asking, in percent of those that it looks after.
    pub percent: u8,
    /// Below this many no run holds: in a small account, one person who leaves is a large share.
    pub at_least: u32,
}

impl SafetyThreshold {
    /// Shares that can be set, in percent. At 100 no run would ever hold, at 0 each that takes anything would.
    pub const PERCENT: std::ops::RangeInclusive<u8> = 1..=99;
    /// Counts that can be set. A larger one would keep an account of some hundred thousand users from ever holding.
    pub const AT_LEAST: std::ops::RangeInclusive<u32> = 1..=10_000;

    /// Whether a run must hold that would take something from `affected` of `all`.
    pub fn holds(self, affected: usize, all: usize) -> bool {
        affected >= usize::try_from(self.at_least).unwrap_or(usize::MAX)
            && affected.saturating_mul(100) > all.saturating_mul(self.percent.into())
    }
}

impl Default for SafetyThreshold {
    fn default() -> Self {
        Self { percent: 20, at_least: 10 }
    }
}

/// As people read it: `20 %, and 10 at least`.
impl fmt::Display for SafetyThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %, and {} at least", self.percent, self.at_least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_past_both_parts_alone() {
        for (affected, all, held) in [
            (0, 0, false),
            (9, 9, false),
            (10, 10, true),
            (10, 50, false),
            (11, 50, true),
            (10, 49, true),
            (200, 1_000, false),
            (201, 1_000, true),
        ] {
            assert_eq!(SafetyThreshold::default().holds(affected, all), held, "{affected} of {all}");
        }
        let strict = SafetyThreshold { percent: 1, at_least: 1 };
        assert_eq!([strict.holds(1, 100), strict.holds(1, 99)], [false, true]);
    }
}
