//! AWS, and nothing else: the table, the bucket, the mail service, secrets, configuration and telemetry, in the words of the
//! domain. No type of an AWS SDK leaves this crate.

pub mod connect;
pub mod directory;
pub mod environment;
mod error;
pub mod files;
mod keys;
pub mod log;
pub mod mailer;
mod rate_limiter;
pub mod secrets;
pub mod trail;
mod world;

pub use rollcall_engine::{ErrorKind, StorageError};
pub use world::{worker_from_env, world};
