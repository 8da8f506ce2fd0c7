//! The world that the engine asks, as AWS has it.

use std::sync::Arc;

use jiff::Timestamp;
use rollcall_engine::{Engine, Limits, Operation, Worker, world::World};

use crate::{
    connect::Aws,
    directory::Directory,
    environment::{BadEnvironment, variable},
    files::Files,
    mailer::Mailer,
};

/// A function that works on the jobs of an operation, as its environment describes it.
///
/// # Errors
/// [`BadEnvironment`] names the variable.
pub fn worker_from_env<O: Operation>(aws: &Aws, operation: O) -> Result<Worker<O>, BadEnvironment> {
    let table = Directory::new(aws, variable::<String>("TABLE_NAME")?);
    let files = Files::new(aws, variable::<String>("BUCKET_NAME")?);
    let mailer = Mailer::new(aws, variable::<String>("MAIL_SENDER")?, variable::<String>("MAIL_CONFIGURATION_SET")?);
    let engine = Engine {
        world: world(table, files, mailer),
        country: variable("DEFAULT_COUNTRY")?,
        limits: Limits {
            file_bytes: variable("MAX_FILE_BYTES")?,
            rows: variable("MAX_ROWS")?,
            mails_a_day: variable("MAX_MAILS_PER_DAY")?,
        },
    };
    Ok(Worker::new(engine, operation, variable("MAX_DELIVERIES")?))
}

/// The world of one deployment.
pub fn world(table: Directory, files: Files, mailer: Mailer) -> World {
    World::of_table(&Arc::new(table), Arc::new(files), Arc::new(mailer), Arc::new(Timestamp::now))
}
