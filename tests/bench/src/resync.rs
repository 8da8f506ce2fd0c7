//! A resync of many mappings of which few have changed, beside the bare read of the users that they are about.

use std::time::Instant;

use e2e::Stack;
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_bulk::{job::Job, resync::state::ResyncRequest};
use rollcall_engine::world::{TableUsage, Users};
use rollcall_model::{
    caller_id::CallerId,
    jobs::JobKind,
    mapping::{CrmUserId, GivenMapping, Mapping},
    phone_side::PhoneUserId,
};
use tokio::time::Duration;

use crate::{count, median, report::Report};

const MAPPINGS: usize = 20_000;
/// Mappings that change between two resyncs: one in a hundred.
const CHANGED: usize = MAPPINGS / 100;
const ROUNDS: usize = 5;
const IN_FLIGHT: usize = 16;

pub(crate) async fn run(report: &mut Report) {
    let stack = Stack::start(&[]).await;
    let numbers: Vec<String> = (0..=ROUNDS).map(|round| format!("+9198765432{round:02}")).collect();
    stack.own(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stack.create_users(MAPPINGS).await;
    map(&stack, MAPPINGS, |user| format!("user{user}")).await;
    let first = resync(&stack, "first").await;
    assert_eq!(first.progress.users_changed, MAPPINGS as u64, "{first:?}");

    let logins: Vec<String> = (1..=MAPPINGS).map(|user| format!("user{user}")).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let (mut bare, mut resyncs) = (Vec::new(), Vec::new());
    let mut written = 0;
    report.section(&format!("A resync of {MAPPINGS} mappings of which {CHANGED} change, median of {ROUNDS}"));
    for (round, number) in numbers[..ROUNDS].iter().enumerate() {
        let number: CallerId = number.parse().expect("a number");
        let file: String = (1..=CHANGED).map(|user| format!("user{},{number}\n", user * 100)).collect();
        stack.append("more.csv", format!("login,did\n{file}")).await;

        let start = Instant::now();
        let until = tokio::time::Instant::now() + Duration::from_mins(1);
        let read = stack.directory.whole_users(&stack.account, &logins, until, &mut TableUsage::default()).await;
        assert_eq!(read.expect("users").len(), MAPPINGS);
        bare.push(start.elapsed());

        let start = Instant::now();
        let job = resync(&stack, &round.to_string()).await;
        resyncs.push(start.elapsed());
        assert_eq!((job.counts.applied, job.counts.rows()), (CHANGED as u64, MAPPINGS as u64), "{job:?}");
        written = job.progress.statements;
    }
    let [bare, resync] = [bare, resyncs].map(median);
    report.figure("the bare read of the users", bare, "s");
    report.figure("the resync, from its request to its end", resync, "s");
    report.target("the resync's time over the bare read's", resync / bare, 3.0, "times", false);
    report.target("writes per changed mapping", count(written) / count(CHANGED), 1.0, "", false);
}

/// CRM users, and who each of them is.
pub(crate) async fn map(stack: &Stack, mappings: usize, login: impl Fn(usize) -> String) {
    stream::iter(1..=mappings)
        .map(async |at| {
            let given = GivenMapping { phone_user: PhoneUserId::parse(&login(at)).ok(), ..GivenMapping::default() };
            let mapping =
                Mapping::new(CrmUserId::parse(&format!("crm{at}")).expect("an ID"), given, jiff::Timestamp::now());
            stack.directory.change_mapping(&stack.account, None, &mapping, None).await
        })
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(async |created| {
            assert!(created);
            Ok(())
        })
        .await
        .expect("the table answers");
}

async fn resync(stack: &Stack, name: &str) -> Job {
    let source = stack.drop_as(JobKind::MappingResync, name, ResyncRequest::default().to_json()).await;
    stack.ended(&source).await
}
