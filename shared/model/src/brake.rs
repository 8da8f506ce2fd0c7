//! The brake of whatever takes something away from users by itself.
//!
//! A system of others that answers with an empty list must not take everything from everybody. **A run that nobody
//! watches never takes from more than the threshold: it holds, and a person says whether it was meant.**

/// What a run may take from without asking, in percent of those that it looks after.
pub const SHARE_PERCENT: usize = 20;
/// Below this many no run holds: in a small account, one person who leaves is a large share.
pub const AT_LEAST: usize = 10;

/// Whether a run must hold that would take something from `affected` of `all`.
pub fn holds(affected: usize, all: usize) -> bool {
    affected >= AT_LEAST && affected.saturating_mul(100) > all.saturating_mul(SHARE_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_past_both_thresholds_alone() {
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
            assert_eq!(holds(affected, all), held, "{affected} of {all}");
        }
    }
}
