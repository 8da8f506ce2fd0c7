//! The command line: the subcommands, a file for each.

use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Result;
use clap::{Parser, Subcommand};
use rollcall_model::catalog::CatalogKind;
use rollcall_model::country::NUMBERING_PLANS;

use crate::help;
use crate::stack_selector::StackSelector;
use crate::{
    append, audit, catalog, check, completions, demo, directory, doctor, edge, generate, job, jobs, mail, map,
    mappings, numbers, open_console, phone_system, push, queues, resync, rotate, sample, schedules, seed, settings,
    status, token, undo, up, upload, users, why,
};

/// What `--version` prints: numbers are read otherwise by plans of another version.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let (version, commit) = (env!("CARGO_PKG_VERSION"), env!("ROLLCALL_COMMIT"));
    format!("{version} (commit {commit}, numbering plans: libphonenumber {NUMBERING_PLANS})")
});

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "rollcall",
    version = VERSION.as_str(),
    about = "A directory of telephony users and the caller IDs each may use",
    after_help = "\
Commands are for the stack on this machine, or with --stack for one on AWS: what concerns users, numbers, mappings and jobs goes through the \
stack's API, here and there.

With --stack, AWS_REGION, AWS_PROFILE and the other variables of AWS say where the stack is and with which credentials CloudFormation is asked \
for it (cloudformation:DescribeStacks). The token for its API is read from ROLLCALL_TOKEN, or printed by the command in \
ROLLCALL_TOKEN_COMMAND; it says which account is meant.

Examples:
  rollcall demo
  rollcall append october.csv
  ROLLCALL_TOKEN_COMMAND='pass show rollcall' rollcall --stack rollcall append october.csv"
)]
pub struct Command {
    #[command(flatten)]
    stack: StackSelector,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is taken apart at once")]
enum Subcommands {
    /// See it work, in half a minute once it is built: a stack of its own, a small account, a bad file, and its mail
    Demo,
    /// Run everything on this machine, until Ctrl-C
    Up(up::Up),
    /// Open the console in a browser
    Console(open_console::OpenConsole),
    /// Make an account to try things on
    Seed(seed::Seed),
    /// Append the caller IDs of a CSV file to users, and follow the job to its end
    Append(append::Append),
    /// Create and change the users of a CSV file, and follow the job to its end
    Upload(upload::Upload),
    /// Look at a file, or at the account, and tell what is amiss; nothing is changed
    Check(check::Check),
    /// Take back what a job did, and follow that to its end
    Undo(undo::Undo),
    /// List the latest jobs
    Jobs(jobs::Jobs),
    /// Show one job, follow it, or save its result files
    Job(job::ShowJob),
    /// List the captured mails, or show one
    Mail(mail::ShowMail),
    /// List users, show the caller IDs of some, or add, edit, block and delete one
    Users(users::Users),
    /// List numbers and how long each has been in service, or add, flag, rest and label some
    Numbers(numbers::Numbers),
    /// List departments, or add, rename and remove one
    Departments(catalog::Catalog),
    /// List teams, or add, rename and remove one
    Teams(catalog::Catalog),
    /// List roles, or add, rename and remove one
    Roles(catalog::Catalog),
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
    /// Show or change what the account has set: recipients, country, limits
    Settings(settings::ChangeSettings),
    /// Show or choose the account's phone system
    PhoneSystem(phone_system::ChoosePhoneSystem),
    /// Tell the phone system which numbers users may dial from, or show how that stands
    Push(push::Push),
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
    /// Show what runs and where, what waits, and when it goes on
    Status(status::Status),
    /// Tell what is set up wrong, and the command that mends it
    Doctor(doctor::Doctor),
    /// Print what a shell completes commands by
    Completions(completions::Completions),
    /// Write man pages
    Man(completions::ManPages),
    /// Answer a switch that asks before each call, on the switch's own machine
    Edge(edge::Edge),
    /// Show what waits in the queues, or send dead letters back
    Queues(queues::ShowQueues),
}

impl Command {
    /// Does what it says.
    ///
    /// # Errors
    /// Whatever keeps it from doing so. What it found, such as a job with failed rows, is told by the exit code.
    pub async fn run(self) -> Result<ExitCode> {
        let stack = &self.stack;
        match self.command {
            Subcommands::Demo => {
                stack.here("demo")?;
                demo::run().await
            }
            Subcommands::Up(up) => up.run(stack.here("up")?).await,
            Subcommands::Console(console) => console.run(stack).await,
            Subcommands::Seed(seed) => seed.run(stack.here("seed")?).await,
            Subcommands::Append(append) => append.run(stack).await,
            Subcommands::Upload(upload) => upload.run(stack).await,
            Subcommands::Check(check) => check.run(stack).await,
            Subcommands::Undo(undo) => undo.run(stack).await,
            Subcommands::Jobs(jobs) => jobs.run(stack).await,
            Subcommands::Job(job) => job.run(stack).await,
            Subcommands::Mail(mail) => mail.run(stack.here("mail")?),
            Subcommands::Users(users) => users.run(stack).await,
            Subcommands::Numbers(numbers) => numbers.run(stack).await,
            Subcommands::Departments(catalog) => catalog.run(stack, CatalogKind::Department).await,
            Subcommands::Teams(catalog) => catalog.run(stack, CatalogKind::Team).await,
            Subcommands::Roles(catalog) => catalog.run(stack, CatalogKind::Role).await,
            Subcommands::Directory(directory) => directory.run(stack).await,
            Subcommands::Mappings(mappings) => mappings.run(stack).await,
            Subcommands::Map(map) => map.run(stack).await,
            Subcommands::Unmap(unmap) => unmap.run(stack).await,
            Subcommands::Rotate(rotate) => rotate.run(stack).await,
            Subcommands::Resync(resync) => resync.run(stack).await,
            Subcommands::Why(why) => why.run(stack).await,
            Subcommands::Settings(settings) => settings.run(stack).await,
            Subcommands::PhoneSystem(system) => system.run(stack).await,
            Subcommands::Push(push) => push.run(stack).await,
            Subcommands::Sample(sample) => sample.run(),
            Subcommands::Generate(generate) => generate.run(),
            Subcommands::Token(token) => token.run(stack.here("token")?),
            Subcommands::Schedules(schedules) => schedules.run(stack.here("schedules")?).await,
            Subcommands::Audit(audit) => audit.run(stack).await,
            Subcommands::Status(status) => status.run(stack).await,
            Subcommands::Doctor(doctor) => doctor.run(stack).await,
            Subcommands::Completions(completions) => completions.run(help::command()),
            Subcommands::Man(pages) => pages.run(help::command()),
            Subcommands::Edge(edge) => edge.run(stack).await,
            Subcommands::Queues(queues) => queues.run(stack.here("queues")?),
        }
    }
}
