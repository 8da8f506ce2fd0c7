//! A file that neither names its encoding nor is UTF-8.

use rollcall_bulk::{
    job::{Failure, Stage},
    note::Note,
};
use rollcall_model::{
    code::FileWarning,
    jobs::{JobKind, ObjectVersion},
};
use rollcall_tabular::{Encoding, Judge, Judged};
use tokio::time::Instant;

use crate::{Attempt, Interrupt};

/// Judges the encoding by the whole file, and notes it in the record, so that each later reading agrees. Where that isn't safe,
/// an upload of users is held as a preview: it would store names that may be wrong. In the other kinds what matters is
/// ASCII, so they go on and say so.
pub(crate) async fn judge_encoding(attempt: &mut Attempt<'_>, source: &ObjectVersion) -> Result<(), Interrupt> {
    let mut judge = Judge::default();
    let mut download = attempt.world.bucket.open(source).await?;
    while let Some(bytes) = download.next().await? {
        if Instant::now() >= attempt.until {
            return Err(Interrupt::Time);
        }
        judge.push(&bytes);
    }
    let Judged { encoding, safe } = judge.finish();
    attempt.job.encoding = Some(encoding);
    if encoding == Encoding::UTF_8 {
        // Only some cells of it are none, and their rows will say so.
        return attempt.save().await.map_err(Interrupt::Error);
    }
    let note = if safe {
        let message = format!("The file is not UTF-8. It was read as {encoding}.");
        Note { code: FileWarning::EncodingJudged, line: None, message }
    } else {
        let message = format!(
            "The file is not UTF-8, and its encoding isn't certain. It was read as {encoding}, so names may be wrong. Save it as CSV UTF-8, or name its encoding."
        );
        Note { code: FileWarning::EncodingDoubtful, line: None, message }
    };
    attempt.job.note([note]);
    attempt.save().await?;
    if !safe
        && attempt.job.upload.kind == JobKind::UploadUsers
        && attempt.job.stage == Stage::Dropped
        && !attempt.given_up
    {
        let reason = format!(
            "The file's encoding isn't certain: it was read as {encoding}, so names may be wrong. Look at what would be done. Execute \
             it if the names are right; if not, drop the file again as CSV UTF-8, or with its encoding named."
        );
        attempt.preview().await?;
        attempt.job.failure = Some(Failure::OnHold { reason });
        attempt.save().await?;
    }
    Ok(())
}
