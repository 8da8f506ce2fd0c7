//! `rollcall rotate`: numbers are retired, and replaced on every list that has them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::Args;
use rollcall_bulk::note::Note;
use rollcall_bulk::rotation::{COLUMNS, MAX_QUARANTINE_DAYS, OfFile, Only, Replacements, RotationRequest, read_file};
use rollcall_model::catalog::CatalogKind;
use rollcall_model::user::LoginId;
use rollcall_tabular::ignored_columns;

use crate::catalog::resolve;
use crate::client::StackClient;
use crate::confirm::ConfirmArgs;
use crate::stack_selector::StackSelector;
use crate::upload_file::{FollowArgs, file_name, read};
use crate::{args::AccountArg, output};

/// Options of `rollcall rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each list that has an old number loses it, and gets the new one, in one write. When everybody is done, the old numbers are retired, so that nobody \
can be given them any more; with --quarantine-days they rest instead. Whoever would be left without a number to dial from keeps the list, and the old \
number stays in service, unless --allow-empty is given. What would be done is shown first, and then asked for, unless --yes is given. With --department, --team or --login the numbers stay in service for the others.

Exit code 0 says that every row was applied, or there was nothing to do for it, 1 that some were not, 3 that nothing was changed since nobody said yes, \
130 that Ctrl-C ended the question, or the watching (the job goes on).

Examples:
  rollcall rotate 9876500001=9876500011 9876500002
  rollcall rotate --file flagged.csv --quarantine-days 30
  rollcall rotate +919876500001=+919876500011 --department sales --results rotated.csv")]
pub struct Rotate {
    /// A number to retire, and after "=" what replaces it
    #[arg(value_name = "OLD[=NEW]", required_unless_present = "file")]
    pairs: Vec<Pair>,
    /// A CSV file of them, with the columns "Old Caller ID" and "New Caller ID"; "-" reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    file: Option<PathBuf>,
    /// Only the lists of a department's users, by the department's ID or name
    #[arg(long, value_name = "DEPARTMENT", group = "only")]
    department: Option<String>,
    /// Only the lists of a team's users, by the team's ID or name
    #[arg(long, value_name = "TEAM", group = "only")]
    team: Option<String>,
    /// Only the list of this user; may be given several times
    #[arg(long, value_name = "LOGIN", value_parser = LoginId::parse, group = "only")]
    login: Vec<LoginId>,
    /// Let the numbers rest for so many days, in place of retiring them
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_QUARANTINE_DAYS)))]
    quarantine_days: Option<u16>,
    /// Retire the numbers also of users who then have none to dial from
    #[arg(long)]
    allow_empty: bool,
    /// Leave replacements in the departments that they are in, or in none: they don't take over those of the old numbers
    #[arg(long)]
    keep_departments: bool,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    consent: ConfirmArgs,
    #[command(flatten)]
    watch: FollowArgs,
}

/// `OLD` or `OLD=NEW`.
#[derive(Debug, Clone)]
struct Pair {
    old: String,
    new: Option<String>,
}

impl FromStr for Pair {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        let (old, new) = text.split_once('=').map_or((text, None), |(old, new)| (old, Some(new)));
        let new = new.map(str::trim).filter(|new| !new.is_empty());
        Ok(Self { old: old.trim().to_owned(), new: new.map(str::to_owned) })
    }
}

