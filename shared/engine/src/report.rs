//! The second reading: what came of each row, in two files.

use rollcall_model::report::Report;
use rollcall_platform::files::Growing;

use crate::{
    Run, Stop, Work,
    read::{Reading, Rows},
};

/// Bytes of a report that are held before they go out.
const HELD_BYTES: usize = 1024 * 1024;
const CSV: &str = "text/csv; charset=utf-8";

impl Run<'_> {
    /// Writes the result files.
    pub(crate) async fn report<W: Work>(&mut self, reading: &mut Reading<W>) -> Result<(), Stop> {
        let Reading { work, source: Some(source) } = reading else { return Ok(()) };
        let mut rows = Rows::of(self.engine.files.open(source).await?, work.columns(), self.until);
        let mut files = None;
        while rows.more().await? {
            while let Some(row) = rows.reader.next_row()? {
                let (report, ..) = files.get_or_insert_with(|| {
                    let results = self.engine.files.create(self.keys.results(), CSV);
                    let failed = self.engine.files.create(self.keys.failed(), CSV);
                    (Report::new(row.header()), results, failed)
                });
                report.row(&row, work.judge(&row));
            }
            if let Some((report, results, failed)) = &mut files {
                pass_on(&mut report.results, results, HELD_BYTES).await?;
                pass_on(&mut report.failed, failed, HELD_BYTES).await?;
            }
        }
        if let Some((mut report, mut results, mut failed)) = files {
            pass_on(&mut report.results, &mut results, 0).await?;
            results.finish().await?;
            if report.counts.to_mend() > 0 {
                pass_on(&mut report.failed, &mut failed, 0).await?;
                failed.finish().await?;
            }
            self.job.counts = report.counts;
        }
        Ok(())
    }
}

async fn pass_on(
    from: &mut rollcall_model::csv_file::Writer,
    to: &mut Growing,
    hold: usize,
) -> Result<(), rollcall_platform::Error> {
    if from.pending() > hold { to.write(&from.take()).await } else { Ok(()) }
}
