//! `rollcall token`: who may ask the API of the running stack. And where tokens for the API come from.

use std::env::{self, VarError};
use std::path::Path;
use std::process::{ExitCode, Stdio};

use crate::api::ApiToken;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use rollcall_model::account::AccountId;
use rollcall_model::scope::Scope;
use rollcall_model::secret::SecretText;
use rollcall_model::user::near::{closest, did_you_mean};
use tokio::process::Command;

use crate::args::AccountArg;
use crate::local::running;
use crate::output::{self, print};
use crate::when;
use local_stack::{Grant, Manifest, SigningKey};

/// The variable with a token for the API of a stack on AWS.
const TOKEN: &str = "ROLLCALL_TOKEN";
/// The variable with a command that prints one.
const TOKEN_COMMAND: &str = "ROLLCALL_TOKEN_COMMAND";
/// Who asks, when a command of this machine does. No address, so that nobody gets reports who didn't ask for them.
const COMMAND: &str = "rollcall";
/// How long a command may follow a job here.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long a switch may ask with one token.
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Options of `rollcall token`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall token
  rollcall token --account acme --scope rollcall/users.read --expires 15m

On AWS, tokens come from the issuer that the stack was deployed with.")]
pub struct Token {
    #[command(flatten)]
    whose: AccountArg,
    /// What it allows, such as rollcall/users.read; can be given several times, and is everything by default
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long it is valid: 30m, 2h, 1d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = when::length)]
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
        let token = sign(&running(dir)?, &self.whose.here(), &self.subject, &self.scopes, self.expires)?;
        print(&format!("{token}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A token for everything, which this machine makes for its own stack.
///
/// # Errors
/// If the stack takes no tokens, or its key can't be read.
pub fn made(manifest: &Manifest, account: &AccountId) -> Result<ApiToken> {
    ApiToken::parse(&sign(manifest, account, COMMAND, &[], A_DAY)?).context("could not make a token")
}

/// A token for what a switch asks, and for nothing else, which this machine makes for its own stack.
///
/// # Errors
/// As of [`made`].
pub fn for_switch(manifest: &Manifest, account: &AccountId) -> Result<ApiToken> {
    let scopes = [Scope::DialCheck, Scope::DialChoose].map(|scope| scope.as_str().to_owned());
    ApiToken::parse(&sign(manifest, account, COMMAND, &scopes, AN_HOUR)?).context("could not make a token")
}

fn sign(
    manifest: &Manifest,
    account: &AccountId,
    subject: &str,
    scopes: &[String],
    life: SignedDuration,
) -> Result<String> {
    let issuer = manifest.issuer.as_ref().ok_or_else(|| anyhow!("the stack's API takes no tokens"))?;
    let key = SigningKey::read(&issuer.key_file)?;
    if let Some(unknown) = scopes.iter().find(|scope| !issuer.scopes.contains(*scope)) {
        let near = closest(unknown, issuer.scopes.iter().map(String::as_str)).map(str::to_owned);
        let all = issuer.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        bail!(
            "no route asks for the scope {}; there are {all}.{}",
            output::visible(unknown),
            did_you_mean(near.as_slice())
        );
    }
    let scopes = if scopes.is_empty() { issuer.scopes.iter().cloned().collect() } else { scopes.to_vec() };
    let now = Timestamp::now().as_second();
    let grant =
        Grant { account: account.as_str(), subject, scopes: &scopes, issued: now, expires: now + life.as_secs() };
    Ok(key.sign(&grant.claims(issuer))?)
}

/// The token that the environment gives for a stack on AWS. No error repeats what was given.
///
/// # Errors
/// If it gives none.
pub async fn given(stack: &str) -> Result<ApiToken> {
    let (text, from) = match (variable(TOKEN)?, variable(TOKEN_COMMAND)?) {
        (Some(token), _) => (SecretText::new(token), TOKEN),
        (None, Some(command)) => (printed(&command).await?, TOKEN_COMMAND),
        (None, None) => {
            bail!(
                "no token for the API of the stack {stack}; set {TOKEN}, or {TOKEN_COMMAND} to a command that prints one"
            );
        }
    };
    ApiToken::parse(text.expose().trim()).context(format!("{from} gives no token"))
}

/// What a variable holds, if that is anything.
fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        // The error itself would show the value.
        Err(VarError::NotUnicode(_)) => Err(anyhow!("{name} is no text")),
    }
}

/// What a command prints. What it says beside goes where ours goes; standard input may be the file that is dropped.
async fn printed(command: &str) -> Result<SecretText> {
    let what = || format!("could not run the command in {TOKEN_COMMAND}");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let output = shell.spawn().context(what())?.wait_with_output().await.context(what())?;
    if !output.status.success() {
        bail!("the command in {TOKEN_COMMAND} failed ({}); it must print a token", output.status);
    }
    let text = String::from_utf8(output.stdout).map_err(|_| anyhow!("{TOKEN_COMMAND} prints no text"))?;
    Ok(SecretText::new(text))
}
