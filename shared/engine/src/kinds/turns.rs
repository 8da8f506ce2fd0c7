//! Taking turns: an account has one resync and one sync at a time.

use std::time::Duration;

use rollcall_bulk::turn::{Turn, TurnAnswer};
use tokio::time::sleep;

use crate::{Attempt, Interrupt, StorageError, change_resync_state, change_sync_state};

/// How often who waits for a turn asks for it.
const PAUSE: Duration = Duration::from_secs(1);

/// What an account does in turns.
#[derive(Clone, Copy)]
pub(super) enum Line {
    Resyncs,
    Syncs,
}

impl Line {
    async fn change<R: Send>(
        self,
        attempt: &Attempt<'_>,
        change: impl Fn(&mut Turn) -> R + Send + Sync,
    ) -> Result<R, StorageError> {
        let (schedules, account) = (&*attempt.world.schedules, attempt.account());
        match self {
            Self::Resyncs => change_resync_state(schedules, account, |state| change(&mut state.turn)).await,
            Self::Syncs => change_sync_state(schedules, account, |state| change(&mut state.turn)).await,
        }
    }

    /// Takes the attempt's turn, and waits for it while another job is being worked on, which gives way. `false` for a job that `has_begun` and that a
    /// newer one has overtaken.
    pub(super) async fn take(self, attempt: &Attempt<'_>, has_begun: bool) -> Result<bool, Interrupt> {
        let (job, until) = (&attempt.job.id, attempt.deadline());
        loop {
            attempt.check_time()?;
            let now = attempt.world.now();
            match self.change(attempt, |turn| turn.ask(job, has_begun, until, now)).await? {
                TurnAnswer::Taken => return Ok(true),
                TurnAnswer::Overtaken => return Ok(false),
                TurnAnswer::Wait => sleep(PAUSE).await,
            }
        }
    }

    /// Whether the attempt may go on to write. Where a newer job waits, this one gives way.
    pub(super) async fn goes_on(self, attempt: &Attempt<'_>) -> Result<bool, StorageError> {
        let (schedules, account, job) = (&attempt.world.schedules, attempt.account(), &attempt.job.id);
        let turn = match self {
            Self::Resyncs => schedules.resync_state(account).await?.map(|state| state.value.turn),
            Self::Syncs => schedules.sync_state(account).await?.map(|state| state.value.turn),
        };
        if turn.is_some_and(|turn| turn.is_of(job, attempt.world.now())) {
            return Ok(true);
        }
        self.give_up(attempt).await?;
        Ok(false)
    }

    /// Ends the turn.
    pub(super) async fn give_up(self, attempt: &Attempt<'_>) -> Result<(), StorageError> {
        let (job, now) = (&attempt.job.id, attempt.world.now());
        self.change(attempt, |turn| turn.give_up(job, now)).await
    }
}
