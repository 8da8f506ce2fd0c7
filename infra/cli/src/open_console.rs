//! `rollcall console`: the console, in a browser.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use local_stack::{Grant, Manifest, ticket};
use rollcall_model::account::AccountId;

use crate::args::AccountArg;
use crate::cloudformation;
use crate::local::{output, running};
use crate::output::print;
use crate::stack_selector::{StackSelector, hint};

/// The template's output that says where the console is.
const CONSOLE: &str = "ConsoleUrl";
/// Its page, on the API's own origin.
const PAGE: &str = "/console";
/// The file that leads a browser there.
const FILE: &str = "console.html";
/// How long the address is good for, before a browser has taken it.
const LIFE: SignedDuration = SignedDuration::from_mins(5);
/// What opens an address in the browser that a person uses.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

/// Options of `rollcall console`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall console
  rollcall console --account acme --scope rollcall/users.read --print

The address is good once and for five minutes, so that no other user of this machine gets in by it. On AWS, people log in at the issuer that the stack \
was deployed with.")]
pub struct OpenConsole {
    #[command(flatten)]
    whose: AccountArg,
    /// What it may do, such as rollcall/users.read; can be given several times, and is everything by default
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Who works with it
    #[arg(long, value_name = "NAME", default_value = "ann@example.com")]
    subject: String,
    /// Print the address, and open nothing
    #[arg(long)]
    print: bool,
}

impl OpenConsole {
    /// Opens it.
    ///
    /// # Errors
    /// If no stack is running or deployed, or it has no console.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        if let Some(stack) = place.stack() {
            let deployed =
                cloudformation::describe(stack).await.context(format!("could not look up the stack {stack}"))?;
            let lacking = || anyhow!("the stack {stack} ({}) has no output {CONSOLE}", deployed.status);
            let url = deployed.outputs.get(CONSOLE).ok_or_else(lacking)?;
            if self.print || !opened(url) {
                print(&format!("{url}\n"))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let manifest = running(place.dir())?;
        let address = address(&manifest, &self.whose.here(), &self.subject, &self.scopes)?;
        if self.print {
            print(&format!("{address}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        // Others see the words of a command while it runs; so the browser is told of the address by a file that they can't read.
        let file = leading_to(place.dir(), &address)?;
        if opened(&file.display().to_string()) {
            print(&format!("The console opens in your browser: {}\n", output(&manifest, CONSOLE)?))?;
        } else {
            print(&format!("Nothing here opens a browser. Open this address, which is good once:\n{address}\n"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// An address that logs a browser in, once.
///
/// # Errors
/// If the stack makes no tokens, or its key can't be read.
pub fn address(manifest: &Manifest, account: &AccountId, subject: &str, scopes: &[String]) -> Result<String> {
    let issuer = manifest.issuer.as_ref().ok_or_else(|| anyhow!("the stack's API takes no tokens"))?;
    let api = manifest.endpoints.api.as_ref().ok_or_else(|| anyhow!("the stack has no API"))?;
    let scopes = if scopes.is_empty() { issuer.scopes.iter().cloned().collect() } else { scopes.to_vec() };
    let now = Timestamp::now().as_second();
    let grant =
        Grant { account: account.as_str(), subject, scopes: &scopes, issued: now, expires: now + LIFE.as_secs() };
    Ok(ticket(issuer, api, &grant, PAGE)?)
}

/// How to get in, for who opens the console without an address of the kind.
pub fn how_to_get_in(dir: &Path) -> String {
    format!("In a terminal: {}", hint(dir, None, "console"))
}

/// A page of the owner's own that goes to the address.
fn leading_to(dir: &Path, address: &str) -> Result<PathBuf> {
    let file = dir.join(FILE);
    let page = format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"refresh\" content=\"0; url={}\">\n<title>Rollcall</title>\n",
        address.replace('&', "&amp;")
    );
    let write = || -> io::Result<PathBuf> {
        let mut open = OpenOptions::new();
        let mut written = open.write(true).create(true).truncate(true).mode(0o600).open(&file)?;
        written.write_all(page.as_bytes())?;
        file.canonicalize()
    };
    write().context(format!("could not write {}", file.display()))
}

/// Whether a browser was asked to open it.
fn opened(what: &str) -> bool {
    OPENERS.iter().any(|opener| {
        let mut command = Command::new(opener);
        command.arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
