//! The subcommands, a file for each, and what they share.

mod append;
mod audit;
mod connect;
mod consent;
mod demo;
mod demo_account;
mod demo_file;
mod directory;
mod drop_file;
mod follow;
mod generate;
mod job;
mod jobs;
mod mail;
mod map;
mod mappings;
mod numbers;
mod output;
mod phone_system;
mod queues;
mod resync;
mod rotate;
mod sample;
mod schedules;
mod seed;
mod split_mix;
mod summary;
mod token;
mod undo;
mod up;
mod upload;
mod users;
mod why;

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use rollcall_model::account::AccountId;

use crate::stack::Result;

/// Where a stack keeps its data, unless somebody says otherwise.
const DEFAULT_DIR: &str = ".rollcall";
/// The variable that says otherwise.
const DIR_VARIABLE: &str = "ROLLCALL_DIR";
/// The account that is meant when none is named.
const DEFAULT_ACCOUNT: &str = "demo";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, about = "A directory of telephony users and the caller IDs each may use")]
pub struct Command {
    /// Directory of the stack
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_DIR, env = DIR_VARIABLE)]
    dir: PathBuf,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// See it work in half a minute: a stack of its own, a small account, a bad file, and its mail
    Demo,
    /// Run everything on this machine, until Ctrl-C
    Up(up::Up),
    /// Make an account to try things on
    Seed(seed::Seed),
    /// Append the caller IDs of a CSV file to users, and follow the job to its end
    Append(append::Append),
    /// Create and change the users of a CSV file, and follow the job to its end
    Upload(upload::Upload),
    /// Take back what a job did, and follow that to its end
    Undo(undo::Undo),
    /// List the latest jobs
    Jobs(jobs::Jobs),
    /// Show one job, follow it, or save its result files
    Job(job::ShowJob),
    /// List the captured mails, or show one
    Mail(mail::ShowMail),
    /// List users, or show the caller IDs of some
    Users(users::Users),
    /// List numbers, and how long each has been in service
    Numbers(numbers::Numbers),
    /// Users of Entra ID: connect a tenant, list, import and sync its users
    Directory(directory::Directory),
    /// List who each CRM user is, and how many numbers each sees
    Mappings(mappings::Mappings),
    /// Say who a CRM user is
    Map(map::Map),
    /// Take a CRM user's mapping away
    Unmap(map::Unmap),
    /// Retire numbers and replace them in everybody's list, and follow the job to its end
    Rotate(rotate::Rotate),
    /// Bring mappings in step with the phone system, and follow the job to its end
    Resync(resync::Resync),
    /// Explain why a CRM user sees a number, or doesn't
    Why(why::Why),
    /// Show or choose the account's phone system
    PhoneSystem(phone_system::ChoosePhoneSystem),
    /// Write a CSV file to start from
    Sample(sample::Sample),
    /// Make a CSV file of any size, with as many bad rows as wanted
    Generate(generate::Generate),
    /// Print a token for the API
    Token(token::Token),
    /// List what runs by itself and when, or run one of it at once
    Schedules(schedules::Schedules),
    /// Show who changed whose numbers, and from what to what
    Audit(audit::Audit),
    /// Show what waits in the queues, or send dead letters back
    Queues(queues::ShowQueues),
}

impl Command {
    /// Does what it says.
    ///
    /// # Errors
    /// Whatever keeps it from doing so. What it found, such as a job with failed rows, is told by the exit code.
    pub async fn run(self) -> Result<ExitCode> {
        let dir = self.dir.as_path();
        match self.command {
            Subcommands::Demo => demo::run().await,
            Subcommands::Up(up) => up.run(dir).await,
            Subcommands::Seed(seed) => seed.run(dir).await,
            Subcommands::Append(append) => append.run(dir).await,
            Subcommands::Upload(upload) => upload.run(dir).await,
            Subcommands::Undo(undo) => undo.run(dir).await,
            Subcommands::Jobs(jobs) => jobs.run(dir).await,
            Subcommands::Job(job) => job.run(dir).await,
            Subcommands::Mail(mail) => mail.run(dir),
            Subcommands::Users(users) => users.run(dir).await,
            Subcommands::Numbers(numbers) => numbers.run(dir).await,
            Subcommands::Directory(directory) => directory.run(dir).await,
            Subcommands::Mappings(mappings) => mappings.run(dir).await,
            Subcommands::Map(map) => map.run(dir).await,
            Subcommands::Unmap(unmap) => unmap.run(dir).await,
            Subcommands::Rotate(rotate) => rotate.run(dir).await,
            Subcommands::Resync(resync) => resync.run(dir).await,
            Subcommands::Why(why) => why.run(dir).await,
            Subcommands::PhoneSystem(system) => system.run(dir).await,
            Subcommands::Sample(sample) => sample.run(),
            Subcommands::Generate(generate) => generate.run(),
            Subcommands::Token(token) => token.run(dir),
            Subcommands::Schedules(schedules) => schedules.run(dir).await,
            Subcommands::Audit(audit) => audit.run(dir).await,
            Subcommands::Queues(queues) => queues.run(dir),
        }
    }
}

/// Whose data is meant.
#[derive(Debug, Args)]
struct Whose {
    /// Account
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ACCOUNT)]
    account: AccountId,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, Args)]
struct Form {
    /// Print JSON, and nothing else, on standard output
    #[arg(long)]
    json: bool,
}

/// A command line to copy: this program as it was called, for the same stack and account.
fn hint(dir: &Path, account: Option<&AccountId>, rest: &str) -> String {
    let mut line = program();
    let usual = env::var_os(DIR_VARIABLE).map_or_else(|| PathBuf::from(DEFAULT_DIR), PathBuf::from);
    if dir != usual {
        let _ = write!(line, " --dir {}", dir.display());
    }
    line.push(' ');
    line.push_str(rest);
    if let Some(account) = account.filter(|account| account.as_str() != DEFAULT_ACCOUNT) {
        let _ = write!(line, " --account {account}");
    }
    line
}

/// This program as it was called, from where it was called.
fn program() -> String {
    let called = env::args_os().next().map_or_else(|| PathBuf::from("rollcall"), PathBuf::from);
    let here = env::current_dir().unwrap_or_default();
    let short = called.strip_prefix(here).unwrap_or(&called);
    short.display().to_string()
}
