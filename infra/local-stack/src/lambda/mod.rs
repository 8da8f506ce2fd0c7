//! Lambda: the functions' own binaries, run as processes that talk to the Runtime API.

mod binaries;
mod instance;
mod lines;
mod runtime_api;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::instance::{Instance, Log};
use self::runtime_api::Desks;
use super::error::{Context, Result};
use super::template::{Asynchronous, Function};

/// Lambda's limit of a synchronous event and of its answer, in bytes.
const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// Processes of one function. Lambda would go to a thousand; one machine is busy long before.
const MAX_INSTANCES: usize = 10;

/// The functions of a stack.
#[derive(Clone)]
pub struct Functions {
    address: SocketAddr,
    desks: Desks,
    /// What every function's environment has: where the services are, and with what credentials.
    endpoints: Arc<BTreeMap<String, String>>,
    pools: Arc<BTreeMap<String, Pool>>,
}

/// The processes of one function.
struct Pool {
    function: Function,
    binary: PathBuf,
    log: Log,
    slots: Semaphore,
    idle: Mutex<Vec<Instance>>,
}

/// An invocation that gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct InvokeError {
    /// The error's type: Lambda's own (`Sandbox.Timedout`), or what the function reported.
    pub kind: String,
    pub message: String,
}

impl InvokeError {
    /// The event was larger than Lambda takes.
    pub const REQUEST_TOO_LARGE: &str = "RequestTooLargeException";
    /// The answer was larger than Lambda gives.
    pub const RESPONSE_TOO_LARGE: &str = "Function.ResponseSizeTooLarge";
    /// There was nobody to invoke the function.
    pub const UNAVAILABLE: &str = "ServiceException";

    const EXITED: &str = "Runtime.ExitError";
    const TIMED_OUT: &str = "Sandbox.Timedout";

    fn ends_the_process(&self) -> bool {
        self.kind == Self::EXITED || self.kind == Self::TIMED_OUT
    }
}

/// Where the binaries of these names are. To build them, under cargo, can take minutes.
///
/// # Errors
/// If one isn't there, or can't be built.
pub(super) async fn locate(names: BTreeSet<String>) -> Result<BTreeMap<String, PathBuf>> {
    tokio::task::spawn_blocking(move || binaries::locate(&names)).await.context("could not look for the functions")?
}

impl Functions {
    /// Finds the functions' binaries and serves the Runtime API until `stop`. Processes start as events come.
    ///
    /// # Errors
    /// If a binary isn't there, a log can't be written or no port is free.
    pub async fn start(
        functions: Vec<Function>,
        endpoints: BTreeMap<String, String>,
        log_dir: &Path,
        echo: bool,
        stop: CancellationToken,
    ) -> Result<Self> {
        let names: BTreeSet<_> = functions.iter().map(|function| function.binary.clone()).collect();
        let paths = locate(names).await?;
        let mut pools = BTreeMap::new();
        for function in functions {
            let log = Log::open(log_dir, &function.binary, echo)
                .context(format!("could not open the log of {}", function.binary))?;
            let pool = Pool {
                binary: paths[&function.binary].clone(),
                log,
                slots: Semaphore::new(MAX_INSTANCES),
                idle: Mutex::default(),
                function,
            };
            pools.insert(pool.function.name.clone(), pool);
        }
        let what = "could not serve the Lambda Runtime API";
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(what)?;
        let address = listener.local_addr().context(what)?;
        let desks = Desks::default();
        super::serve(listener, runtime_api::router(desks.clone()), stop)?;
        Ok(Self { address, desks, endpoints: Arc::new(endpoints), pools: Arc::new(pools) })
    }

    /// What becomes of a function's asynchronous events; `None` if there is no such function.
    pub fn asynchronous(&self, name: &str) -> Option<&Asynchronous> {
        self.pools.get(name).map(|pool| &pool.function.asynchronous)
    }

    /// Invokes a function and waits for its answer, and before that for one of its processes to be free.
    ///
    /// # Errors
    /// If there is no such function, the event is too large, the function reports an error, takes longer than its timeout
    /// or its process dies.
    pub async fn invoke(&self, name: &str, payload: Bytes) -> std::result::Result<Bytes, InvokeError> {
        let refused = |kind: &str, message: String| InvokeError { kind: kind.to_owned(), message };
        let Some(pool) = self.pools.get(name) else {
            return Err(refused("ResourceNotFoundException", format!("there is no function {name}")));
        };
        if payload.len() > MAX_PAYLOAD {
            let message = format!("the event has {} bytes; {MAX_PAYLOAD} are allowed", payload.len());
            return Err(refused(InvokeError::REQUEST_TOO_LARGE, message));
        }
        let Ok(_slot) = pool.slots.acquire().await else {
            return Err(refused(InvokeError::UNAVAILABLE, "the stack is shutting down".to_owned()));
        };
        let mut instance = match pool.take_idle() {
            Some(instance) => instance,
            None => {
                Instance::start(&pool.function, &pool.binary, self.address, &self.endpoints, &self.desks, &pool.log)?
            }
        };
        let result = instance.invoke(&pool.function, payload).await;
        if !result.as_ref().is_err_and(InvokeError::ends_the_process) {
            pool.put_idle(instance);
        }
        result
    }

    /// Ends every idle process. One at work ends when its invocation is dropped.
    pub async fn shutdown(&self) {
        for pool in self.pools.values() {
            pool.slots.close();
            while let Some(mut instance) = pool.take_idle() {
                instance.kill().await;
            }
        }
    }
}

impl Pool {
    /// The process that worked last, if it still runs.
    fn take_idle(&self) -> Option<Instance> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut instance = idle.pop()?;
            if instance.is_alive() {
                return Some(instance);
            }
        }
    }

    fn put_idle(&self, instance: Instance) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
    }
}
