//! `rollcall doctor`: what is set up wrong, and the command that mends it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::{CatalogView, DirectoryView, JobView, NumberView, ResyncView, SettingsView, UserView};
use rollcall_bulk::job::MailState;
use rollcall_model::settings::PhoneSystem;
use serde::Serialize;

use crate::api::Failure;
use crate::args::{AccountArg, OutputFormat};
use crate::client::{StackClient, found};
use crate::job::{latest, short};
use crate::output::{self, Tone};
use crate::settings;
use crate::stack_selector::StackSelector;
use crate::summary;

/// Jobs whose mails are looked at.
const LOOKED_AT: usize = 50;

/// Options of `rollcall doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0 says that nothing is amiss, 1 that something is.

Example:
  rollcall doctor --account acme")]
pub struct Doctor {
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

/// Something that is amiss.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// What, in a sentence.
    problem: String,
    /// The command that mends it, or shows more.
    command: String,
}

/// What was seen of an account.
struct Seen {
    settings: SettingsView,
    has_users: bool,
    has_numbers: bool,
    has_roles: bool,
    resync: ResyncView,
    directory: Option<DirectoryView>,
    jobs: Vec<JobView>,
}

impl Doctor {
    /// Looks, and tells.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let findings = findings(&see(&stack).await?, &stack);
        if self.form.json {
            output::print_json(&findings)?;
        } else if findings.is_empty() {
            let account = &stack.account;
            output::print(&Tone::Good.paint(&format!("Nothing is amiss with the account {account}.\n")))?;
        } else {
            for finding in &findings {
                output::print(&format!("{}\n    {}\n", Tone::Doubtful.paint(&finding.problem), finding.command))?;
            }
        }
        Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

async fn see(stack: &StackClient) -> Result<Seen> {
    let (users, _): (Vec<UserView>, _) = stack.api.list(&["v1", "users"], &[], 1, |_| true).await?;
    let (numbers, _): (Vec<NumberView>, _) = stack.api.list(&["v1", "numbers"], &[], 1, |_| true).await?;
    let roles: CatalogView = stack.api.get(&["v1", "roles"], &[]).await?;
    // An account without a directory has nothing wrong with one.
    let directory = match stack.api.get(&["v1", "directory"], &[]).await {
        Err(Failure::Refused(_)) => None,
        answer => found(answer)?,
    };
    Ok(Seen {
        settings: stack.api.get(&["v1", "settings"], &[]).await?,
        has_users: !users.is_empty(),
        has_numbers: !numbers.is_empty(),
        has_roles: !roles.items.is_empty(),
        resync: stack.api.get(&["v1", "mappings", "resync"], &[]).await?,
        directory,
        jobs: latest(stack, LOOKED_AT).await?.0,
    })
}

fn findings(seen: &Seen, stack: &StackClient) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |problem: String, command: String| findings.push(Finding { problem, command });
    let set = &seen.settings.fields;
    if set.recipients.is_empty() {
        say(
            "Nobody gets reports: failed rows are mailed to nobody unless an upload names somebody.".to_owned(),
            stack.hint("settings --recipient ADDRESS@EXAMPLE.COM"),
        );
    }
    if !seen.has_users {
        say("The account has no users: is its name written right?".to_owned(), stack.hint("upload FILE"));
    }
    if !seen.has_numbers {
        say(
            "The account has no numbers: every valid number is taken, whoever owns it.".to_owned(),
            stack.hint("numbers add NUMBER"),
        );
    }
    if !seen.has_roles {
        say("The account has no roles: rows that name one fail.".to_owned(), stack.hint("roles add ID NAME"));
    }
    if !seen.settings.scim_groups_behind.is_empty() {
        let behind = settings::behind(&seen.settings);
        say(
            format!("Members of {behind} are not yet what the settings say of their groups."),
            stack.hint(&settings::go_on(&seen.settings)),
        );
    }
    if let Some(ended) = &seen.resync.ended {
        let what = if ended.on_hold { "is on hold" } else { "changed nothing" };
        let mend = match set.phone_system {
            PhoneSystem::Snapshot => stack.hint("resync --snapshot FILE"),
            _ if ended.on_hold => stack.hint("resync --force"),
            _ => stack.hint("resync"),
        };
        say(format!("The last resync {what}: {}", output::visible(&ended.reason)), mend);
    }
    if let Some(sync) = seen.directory.as_ref().and_then(|directory| directory.last_sync.as_ref())
        && !matches!(sync.outcome, rollcall_bulk::directory_import::sync_state::SyncOutcome::Done)
    {
        say("The last sync with the directory changed nothing.".to_owned(), stack.hint("directory status"));
    }
    for job in &seen.jobs {
        let show = || stack.hint(&format!("job {}", short(&job.id)));
        match &job.mail {
            Some(MailState::Refused { reason }) => {
                say(format!("The mail of the job {} was refused: {}", short(&job.id), output::visible(reason)), show());
            }
            Some(MailState::TooMany { .. }) => {
                say(
                    format!("The job {} sent no mail: the account has had its mails of the day.", short(&job.id)),
                    show(),
                );
            }
            _ => {}
        }
        if job.waiting {
            say(format!("Nobody works on the job {} ({}).", short(&job.id), summary::kind(job.kind)), show());
        }
    }
    findings
}
