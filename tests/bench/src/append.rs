//! A stack whose bulk append finds its table behind the stub.

use std::time::{Duration, Instant};

use e2e::Stack;
use rollcall_bulk::job::Job;
use rollcall_engine::world::Jobs;
use rollcall_model::jobs::JobId;

use crate::{
    process::{cpu, peak_megabytes},
    stub::Stub,
};

/// Longest that a job is waited for: as long as an invocation may take.
const TIMEOUT: Duration = Duration::from_mins(15);

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
    let template = include_str!("../../../infra/template.yaml");
    let (before, of_append) = template.split_once("        Binary: bulk-append\n").expect("the function");
    let variables = "        Variables:\n";
    let endpoint = format!("{variables}          AWS_ENDPOINT_URL_DYNAMODB: \"{}\"\n", stub.url);
    let template = format!("{before}        Binary: bulk-append\n{}", of_append.replacen(variables, &endpoint, 1));
    let parameters = ["MaxRows=1000000000", "MaxFileBytes=2147483648", "BulkTimeoutSeconds=900"];
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
    let source = stack.drop_file("measured.csv", file).await;
    let (id, start) = (JobId::of(&source), Instant::now());
    loop {
        match stack.directory.job(&stack.account, &id).await.expect("the job is read") {
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
