//! AWS, and nothing else: the table, the bucket, the mail service, secrets, configuration and telemetry, in the words of the
//! domain. No type of an AWS SDK leaves this crate.

pub mod ask;
pub mod connect;
pub mod decide;
pub mod deployed;
pub mod directory;
pub mod environment;
mod error;
pub mod files;
mod keys;
pub mod mailer;
mod rate_limiter;
pub mod secrets;
pub mod telemetry;
pub mod trail;

pub use error::{ErrorKind, StorageError};
