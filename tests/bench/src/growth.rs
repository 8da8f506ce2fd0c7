//! How an append grows from a thousand rows to ten million.

use crate::{
    Scale,
    append::{append_measured, stack_behind, start_function},
    count,
    file::file,
    peer::Peer,
    plot::{Line, plot},
    report::Report,
    stub::{Behaviour, LATENCY, Stub},
};

const ROWS: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/// The plot, beside the report.
pub(crate) const PICTURE: &str = "growth.svg";
/// Rows of each user.
const ROWS_OF_A_USER: usize = 10;
/// The most that the peer is asked for: a minute or two of its time.
const MOST_OF_THE_PEER: usize = 1_000_000;

/// Gives the plot.
pub(crate) async fn run(report: &mut Report, scale: Scale) -> String {
    report.section("Growth");
    report.say(&format!(
        "Against the stub with {} ms, {ROWS_OF_A_USER} rows a user, one run each, each by a process of its own; the peer up to \
         {MOST_OF_THE_PEER} rows.",
        LATENCY.as_millis()
    ));
    let peer = Peer::python().ok();
    let stub = Stub::start().await;
    let stack = stack_behind(&stub).await;
    let (mut ours, mut theirs, mut table) = (Vec::new(), Vec::new(), Vec::new());
    let mut peak_of_a_million = None;
    for rows in ROWS.map(|rows| scale.of(rows)) {
        let users = rows / ROWS_OF_A_USER;
        stub.begin(users, Behaviour::default());
        start_function(&stack).await;
        let run = append_measured(&stack, file(rows, users, 1)).await;
        assert_eq!(run.job.counts.applied, rows as u64, "{:?}", run.job);
        let count = count(rows);
        ours.push((count, run.seconds));
        if rows == scale.of(1_000_000) {
            peak_of_a_million = Some(run.peak_megabytes);
        }
        let mut row = vec![rows.to_string(), users.to_string(), format!("{:.2}", run.seconds)];
        row.extend([format!("{:.0}", count / run.seconds), format!("{:.1}", run.cpu_seconds * 1e6 / count)]);
        row.push(format!("{:.0}", run.peak_megabytes));
        match &peer {
            Some(peer) if rows <= MOST_OF_THE_PEER => {
                stub.begin(users, Behaviour::default());
                let run = peer.append(&stack, &stub.url, &file(rows, users, 1)).await;
                theirs.push((count, run.seconds));
                row.extend([format!("{:.2}", run.seconds), format!("{:.0}", run.peak_megabytes)]);
            }
            _ => row.extend(["–".to_owned(), "–".to_owned()]),
        }
        table.push(row);
    }
    let header =
        ["rows", "users", "seconds", "rows/s", "processor µs/row", "peak MB", "peer's seconds", "peer's peak MB"];
    report.table(&header, &table);
    if let Some(peak) = peak_of_a_million {
        report.target(&format!("peak memory, {} rows", scale.of(1_000_000)), peak, 200.0, "MB", false);
    }
    let mut lines = vec![Line { name: "Rollcall", colour: "#0b6e4f", points: &ours }];
    if !theirs.is_empty() {
        lines.push(Line { name: "Python, boto3", colour: "#b4530a", points: &theirs });
    }
    report.picture(PICTURE, "Seconds to append a file, by its rows, with logarithmic axes");
    plot("Seconds to append a file, by its rows", ("rows", "seconds"), &lines)
}
