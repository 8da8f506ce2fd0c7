//! An engine in the test's own process, with proxies between it and the stack.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollcall_bulk::job::Delivery;
use rollcall_engine::{Engine, Limits};
use rollcall_storage::{
    connect::{Aws, LocalStack},
    directory::Directory,
    files::Files,
    mailer::Mailer,
    world,
};

use crate::{Faults, Fuse, Proxy, Stack};

/// A function's surroundings, as bad as a test wants them.
pub struct TestEngine {
    /// The engine.
    pub engine: Engine,
    /// The same table by itself, for what only the API asks.
    pub directory: Directory,
    /// Between it and the table.
    pub table: Proxy,
    /// Between it and the bucket.
    pub bucket: Proxy,
    /// Between it and the mail service.
    pub mail: Proxy,
}

/// An invocation's time, where a test doesn't care.
const TIME: Duration = Duration::from_mins(5);

impl TestEngine {
    /// Surroundings with these faults between engine and table, and a fuse for everything.
    pub async fn new(stack: &Stack, faults: Faults, fuse: Option<Fuse>) -> Self {
        let real = stack.endpoints();
        let table = Proxy::start(&real.dynamodb, faults, fuse.clone()).await;
        let bucket = Proxy::start(&real.s3, Faults::default(), fuse.clone()).await;
        let mail = Proxy::start(&real.ses, Faults::default(), fuse).await;
        let aws = Aws::local(LocalStack {
            dynamodb: table.url.clone(),
            s3: bucket.url.clone(),
            ses: mail.url.clone(),
            ..real
        })
        .await;
        let engine = Engine {
            world: world(
                Directory::new(&aws, stack.output("TableName")),
                Files::new(&aws, stack.output("FilesBucketName")),
                Mailer::new(&aws, "rollcall@example.com", "rollcall-MailConfiguration"),
            ),
            country: "IN".parse().expect("a country"),
            limits: Limits { file_bytes: 1 << 30, rows: 1 << 30, mails_a_day: 1 << 30 },
        };
        let directory = Directory::new(&aws, stack.output("TableName"));
        Self { engine, directory, table, bucket, mail }
    }
}

/// The delivery of this number, of five, an hour after the one before: leases of those before are over.
pub fn delivery(number: u32) -> Delivery {
    delivery_of(number, TIME)
}

/// The same, with this much time.
pub fn delivery_of(number: u32, time: Duration) -> Delivery {
    let at = Timestamp::now() + SignedDuration::from_hours(number.into());
    let deadline = at + SignedDuration::try_from(time).expect("a short time");
    Delivery { invocation: format!("delivery-{number}"), at, deadline, continues: 0, number, of: 5 }
}
