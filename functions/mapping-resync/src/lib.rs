//! Each CRM user sees exactly the numbers that are theirs: mappings are brought in step with the phone system.
//!
//! A resync is a job like any other. Its rows are the account's mappings; what the phone system says is read before, whole or
//! not at all, and kept beside the results. A schedule has it ask for resyncs by itself, by dropping requests.

mod resync;
mod scheduled;
mod side;
mod snapshot;

use lambda_runtime::{Error, LambdaEvent};
use rollcall_connectors::{Http, zoom_phone};
use rollcall_engine::{Round, Worker};
use rollcall_storage::{connect::Aws, directory::Directory, environment::variable, files::Files, secrets::Secrets};
use serde_json::Value;

pub use resync::Resync;
pub use side::PhoneSystems;

/// The function, as it stands between two events.
pub struct MappingResync {
    worker: Worker<Resync>,
    directory: Directory,
    files: Files,
}

impl MappingResync {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// Names the variable, or says why nobody can be asked over HTTP.
    pub fn from_env(aws: &Aws) -> Result<Self, Error> {
        let zoom = zoom_phone::Endpoints { login: variable("ZOOM_LOGIN_URL")?, api: variable("ZOOM_API_URL")? };
        let systems = PhoneSystems {
            http: Http::new()?,
            secrets: Secrets::of_stack(aws, variable::<String>("STACK_NAME")?),
            smartflo: variable("SMARTFLO_URL")?,
            zoom,
        };
        Ok(Self {
            worker: Worker::from_env(aws, Resync { systems })?,
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
