//! What a job's mail says.

use std::fmt::Write;

use crate::{
    job::{Failure, Job},
    upload::file_name,
};
use rollcall_model::{
    code::{FileCode, FileWarning},
    country::Country,
    jobs::JobKind,
};
use rollcall_tabular::text::is_unseen;

/// Subject and text of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEmail {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// How the failed rows come along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedRows {
    /// There are none.
    None,
    /// As an attachment.
    Attached,
    /// They are too many to be mailed; they lie here in the bucket.
    At(String),
}

impl JobEmail {
    /// The mail about a job that is about to end, with counts as people of the country write them.
    pub fn about(job: &Job, enclosure: &FailedRows, country: Country) -> Self {
        let written = |count: u64| country.write_count(count);
        let name = plain_name(file_name(&job.upload.name));
        let mut text = String::new();
        let subject = match &job.failure {
            Some(Failure::File(fault)) if fault.code == FileCode::FolderUnknown => {
                let _ = writeln!(text, "{name} lies where no job takes it, so nothing of it was applied.\n\n{fault}");
                format!("{name} lies in the wrong folder ({})", fault.code)
            }
            Some(Failure::File(fault)) => {
                let _ = writeln!(text, "{name} could not be read, so nothing of it was applied.\n\n{fault}\n");
                let _ = writeln!(text, "{}", mend_all(job.upload.kind));
                format!("{name} could not be read ({})", fault.code)
            }
            Some(Failure::Refused { reason }) => {
                let _ = writeln!(text, "{name} could not be carried out, and nothing was changed.\n\n{reason}");
                format!("{name} was refused")
            }
            Some(Failure::OnHold { reason }) => {
                let _ = writeln!(text, "{name} was held back, and nothing was changed.\n\n{reason}");
                let _ = writeln!(
                    text,
                    "\nIf that is meant: rollcall job {} --account {} --execute",
                    job.id, job.upload.account
                );
                format!("{name} was held back and waits for you")
            }
            Some(Failure::GaveUp { attempts, reason }) => {
                let progress = job.progress;
                let _ = writeln!(text, "The work on {name} was given up after {attempts} attempts.\n");
                let _ = writeln!(text, "Reason: {reason}");
                let _ = writeln!(text, "Users done: {} of {}\n", written(progress.users_done), written(progress.users));
                let _ = writeln!(text, "{}", repeat(job.upload.kind));
                if job.upload.kind.has_undo() {
                    let _ = writeln!(text, "What was done can also be taken back: undo the job {}.", job.id);
                }
                let _ = match enclosure {
                    FailedRows::None => Ok(()),
                    FailedRows::Attached => {
                        writeln!(text, "\nThe rows that were not done are in the attached file, each with the reason.")
                    }
                    FailedRows::At(place) => writeln!(text, "\nSome rows were not done. {}", ways_to(job, place)),
                };
                format!("{name} was given up")
            }
            None if job.counts.needs_correction() == 0 && job.notes(FileWarning::NumbersElsewhere) => {
                let _ = writeln!(text, "All rows of {name} are as they should be, but numbers may have been left out.");
                format!("{name} may have numbers that were not read")
            }
            None if job.counts.needs_correction() == 0 && job.notes(FileWarning::NumbersNotRetired) => {
                let _ = writeln!(text, "All rows of {name} are done, but not every number of it was retired.");
                format!("{name} has not retired every number")
            }
            None if job.counts.needs_correction() == 0 => {
                let _ = writeln!(text, "Nobody was changed by {name}.");
                format!("{name} changed nobody")
            }
            None => {
                let counts = job.counts;
                let (bad, all) = (written(counts.needs_correction()), written(counts.rows()));
                let _ = writeln!(text, "{bad} of {all} rows of {name} need correction.\n");
                for (label, rows) in [
                    ("applied", counts.applied),
                    ("unchanged", counts.unchanged),
                    ("partial", counts.partial),
                    ("failed", counts.failed),
                    ("unprocessed", counts.unprocessed),
                ] {
                    let _ = writeln!(text, "{label:>12}: {}", written(rows));
                }
                let _ = match enclosure {
                    FailedRows::At(place) => writeln!(text, "\n{}", ways_to(job, place)),
                    FailedRows::Attached | FailedRows::None => {
                        writeln!(text, "\nThey are in the attached file, each with the reason.")
                    }
                };
                let _ = writeln!(text, "{}", mend_rows(job.upload.kind));
                format!("{bad} of {all} rows of {name} need correction")
            }
        };
        if !job.notes.is_empty() {
            let _ = writeln!(text, "\nWorth knowing of the file:");
        }
        for note in &job.notes {
            let _ = writeln!(text, "- {}", note.message);
        }
        let _ = writeln!(text, "\nAccount {}, job {}", job.upload.account, job.id);
        Self { subject: format!("Rollcall: {subject}"), text }
    }
}

