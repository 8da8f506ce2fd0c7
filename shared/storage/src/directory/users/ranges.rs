//! A search of many users: ranges of names are walked at the same time.

use futures_util::{StreamExt, stream};
use rollcall_model::account::AccountId;

use super::{
    UserFilter,
    list::{Part, Place, Stretch},
};
use crate::{StorageError, directory::Directory};

/// Where ranges of folded names begin: at letters and digits, and where the scripts of countries with call centres begin. Each ends at the next, and
/// the last at the end.
const BEGINNINGS: [&str; 36] = [
    "", "0", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u",
    "v", "w", "x", "y", "z", "{", "\u{400}", "\u{600}", "\u{900}", "\u{980}", "\u{b80}", "\u{e00}", "\u{3000}",
];
/// Ranges that are walked at the same time: each asks for a megabyte at once, and a partition of the index gives some twenty of these a second.
const AT_ONCE: usize = 8;
/// Items that are read of one range: in an account of which most names begin alike, one range has them all.
const OF_ONE: usize = 20_000;

impl Directory {
    /// Users behind a place, or from the first, at most `most`, as far as some `reads` items of the index reach.
    ///
    /// # Errors
    /// As [`Directory::users_page`].
    pub(super) async fn stretch_at_once(
        &self,
        account: &AccountId,
        filter: &UserFilter,
        from: Option<&Place>,
        most: usize,
        reads: usize,
    ) -> Result<Stretch, StorageError> {
        let sort = from.map_or("", |from| from.sort.as_str());
        let first = BEGINNINGS.partition_point(|beginning| *beginning <= sort) - 1;
        let range = |at: usize| {
            let part = Part::Range(BEGINNINGS[at], BEGINNINGS.get(at + 1).copied());
            let from = from.filter(|_| at == first);
            async move { self.stretch(account, filter, part, from, most, OF_ONE.min(reads)).await }
        };
        let mut ranges = stream::iter(first..BEGINNINGS.len()).map(range).buffered(AT_ONCE);
        let mut found = Stretch { users: Vec::new(), next: from.cloned(), read: 0 };
        for behind in first + 1.. {
            let Some(range) = ranges.next().await.transpose()? else { break };
            found.read += range.read;
            for user in range.users {
                if found.users.len() == most {
                    return Ok(found);
                }
                found.next = Some(Place::of(&user));
                found.users.push(user);
            }
            if range.next.is_some() {
                found.next = range.next;
                return Ok(found);
            }
            found.next = BEGINNINGS.get(behind).map(|beginning| Place::at(beginning));
            if found.read >= reads {
                return Ok(found);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order() {
        assert!(BEGINNINGS.is_sorted());
    }
}
