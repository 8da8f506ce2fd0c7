//! `rollcall resync`: mappings are brought in step with the phone system.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use rollcall_model::mapping::standing::ResyncRequest;
use rollcall_model::upload::{JobId, Kind};

use super::connect::{Connection, told};
use super::consent::Consent;
use super::drop_file::{Watch, drop_request};
use super::{Whose, hint};
use crate::stack::Result;

/// Options of `rollcall resync`.
#[derive(Debug, Args)]
#[command(after_help = "\
A resync that would revoke more than a fifth of the numbers that CRM users see, and at least ten, holds itself and changes nothing. If that \
is meant, --confirmed lets it go on. --results saves what came of every mapping.

Exit code 0 says that it was carried out, 1 that it was not, 130 that Ctrl-C ended the watching (the job goes on).

Examples:
  rollcall resync
  rollcall resync --results resync.csv
  rollcall resync --confirmed")]
pub struct Resync {
    /// A resync that held is meant
    #[arg(long)]
    confirmed: bool,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    watch: Watch,
}

impl Resync {
    /// Asks for the resync, and follows it.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        self.watch.check()?;
        let stack = Connection::open(dir).await?;
        let account = self.whose.account;
        let request = ResyncRequest { confirmed: self.confirmed }.to_json();
        let source = drop_request(&stack, &account, Kind::MappingResync, "resync", request).await?;
        let code = self.watch.run(dir, &stack, &account, &source, Consent::default()).await?;
        let standing = stack.directory.resync_standing(&account).await.map_err(told)?.unwrap_or_default();
        let id = JobId::of(&source);
        if standing.ended.is_some_and(|ended| ended.held && ended.job == id) {
            eprintln!("If that is meant: {}", hint(dir, Some(&account), "resync --confirmed"));
        }
        Ok(code)
    }
}
