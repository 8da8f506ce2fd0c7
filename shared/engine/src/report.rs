//! The second reading: what came of each row, in two files.

use rollcall_bulk::{job::Stage, note::Note, outcomes::Outcomes, report::Report, upload::ResultKeys};
use rollcall_model::code::Warning;
use rollcall_storage::{StorageError, files::MultipartUpload};

use crate::{
    Attempt, Interrupt, Work,
    read::{Reading, Rows},
};

/// Bytes of a report that are held before they go out.
const HELD_BYTES: usize = 1024 * 1024;
const CSV: &str = "text/csv; charset=utf-8";

impl Attempt<'_> {
    /// Writes the result files. An execution says where something else has come of a row than its preview had said.
    pub(crate) async fn report<W: Work>(&mut self, reading: &mut Reading<W>) -> Result<(), Interrupt> {
        let Reading { work, source: Some(source), own } = reading else { return Ok(()) };
        let mut said = self.recall_outcomes().await?;
        let mut differs = 0;
        let mut outcomes = Outcomes::default();
        let mut rows = Rows::of(self.engine.files.open(source).await?, work.columns(), self.job.encoding, self.until);
        let mut files = None;
        let mut elsewhere = None;
        while rows.more().await? {
            while let Some(row) = rows.reader.next_row()? {
                let (report, results, failed) = files.get_or_insert_with(|| {
                    let results = self.engine.files.create(self.keys.results(), CSV);
                    let failed = self.engine.files.create(self.keys.failed(), CSV);
                    (Report::new(row.header()), results, failed)
                });
                let mut judgement = work.judge(&row);
                if judgement.warns(Warning::NumberElsewhere) {
                    elsewhere.get_or_insert((0, row.line)).0 += 1;
                }
                if self.job.previews() {
                    outcomes.note(work.row_key(&row), judgement.status);
                }
                if let Some(said) = &mut said {
                    let said = said.ask(work.row_key(&row));
                    if said != Some(judgement.status) {
                        differs += 1;
                        judgement.differs_from_preview(said);
                    }
                }
                report.row(&row, judgement);
                // By bytes, and not by pieces of the download: of one piece may come any number of them.
                if report.results.pending().max(report.failed.pending()) > HELD_BYTES {
                    pass_on(&mut report.results, results, HELD_BYTES).await?;
                    pass_on(&mut report.failed, failed, HELD_BYTES).await?;
                    self.check_time()?;
                }
                rows.check_time()?;
            }
        }
        if let Some((mut report, mut results, mut failed)) = files {
            pass_on(&mut report.results, &mut results, 0).await?;
            results.finish().await?;
            if report.counts.needs_correction() > 0 {
                pass_on(&mut report.failed, &mut failed, 0).await?;
                failed.finish().await?;
            }
            self.job.counts = report.counts;
        }
        if let Some((rows, line)) = elsewhere.filter(|_| *own) {
            self.job.note([Note::numbers_elsewhere(rows, line)]);
        }
        let counts = self.job.counts;
        if *own && counts.unchanged > 0 && counts.unchanged == counts.rows() {
            self.job.note([Note::nothing_changed()]);
        }
        if self.job.previews() {
            let (key, bytes) = (self.keys.outcomes(), outcomes.to_bytes());
            self.engine.files.put(&key, "application/octet-stream", bytes).await?;
        }
        if let (Some(previewed), Some(said)) = (&mut self.job.previewed, said) {
            previewed.differs = differs + said.unseen();
        }
        Ok(())
    }

    /// What the job's preview has said of each row, if it had one.
    async fn recall_outcomes(&self) -> Result<Option<Outcomes>, StorageError> {
        if self.job.previewed.is_none() {
            return Ok(None);
        }
        let keys = ResultKeys::of(self.account(), &self.job.id, Stage::Preview);
        Ok(self.engine.files.get(&keys.outcomes()).await?.and_then(|bytes| Outcomes::from_bytes(&bytes)))
    }
}

async fn pass_on(
    from: &mut rollcall_tabular::Writer,
    to: &mut MultipartUpload,
    hold: usize,
) -> Result<(), StorageError> {
    if from.pending() > hold { to.write(&from.take()).await } else { Ok(()) }
}