impl Rotate {
    /// Asks for the rotation, and follows it.
    ///
    /// # Errors
    /// If the request can't be made of what is given, or the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        self.watch.check()?;
        let mut request = self.request()?;
        let stack = StackClient::open(place, &self.whose).await?;
        request.only = self.only(&stack).await?;
        stack.say_if_empty().await?;
        let id = stack.ask_for(&["v1", "numbers", "rotations"], &request).await?;
        let what = what(&request);
        self.watch.run(&stack, &id, self.consent, &what).await
    }

    /// Whose lists are meant. A department or a team that nobody has made is a slip.
    async fn only(&self, stack: &StackClient) -> Result<Option<Only>> {
        Ok(match (&self.department, &self.team, self.login.as_slice()) {
            (Some(department), ..) => {
                Some(Only::Department(resolve(stack, CatalogKind::Department, department).await?))
            }
            (_, Some(team), _) => Some(Only::Team(resolve(stack, CatalogKind::Team, team).await?)),
            (_, _, []) => None,
            (_, _, logins) => Some(Only::Logins(logins.to_vec())),
        })
    }

    /// What is asked for, but for whose lists are meant.
    fn request(&self) -> Result<RotationRequest> {
        let (pairs, file) = match &self.file {
            None => (self.pairs.clone(), None),
            Some(file) => {
                let bytes = read(file)?;
                let (pairs, lines) = of_file(&bytes).context(format!("could not use {}", file.display()))?;
                if let Some(note) = Note::columns_ignored(&ignored_columns(&bytes, &COLUMNS)) {
                    eprintln!("{}", output::visible(&note.message));
                }
                (pairs, Some(OfFile { name: file_name(file)?, lines }))
            }
        };
        let mut new = BTreeMap::new();
        for pair in &pairs {
            // In an object the last would win, and nobody would be told of the others.
            if let (Some(replacement), Some(other)) = (&pair.new, new.get(&pair.old))
                && replacement != other
            {
                bail!("{} is to be replaced by {other}, and by {replacement}", pair.old);
            }
            if let Some(replacement) = &pair.new {
                new.insert(pair.old.clone(), replacement.clone());
            }
        }
        let request = RotationRequest {
            retire: pairs.into_iter().map(|pair| pair.old).collect(),
            replace_with: (!new.is_empty()).then_some(Replacements::ByOld(new)),
            only: None,
            quarantine_days: self.quarantine_days,
            allow_empty: self.allow_empty,
            keep_departments: self.keep_departments,
            preview: self.consent.asks(),
            file,
        };
        request.pairs().context("that can't be asked for")?;
        Ok(request)
    }
}

/// What is asked for, in words: the first numbers, how many more, what becomes of them and whose lists are meant.
fn what(request: &RotationRequest) -> String {
    const NAMED: usize = 3;
    let new = |old: &String| match &request.replace_with {
        Some(Replacements::ByOld(new)) => new.get(old),
        Some(Replacements::InOrder(_)) | None => None,
    };
    let shown = |old: &String| match new(old) {
        Some(new) => format!("{} (replaced by {})", output::visible(old), output::visible(new)),
        None => output::visible(old),
    };
    let named: Vec<String> = request.retire.iter().take(NAMED).map(shown).collect();
    let what = match (&request.only, request.quarantine_days) {
        (Some(_), _) => "Take off lists",
        (None, Some(_)) => "Let rest",
        (None, None) => "Retire",
    };
    let mut text = format!("{what} {}", named.join(", "));
    if let Some(more @ 1..) = request.retire.len().checked_sub(NAMED) {
        text.push_str(&format!(" and {more} more"));
    }
    if let Some(file) = &request.file {
        text.push_str(&format!(" of {}", output::visible(&file.name)));
    }
    match &request.only {
        None => {}
        Some(Only::Department(id)) => text.push_str(&format!(" on lists of the department {id}")),
        Some(Only::Team(id)) => text.push_str(&format!(" on lists of the team {id}")),
        Some(Only::Logins(logins)) => {
            text.push_str(&format!(" on {}", output::counted(logins.len() as u64, "list", "lists")));
        }
    }
    if let Some(days) = request.quarantine_days {
        text.push_str(&format!(", with a rest of {}", output::counted(u64::from(days), "day", "days")));
    }
    text
}

/// The pairs of a file, and the line of each.
fn of_file(bytes: &[u8]) -> Result<(Vec<Pair>, Vec<u64>)> {
    let rows = read_file(bytes).context("it can't be read")?;
    if let Some(row) = rows.iter().find(|row| row.misshapen || row.old.is_empty()) {
        bail!("{} can't be read, or names no old number", row.at);
    }
    let pair = |new: String| Some(new).filter(|new| !new.is_empty());
    Ok(rows.into_iter().map(|row| (Pair { old: row.old, new: pair(row.new) }, row.line)).unzip())
}
