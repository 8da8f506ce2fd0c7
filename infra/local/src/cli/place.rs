//! Which stack is meant.

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rollcall_model::account::AccountId;

use super::DEFAULT_ACCOUNT;
use crate::stack::{Error, Result};

/// Where a stack keeps its data, unless somebody says otherwise.
const DEFAULT_DIR: &str = ".rollcall";
/// The variable that says otherwise.
const DIR_VARIABLE: &str = "ROLLCALL_DIR";

/// The stack on this machine, or one on AWS.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Directory of the stack on this machine
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_DIR, env = DIR_VARIABLE)]
    dir: PathBuf,
    /// A stack on AWS, by its name in CloudFormation, in place of the one on this machine
    #[arg(long, global = true, value_name = "NAME")]
    stack: Option<String>,
}

impl Place {
    /// The stack that is on this machine if nobody says otherwise.
    pub fn usual() -> Self {
        Self { dir: usual_dir(), stack: None }
    }

    /// The name of the stack on AWS; `None` for the one on this machine.
    pub fn stack(&self) -> Option<&str> {
        self.stack.as_deref()
    }

    /// The directory of the stack on this machine.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of the stack on this machine, for a command that is for no other.
    ///
    /// # Errors
    /// If one on AWS is meant.
    pub fn here(&self, command: &str) -> Result<&Path> {
        match self.stack {
            None => Ok(&self.dir),
            Some(_) => {
                Err(Error::new(format!("`{command}` is for the stack on this machine; it doesn't go with --stack")))
            }
        }
    }

    /// A command line to copy, for the same stack and account. On AWS the account is that of the token.
    pub fn hint(&self, account: &AccountId, rest: &str) -> String {
        match &self.stack {
            None => hint(&self.dir, Some(account), rest),
            Some(stack) => format!("{} --stack {stack} {rest}", program()),
        }
    }
}

/// A command line to copy: this program as it was called, for the stack in this directory and the same account.
pub fn hint(dir: &Path, account: Option<&AccountId>, rest: &str) -> String {
    let mut line = program();
    if dir != usual_dir() {
        let _ = write!(line, " --dir {}", dir.display());
    }
    line.push(' ');
    line.push_str(rest);
    if let Some(account) = account.filter(|account| account.as_str() != DEFAULT_ACCOUNT) {
        let _ = write!(line, " --account {account}");
    }
    line
}

fn usual_dir() -> PathBuf {
    env::var_os(DIR_VARIABLE).map_or_else(|| PathBuf::from(DEFAULT_DIR), PathBuf::from)
}

/// This program as it was called, from where it was called.
fn program() -> String {
    let called = env::args_os().next().map_or_else(|| PathBuf::from("rollcall"), PathBuf::from);
    let here = env::current_dir().unwrap_or_default();
    let short = called.strip_prefix(here).unwrap_or(&called);
    short.display().to_string()
}
