//! Numbers come into service and leave it: a rotation retires them and replaces them on every list that has them, and a schedule
//! ends the rests whose day has come.

mod marks;
mod rotate;
mod visit;

use std::time::SystemTime;

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent};
use rollcall_engine::Worker;
use rollcall_platform::{
    connect::Aws,
    directory::Directory,
    environment::{BadEnvironment, variable},
};
use serde_json::Value;
use tokio::time::Instant;

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
        // Boxed: nested in this future, it is deeper than the compiler follows.
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let visit = Box::pin(visit::visit(&self.directory, Timestamp::now(), Instant::now() + left));
        self.worker.handle_or_visit(event, visit).await
    }
}
