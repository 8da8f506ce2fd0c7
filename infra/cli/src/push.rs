//! `rollcall push`: the phone system is told which numbers users may dial from.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use rollcall_api_types::{PhoneSystemView, PushView};
use rollcall_bulk::push::PushRequest;
use rollcall_model::push::Verified;

use crate::client::StackClient;
use crate::job::short;
use crate::stack_selector::StackSelector;
use crate::upload_file::FollowArgs;
use crate::{args::AccountArg, confirm::PreviewArgs, output};

/// Options of `rollcall push`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every change of what a user may dial from is told to the phone system in the background, where that takes lists: smartflo and zoom-phone. This tells what \
waits at once, or some users whatever was told before. A push that would take too much, or leave somebody without a number, is put on hold and a person \
decides about the job.

--verify asks what you have seen the phone system do with a list, since the Smartflo family can't be asked: look at the user's numbers in its panel before and \
after a number was taken off. Until then, users of whom numbers were taken are shown as unverified.

Exit code 0 says that it was carried out and nobody failed, 1 that it was not or somebody failed, 3 that nothing was told since nobody said yes, 130 that \
Ctrl-C ended the question, or the watching (the job goes on).

Examples:
  rollcall push
  rollcall push user2
  rollcall push --diff --results diff.csv
  rollcall push --retry --failures failed.csv
  rollcall push --status
  rollcall push --verify replaces=yes --verify empties=no --verify order=yes")]
pub struct Push {
    /// Login IDs of the users to tell of; without one, all who wait
    #[arg(value_name = "LOGIN")]
    logins: Vec<String>,
    /// Those too of whom the phone system was told in vain
    #[arg(long)]
    retry: bool,
    /// Show who would get and lose which numbers there, and tell nothing
    #[arg(long, conflicts_with = "preview")]
    diff: bool,
    /// Show how lists stand there, and ask for nothing
    #[arg(long, conflicts_with_all = ["logins", "retry", "diff", "preview", "verify"])]
    status: bool,
    /// What you have seen the phone system do: replaces, empties or order, each =yes or =no
    #[arg(long, value_name = "WHAT=YES|NO", value_parser = seen, conflicts_with_all = ["logins", "retry", "diff", "preview"])]
    verify: Vec<(Seen, bool)>,
    #[command(flatten)]
    preview: PreviewArgs,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    watch: FollowArgs,
}

/// What a person may have seen.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Replaces,
    Empties,
    Order,
}

fn seen(text: &str) -> Result<(Seen, bool)> {
    let bad = || anyhow!("say replaces, empties or order, and =yes or =no");
    let (what, answer) = text.split_once('=').ok_or_else(bad)?;
    let what = match what {
        "replaces" => Seen::Replaces,
        "empties" => Seen::Empties,
        "order" => Seen::Order,
        _ => return Err(bad()),
    };
    match answer {
        "yes" => Ok((what, true)),
        "no" => Ok((what, false)),
        _ => Err(bad()),
    }
}

impl Push {
    /// Asks for the push, and follows it.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        self.watch.check()?;
        let stack = StackClient::open(place, &self.whose).await?;
        let view: PhoneSystemView = stack.api.get(&["v1", "phone-system"], &[]).await?;
        let Some(standing) = view.push else {
            let (account, system) = (&stack.account, view.system.as_str());
            return Err(anyhow!("the phone system of {account} is {system}, which takes no lists of numbers"));
        };
        if !self.verify.is_empty() {
            return verify(&stack, standing.verified, &self.verify).await;
        }
        if self.status {
            output::print(&shown(&standing))?;
            return Ok(ExitCode::SUCCESS);
        }
        let preview = self.diff || self.preview.is_asked_for();
        let request = PushRequest { logins: self.logins, retry: self.retry, preview };
        let id = stack.ask_for(&["v1", "phone-system", "push"], &request).await?;
        if self.diff {
            return self.watch.look(&stack, &id).await;
        }
        let code = self.watch.run(&stack, &id, self.preview.consent(), "Tell the phone system").await?;
        let after: PhoneSystemView = stack.api.get(&["v1", "phone-system"], &[]).await?;
        let stopped = after.push.and_then(|push| push.stopped);
        if stopped.is_some_and(|stopped| stopped.on_hold && stopped.job == id) {
            eprintln!("If that is meant: {}", stack.hint(&format!("job {} --execute", short(&id))));
        }
        Ok(code)
    }
}

async fn verify(stack: &StackClient, mut verified: Verified, answers: &[(Seen, bool)]) -> Result<ExitCode> {
    for (what, answer) in answers {
        let kept = match what {
            Seen::Replaces => &mut verified.replaces,
            Seen::Empties => &mut verified.empties,
            Seen::Order => &mut verified.keeps_order,
        };
        *kept = Some(*answer);
    }
    let _: Verified = stack.api.put(&["v1", "phone-system", "verified"], &verified).await?;
    output::print("It is kept what you have seen.\n")?;
    Ok(ExitCode::SUCCESS)
}

fn shown(standing: &PushView) -> String {
    let PushView { in_step, pending, failed, not_there, .. } = standing;
    let mut text = format!("{in_step} in step, {pending} pending, {failed} failed, {not_there} not there\n");
    if standing.everybody {
        text.push_str("What many may dial from has changed: whose lists, the next push finds out.\n");
    }
    let told = [
        standing.oldest_pending_at.map(|at| format!("The oldest waits since {at}.\n")),
        standing.ends_about.map(|at| format!("The push that is at it ends about {at}.\n")),
        standing
            .stopped
            .as_ref()
            .map(|stopped| format!("The last push stopped at {}: {}\n", stopped.at, stopped.reason)),
    ];
    text.extend(told.into_iter().flatten());
    text
}
