//! A stack whose bulk append finds its table behind the stub.

use std::time::{Duration, Instant};

use e2e::Stack;
use rollcall_bulk::{
    job::Job,
    upload::{InboxKey, UploadOptions},
};
use rollcall_engine::world::{Bucket, Jobs};
use rollcall_model::{
    account::AccountId,
    jobs::{JobId, JobKind},
};

use crate::{
    process::{cpu, peak_megabytes},
    stub::Stub,
};

/// Seconds of the longest invocation.
pub(crate) const WHOLE: u64 = 900;
/// Longest that a job is waited for.
const TIMEOUT: Duration = Duration::from_hours(2);

/// One job, measured from the drop of its file to its end.
pub(crate) struct Run {
    pub(crate) job: Job,
    pub(crate) seconds: f64,
    /// Processor time that the function has used.
    pub(crate) cpu_seconds: f64,
    /// The most memory that the function's process has had in its life.
    pub(crate) peak_megabytes: f64,
}

/// A stack that takes files of any size, whose bulk append asks the stub.
pub(crate) async fn stack_behind(stub: &Stub) -> Stack {
    stack_of(stub, WHOLE).await
}

/// The same, with invocations of so many seconds.
pub(crate) async fn stack_of(stub: &Stub, invocation: u64) -> Stack {
    let template = include_str!("../../../infra/template.yaml");
    let (before, of_append) = template.split_once("        Binary: bulk-append\n").expect("the function");
    let variables = "        Variables:\n";
    let endpoint = format!("{variables}          AWS_ENDPOINT_URL_DYNAMODB: \"{}\"\n", stub.url);
    let template = format!("{before}        Binary: bulk-append\n{}", of_append.replacen(variables, &endpoint, 1));
    let (timeout, hidden) = (format!("BulkTimeoutSeconds={invocation}"), "BulkVisibilitySeconds=905");
    let parameters = ["MaxRows=1000000000", "MaxFileBytes=2147483648", timeout.as_str(), hidden];
    let stack = Stack::of_template(&template, &parameters).await;
    stub.before(&stack.endpoints().dynamodb);
    stack
}

/// Starts the function, in a process that has worked on nothing yet but one row.
pub(crate) async fn start_function(stack: &Stack) {
    stack.kill_functions();
    while !stack.function_pids().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    append(stack, "Login ID,Allowed Caller ID\nuser1,+919876500000\n".to_owned()).await;
}

/// Drops a file and waits for the end of its job. The function must run already.
pub(crate) async fn append_measured(stack: &Stack, file: String) -> Run {
    let pids = stack.function_pids();
    let [pid] = pids[..] else { panic!("one process of the function: {pids:?}") };
    let (before, start) = (cpu(pid), Instant::now());
    let job = append(stack, file).await;
    Run {
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: cpu(pid).saturating_sub(before).as_secs_f64(),
        peak_megabytes: peak_megabytes(pid),
        job,
    }
}

async fn append(stack: &Stack, file: String) -> Job {
    ended(stack, &stack.account, &drop_for(stack, &stack.account, file).await).await
}

/// Drops a file for an account.
pub(crate) async fn drop_for(stack: &Stack, account: &AccountId, file: String) -> JobId {
    let upload = InboxKey { account: account.clone(), kind: JobKind::AppendCallerIds, name: "measured.csv".to_owned() };
    let source = stack.files.drop_file(&upload, file.into(), &UploadOptions::default()).await;
    JobId::of(&source.expect("the file is dropped"))
}

/// Waits for the end of a job.
pub(crate) async fn ended(stack: &Stack, account: &AccountId, id: &JobId) -> Job {
    let start = Instant::now();
    loop {
        match stack.directory.job(account, id).await.expect("the job is read") {
            Some(job) if !job.is_underway() => return job,
            // An attempt that failed is followed by another half an hour later, which nobody measures.
            job => assert!(
                start.elapsed() < TIMEOUT && job.as_ref().is_none_or(|job| job.last_error.is_none()),
                "the job fails, or takes too long: {job:?}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
