//! What systems of others, played over HTTP, have in common: a place, tokens, and a limit.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    handler::Handler,
    http::{HeaderMap, header},
};
use tokio::net::TcpListener;

/// A free place on this machine.
pub(crate) struct Place {
    /// Where it is.
    pub url: String,
    listener: TcpListener,
}

impl Place {
    pub(crate) async fn free() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { url: format!("http://{}", listener.local_addr().expect("a bound port")), listener }
    }

    /// Serves for as long as the test runs. Gives the URL.
    pub(crate) fn serve(self, router: Router) -> String {
        tokio::spawn(async move { axum::serve(self.listener, router).await });
        self.url
    }
}

/// A system of others, played for as long as the test runs, with a state of its own behind what is common to all.
pub struct FakeService<State> {
    /// Where it is: the base URL of its API and of its token endpoint.
    pub url: String,
    shared: Arc<Shared<State>>,
}

/// What its requests share.
pub(crate) struct Shared<State> {
    pub(crate) url: String,
    requests: AtomicU64,
    throttled: AtomicU64,
    tokens: Mutex<Tokens>,
    state: Mutex<State>,
}

impl<State: Send + 'static> FakeService<State> {
    /// Answers every request so.
    pub(crate) async fn play<T: 'static>(state: State, answer: impl Handler<T, Arc<Shared<State>>>) -> Self {
        let place = Place::free().await;
        let shared = Arc::new(Shared {
            url: place.url.clone(),
            requests: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            tokens: Mutex::default(),
            state: Mutex::new(state),
        });
        let url = place.serve(Router::new().fallback(answer).with_state(Arc::clone(&shared)));
        Self { url, shared }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// No token that was given is good any more.
    pub fn end_tokens(&self) {
        self.shared.tokens().left.clear();
    }

    /// Requests that came.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Requests that were throttled.
    pub fn throttled(&self) -> u64 {
        self.shared.throttled()
    }

    /// Tokens that were given.
    pub fn tokens_given(&self) -> u64 {
        self.shared.tokens().given
    }
}

impl<State> Shared<State> {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody has panicked")
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().expect("nobody has panicked")
    }

    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    pub(crate) fn count_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }
}

/// The tokens that were given, and how often each may still be used.
#[derive(Default)]
pub(crate) struct Tokens {
    left: HashMap<String, u64>,
    /// How many there were.
    given: u64,
}

impl Tokens {
    /// A new one, good for so many uses; `u64::MAX` is for ever.
    pub(crate) fn give(&mut self, uses: u64) -> String {
        self.given += 1;
        let token = format!("token-{}", self.given);
        self.left.insert(token.clone(), uses);
        token
    }

    pub(crate) fn lets_in(&mut self, token: Option<&str>) -> bool {
        let Some(left) = token.and_then(|token| self.left.get_mut(token)) else { return false };
        let good = *left > 0;
        *left = left.saturating_sub(u64::from(*left != u64::MAX));
        good
    }
}

/// The token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// How many requests a second are taken, whatever they are.
pub(crate) struct Limit {
    per_second: usize,
    taken: VecDeque<Instant>,
}

impl Limit {
    pub(crate) fn new(per_second: usize) -> Self {
        Self { per_second, taken: VecDeque::new() }
    }

    /// Whether a request that comes now is taken.
    pub(crate) fn takes(&mut self) -> bool {
        let now = Instant::now();
        while self.taken.front().is_some_and(|taken| now.duration_since(*taken) >= Duration::from_secs(1)) {
            self.taken.pop_front();
        }
        let takes = self.taken.len() < self.per_second;
        if takes {
            self.taken.push_back(now);
        }
        takes
    }
}
