//! `rollcall demo`: all of it at once, for who sees it for the first time.
//!
//! What is shown is what happened. At the end it is held against what had to happen, row by row, and the exit code says
//! whether it did.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use rollcall_api_types::{JobRequest, JobView};
use rollcall_bulk::report::RowStatus;
use rollcall_model::account::AccountId;
use rollcall_model::jobs::JobKind;
use rollcall_model::settings::Settings;
use rollcall_model::user::User;
use tokio::time::Instant;

use crate::client::StackClient;
use crate::demo_file::{BLANK, LIST_LIMIT, NAME, ROWS, SHOWN_USERS, contents};
use crate::exit::INTERRUPTED;
use crate::follow::{Followed, follow};
use crate::local::Connection;
use crate::output::{self, Cell, Column, Table, Tone, count, counted, heading, print, visible};
use crate::seed::seed;
use crate::stack_selector::StackSelector;
use crate::up::TEMPLATE;
use crate::{args::DEFAULT_ACCOUNT, demo_account, interrupt, mail, stack_selector::hint, summary, users};
use local_stack::{Attachment, Mail, Options, Stack, build_functions};

/// Spaces before what stands under a heading.
const INDENT: usize = 2;
/// Columns in which everything stands side by side.
const WIDE: usize = 98;

/// Shows it all on a stack of its own, of which nothing is left.
///
/// # Errors
/// If the stack can't be started or doesn't answer.
pub async fn run() -> Result<ExitCode> {
    eprintln!(
        "Looking for the functions. Where cargo has not built them yet, it does so now: some minutes, the first time."
    );
    tokio::select! {
        built = build_functions(TEMPLATE) => built?,
        pressed = interrupt::pressed() => return pressed.map(|()| ExitCode::from(INTERRUPTED)),
    }
    let begun = Instant::now();
    let stack = tokio::select! {
        stack = Stack::start(Options { template: TEMPLATE.to_owned(), ..Options::default() }) => stack?,
        pressed = interrupt::pressed() => return pressed.map(|()| ExitCode::from(INTERRUPTED)),
    };
    print(&format!(
        "{}\nStarted in {}, in this process: DynamoDB, S3, EventBridge, SQS, SES and the Lambda function.\n",
        Tone::Strong.paint("Rollcall, on this machine alone. Nothing leaves it, and nothing is left behind."),
        output::span(begun.elapsed())
    ))?;
    let shown = tokio::select! {
        shown = show(&stack) => shown,
        pressed = interrupt::pressed() => pressed.map(|()| ExitCode::from(INTERRUPTED)),
    };
    stack.shutdown().await;
    shown
}

