//! What keeps a push from taking too much.

use rollcall_model::{push::Told, safety_threshold::SafetyThreshold};

/// Users whom the phone system refuses one after the other, for one reason, before a push holds: it is not the users then.
pub const REFUSALS_IN_A_ROW: usize = 20;

/// What a push takes, summed up. **Numbers that are exchanged are not taken**: only by how many a list becomes shorter counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brake {
    /// Numbers that the phone system was told of all users, each counted for each of them.
    pub told: usize,
    /// Of these, those that would be taken.
    pub taken: usize,
    /// Users who would have none any more, and are still there.
    pub emptied: usize,
}

impl Brake {
    /// Adds a user, who has so many numbers there and is to have so many. `is_gone` says that we have deleted the user: having no number then is
    /// what was meant.
    pub fn add(&mut self, has: usize, wanted: usize, is_gone: bool) {
        self.taken += has.saturating_sub(wanted);
        self.emptied += usize::from(has > 0 && wanted == 0 && !is_gone);
    }

    /// How many numbers a user has, by what was told.
    pub fn has(told: Option<&Told>) -> usize {
        told.map_or(0, |told| told.count)
    }

    /// Whether it takes anything.
    pub fn takes(&self) -> bool {
        self.taken > 0
    }

    /// Why the push holds.
    pub fn held(&self, threshold: SafetyThreshold) -> Option<String> {
        if threshold.holds(self.taken, self.told) {
            return Some(format!(
                "It would take {} of the {} numbers from the lists that the phone system was told. Past {} % of them, and {} at least, a person \
                 decides.",
                self.taken, self.told, threshold.percent, threshold.at_least
            ));
        }
        (self.emptied > 0).then(|| {
            format!(
                "It would leave {} users without a number in the phone system. Of that a person decides.",
                self.emptied
            )
        })
    }

    /// Why the push holds whose numbers the phone system lacks: of `wanted` numbers, so many.
    pub fn held_over_missing(missing: usize, wanted: usize) -> Option<String> {
        /// Numbers that are new may not have come to the phone system yet.
        const LACKING: SafetyThreshold = SafetyThreshold { percent: 10, at_least: 10 };
        LACKING.holds(missing, wanted).then(|| {
            format!(
                "The phone system doesn't have {missing} of the {wanted} numbers that it is to be told of. It may be another account's, or it doesn't \
                 tell all it has. A person decides."
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_takes_too_much_or_leaves_somebody_without() {
        let of = |told, users: &[(usize, usize, bool)]| {
            let mut brake = Brake { told, ..Brake::default() };
            for (has, wanted, is_gone) in users {
                brake.add(*has, *wanted, *is_gone);
            }
            brake.held(SafetyThreshold::default())
        };
        assert_eq!(of(100, &[(20, 20, false), (30, 10, false)]), None, "a fifth is let through");
        assert!(of(100, &[(31, 10, false)]).unwrap().contains("21 of the 100"));
        assert_eq!(of(4, &[(4, 4, false)]), None, "what is exchanged is not taken");
        assert!(of(1_000, &[(1, 0, false)]).unwrap().contains("1 users without"));
        assert_eq!(of(1_000, &[(1, 0, true)]), None, "a user who was deleted is to have none");
        assert_eq!(of(1_000, &[(0, 0, false)]), None);
    }

    #[test]
    fn it_holds_where_the_phone_system_lacks_what_it_is_told_of() {
        assert_eq!(Brake::held_over_missing(9, 9), None);
        assert_eq!(Brake::held_over_missing(10, 100), None);
        assert!(Brake::held_over_missing(11, 100).is_some());
    }
}
