//! `rollcall token`: who may ask the API of the running stack.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::Whose;
use super::connect::running;
use super::output::print;
use crate::stack::{Error, Grant, Result, SigningKey};

/// Options of `rollcall token`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall token
  rollcall token --account acme --scope rollcall/users.read --expires 15m

On AWS, tokens come from the issuer that the stack was deployed with.")]
pub struct Token {
    #[command(flatten)]
    whose: Whose,
    /// What it allows, such as rollcall/users.read; can be given several times, and is everything by default
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long it is valid
    #[arg(long, value_name = "TIME", default_value = "1h")]
    expires: SignedDuration,
    /// Who asks
    #[arg(long, value_name = "NAME", default_value = "ann@example.com")]
    subject: String,
}

impl Token {
    /// Prints it.
    ///
    /// # Errors
    /// If no stack is running, or it takes no tokens.
    pub fn run(self, dir: &Path) -> Result<ExitCode> {
        let issuer = running(dir)?.issuer;
        let issuer = issuer.ok_or_else(|| Error::new("the stack's API takes no tokens"))?;
        let key = SigningKey::read(&issuer.key_file)?;
        let scopes = if self.scopes.is_empty() { issuer.scopes.iter().cloned().collect() } else { self.scopes };
        let now = Timestamp::now().as_second();
        let grant = Grant {
            account: self.whose.account.as_str(),
            subject: &self.subject,
            scopes: &scopes,
            issued: now,
            expires: now + self.expires.as_secs(),
        };
        print(&format!("{}\n", key.sign(&grant.claims(&issuer))?))?;
        Ok(ExitCode::SUCCESS)
    }
}
