//! Numbers come into service and leave it: a rotation retires them and replaces them on every list that has them, and a schedule
//! ends the rests whose day has come.

mod reservations;
mod rotate;
mod scheduled;

use lambda_runtime::{Error, LambdaEvent};
use rollcall_engine::{Round, Worker};
use rollcall_storage::{
    connect::Aws,
    directory::Directory,
    environment::{BadEnvironment, variable},
};
use serde_json::Value;

pub use rotate::Rotate;

/// The function, as it stands between two events.
pub struct NumberRotation {
    worker: Worker<Rotate>,
    directory: Directory,
}

impl NumberRotation {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// [`BadEnvironment`] names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, BadEnvironment> {
        let directory = Directory::new(aws, variable::<String>("TABLE_NAME")?);
        Ok(Self { worker: Worker::from_env(aws, Rotate)?, directory })
    }

    /// Takes the queue's deliveries, or the schedule's call.
    ///
    /// # Errors
    /// When an account could not be visited; the schedule calls again. What becomes of deliveries is in the answer.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let round = Round::of(&event.context);
        // Boxed: nested in this future, it is deeper than the compiler follows.
        let scheduled = Box::pin(scheduled::scheduled(&self.directory, &round));
        self.worker.handle_or_run_scheduled(event, scheduled).await
    }
}