/// What to do about a job of which nothing was applied.
fn mend_all(kind: JobKind) -> &'static str {
    match kind {
        JobKind::AppendCallerIds | JobKind::UploadUsers | JobKind::UploadNumbers | JobKind::PhoneSnapshot => {
            "Correct the file and drop it again."
        }
        JobKind::RotateCallerIds => "Correct the file or the request, and send it again.",
        JobKind::DirectoryImport | JobKind::MappingResync | JobKind::PushLists | JobKind::Undo => {
            "Correct the request and send it again."
        }
    }
}

/// How to have done what a job that was given up has left undone.
fn repeat(kind: JobKind) -> &'static str {
    match kind {
        JobKind::AppendCallerIds | JobKind::UploadUsers | JobKind::UploadNumbers => {
            "What was applied stays. Dropping the same file again is safe: it adds what is missing and nothing twice."
        }
        JobKind::PhoneSnapshot => {
            "What was applied stays. Dropping the same file again is safe: it changes what is left."
        }
        JobKind::RotateCallerIds => {
            "What was changed stays. Asking for the same rotation again is safe: it changes the lists that are left."
        }
        JobKind::Undo => {
            "What was taken back stays so. Undoing the same job again is safe: it takes back what is left and nothing twice."
        }
        JobKind::DirectoryImport => "What was applied stays. The next import or sync applies what is left.",
        JobKind::MappingResync => "What was changed stays. The next resync changes what is left.",
        JobKind::PushLists => "What was told stays told. The next push tells what is left.",
    }
}

/// What to do about rows of which something could not be done.
fn mend_rows(kind: JobKind) -> &'static str {
    match kind {
        JobKind::AppendCallerIds | JobKind::UploadUsers | JobKind::UploadNumbers | JobKind::RotateCallerIds => {
            "Correct them there and drop that file again as it is: the columns that were added are ignored."
        }
        JobKind::DirectoryImport => {
            "Correct what the reasons name in the directory and import these users again. Or correct the rows there and drop that file \
             as a file of users: the columns that were added are ignored."
        }
        JobKind::MappingResync | JobKind::PhoneSnapshot => {
            "Correct what the reasons name: the next resync changes what is left."
        }
        JobKind::PushLists => {
            "Correct what the reasons name in the phone system. Then ask for another try: rollcall push --retry."
        }
        JobKind::Undo => {
            "Everything else was taken back. What these rows are about stays as it is, unless you change it by hand."
        }
    }
}

/// How somebody comes by rows that are too many to be mailed: most people who get the mail can't open the bucket.
fn ways_to(job: &Job, place: &str) -> String {
    let (id, account) = (&job.id, &job.upload.account);
    format!(
        "They are too many to be mailed. Get them, each with the reason, in one of these ways:\n\n  \
         the command  rollcall job {id} --account {account} --failures failed.csv\n  \
         the API      GET /v1/jobs/{id}/failures\n  \
         the bucket   {place}\n"
    )
}

/// Longest name in a mail, in characters.
const MAX_NAME: usize = 120;

