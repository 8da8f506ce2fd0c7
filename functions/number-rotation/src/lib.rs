//! Numbers come into service and leave it: a rotation retires them and replaces them on every list that has them, and a schedule
//! ends the rests whose day has come.

mod marks;
mod rotate;
mod visit;

use lambda_runtime::{Error, LambdaEvent};
use rollcall_engine::{Round, Worker};
use rollcall_platform::{
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
        let visit = Box::pin(visit::visit(&self.directory, &round));
        self.worker.handle_or_visit(event, visit).await
    }
}