async fn show(stack: &Stack) -> Result<ExitCode> {
    let connection = Connection::to(stack.manifest()).await?;
    let account: AccountId = DEFAULT_ACCOUNT.parse().context("could not name the account")?;
    let before = prepare(&connection, &account).await?;
    print(&file())?;

    let reach = StackClient::to(stack.manifest(), StackSelector::usual(), account.clone())?;
    let bytes = contents().into_bytes();
    let id = reach.drop_file(&JobRequest::new(JobKind::AppendCallerIds, NAME, bytes.len()), bytes).await?;
    let Followed::Ended(job) = follow(&reach, &id, true).await? else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    print(&came_of_it(&job))?;

    let after = everybody(&connection, &account).await?;
    print(&lists(&before, &after))?;
    let mail = reach.mail_of(&job)?;
    if let Some(mail) = &mail {
        print(&post(mail)?)?;
    }

    let results = reach.api.fetch(&["v1", "jobs", id.as_str(), "results"]).await?;
    let mut wrong = wrong_rows(&records(&results.unwrap_or_default())?);
    wrong.extend(wrong_counts(&job));
    wrong.extend(wrong_lists(&before, &after, &job));
    wrong.extend(wrong_mail(mail.as_ref(), &job)?);
    if stack.queues().depths()?.iter().any(|(_, depth)| depth.waiting > 0) {
        wrong.push("messages wait in the queues".to_owned());
    }
    print(&verdict(&wrong))?;
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes the account. Gives its users as they are before the job.
async fn prepare(connection: &Connection, account: &AccountId) -> Result<Vec<User>> {
    let settings = Settings { list_limit: LIST_LIMIT, ..Settings::default() };
    connection.directory.put_settings(account, &settings).await?;
    let made = seed(connection, account, demo_account::USERS, demo_account::NUMBERS, Default::default(), false).await?;
    print(&format!(
        "The account {account} has {}, {}, and room for {LIST_LIMIT} numbers on a user's list.\n",
        counted(made.users, "user", "users"),
        counted(made.numbers, "number", "numbers"),
    ))?;
    everybody(connection, account).await
}

async fn everybody(connection: &Connection, account: &AccountId) -> Result<Vec<User>> {
    Ok(connection.directory.users(account, usize::MAX).await?)
}

/// The file as an editor would show it.
fn file() -> String {
    let mut table = Table::new([Column::number("Line"), Column::text(NAME), Column::text("")]);
    let mut line = 0;
    let mut rows = |text: &str, about: &str| {
        for (nth, text) in text.lines().enumerate() {
            line += 1;
            let about = if nth == 0 { about } else { "" };
            table.row([Cell::toned(line.to_string(), Tone::Faint), text.into(), Cell::toned(about, Tone::Faint)]);
        }
    };
    rows(contents().lines().next().unwrap_or_default(), "");
    for row in &ROWS {
        rows(row.text, row.about);
    }
    rows(BLANK, "a blank row counts for nothing");
    let legend = Tone::Faint.paint("␣ stands for a no-break space, · for a character of no width");
    format!(
        "{}{}{:INDENT$}{legend}\n",
        heading("Somebody drops this file into the bucket"),
        table.render(output::columns(), INDENT),
        ""
    )
}

fn came_of_it(job: &JobView) -> String {
    let done = job.progress;
    let taken = job.ended.map(|ended| output::span(ended.duration_since(job.started).unsigned_abs()));
    format!(
        "{}  {} rows\n  {} on the lists of {}, with {} and {} to the table\n",
        heading(&format!("What came of it, {} later", taken.unwrap_or_default())),
        summary::rows(job.counts),
        counted(done.numbers_added, "new number", "new numbers"),
        counted(done.users_changed, "user", "users"),
        counted(done.statements, "write", "writes"),
        counted(done.table_calls, "call", "calls"),
    )
}

/// What the file has done to some users.
fn lists(before: &[User], after: &[User]) -> String {
    // Two numbers side by side, or one.
    let list = if output::columns() >= WIDE { 27 } else { 13 };
    let mut table = Table::new([
        Column::text("Login ID"),
        Column::text("Name"),
        Column::text("Policy"),
        Column::text("Before").within(list),
        Column::text("Added").within(list),
    ]);
    for (user, now) in pairs(before, after).filter(|(user, _)| SHOWN_USERS.contains(&user.login.as_str())) {
        let added: Vec<_> = now.caller_ids.iter().filter(|number| !user.caller_ids.contains(number)).copied().collect();
        let added: Vec<String> = added.iter().map(|number| format!("{number}")).collect();
        table.row([
            user.login.as_str().into(),
            Cell::from(user.profile.name.as_str()),
            users::policy(user.policy).into(),
            users::numbers(&user.caller_ids).into(),
            if added.is_empty() {
                Cell::toned("nothing", Tone::Faint)
            } else {
                Cell::toned(added.join(" "), Tone::Good)
            },
        ]);
    }
    let title = format!("Their lists, for {} of {} users", SHOWN_USERS.len(), before.len());
    format!("{}{}", heading(&title), table.render(output::columns(), INDENT))
}

/// The users before, each with itself after, in the order of their logins.
fn pairs<'a>(before: &'a [User], after: &'a [User]) -> impl Iterator<Item = (&'a User, &'a User)> {
    let mut before: Vec<_> = before.iter().collect();
    before.sort_by_key(|user| (user.login.as_str().len(), user.login.as_str()));
    before.into_iter().filter_map(|user| after.iter().find(|now| now.login == user.login).map(|now| (user, now)))
}