/// A file's name, fit for the headers and the text of a mail: whoever named the file writes no headers, and makes the reader see no other
/// name. What isn't seen becomes a space, and what a header takes for an encoded word (`=?`, RFC 2047) is parted.
pub fn plain_name(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_control() || is_unseen(c) { ' ' } else { c });
    plain.take(MAX_NAME).collect::<String>().replace("=?", "= ?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        job::{ClaimOutcome, Delivery, claim},
        upload::InboxKey,
    };
    use rollcall_model::jobs::ObjectVersion;
    use rollcall_tabular::FileFault;

    fn job(kind: JobKind, failure: Option<Failure>) -> Job {
        let upload = InboxKey { account: "acme".parse().unwrap(), kind, name: "asked.json".into() };
        let source = ObjectVersion { bucket: "b".into(), key: upload.key(), version: "v".into(), size: 1 };
        let at = jiff::Timestamp::UNIX_EPOCH;
        let delivery = Delivery { invocation: "i".into(), at, deadline: at, continues: 0, number: 1, of: 5 };
        let ClaimOutcome::Work(mut job) = claim(None, &upload, &source, &delivery) else { panic!("it is new") };
        job.failure = failure;
        job.counts.failed = 1;
        job.end(at);
        *job
    }

    fn india() -> Country {
        "IN".parse().unwrap()
    }

    #[test]
    fn counts_are_written_as_in_the_accounts_country() {
        let mut job = job(JobKind::AppendCallerIds, None);
        (job.counts.failed, job.counts.applied) = (5_000, 95_000);
        let mail = JobEmail::about(&job, &FailedRows::Attached, india());
        assert_eq!(mail.subject, "Rollcall: 5,000 of 1,00,000 rows of asked.json need correction");
        assert!(mail.text.starts_with("5,000 of 1,00,000 rows"), "{}", mail.text);
        let mail = JobEmail::about(&job, &FailedRows::Attached, "GB".parse().unwrap());
        assert!(mail.text.contains("5,000 of 100,000") && mail.text.contains("applied: 95,000"), "{}", mail.text);
    }

    #[test]
    fn a_name_writes_no_header_and_is_seen_as_it_is() {
        for (name, plain) in [
            ("october numbers.csv", "october numbers.csv"),
            ("नाम \u{200d}x.csv", "नाम \u{200d}x.csv"),
            ("=?utf-8?q?evil?=.csv", "= ?utf-8?q?evil?=.csv"),
            ("==??x", "== ??x"),
            ("\u{202e}gpj.exe.csv", " gpj.exe.csv"),
            ("a\r\nBcc: x@y", "a  Bcc: x@y"),
            ("a\u{2028}b\u{2066}c", "a b c"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
        assert_eq!(plain_name(&"x".repeat(500)).len(), MAX_NAME);
    }

    #[test]
    fn a_mail_speaks_of_dropping_a_file_only_where_a_file_was_dropped() {
        let fault = FileFault { code: FileCode::TooManyRows, line: None, message: "Too many.".into() };
        for failure in [
            None,
            Some(Failure::File(fault)),
            Some(Failure::Refused { reason: "no".into() }),
            Some(Failure::OnHold { reason: "much".into() }),
            Some(Failure::GaveUp { attempts: 5, reason: "no".into() }),
        ] {
            for enclosure in [FailedRows::None, FailedRows::Attached, FailedRows::At("s3://b/k".into())] {
                for kind in JobKind::ALL {
                    let JobEmail { subject, text } = JobEmail::about(&job(kind, failure.clone()), &enclosure, india());
                    let said = format!("{subject}\n{text}").to_lowercase();
                    let asked_for = matches!(kind, JobKind::Undo | JobKind::MappingResync);
                    assert!(!asked_for || !said.contains("drop"), "{kind:?} {failure:?}: {said}");
                    assert!(
                        kind != JobKind::DirectoryImport
                            || !said.contains("drop it") && !said.contains("the same file")
                    );
                }
            }
        }
    }

    #[test]
    fn a_mail_about_a_job_that_was_given_up_says_how_it_is_taken_back() {
        let gave_up = Some(Failure::GaveUp { attempts: 5, reason: "no".into() });
        for kind in JobKind::ALL {
            let text = JobEmail::about(&job(kind, gave_up.clone()), &FailedRows::None, india()).text;
            assert_eq!(text.contains("taken back: undo the job"), kind.has_undo(), "{kind:?}: {text}");
        }
    }

    #[test]
    fn a_mail_about_too_large_a_report_says_how_to_get_it_without_the_bucket() {
        let job = job(JobKind::AppendCallerIds, None);
        let text = JobEmail::about(&job, &FailedRows::At("s3://files/failed.csv".to_owned()), india()).text;
        let command = format!("rollcall job {} --account acme --failures failed.csv", job.id);
        for way in [command, format!("GET /v1/jobs/{}/failures", job.id), "s3://files/failed.csv".to_owned()] {
            assert!(text.contains(&way), "{text}");
        }
        assert!(!JobEmail::about(&job, &FailedRows::Attached, india()).text.contains("s3://"));
    }
}
