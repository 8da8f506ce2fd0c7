//! Numbers come to the end of their service: a rotation retires them, and replaces them on every list that has them.

mod marks;
mod rotate;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent};
use rollcall_engine::Worker;
use rollcall_platform::{connect::Aws, environment::BadEnvironment};

pub use rotate::Rotate;

/// The function, as it stands between two events.
pub struct NumberRotation {
    worker: Worker<Rotate>,
}

impl NumberRotation {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// [`BadEnvironment`] names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, BadEnvironment> {
        Ok(Self { worker: Worker::from_env(aws, Rotate)? })
    }

    /// Takes the queue's deliveries.
    ///
    /// # Errors
    /// None: what becomes of deliveries is in the answer.
    pub async fn handle(&self, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
        Ok(self.worker.handle(event).await)
    }
}
