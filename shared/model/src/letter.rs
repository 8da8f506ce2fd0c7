//! What a job's mail says.

use std::fmt::Write;

use crate::{
    job::{Failure, Job},
    upload::file_name,
};

/// Subject and text of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// How the failed rows come along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enclosure {
    /// There are none.
    None,
    /// As an attachment.
    Attached,
    /// They are too many to be mailed; they lie here.
    At(String),
}

impl Letter {
    /// The mail about a job that is about to end.
    pub fn about(job: &Job, enclosure: &Enclosure) -> Self {
        let name = one_line(file_name(&job.upload.name));
        let mut text = String::new();
        let subject = match &job.failure {
            Some(Failure::File(fault)) => {
                let _ = writeln!(text, "The file {name} could not be read, so nothing of it was applied.\n\n{fault}\n");
                let _ = writeln!(text, "Mend the file and drop it again.");
                format!("{name} could not be read ({})", fault.code)
            }
            Some(Failure::Refused { reason }) => {
                let _ = writeln!(text, "{name} could not be carried out, and nothing was changed.\n\n{reason}");
                format!("{name} was refused")
            }
            Some(Failure::Held { reason }) => {
                let _ = writeln!(text, "{name} was held back, and nothing was changed.\n\n{reason}");
                format!("{name} was held back and waits for you")
            }
            Some(Failure::GaveUp { attempts, reason }) => {
                let progress = job.progress;
                let _ = writeln!(text, "The work on {name} was given up after {attempts} attempts.\n");
                let _ = writeln!(text, "Reason: {reason}");
                let _ = writeln!(text, "Users done: {} of {}\n", progress.users_done, progress.users);
                let _ = writeln!(
                    text,
                    "What was applied stays. Dropping the same file again is safe: it adds what is missing and nothing twice."
                );
                format!("{name} was given up")
            }
            None => {
                let counts = job.counts;
                let _ = writeln!(text, "{} of {} rows of {name} need mending.\n", counts.to_mend(), counts.rows());
                for (label, rows) in [
                    ("applied", counts.applied),
                    ("unchanged", counts.unchanged),
                    ("partial", counts.partial),
                    ("failed", counts.failed),
                    ("unprocessed", counts.unprocessed),
                ] {
                    let _ = writeln!(text, "{label:>12}: {rows}");
                }
                let place = match enclosure {
                    Enclosure::At(place) => format!("They are too many to be mailed and lie at {place}"),
                    Enclosure::Attached | Enclosure::None => "They are in the attached file".to_owned(),
                };
                let _ = writeln!(
                    text,
                    "\n{place}, each with the reason.\nMend them there and drop that file again as it is: the columns that were added are ignored."
                );
                format!("{} of {} rows of {name} need mending", counts.to_mend(), counts.rows())
            }
        };
        let _ = writeln!(text, "\nAccount {}, job {}", job.upload.account, job.id);
        Self { subject: format!("Rollcall: {subject}"), text }
    }
}

/// A file's name, fit for a header: whoever named the file doesn't write headers.
fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect()
}
