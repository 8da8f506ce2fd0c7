//! Many users with many numbers each: memory must depend on how many there are of both, and not on their product.

use std::time::{Duration, Instant};

use e2e::Stack;
use rollcall_bulk::{job::Job, resync::state::ResyncRequest, undo::UndoRequest};
use rollcall_engine::world::Jobs;
use rollcall_model::{
    caller_id::CallerId,
    jobs::{JobId, JobKind},
    user::{Policy, User},
};

use crate::{Scale, process::peak_megabytes, report::Report, resync::map};

/// Numbers on each list: what a list takes by default.
const LIST: usize = 5_000;
/// Numbers that one rotation takes.
const ROTATED: usize = 1_000;
/// Users whose lists are appended to, rotated and undone.
const APPENDED: usize = 2_000;
/// Users who all have one number that is rotated.
const HOLDERS: usize = 6_000;
/// Mappings that all point to one user.
const MAPPINGS: usize = 15_000;
/// What a function may take, in megabytes.
const MOST: f64 = 512.0;
/// Longest that a job is waited for: some invocations, each as long as one may take.
const TIMEOUT: Duration = Duration::from_hours(1);
/// Users or mappings that are made at a time.
const AT_ONCE: usize = 500;

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    report.section(&format!("Many users with {LIST} numbers each"));
    report.say("Each job by a process of its own; peak memory is that of its function.");
    let mut measured = Measured { report, table: Vec::new() };
    measured.lists(scale.of(APPENDED)).await;
    measured.holders(scale.of(HOLDERS)).await;
    measured.mappings(scale.of(MAPPINGS)).await;
    let Measured { report, table } = measured;
    report.table(&["job", "rows", "seconds", "attempts", "peak MB"], &table);
}

struct Measured<'a> {
    report: &'a mut Report,
    table: Vec<Vec<String>>,
}

impl Measured<'_> {
    /// Lists are appended to whole, a part of them is replaced, and both are undone.
    async fn lists(&mut self, users: usize) {
        let stack = stack().await;
        stack.create_users(users).await;
        let lists = format!("{users} × {LIST} numbers");

        let cell: Vec<String> = numbers(0..LIST).iter().map(ToString::to_string).collect();
        let cell = cell.join(";");
        let mut file = "Login ID,Allowed Caller ID\n".to_owned();
        (1..=users).for_each(|user| file.push_str(&format!("user{user},{cell}\n")));
        let appended = self
            .job(&stack, "bulk-append", &format!("append of {lists}"), JobKind::AppendCallerIds, "all.csv", file.into())
            .await;
        assert_eq!(appended.counts.applied, users as u64, "{appended:?}");

        let pairs: String = numbers(0..ROTATED)
            .iter()
            .zip(numbers(LIST..LIST + ROTATED))
            .map(|(old, new)| format!("{old},{new}\n"))
            .collect();
        let file = format!("Old Caller ID,New Caller ID\n{pairs}");
        let rotated = self
            .job(
                &stack,
                "number-rotation",
                &format!("rotation of {ROTATED} numbers on {users} lists"),
                JobKind::RotateCallerIds,
                "rotation.csv",
                file.into(),
            )
            .await;
        assert_eq!(rotated.counts.applied, (users * ROTATED) as u64, "{rotated:?}");

        self.undo(&stack, "undo of the rotation", &rotated, users * ROTATED * 2 + ROTATED).await;
        self.undo(&stack, "undo of the append", &appended, users * LIST).await;
    }

    async fn undo(&mut self, stack: &Stack, what: &str, undone: &Job, rows: usize) {
        let request = UndoRequest { job: undone.id.clone(), preview: false, allow_empty: false }.to_json();
        let job = self.job(stack, "bulk-undo", what, JobKind::Undo, "undo.json", request).await;
        assert_eq!((job.counts.applied, job.counts.rows()), (rows as u64, rows as u64), "{job:?}");
    }

    /// One number is replaced that everybody has beside many others.
    async fn holders(&mut self, users: usize) {
        let stack = stack().await;
        create(&stack, users, &numbers(0..LIST)).await;
        let [old, new] = [0, LIST].map(|at| numbers(at..=at)[0]);
        let file = format!("Old Caller ID,New Caller ID\n{old},{new}\n");
        let what = format!("rotation of one number on {users} lists of {LIST}");
        let job = self.job(&stack, "number-rotation", &what, JobKind::RotateCallerIds, "one.csv", file.into()).await;
        assert_eq!(job.counts.applied, users as u64, "{job:?}");
    }

    /// CRM users who all see the numbers of one user, by policy or by list.
    async fn mappings(&mut self, mappings: usize) {
        for policy in [Policy::All, Policy::Custom] {
            let stack = stack().await;
            let caller_ids = if policy == Policy::Custom { numbers(0..LIST) } else { Vec::new() };
            stack.create_user(User { policy, caller_ids, ..e2e::user("user1") }).await;
            map(&stack, mappings, |_| "user1".to_owned()).await;
            let what = format!("resync of {mappings} mappings, policy {}", policy.as_str());
            let request = ResyncRequest::default().to_json();
            let job = self.job(&stack, "mapping-resync", &what, JobKind::MappingResync, "resync.json", request).await;
            assert_eq!(job.counts.applied, mappings as u64, "{job:?}");
        }
    }

    /// Works on one job, in a new process of its function.
    async fn job(
        &mut self,
        stack: &Stack,
        function: &str,
        what: &str,
        kind: JobKind,
        name: &str,
        file: Vec<u8>,
    ) -> Job {
        stack.kill_all(function);
        // An event that comes to a process that is about to end waits for its next delivery.
        while !stack.pids_of(function).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let start = Instant::now();
        let source = stack.drop_as(kind, name, file).await;
        let id = JobId::of(&source);
        let job = loop {
            match stack.directory.job(&stack.account, &id).await {
                Ok(Some(job)) if !job.is_underway() => break job,
                // The table may be too busy to answer.
                job => assert!(start.elapsed() < TIMEOUT, "it takes too long: {job:?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let pids = stack.pids_of(function);
        let peak = pids.into_iter().map(peak_megabytes).fold(0.0, f64::max);
        let seconds = start.elapsed().as_secs_f64();
        self.table.push(vec![
            what.to_owned(),
            job.counts.rows().to_string(),
            format!("{seconds:.0}"),
            job.attempts.to_string(),
            format!("{peak:.0}"),
        ]);
        self.report.target(&format!("peak memory, {what}"), peak, MOST, "MB", false);
        job
    }
}

/// A stack with as many numbers as are on lists, and some to replace them.
async fn stack() -> Stack {
    let stack = Stack::start(&["BulkTimeoutSeconds=900", "BulkVisibilitySeconds=905"]).await;
    let all: Vec<String> = numbers(0..LIST + ROTATED).iter().map(ToString::to_string).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stack
}

fn numbers(which: impl IntoIterator<Item = usize>) -> Vec<CallerId> {
    which.into_iter().map(|at| format!("+919876{at:06}").parse().expect("a number")).collect()
}

/// Users who all have these numbers.
async fn create(stack: &Stack, users: usize, list: &[CallerId]) {
    for from in (1..=users).step_by(AT_ONCE) {
        let some = from..=users.min(from + AT_ONCE - 1);
        let some = some.map(|at| User { caller_ids: list.to_vec(), ..e2e::user(&format!("user{at}")) });
        let some: Vec<User> = some.collect();
        assert_eq!(stack.directory.create_users(&stack.account, &some).await.expect("users"), some.len());
    }
}
