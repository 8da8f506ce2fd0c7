//! Numbers come into service and leave it: a schedule ends the rests whose day has come.

mod visit;

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent};
use rollcall_platform::{connect::Aws, directory::Directory, environment::variable};
use serde_json::Value;

/// The function, as it stands between two events.
pub struct NumberRotation {
    directory: Directory,
}

impl NumberRotation {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// Names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, Error> {
        Ok(Self { directory: Directory::new(aws, variable::<String>("TABLE_NAME")?) })
    }

    /// Takes the schedule's call.
    ///
    /// # Errors
    /// When an account could not be visited; the schedule calls again.
    pub async fn handle(&self, _: LambdaEvent<Value>) -> Result<Value, Error> {
        visit::visit(&self.directory, Timestamp::now()).await?;
        Ok(Value::Null)
    }
}
