//! Users of an organisation's own directory, Entra ID, become users here, and stay in step with it.
//!
//! A request in the inbox is a job like any other: this function brings its rows, and the engine deals with them as
//! with those of a dropped file of users. A schedule has it ask for syncs by itself, by dropping such requests.

mod bring;
mod import;
mod scheduled;
mod sync;

use lambda_runtime::{Error, LambdaEvent};
use rollcall_connectors::entra::{Endpoints, Tenants};
use rollcall_engine::{Round, Worker};
use rollcall_storage::{
    connect::Aws,
    directory::Directory,
    environment::{BadEnvironment, variable},
    files::Files,
    secrets::Secrets,
};
use serde_json::Value;

pub use bring::BringUsers;

/// The function, as it stands between two events.
pub struct DirectoryImport {
    worker: Worker<BringUsers>,
    directory: Directory,
    files: Files,
}

impl DirectoryImport {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// [`BadEnvironment`] names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, BadEnvironment> {
        let endpoints = Endpoints { login: variable("ENTRA_LOGIN_URL")?, graph: variable("GRAPH_URL")? };
        let operation = BringUsers {
            secrets: Secrets::of_stack(aws, variable::<String>("STACK_NAME")?),
            tenants: Tenants::new(endpoints),
        };
        Ok(Self {
            worker: Worker::from_env(aws, operation)?,
            directory: Directory::new(aws, variable::<String>("TABLE_NAME")?),
            files: Files::new(aws, variable::<String>("BUCKET_NAME")?),
        })
    }

    /// Takes the queue's deliveries, or the schedule's call.
    ///
    /// # Errors
    /// When an account could not be visited; the schedule calls again. What becomes of deliveries is in the answer.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let round = Round::of(&event.context);
        let scheduled = scheduled::scheduled(&self.directory, &self.files, &round);
        self.worker.handle_or_run_scheduled(event, scheduled).await
    }
}
