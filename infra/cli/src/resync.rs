//! `rollcall resync`: mappings are brought in step with the phone system.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::ResyncView;
use rollcall_bulk::resync::state::ResyncRequest;

use crate::args::AccountArg;
use crate::client::StackClient;
use crate::confirm::ConfirmArgs;
use crate::stack_selector::StackSelector;
use crate::upload_file::FollowArgs;

/// Options of `rollcall resync`.
#[derive(Debug, Args)]
#[command(after_help = "\
A resync that would revoke more of the numbers that CRM users see than the safety threshold of `rollcall settings`, is put on hold and changes nothing. \
Run it again with --force to apply it. --results saves what came of every mapping.

Exit code 0 says that it was carried out, 1 that it was not, 130 that Ctrl-C ended the watching (the job goes on).

Examples:
  rollcall resync
  rollcall resync --results resync.csv
  rollcall resync --force")]
pub struct Resync {
    /// Apply although the safety threshold is exceeded
    #[arg(long)]
    force: bool,
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
        let path = ["v1", "mappings", "resync"];
        let id = stack.ask_for(&path, &ResyncRequest { confirmed: self.force }).await?;
        let code = self.watch.run(&stack, &id, ConfirmArgs::default()).await?;
        let standing: ResyncView = stack.api.get(&path, &[]).await?;
        if standing.ended.is_some_and(|ended| ended.on_hold && ended.job == id) {
            eprintln!("If that is meant: {}", stack.hint("resync --force"));
        }
        Ok(code)
    }
}
