//! Files that take many invocations, beside the same in one.

use bytes::Bytes;
use e2e::Stack;
use rollcall_bulk::job::Job;
use rollcall_engine::world::Bucket;

use crate::{
    Scale,
    append::{WHOLE, append_measured, stack_of, start_function},
    file::file,
    report::Report,
    stub::{Behaviour, Stub},
};

/// Rows and users, and the seconds of a short invocation. The largest file has those of the template: an invocation reads the file anew, which takes half
/// a minute of twenty million rows, and the last one tells of them all.
const FILES: [((usize, usize), u64); 2] = [((10_000_000, 1_000_000), 60), ((20_000_000, 20_000_000), 300)];
/// Seconds of an invocation of a hundredth of a file.
const QUICK: u64 = 5;
/// The memory of the function, in megabytes.
const MEMORY: f64 = 3_008.0;

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    report.section("Chained invocations");
    report.say(
        "Against the stub; each job begins in a process of its own. What comes of each row is compared byte for byte with what comes of it \
         in one invocation, in order.",
    );
    let mut table = Vec::new();
    for (size, short) in FILES {
        let (rows, users) = scale.size(size);
        let short = if scale.divisor > 1 { QUICK } else { short };
        let mut files = Vec::new();
        for invocation in [WHOLE, short] {
            let stub = Stub::start().await;
            let stack = stack_of(&stub, invocation).await;
            stub.begin(users, Behaviour::default());
            start_function(&stack).await;
            let run = append_measured(&stack, file(rows, users, 1)).await;
            assert_eq!((run.job.counts.applied, stub.numbers()), (rows as u64, rows + 1), "{:?}", run.job);
            table.push(vec![
                rows.to_string(),
                users.to_string(),
                invocation.to_string(),
                run.job.attempts.to_string(),
                format!("{:.0}", run.seconds),
                format!("{:.0}", run.peak_megabytes),
            ]);
            report.target(
                &format!("peak memory, {rows} rows over {users} users, {} invocations", run.job.attempts),
                run.peak_megabytes,
                MEMORY,
                "MB",
                false,
            );
            files.push(results(&stack, &run.job).await);
        }
        let [mut one, mut many] = [&files[0], &files[1]].map(|file| rows_of(file));
        one.sort_unstable();
        many.sort_unstable();
        let differ = one.len().abs_diff(many.len()) + one.iter().zip(&many).filter(|(one, many)| one != many).count();
        report.target(&format!("rows that differ, of {rows}"), crate::count(differ), 0.0, "rows", false);
    }
    report.table(&["rows", "users", "seconds of an invocation", "invocations", "seconds", "peak MB"], &table);
}

async fn results(stack: &Stack, job: &Job) -> Bytes {
    stack.files.get(&job.keys().results()).await.expect("the bucket answers").expect("the results are there")
}

fn rows_of(file: &[u8]) -> Vec<&[u8]> {
    file.split(|byte| *byte == b'\n').collect()
}
