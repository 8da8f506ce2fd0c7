//! Files of a gigabyte: whether memory depends on how long a file is, or on what it asks for.

use crate::{
    Scale,
    append::{append_measured, stack_behind, start_function},
    file::padded,
    report::Report,
    stub::{Behaviour, Stub},
};

/// Users of every file, each of whom gets at most this many different numbers.
const USERS: usize = 50_000;
const NUMBERS: usize = 10;
/// Sizes of files with short rows, which say the same again and again.
const MEGABYTES: [usize; 2] = [100, 1_000];
/// Bytes of a cell that isn't read, in rows of a gigabyte in all.
const NOTE: usize = 970;

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    report.section("Files of a gigabyte");
    report.say(&format!(
        "{USERS} users and {} different wishes in each file, against the stub, each by a process of its own. Short rows repeat them; \
         long rows have a note that isn't read. The limit of rows is raised for it: by default a file has twenty million at most.",
        USERS * NUMBERS
    ));
    let stub = Stub::start().await;
    let stack = stack_behind(&stub).await;
    let mut table = Vec::new();
    let mut peaks = Vec::new();
    let short = MEGABYTES.map(|megabytes| ("short", megabytes, 0));
    for (rows_are, megabytes, note) in short.into_iter().chain([("long", 1_000, NOTE)]) {
        stub.begin(USERS, Behaviour::default());
        start_function(&stack).await;
        let file = repeated(scale.of(megabytes * 1_000_000), note);
        let bytes = file.len();
        let run = append_measured(&stack, file).await;
        let (counts, seconds) = (run.job.counts, run.seconds);
        assert_eq!((counts.failed, counts.partial, counts.unprocessed), (0, 0, 0), "{:?}", run.job);
        let phrase = if run.job.attempts > 1 {
            format!("{seconds:.0}, {} attempts", run.job.attempts)
        } else {
            format!("{seconds:.1}")
        };
        table.push(vec![
            format!("{rows_are} rows"),
            format!("{}", bytes / 1_000_000),
            counts.rows().to_string(),
            phrase,
            format!("{:.0}", run.peak_megabytes),
        ]);
        peaks.push(run.peak_megabytes);
    }
    report.table(&["file", "MB", "rows", "seconds", "peak MB"], &table);
    report.target("peak memory, a gigabyte of short rows", peaks[1], 200.0, "MB", false);
    report.target("the same over that of a tenth of it", peaks[1] / peaks[0], 1.2, "times", false);
    report.target("peak memory, a gigabyte of long rows", peaks[2], 200.0, "MB", false);
}

/// A file of about so many bytes: the same rows again and again.
fn repeated(bytes: usize, note: usize) -> String {
    let once = padded(USERS * NUMBERS, USERS, 1, note);
    let (header, rows) = once.split_once('\n').expect("a header");
    let mut file = String::with_capacity(bytes + rows.len());
    file.push_str(header);
    file.push('\n');
    while file.len() + rows.len() <= bytes {
        file.push_str(rows);
    }
    // Whole rows of the last repetition.
    let rest = bytes.saturating_sub(file.len()).min(rows.len());
    file.push_str(&rows[..rows[..rest].rfind('\n').map_or(0, |end| end + 1)]);
    file
}
