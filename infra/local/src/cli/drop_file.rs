//! A file that is dropped for a job, and followed to the job's end.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use rollcall_model::account::AccountId;
use rollcall_model::email::EmailAddress;
use rollcall_model::upload::{JobId, Kind, Source, Terms, Upload};
use rollcall_model::user::Name;

use super::connect::{Connection, told};
use super::consent::Consent;
use super::follow::{Followed, INTERRUPTED, follow, say_it_goes_on};
use super::job::{Save, save_results};
use super::{Form, Whose, output, summary};
use crate::stack::{Context, Error, Result};

/// Stands for standard input.
const STDIN: &str = "-";

/// What such commands take.
#[derive(Debug, Args)]
pub struct DropFile {
    /// CSV file; "-" reads standard input
    file: PathBuf,
    #[command(flatten)]
    pub whose: Whose,
    /// Who gets the mail about failed rows, in place of the account's recipients
    #[arg(long, value_name = "ADDRESS")]
    notify: Option<EmailAddress>,
    /// The file's name in the bucket and in the mail; its own by default
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Show first what would be done, then ask
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    pub watch: Watch,
}

/// What becomes of a job that is followed.
#[derive(Debug, Args)]
pub struct Watch {
    #[command(flatten)]
    save: Save,
    #[command(flatten)]
    form: Form,
}

impl DropFile {
    /// Drops the file and follows the job to its end.
    ///
    /// # Errors
    /// If the file can't be read or dropped, or the stack can't be asked.
    pub async fn run(self, dir: &Path, stack: &Connection, kind: Kind, role: Option<Name>) -> Result<ExitCode> {
        self.watch.check()?;
        if self.notify.as_ref().is_some_and(|notify| !notify.takes_reports()) {
            return Err(Error::new(
                "--notify takes an address in ASCII; write an international domain in Punycode (xn--…)",
            ));
        }
        let account = self.whose.account;
        let upload = Upload { account: account.clone(), kind, name: name(self.name, &self.file)? };
        // What names no upload would lie in the bucket, and nobody would take it up.
        if Upload::from_key(&upload.key()).as_ref() != Ok(&upload) {
            return Err(Error::new("the file's name can't be empty or end with a slash; give another with --name"));
        }
        let bytes = read(&self.file)?;
        let terms = Terms { notify: self.notify, role, preview: self.preview };
        let source = stack.files.drop_file(&upload, bytes, &terms).await.map_err(told)?;
        self.watch.run(dir, stack, &account, &source, self.consent).await
    }
}

impl Watch {
    /// Whether the options go together.
    ///
    /// # Errors
    /// If they don't.
    pub fn check(&self) -> Result<()> {
        self.save.check(self.form)
    }

    /// Follows the job of a source to its end, and tells what came of it. One that shows what it would do goes on with consent.
    ///
    /// # Errors
    /// If the stack can't be asked, or the result files can't be saved.
    pub async fn run(
        self,
        dir: &Path,
        stack: &Connection,
        account: &AccountId,
        source: &Source,
        consent: Consent,
    ) -> Result<ExitCode> {
        let id = JobId::of(source);
        let shown = !self.form.json;
        let followed = match follow(stack, account, &id, shown).await? {
            Followed::Ended(job) => consent.carry_on(dir, stack, job, shown).await?,
            Followed::Interrupted => Followed::Interrupted,
        };
        let job = match followed {
            Followed::Ended(job) => job,
            Followed::Interrupted => {
                say_it_goes_on(dir, account, &id);
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        if self.form.json {
            output::print_json(&summary::Record::of(&job))?;
        } else {
            let summary = summary::describe(&job, stack.mail_of(&job)?.as_ref(), dir);
            if self.save.prints() { eprint!("{summary}") } else { output::print(&summary)? }
        }
        save_results(stack, &job, &self.save).await?;
        Ok(if summary::all_went_well(&job) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Drops a request for a job under a name of its own.
///
/// # Errors
/// If it can't be dropped.
pub async fn drop_request(
    stack: &Connection,
    account: &AccountId,
    kind: Kind,
    what: &str,
    request: Vec<u8>,
) -> Result<Source> {
    let name = format!("{what}-{}.json", Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S%.3fZ"));
    let upload = Upload { account: account.clone(), kind, name };
    stack.files.drop_file(&upload, request, &Terms::default()).await.map_err(told)
}

fn name(given: Option<String>, file: &Path) -> Result<String> {
    if let Some(name) = given {
        return Ok(name);
    }
    if file.as_os_str() == STDIN {
        return Ok("standard-input.csv".to_owned());
    }
    let name = file.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| Error::new("the file's name can't be used in a bucket; give one with --name"))
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
