//! The world, as the engine is given it.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use rollcall_engine::{StorageError, world::World};
use rollcall_model::account::AccountId;

use crate::{State, files::Files};

/// The one account.
pub const ACCOUNT: &str = "acme";

/// How many requests fail, until none fails any more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The service asks for patience, and does nothing.
    pub throttled: u32,
    /// What was asked is done, and nobody hears of it.
    pub lost: u32,
    /// The answer was lost, and the client has asked again: what is done once is asked for twice.
    pub repeated: u32,
}

/// Of a thousand requests, so many fail in each way.
const FAILING: u32 = 25;

/// The world in memory. Each call is one request or some: each waits for its turn, and then happens whole. Whoever crashes while waiting
/// has not asked; whoever crashes after it has not heard.
pub struct Memory {
    state: Mutex<State>,
    random: Mutex<fastrand::Rng>,
    faults: Mutex<Faults>,
}

impl Memory {
    /// The world in this state, with what chance makes of a seed.
    pub fn new(state: State, seed: u64) -> Arc<Self> {
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        Arc::new(Self { state: Mutex::new(state), random, faults: Mutex::default() })
    }

    /// The world that an engine works on.
    pub fn world(self: &Arc<Self>) -> World {
        let clock = self.clone();
        World::of_table(self, Arc::new(Files(self.clone())), self.clone(), Arc::new(move || clock.state().time()))
    }

    /// What it holds.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, so many requests fail.
    pub fn fail(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn happens(&self, permille: u32) -> bool {
        permille > 0 && self.random.lock().unwrap_or_else(PoisonError::into_inner).u32(0..1_000) < permille
    }

    /// Whether a request fails in this way, of which there are so many left.
    fn fails(&self, left: impl Fn(&mut Faults) -> &mut u32) -> bool {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left(&mut faults);
        let fails = *left > 0 && self.happens(FAILING);
        *left -= u32::from(fails);
        fails
    }

    /// Waits to be chosen: once at least, so that there is a moment to crash before the request; and perhaps longer, so that of requests in
    /// flight together each may be the first.
    async fn turn(&self) {
        let mut waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) && self.happens(750) {
                return Poll::Ready(());
            }
            // Whoever waits for several requests together asks again only for those that call.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// A request that changes nothing the second time, or changes nothing at all.
    pub(crate) async fn ask<R>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&mut State) -> R,
    ) -> Result<R, StorageError> {
        self.turn().await;
        if self.fails(|faults| &mut faults.throttled) {
            return Err(StorageError::transient(operation, "throttled"));
        }
        let answer = act(&mut self.state());
        if self.fails(|faults| &mut faults.lost) {
            return Err(StorageError::transient(operation, "the answer was lost"));
        }
        Ok(answer)
    }

    /// A request that the client may ask twice, since the first answer was lost. The second finds what the first has done.
    pub(crate) async fn ask_again<R>(
        &self,
        operation: &'static str,
        mut act: impl FnMut(&mut State) -> R,
    ) -> Result<R, StorageError> {
        let repeated = self.fails(|faults| &mut faults.repeated);
        self.ask(operation, |state| {
            let answer = act(state);
            if repeated { act(state) } else { answer }
        })
        .await
    }
}

/// The account of every request.
pub(crate) fn expect_account(account: &AccountId) {
    assert_eq!(account.as_str(), ACCOUNT, "another account is asked about");
}
