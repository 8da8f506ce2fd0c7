//! `rollcall append`: drops a file and follows its job.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rollcall_model::email::EmailAddress;
use rollcall_model::upload::{JobId, Kind, Upload};

use super::connect::{Connection, told};
use super::follow::{Followed, INTERRUPTED, follow, say_it_goes_on};
use super::job::{Save, save_results};
use super::{Form, Whose, output, summary};
use crate::stack::{Context, Error, Result};

/// Stands for standard input.
const STDIN: &str = "-";

/// Options of `rollcall append`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0 says that every row was applied or had been before, 1 that some were not, 130 that Ctrl-C ended the watching \
(the job goes on).

Examples:
  rollcall append october.csv
  rollcall append october.csv --notify ann@example.com --failures to-mend.csv
  rollcall generate --users 12 --rows 500 --bad 5 --seed 1 | rollcall append - --name made-up.csv")]
pub struct Append {
    /// CSV file with the columns "Login ID" and "Allowed Caller ID"; "-" reads standard input
    file: PathBuf,
    #[command(flatten)]
    whose: Whose,
    /// Who gets the mail about failed rows, in place of the account's recipients
    #[arg(long, value_name = "ADDRESS")]
    notify: Option<EmailAddress>,
    /// The file's name in the bucket and in the mail; its own by default
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    save: Save,
    #[command(flatten)]
    form: Form,
}

impl Append {
    /// Drops the file and follows the job to its end.
    ///
    /// # Errors
    /// If the file can't be read or dropped, or the stack can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        self.save.check(self.form)?;
        if self.notify.as_ref().is_some_and(|notify| !notify.takes_reports()) {
            return Err(Error::new(
                "--notify takes an address in ASCII; write an international domain in Punycode (xn--…)",
            ));
        }
        let stack = Connection::open(dir).await?;
        let account = self.whose.account;
        let upload =
            Upload { account: account.clone(), kind: Kind::AppendCallerIds, name: name(self.name, &self.file)? };
        // What names no upload would lie in the bucket, and nobody would take it up.
        if Upload::from_key(&upload.key()).as_ref() != Ok(&upload) {
            return Err(Error::new("the file's name can't be empty or end with a slash; give another with --name"));
        }
        let bytes = read(&self.file)?;
        let source = stack.files.drop_file(&upload, bytes, self.notify.as_ref()).await.map_err(told)?;
        let id = JobId::of(&source);
        let job = match follow(&stack, &account, &id, !self.form.json).await? {
            Followed::Ended(job) => job,
            Followed::Interrupted => {
                say_it_goes_on(dir, &account, &id);
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        if self.form.json {
            output::print_json(&summary::Record::of(&job))?;
        } else {
            let summary = summary::describe(&job, stack.mail_of(&job)?.as_ref(), dir);
            if self.save.prints() { eprint!("{summary}") } else { output::print(&summary)? }
        }
        save_results(&stack, &job, &self.save).await?;
        Ok(if summary::all_went_well(&job) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
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

fn read(file: &Path) -> Result<Vec<u8>> {
    if file.as_os_str() == STDIN {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("could not read standard input")?;
        return Ok(bytes);
    }
    fs::read(file).context(format!("could not read {}", file.display()))
}
