//! Services that are away in the middle of a job, deadlines at every point of it, and files that change under it.
//! `ROLLCALL_OUTAGE_SECONDS` says how long they are away.

use e2e::{Event, Meanwhile};
use rollcall_engine::world::Jobs;
use std::sync::Arc;
use std::time::Duration;

use axum::{
    Router,
    http::{StatusCode, header},
};
use e2e::{Faults, Proxy, SeededRng, Stack, TestEngine, delivery, delivery_of, how_much};
use futures_util::future::join_all;
use rollcall_bulk::job::{Job, JobState, MailState};
use rollcall_engine::kinds::Append;
use rollcall_engine::{Attempt, DeliveryOutcome, StorageError};
use rollcall_model::jobs::{JobId, ObjectVersion};
use rollcall_storage::{
    connect::{Aws, LocalStack},
    mailer::Mailer,
};
use tokio::net::TcpListener;

/// A service, by a name and by what stands before it.
type Service = (&'static str, fn(&TestEngine) -> &Proxy);

/// Seconds of an outage in the usual run.
const AWAY: u64 = 1;
/// Users of a file, with two rows each.
const USERS: usize = 20;

fn file(prefix: &str) -> String {
    let rows = (1..=2).flat_map(|row| (0..USERS).map(move |user| format!("{prefix}x{user},987650000{row}\n")));
    format!("login,did\n{prefix}nobody,9876500001\n{}", rows.collect::<String>())
}

async fn prepare(stack: &Stack, prefix: &str) -> ObjectVersion {
    let users: Vec<_> = (0..USERS).map(|user| e2e::user(&format!("{prefix}x{user}"))).collect();
    stack.directory.create_users(&stack.account, &users).await.expect("users are created");
    stack.put_quietly(&format!("{prefix}.csv"), file(prefix)).await
}

async fn ended_well(stack: &Stack, prefix: &str, source: &ObjectVersion) -> Job {
    let job = stack.job_when(source, |_| true).await;
    assert_eq!(job.state, JobState::Finished, "{job:?}");
    let rows = 2 * USERS as u64;
    assert_eq!((job.counts.applied, job.counts.failed, job.counts.rows()), (rows, 1, rows + 1), "{job:?}");
    for user in 0..USERS {
        assert_eq!(stack.list(&format!("{prefix}x{user}")).await.expect("the user is there").len(), 2, "{prefix}");
    }
    job
}

/// Delivers until the job has ended, an hour of its own time and `pause` of ours between two deliveries.
async fn deliver(world: &TestEngine, stack: &Stack, prefix: &str, source: &ObjectVersion, pause: Duration) {
    let upload = stack.upload(&format!("{prefix}.csv"));
    for number in 1..50 {
        let mut delivery = delivery(number);
        delivery.of = 50;
        if world
            .engine
            .run(&Append, &upload, source, &delivery)
            .await
            .is_ok_and(|ending| ending == DeliveryOutcome::Ended)
        {
            return;
        }
        tokio::time::sleep(pause).await;
    }
    panic!("the job has not ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_in_the_middle_of_a_job_delays_it_and_no_more() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    let away = Duration::from_secs(how_much("ROLLCALL_OUTAGE_SECONDS", AWAY));
    let services: [Service; 3] =
        [("table", |world| &world.table), ("bucket", |world| &world.bucket), ("mail", |world| &world.mail)];
    let rounds = services.into_iter().flat_map(|service| [0, 3, 6].map(|after| (service, after)));
    let round = |((name, service), after): (Service, u64)| {
        let (stack, prefix) = (&stack, format!("{name}{after}"));
        async move {
            let source = prepare(stack, &prefix).await;
            let world =
                TestEngine::new(stack, Faults { delay: Duration::from_millis(5), ..Faults::default() }, None).await;
            let outage = async {
                while world.table.requests() < after {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                service(&world).set_down(true);
                tokio::time::sleep(away).await;
                service(&world).set_down(false);
            };
            // Some deliveries fall into the outage, and not all.
            tokio::join!(outage, deliver(&world, stack, &prefix, &source, away / 5));
            ended_well(stack, &prefix, &source).await;
        }
    };
    join_all(rounds.map(round)).await;
    assert_eq!(stack.mails().len(), 9, "one for each file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_at_any_of_fifty_points_ends_with_the_same_lists_and_one_job() {
    let stack = Stack::start(&[]).await;
    let round = |round: u64| {
        let (stack, prefix) = (&stack, format!("round{round}"));
        async move {
            let source = prepare(stack, &prefix).await;
            // Some thirty requests of ten milliseconds; half a second is kept for putting things away.
            let faults = Faults { delay: Duration::from_millis(10), ..Faults::default() };
            let world = TestEngine::new(stack, faults, None).await;
            let upload = stack.upload(&format!("{prefix}.csv"));
            let time = Duration::from_millis(500 + round * 8);
            let first = world.engine.run(&Append, &upload, &source, &delivery_of(1, time)).await.unwrap();
            let stopped = matches!(first, DeliveryOutcome::Paused(_) | DeliveryOutcome::Stuck);
            assert!(stopped || first == DeliveryOutcome::Ended, "{first:?}");
            let ending = world.engine.run(&Append, &upload, &source, &delivery(2)).await.unwrap();
            assert_eq!(ending, DeliveryOutcome::Ended);
            ended_well(stack, &prefix, &source).await;
            stopped
        }
    };
    let mut paused = 0;
    for rounds in (0..50).collect::<Vec<u64>>().chunks(10) {
        paused +=
            join_all(rounds.iter().map(|&number| round(number))).await.into_iter().filter(|&paused| paused).count();
    }
    assert!(paused > 0, "no deadline came in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_ten_times_in_any_order_of_deliveries_and_four_at_once_is_one_job() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    for seed in 0..3 {
        let draws = SeededRng::of(seed);
        let prefix = format!("seed{seed}");
        let source = prepare(&stack, &prefix).await;
        let world = TestEngine::new(&stack, Faults::default(), None).await;
        let upload = stack.upload(&format!("{prefix}.csv"));
        // Deliveries overtake each other: a later one may come first, and its clock be behind.
        let mut numbers: Vec<u32> = (1..=10).collect();
        for at in (1..numbers.len()).rev() {
            numbers.swap(at, usize::try_from(draws.below(at as u64 + 1)).expect("a place"));
        }
        for four in numbers.chunks(4) {
            let run = |&number: &u32| {
                let mut delivery = delivery(number);
                (delivery.invocation, delivery.of) = (format!("{prefix}-{number}"), 20);
                let (world, upload, source) = (&world, &upload, &source);
                async move { world.engine.run(&Append, upload, source, &delivery).await }
            };
            for ending in join_all(four.iter().map(run)).await {
                // One whose lease seems to be over loses it to another, and stops.
                let stopped = matches!(ending, Ok(DeliveryOutcome::Paused(_) | DeliveryOutcome::Stuck));
                assert!(!stopped && !matches!(ending, Ok(DeliveryOutcome::GaveUp)), "{ending:?}");
            }
        }
        ended_well(&stack, &prefix, &source).await;
    }
    assert_eq!(stack.mails().len(), 3, "one for each file");
}

/// An append whose file is overwritten between its two readings.
struct Overwritten<'a>(&'a Stack);

impl Event for Overwritten<'_> {
    async fn happen(&self, _: &Attempt<'_>) -> Result<(), StorageError> {
        let other = "login,did\nwhile0,9876500009\n";
        self.0.put_quietly("while.csv", other).await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_overwritten_while_it_is_read_is_read_as_it_was() {
    let stack = Stack::start(&[]).await;
    let source = prepare(&stack, "while").await;
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let operation = Meanwhile(Append, Overwritten(&stack));
    let ending = world.engine.run(&operation, &stack.upload("while.csv"), &source, &delivery(1)).await.unwrap();
    assert_eq!(ending, DeliveryOutcome::Ended);
    ended_well(&stack, "while", &source).await;
}

/// A mail service that throttles with this text, as SES's first API does, whose quotas have one code.
async fn throttling(message: &'static str) -> String {
    let body = format!(
        "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>Sender</Type><Code>Throttling</Code>\
         <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    );
    let answer = move || async move { (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "text/xml")], body) };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_quota_of_a_day_leaves_a_job_finished_and_the_rate_alone_has_it_come_again() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    stack.recipients(&["ops@example.com"]).await;
    let mut world = TestEngine::new(&stack, Faults::default(), None).await;
    let mut mail_of = async |name: &str, message| {
        let aws = Aws::local(LocalStack { ses: throttling(message).await, ..stack.endpoints() }).await;
        world.engine.world.mails = Arc::new(Mailer::new(&aws, "rollcall@example.com", "rollcall-MailConfiguration"));
        let source = stack.put_quietly(name, "login,did\nuser1,9876543210\nuser1,junk\n").await;
        let ending = world.engine.run(&Append, &stack.upload(name), &source, &delivery(1)).await;
        (
            ending.map_err(|error| error.chain()),
            stack.directory.job(&stack.account, &JobId::of(&source)).await.expect("a job"),
        )
    };
    let (ending, job) = mail_of("day.csv", "Daily message quota exceeded.").await;
    let job = job.expect("a job");
    assert_eq!((ending, job.state, job.counts.applied), (Ok(DeliveryOutcome::Ended), JobState::Finished, 1), "{job:?}");
    let Some(MailState::Refused { reason }) = &job.mail else { panic!("{job:?}") };
    assert!(reason.contains("Daily message quota exceeded"), "{reason}");

    let (ending, job) = mail_of("rate.csv", "Maximum sending rate exceeded.").await;
    assert!(ending.expect_err("patience").contains("Maximum sending rate exceeded"));
    assert_eq!(job.map(|job| (job.state, job.mail)), Some((JobState::Running, None)));
}
