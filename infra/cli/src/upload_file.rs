//! A file that is dropped for a job, and followed to the job's end.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rollcall_api_types::JobRequest;
use rollcall_bulk::job::JobState;
use rollcall_bulk::user_upload;
use rollcall_model::email::EmailAddress;
use rollcall_model::jobs::{JobId, JobKind};
use rollcall_model::user::Name;
use rollcall_tabular::{Encoding, Reader};

use crate::client::StackClient;
use crate::confirm::{Answer, ConfirmArgs, decide, say_nothing_was_changed};
use crate::exit::{INTERRUPTED, UNDECIDED};
use crate::follow::{Followed, follow, say_it_goes_on};
use crate::job::{Save, save_results, short};
use crate::{args::AccountArg, args::OutputFormat, output, summary};

/// Stands for standard input.
const STDIN: &str = "-";

/// What such commands take.
#[derive(Debug, Args)]
pub struct DropFile {
    /// CSV file; "-" reads standard input
    file: PathBuf,
    #[command(flatten)]
    pub whose: AccountArg,
    /// Who gets the mail about failed rows, in place of the account's recipients
    #[arg(long, value_name = "ADDRESS")]
    notify: Option<EmailAddress>,
    /// The file's name in the bucket and in the mail; its own by default
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The encoding of a file that isn't UTF-8, such as windows-1252 or cp850; judged by default
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<Encoding>,
    /// Show first what would be done, then ask
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    pub consent: ConfirmArgs,
    #[command(flatten)]
    pub watch: FollowArgs,
}

/// What becomes of a job that is followed.
#[derive(Debug, Args)]
pub struct FollowArgs {
    #[command(flatten)]
    save: Save,
    #[command(flatten)]
    form: OutputFormat,
}

impl DropFile {
    /// Whether a file of users says nothing of them but caller IDs. What comes from standard input isn't looked at beforehand.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn says_only_numbers(&self) -> Result<bool> {
        if self.file.as_os_str() == STDIN {
            return Ok(false);
        }
        let bytes = read(&self.file)?;
        let mut reader = Reader::new(&user_upload::COLUMNS);
        // What can't be read is told by the job.
        let read = reader.push(&bytes).and_then(|()| reader.end()).and_then(|()| reader.next_row().map(drop));
        Ok(read.is_ok() && reader.header().is_some_and(user_upload::says_only_numbers))
    }

    /// Drops the file and follows the job to its end.
    ///
    /// # Errors
    /// If the file can't be read or dropped, or the stack can't be asked.
    pub async fn run(self, stack: &StackClient, kind: JobKind, role: Option<Name>) -> Result<ExitCode> {
        self.watch.check()?;
        let name = self.name.map_or_else(|| file_name(&self.file), Ok)?;
        let bytes = read(&self.file)?;
        if bytes.is_empty() {
            bail!(
                "{} is empty",
                if self.file.as_os_str() == STDIN { "standard input".into() } else { self.file.display().to_string() }
            );
        }
        let what = what(kind, &name, role.as_ref());
        let named = JobRequest::new(kind, name, bytes.len());
        let (notify, preview, encoding) = (self.notify, self.preview, self.encoding);
        let request = JobRequest { notify, role, preview, encoding, ..named };
        let id = stack.drop_file(&request, bytes).await?;
        self.watch.run(stack, &id, self.consent, &what).await
    }
}

impl FollowArgs {
    /// Whether the options go together.
    ///
    /// # Errors
    /// If they don't.
    pub fn check(&self) -> Result<()> {
        self.save.check(self.form)
    }

    /// Follows a job to its end, and tells what came of it. One that shows what it would do goes on with consent: `what` says what it does,
    /// and of what.
    ///
    /// # Errors
    /// If the stack can't be asked, or the result files can't be saved.
    pub async fn run(self, stack: &StackClient, id: &JobId, consent: ConfirmArgs, what: &str) -> Result<ExitCode> {
        let shown = !self.form.json;
        let followed = match follow(stack, id, shown).await? {
            Followed::Ended(job) => consent.carry_on(stack, job, what, shown).await?,
            followed => followed,
        };
        let (job, answer) = match followed {
            Followed::Ended(job) => (job, None),
            Followed::Undecided(job, answer) => (job, Some(answer)),
            Followed::Interrupted => {
                say_it_goes_on(stack, id);
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        // Who was asked has seen it.
        let was_shown = matches!(answer, Some(Answer::No | Answer::Interrupted));
        if self.form.json {
            output::print_json(&job)?;
        } else if !was_shown {
            let summary = summary::describe(&job, stack.mail_of(&job)?.as_ref(), stack).await;
            let summary =
                summary + &self.save.way_to_failures(&job, stack) + &summary::failed_rows(stack, &job).await?;
            if self.save.prints() { eprint!("{summary}") } else { output::print(&summary)? }
        }
        save_results(stack, &job, &self.save).await?;
        if let Some(answer) = answer {
            let execute = stack.hint(&format!("job {} --execute", short(&job.id)));
            say_nothing_was_changed(answer, format_args!("Do it with: {execute}"));
            return Ok(ExitCode::from(if answer == Answer::Interrupted { INTERRUPTED } else { UNDECIDED }));
        }
        Ok(if summary::all_went_well(&job) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl FollowArgs {
    /// Follows a job that shows what it would do, tells it, and leaves it at that: nobody is asked.
    ///
    /// # Errors
    /// As [`FollowArgs::run`].
    pub async fn look(self, stack: &StackClient, id: &JobId) -> Result<ExitCode> {
        let job = match follow(stack, id, !self.form.json).await? {
            Followed::Ended(job) | Followed::Undecided(job, _) => job,
            Followed::Interrupted => {
                say_it_goes_on(stack, id);
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        if self.form.json {
            output::print_json(&job)?;
        } else {
            let summary = summary::describe(&job, None, stack).await;
            if self.save.prints() { eprint!("{summary}") } else { output::print(&summary)? }
        }
        save_results(stack, &job, &self.save).await?;
        if job.state == JobState::Previewed {
            decide(stack, &job, "discard").await?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(ExitCode::FAILURE)
    }
}

/// What a job of a file does, and with which.
fn what(kind: JobKind, name: &str, role: Option<&Name>) -> String {
    let name = output::visible(name);
    match (kind, role) {
        (JobKind::AppendCallerIds, _) => format!("Append the caller IDs of {name}"),
        (JobKind::UploadUsers, Some(role)) => {
            format!("Create and change the users of {name}, with the role {}", output::visible(role.as_str()))
        }
        (JobKind::UploadUsers, None) => format!("Create and change the users of {name}"),
        (JobKind::UploadNumbers, _) => format!("Add and change the numbers of {name}"),
        (kind, _) => format!("{} with {name}", summary::kind(kind)),
    }
}

/// What a file is called in the bucket and in the mail.
///
/// # Errors
/// If its name can't be used there.
pub fn file_name(file: &Path) -> Result<String> {
    if file.as_os_str() == STDIN {
        return Ok("standard-input.csv".to_owned());
    }
    let name = file.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| anyhow!("the file's name can't be used in a bucket; call it otherwise"))
}

/// A file's bytes, or standard input's.
///
/// # Errors
/// If they can't be read.
pub fn read(file: &Path) -> Result<Vec<u8>> {
    if file.as_os_str() == STDIN {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("could not read standard input")?;
        return Ok(bytes);
    }
    fs::read(file).context(format!("could not read {}", file.display()))
}