fn post(mail: &Mail) -> Result<String> {
    let mut text = heading("The mail about the rows that need correction");
    for line in mail::job_email(mail).lines() {
        let indent = if line.is_empty() { 0 } else { INDENT };
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
    if let Some(attachment) = mail.attachments.first() {
        let size = counted(attachment.bytes.len() as u64, "byte", "bytes");
        text.push_str(&heading(&format!("Attached: {} ({size})", visible(&attachment.name))));
        text.push_str(&error_file(attachment)?);
        let _ = writeln!(
            text,
            "{:INDENT$}{}",
            "",
            Tone::Faint
                .paint("Under each row stands its Error Message. Error Field and Error Value are left out here.")
        );
    }
    Ok(text)
}

fn error_file(attachment: &Attachment) -> Result<String> {
    let mut table = Table::new([
        Column::number("Line"),
        Column::text("Login ID").within(output::columns() / 5),
        Column::text("Allowed Caller ID").within(output::columns() * 3 / 10),
        Column::text("Status"),
        Column::text("Error Code"),
    ]);
    for record in records(&attachment.bytes)? {
        let [login, numbers, line, status, code, .., message] = &record[..] else {
            bail!("the error file lacks columns");
        };
        let tone = if status == RowStatus::Partial.as_str() { Tone::Doubtful } else { Tone::Bad };
        let (line, status) = (Cell::from(line), Cell::toned(status, tone));
        table.row([line, login.into(), numbers.into(), status, code.into()]);
        table.note(message);
    }
    Ok(table.render(output::columns(), INDENT))
}

fn verdict(wrong: &[String]) -> String {
    if !wrong.is_empty() {
        let mut text = heading("Not everything is as it should be");
        for what in wrong {
            let _ = writeln!(text, "  {}", Tone::Bad.paint(&visible(what)));
        }
        return text;
    }
    let usual = StackSelector::usual();
    let rows = count(ROWS.len() as u64);
    let next = [
        ("up", "the same, to stay: data persists in .rollcall"),
        ("seed", "in another terminal: this account"),
        ("append FILE", "your own file, followed to its end"),
    ]
    .map(|(command, about)| (hint(usual.dir(), None, command), about));
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let mut text = format!(
        "\n{}\n",
        Tone::Good.paint(&format!("Each of the {rows} rows, every list and the mail are as they should be."))
    );
    text.push_str(&heading("What to try next"));
    for (command, about) in next {
        let _ = writeln!(text, "  {command:width$}  {}", Tone::Faint.paint(about));
    }
    text
}

/// The records of a report under its header.
fn records(bytes: &[u8]) -> Result<Vec<Vec<String>>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let records = reader.records().map(|record| record.map(|record| record.iter().map(str::to_owned).collect()));
    records.collect::<std::result::Result<_, _>>().context("could not read a result file")
}

/// Rows of which something else came than had to.
fn wrong_rows(results: &[Vec<String>]) -> Vec<String> {
    let mut wrong = Vec::new();
    // The header stands on the first line.
    let mut line = 2;
    for (nth, row) in ROWS.iter().enumerate() {
        let expected = [line.to_string(), row.status.as_str().to_owned(), row.codes()];
        let found = results.get(nth).and_then(|record| record.get(2..5));
        if found != Some(&expected) {
            let found = found.map_or_else(|| "missing".to_owned(), |found| found.join(" "));
            wrong.push(format!("line {line} ({}): {found}, not {}", row.about, expected.join(" ")));
        }
        line += row.lines();
    }
    if results.len() != ROWS.len() {
        wrong.push(format!("the results have {} rows, not {}", results.len(), ROWS.len()));
    }
    wrong
}

fn wrong_counts(job: &JobView) -> Option<String> {
    let of = |status| ROWS.iter().filter(|row| row.status == status).count() as u64;
    let counts = job.counts;
    let right = job.failure.is_none()
        && counts.rows() == ROWS.len() as u64
        && counts.applied == of(RowStatus::Applied)
        && counts.unchanged == of(RowStatus::Unchanged)
        && counts.partial == of(RowStatus::Partial)
        && counts.failed == of(RowStatus::Failed);
    (!right).then(|| "the job's counts don't add up".to_owned())
}

/// An append never removes, and adds exactly what it says.
fn wrong_lists(before: &[User], after: &[User], job: &JobView) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut users, mut numbers) = (0, 0);
    for (user, now) in pairs(before, after) {
        if !user.caller_ids.iter().all(|number| now.caller_ids.contains(number)) {
            wrong.push(format!("{} has lost a number", user.login));
        }
        let added = now.caller_ids.len().saturating_sub(user.caller_ids.len()) as u64;
        numbers += added;
        users += u64::from(added > 0);
    }
    if (users, numbers) != (job.progress.users_changed, job.progress.numbers_added) || before.len() != after.len() {
        wrong.push(format!("{numbers} numbers came to {users} users, which is not what the job says"));
    }
    wrong
}

fn wrong_mail(mail: Option<&Mail>, job: &JobView) -> Result<Option<String>> {
    let Some(mail) = mail else { return Ok(Some("the mail is missing".to_owned())) };
    let rows = match &mail.attachments[..] {
        [attachment] => records(&attachment.bytes)?.len() as u64,
        _ => 0,
    };
    let right = rows == job.counts.needs_correction() && mail.to == [demo_account::RECIPIENT];
    Ok((!right).then(|| "the mail is not the one that is due".to_owned()))
}
