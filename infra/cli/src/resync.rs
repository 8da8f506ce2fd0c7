//! `rollcall resync`: mappings are brought in step with the phone system.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use rollcall_api_types::{JobRequest, PhoneSystemChoice, ResyncView};
use rollcall_bulk::resync::state::ResyncRequest;
use rollcall_model::jobs::JobKind;
use rollcall_model::settings::PhoneSystem;

use crate::args::AccountArg;
use crate::client::StackClient;
use crate::confirm::PreviewArgs;
use crate::job::short;
use crate::stack_selector::StackSelector;
use crate::upload_file::{FollowArgs, file_name, read};

/// Options of `rollcall resync`.
#[derive(Debug, Args)]
#[command(after_help = "\
A resync that would revoke more of the numbers that CRM users see than the safety threshold of `rollcall settings`, is put on hold and changes nothing. \
Run it again with --force to apply it. --results saves what came of every mapping. With --preview the job shows what it would do, and asks; what it says of \
the threshold is decided with it.

Exit code 0 says that it was carried out, 1 that it was not, 3 that nothing was changed since nobody said yes, 130 that Ctrl-C ended the question, or the \
watching (the job goes on).

Examples:
  rollcall resync
  rollcall resync --preview --results diff.csv
  rollcall resync --results resync.csv
  rollcall resync --snapshot smrtphone.csv
  rollcall resync --force")]
pub struct Resync {
    /// Apply although the safety threshold is exceeded
    #[arg(long, conflicts_with = "snapshot")]
    force: bool,
    /// Drop what the phone system has: a CSV or JSON file, for an account whose phone system is snapshot; "-" reads standard input
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    preview: PreviewArgs,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    watch: FollowArgs,
}

impl Resync {
    /// Asks for the resync, and follows it.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        self.watch.check()?;
        let stack = StackClient::open(place, &self.whose).await?;
        stack.say_if_empty().await?;
        let path = ["v1", "mappings", "resync"];
        let id = match &self.snapshot {
            None => {
                stack
                    .ask_for(&path, &ResyncRequest { confirmed: self.force, preview: self.preview.is_asked_for() })
                    .await?
            }
            Some(file) => {
                check_phone_system(&stack).await?;
                let (name, bytes) = (file_name(file)?, read(file)?);
                let named = JobRequest::new(JobKind::PhoneSnapshot, name, bytes.len());
                stack.drop_file(&JobRequest { preview: self.preview.is_asked_for(), ..named }, bytes).await?
            }
        };
        let code = self.watch.run(&stack, &id, self.preview.consent(), "Resync the mappings").await?;
        let standing: ResyncView = stack.api.get(&path, &[]).await?;
        if standing.ended.is_some_and(|ended| ended.on_hold && ended.job == id) {
            eprintln!("If that is meant: {}", stack.hint(&format!("job {} --execute", short(&id))));
        }
        Ok(code)
    }
}

/// A snapshot counts for an account that goes by snapshots.
async fn check_phone_system(stack: &StackClient) -> Result<()> {
    let chosen: PhoneSystemChoice = stack.api.get(&["v1", "phone-system"], &[]).await?;
    if chosen.system == PhoneSystem::Snapshot {
        return Ok(());
    }
    let (account, system) = (&stack.account, chosen.system.as_str());
    let choose = stack.hint("phone-system snapshot");
    Err(anyhow!(
        "the phone system of {account} is {system}, which no snapshot says anything of; choose the other with: {choose}"
    ))
}
