//! Whom somebody may have meant who has written a login ID that nobody has.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::{
    Attempt, StorageError,
    world::{Found, TableUsage},
};
use rollcall_model::user::near::{likely, single_edits};

/// Login IDs of one job that are asked about: a file of which more are wrong has another fault.
const MOST_ASKED: usize = 50;
/// Reads that one job spends on it: fifty requests, at most some thousandth part of a dollar.
const MOST_READ: usize = 5_000;
/// Users who are named for one login ID. Where single letters lead to more, nobody is closest.
const MOST_NAMED: usize = 2;

/// Looks for users whose login IDs are nearly those that were written, as far as one job may.
#[derive(Default)]
pub struct Near {
    asked: AtomicUsize,
    read: AtomicUsize,
}

impl Near {
    /// The folded login IDs of users who are near each of these, by the login ID; the likeliest first. Those of whom nobody is near, or who are
    /// not asked about any more, are left out.
    ///
    /// # Errors
    /// When the table can't be read.
    pub(crate) async fn of(
        &self,
        attempt: &Attempt<'_>,
        logins: &[&str],
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Vec<String>>, StorageError> {
        let logins = &logins[..spend(&self.asked, logins.len(), MOST_ASKED)];
        let mut near = HashMap::new();
        for (login, mut found) in self.find(attempt, logins, likely, usage).await? {
            found.truncate(MOST_NAMED);
            near.insert(login, found);
        }
        let open: Vec<&str> = logins.iter().copied().filter(|login| !near.contains_key(*login)).collect();
        let edits = self.find(attempt, &open, single_edits, usage).await?;
        near.extend(edits.into_iter().filter(|(_, found)| found.len() <= MOST_NAMED));
        Ok(near)
    }

    /// The users that are among the candidates for each login ID, in the order of the candidates; where there are some.
    async fn find(
        &self,
        attempt: &Attempt<'_>,
        logins: &[&str],
        candidates: impl Fn(&str) -> Vec<String>,
        usage: &mut TableUsage,
    ) -> Result<Vec<(String, Vec<String>)>, StorageError> {
        let mut wanted: Vec<(&str, Vec<String>)> = Vec::new();
        for login in logins {
            let candidates = candidates(login);
            // All of them or none: half of them would name somebody who is not the closest.
            if candidates.len() > MOST_READ - self.read.load(Relaxed) {
                break;
            }
            spend(&self.read, candidates.len(), MOST_READ);
            wanted.push((login, candidates));
        }
        let mut keys: Vec<&str> = wanted.iter().flat_map(|(_, all)| all.iter().map(String::as_str)).collect();
        keys.sort_unstable();
        // One request takes a key once.
        keys.dedup();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let there: HashMap<String, Found> =
            attempt.world.users.find_users(attempt.account(), &keys, attempt.until, usage).await?;
        let found = wanted.into_iter().map(|(login, all)| {
            let found: Vec<String> = all.into_iter().filter(|one| there.contains_key(one)).collect();
            (login.to_owned(), found)
        });
        Ok(found.filter(|(_, found)| !found.is_empty()).collect())
    }
}

/// Takes as much of what is left as is wanted. Gives what was taken.
fn spend(spent: &AtomicUsize, wanted: usize, most: usize) -> usize {
    let taken = wanted.min(most - spent.load(Relaxed));
    spent.fetch_add(taken, Relaxed);
    taken
}
