//! How many users are decided on at a time: many of those with short lists, few of those with long ones.

/// Users of the first portion, of whose lists nothing is known: two requests.
const FIRST: usize = 200;
/// How many times as many a portion may have as the one before it: who comes next may have longer lists.
const GROWTH: usize = 9;

/// What the last portion has shown.
pub(crate) struct Portions {
    users: usize,
    /// Numbers that their plans hold.
    numbers: usize,
    /// Users of the next one at most.
    most: usize,
}

impl Default for Portions {
    fn default() -> Self {
        Self { users: FIRST, numbers: 0, most: FIRST }
    }
}

impl Portions {
    /// The users of the next portion, whose plans are to hold so many numbers together.
    pub(crate) fn next(&self, room: usize) -> usize {
        let fit = room.saturating_mul(self.users) / self.numbers.max(1);
        fit.clamp(1, self.most)
    }

    /// Learns how many numbers the plans of a portion have come to hold.
    pub(crate) fn learn(&mut self, users: usize, numbers: usize) {
        let users = users.max(1);
        *self = Self { users, numbers, most: users * GROWTH };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_have_few_users_with_long_lists_and_many_with_short_ones() {
        let mut portions = Portions::default();
        let first = portions.next(500_000);
        assert_eq!(first, FIRST, "not a request for some users more");
        portions.learn(first, first * 5_000);
        assert_eq!(portions.next(500_000), 100);
        assert_eq!(portions.next(4_999), 1, "a list may be longer than what is left");
        portions.learn(100, 100);
        assert_eq!(portions.next(500_000), 100 * GROWTH, "not at once as many as would fit");
        portions.learn(900, 0);
        assert_eq!(portions.next(500_000), 900 * GROWTH);
    }
}
