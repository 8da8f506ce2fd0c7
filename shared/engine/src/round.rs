//! A schedule's round over accounts.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use lambda_runtime::Context;
use rollcall_model::account::AccountId;
use tokio::time::{Instant, timeout};

use crate::{StorageError, deliver::deadline};

/// One round.
pub struct Round {
    /// When it is.
    pub now: Timestamp,
    /// Until when it may last.
    pub ends: Instant,
}

/// How long a round spends on one account before it goes on with the next. It comes back to the first while there is time left.
const SHARE: Duration = Duration::from_secs(20);
/// What is kept of the invocation's time for the end of the round.
const KEPT: Duration = Duration::from_secs(2);
/// 2^64 divided by the golden ratio (Fibonacci hashing; Knuth, The Art of Computer Programming, 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Round {
    /// The round of this invocation.
    pub fn of(context: &Context) -> Self {
        let now = Timestamp::now();
        let time = Duration::try_from(deadline(context).duration_since(now)).unwrap_or_default();
        Self { now, ends: Instant::now() + time.saturating_sub(KEPT) }
    }

    /// Does `ask` for every account. **One that can't be visited, or takes long, holds no other back**: each has its share of the time, and another
    /// one is the first in each round. What isn't done when the time is up is left to the next round.
    ///
    /// `ask` may be dropped at any request, and is called again for an account that took its share.
    ///
    /// # Errors
    /// The last of those that kept an account from being visited.
    pub async fn for_each_account(
        &self,
        accounts: &[AccountId],
        ask: impl AsyncFn(&AccountId) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.in_shares(SHARE, accounts, ask).await
    }

    async fn in_shares(
        &self,
        share: Duration,
        accounts: &[AccountId],
        ask: impl AsyncFn(&AccountId) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut visited = Ok(());
        let mut waiting: VecDeque<_> = in_turn(accounts, self.now).map(|account| (account, share)).collect();
        while let Some((account, share)) = waiting.pop_front() {
            let left = self.ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let left = waiting.len() + 1;
                tracing::warn!(accounts = accounts.len(), left, "the time of the round is up");
                return visited;
            }
            // Nobody else waits for what is left.
            let share = if waiting.is_empty() { left } else { share.min(left) };
            match timeout(share, ask(account)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%account, error = error.chain(), "an account could not be visited");
                    visited = Err(error);
                }
                Err(_) => {
                    tracing::info!(%account, "the account has had its share of the round");
                    // Twice as much, for what can't be done in parts.
                    waiting.push_back((account, share * 2));
                }
            }
        }
        tracing::info!(accounts = accounts.len(), "visited");
        visited
    }
}

/// All accounts, beginning with another one in each round: rounds are at least a minute apart.
fn in_turn(accounts: &[AccountId], now: Timestamp) -> impl Iterator<Item = &AccountId> {
    let minute = u64::try_from(now.as_second() / 60).unwrap_or_default();
    // The fractional part of a multiple of the golden ratio: evenly spread, whatever the time from round to round.
    let spread = minute.wrapping_mul(GOLDEN) >> 32;
    let first = usize::try_from(spread).unwrap_or_default().checked_rem(accounts.len()).unwrap_or_default();
    accounts[first..].iter().chain(&accounts[..first])
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Mutex};

    use jiff::SignedDuration;

    use super::*;

    fn accounts(count: usize) -> Vec<AccountId> {
        (0..count).map(|number| format!("a{number:03}").parse().expect("an account")).collect()
    }

    #[test]
    fn every_account_is_in_a_round_once_and_each_is_the_first_of_some_round() {
        let accounts = accounts(24);
        let mut first = HashSet::new();
        for hour in 0..1_000 {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(hour * 60);
            let round: Vec<_> = in_turn(&accounts, now).collect();
            assert_eq!(round.iter().collect::<HashSet<_>>().len(), accounts.len());
            first.insert(round[0]);
        }
        assert_eq!(first.len(), accounts.len());
        assert_eq!(in_turn(&[], Timestamp::UNIX_EPOCH).count(), 0);
    }

    #[tokio::test]
    async fn an_account_that_takes_for_ever_holds_no_other_back() {
        let (accounts, visited) = (accounts(5), Mutex::new(HashSet::new()));
        let round = Round { now: Timestamp::UNIX_EPOCH, ends: Instant::now() + Duration::from_secs(1) };
        let asked = round.in_shares(Duration::from_millis(20), &accounts, async |account| {
            if *account == accounts[0] {
                std::future::pending::<()>().await;
            }
            visited.lock().expect("nobody panics").insert(account.clone());
            Ok(())
        });
        asked.await.expect("visited");
        assert_eq!(visited.into_inner().expect("nobody panics").len(), accounts.len() - 1);
    }
}
