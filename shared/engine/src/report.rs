//! The second reading: what came of each row, in two files.

use rollcall_bulk::{
    bulk_job::BulkJob,
    job::Stage,
    note::Note,
    outcomes::Outcomes,
    report::{Counts, Report},
    upload::ResultKeys,
};
use rollcall_model::code::Warning;

use crate::{
    Attempt, Interrupt, Operation, StorageError,
    read::{Reading, Rows},
    world::Upload,
};

/// Bytes of what is written that are held before they go out.
pub(crate) const HELD_BYTES: usize = 1024 * 1024;
const CSV: &str = "text/csv; charset=utf-8";

/// Writes the result files. An execution says where something else has come of a row than its preview had said.
pub(crate) async fn report<O: Operation>(attempt: &mut Attempt<'_>, reading: &mut Reading<O>) -> Result<(), Interrupt> {
    let mut said = recall_outcomes(attempt).await?;
    attempt.show_reported(0).await?;
    let Reading { job, source: Some(source), own, .. } = reading else {
        // A job that was given up before may have counted rows as left.
        attempt.job.counts = Counts::default();
        keep_outcomes(attempt, Outcomes::default()).await?;
        note_differences(attempt, 0, said);
        return Ok(());
    };
    let mut differs = 0;
    let mut outcomes = Outcomes::default();
    let mut rows =
        Rows::of(attempt.world.bucket.open(source).await?, job.columns(), attempt.job.encoding, attempt.until);
    let mut files = None;
    let mut elsewhere = None;
    while rows.more().await? {
        while let Some(row) = rows.reader.next_row()? {
            let (report, results, failed) = files.get_or_insert_with(|| {
                let results = attempt.world.bucket.create(&attempt.keys.results(), CSV);
                let failed = attempt.world.bucket.create(&attempt.keys.failed(), CSV);
                (Report::new(row.header()), results, failed)
            });
            let mut judgement = job.judge(&row);
            if judgement.warns(Warning::NumberElsewhere) {
                elsewhere.get_or_insert((0, row.line)).0 += 1;
            }
            if attempt.job.previews() {
                outcomes.note(job.row_key(&row), judgement.status, judgement.deed);
            }
            if let Some(said) = &mut said {
                differs += u64::from(judgement.compare_with_preview(said.ask(job.row_key(&row))));
            }
            report.row(&row, judgement);
            // By bytes, and not by pieces of the download: of one piece may come any number of them.
            if report.results.pending().max(report.failed.pending()) > HELD_BYTES {
                pass_on(&mut report.results, &mut **results, HELD_BYTES).await?;
                pass_on(&mut report.failed, &mut **failed, HELD_BYTES).await?;
                attempt.check_time()?;
                attempt.show_reported(report.counts.rows()).await?;
            }
            rows.check_time()?;
        }
    }
    if let Some((mut report, mut results, mut failed)) = files {
        pass_on(&mut report.results, &mut *results, 0).await?;
        results.finish().await?;
        if report.counts.needs_correction() > 0 {
            pass_on(&mut report.failed, &mut *failed, 0).await?;
            failed.finish().await?;
        }
        attempt.job.counts = report.counts;
        attempt.job.progress.rows_reported = report.counts.rows();
    }
    if let Some((rows, line)) = elsewhere.filter(|_| *own) {
        attempt.job.note([Note::numbers_elsewhere(rows, line)]);
    }
    let counts = attempt.job.counts;
    if *own && counts.unchanged > 0 && counts.unchanged == counts.rows() {
        attempt.job.note([Note::nothing_changed()]);
    }
    keep_outcomes(attempt, outcomes).await?;
    note_differences(attempt, differs, said);
    Ok(())
}

/// Keeps what a preview has said of each row, also where it had nothing to say: what is done later is held against it.
async fn keep_outcomes(attempt: &Attempt<'_>, outcomes: Outcomes) -> Result<(), StorageError> {
    if !attempt.job.previews() {
        return Ok(());
    }
    let (key, bytes) = (attempt.keys.outcomes(), outcomes.to_bytes().into());
    attempt.world.bucket.put(&key, "application/octet-stream", bytes).await
}

/// Notes of how many rows something else has come than the preview had said, those among them that there aren't any more.
fn note_differences(attempt: &mut Attempt<'_>, differs: u64, said: Option<Outcomes>) {
    if let (Some(previewed), Some(said)) = (&mut attempt.job.previewed, said) {
        previewed.differs = differs + said.unseen();
    }
}

/// What the job's preview has said of each row, if it had one.
async fn recall_outcomes(attempt: &Attempt<'_>) -> Result<Option<Outcomes>, StorageError> {
    if attempt.job.previewed.is_none() {
        return Ok(None);
    }
    let keys = ResultKeys::of(attempt.account(), &attempt.job.id, Stage::Preview);
    Ok(attempt.world.bucket.get(&keys.outcomes()).await?.and_then(|bytes| Outcomes::from_bytes(&bytes)))
}

/// Passes on what has been written, where it is more than `hold` bytes.
pub(crate) async fn pass_on(
    from: &mut rollcall_tabular::Writer,
    to: &mut dyn Upload,
    hold: usize,
) -> Result<(), StorageError> {
    if from.pending() > hold { to.write(&from.take()).await } else { Ok(()) }
}
