//! Arguments that several commands share.

use clap::Args;
use rollcall_model::account::AccountId;

/// The account that is meant when none is named.
pub const DEFAULT_ACCOUNT: &str = "demo";

/// Whose data is meant.
#[derive(Debug, Args)]
pub struct AccountArg {
    /// Account, `demo` by default; on AWS it is that of the token
    #[arg(long, value_name = "NAME")]
    pub account: Option<AccountId>,
}

impl AccountArg {
    /// The account that is meant on this machine.
    pub fn here(&self) -> AccountId {
        self.account.clone().unwrap_or_else(|| DEFAULT_ACCOUNT.parse().expect("the name of an account"))
    }
}

/// How data is printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputFormat {
    /// Print JSON, and nothing else, on standard output
    #[arg(long)]
    pub json: bool,
}
