//! One change of many users, as a job.

use axum::{Json, extract::State, http::StatusCode};
use rollcall_api_types::RequestedJob;
use rollcall_model::{
    jobs::JobKind,
    object,
    user::{AgentStatus, LoginId, Ref, WebLogin},
};
use rollcall_tabular::Writer;
use serde::Deserialize;
use tokio::time::{Duration, Instant};

use super::list::Filters;
use crate::{Shared, ask, body::Body, caller::Caller, problem::Problem};

/// Users that are read at a time.
const READS: usize = 1_000;
/// How long users may be looked for, of the 29 seconds that a request has.
const LONGEST: Duration = Duration::from_secs(20);
/// Bytes of the file that the job reads: what the function holds in memory with ease.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Numbers that one request appends, as one to a single user may name.
const MAX_NUMBERS: usize = 1_000;

/// Who, and what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Those whom a list with these filters has; with none, everybody.
    #[serde(default, deserialize_with = "object::optional")]
    filter: Option<Filters>,
    /// These.
    logins: Option<Vec<LoginId>>,
    /// Numbers that come onto their lists.
    append: Option<Vec<String>>,
    /// What they are from now on.
    #[serde(default, deserialize_with = "object::optional")]
    set: Option<Fields>,
    /// The job shows what it would do, and does it when it is told.
    #[serde(default)]
    preview: bool,
}

/// What can be set of many users at once.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Fields {
    agent_status: Option<AgentStatus>,
    web_login: Option<WebLogin>,
    role: Option<Ref>,
    department: Option<Ref>,
    team: Option<Ref>,
}

/// The kind of the job, and what each row says beside the login ID: columns and cells.
struct Change {
    kind: JobKind,
    cells: Vec<(&'static str, String)>,
}

/// `POST /v1/users/jobs`: the job reads a file, as if somebody had dropped it, so all that is true of such a job is true of this one. **It is about
/// those who match now**, whoever comes later.
pub(crate) async fn ask(
    State(api): Shared,
    caller: Caller,
    Body(asked): Body<Asked>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    let change = asked.change()?;
    let mut csv = Writer::new(b',');
    csv.record(["Login ID"].into_iter().chain(change.cells.iter().map(|(column, _)| *column)));
    let mut users = 0;
    let mut write = |login: &str| {
        users += 1;
        csv.record([login].into_iter().chain(change.cells.iter().map(|(_, cell)| cell.as_str())));
        if csv.pending() > MAX_BYTES {
            let detail =
                format!("A job of one request reads {MAX_BYTES} bytes at most. Choose fewer users, or fewer numbers.");
            return Err(Problem::field("", detail));
        }
        Ok(())
    };
    match (&asked.filter, &asked.logins) {
        (None, Some(logins)) => logins.iter().try_for_each(|login| write(login.as_str()))?,
        (Some(filters), None) => {
            let until = Instant::now() + LONGEST;
            let wanted = filters.wanted().map_err(|problem| problem.of_field("/filter/search"))?;
            // A list without a word to search for has everybody, whom nobody may have meant here.
            if wanted.filter.search.is_none() && filters.is_searched() {
                return Err(Problem::field("/filter/search", "It is a part of a name, an address or a login ID."));
            }
            let mut after = None;
            loop {
                let (found, next) = wanted.page(&api, &caller, after, READS, READS).await?;
                found.iter().try_for_each(|user| write(user.login.as_str()))?;
                after = next;
                if after.is_none() {
                    break;
                }
                if Instant::now() > until {
                    let detail = "The account has more users than one request can look through. Name them by logins, or send a file.";
                    return Err(Problem::field("/filter", detail));
                }
            }
        }
        _ => return Err(Problem::field("", "Say who is meant: either by filter or by logins.")),
    }
    if users == 0 {
        let pointer = if asked.filter.is_some() { "/filter" } else { "/logins" };
        return Err(Problem::field(pointer, "That is nobody: there is nothing to do."));
    }
    ask::drop_file(&api, caller, change.kind, "chosen-users.csv", csv.take(), asked.preview).await
}

impl Asked {
    fn change(&self) -> Result<Change, Problem> {
        match (&self.append, &self.set) {
            (Some(numbers), None) => {
                // What is no number is a matter of the rows. What would make two numbers of one isn't.
                let wrong =
                    numbers.iter().position(|number| number.trim().is_empty() || number.contains([';', ',', '\n']));
                if let Some(place) = wrong {
                    return Err(Problem::field(format!("/append/{place}"), "It is one telephone number."));
                }
                if !(1..=MAX_NUMBERS).contains(&numbers.len()) {
                    return Err(Problem::field("/append", format!("One request appends 1 to {MAX_NUMBERS} numbers.")));
                }
                let cells = vec![("Allowed Caller ID", numbers.join(";"))];
                Ok(Change { kind: JobKind::AppendCallerIds, cells })
            }
            (None, Some(fields)) => {
                let id = |id: &Option<Ref>| id.as_ref().map(|id| id.as_str().to_owned());
                let web_login = fields.web_login.map(|login| if login == WebLogin::Blocked { "Yes" } else { "No" });
                let cells = [
                    ("Agent Status", fields.agent_status.map(|status| status.as_str().to_owned())),
                    ("Block Web Login", web_login.map(str::to_owned)),
                    ("Role", id(&fields.role)),
                    ("Department", id(&fields.department)),
                    ("Team", id(&fields.team)),
                ];
                let cells: Vec<_> = cells.into_iter().filter_map(|(column, cell)| Some((column, cell?))).collect();
                if cells.is_empty() {
                    return Err(Problem::field("/set", "Say what is to be set."));
                }
                Ok(Change { kind: JobKind::UploadUsers, cells })
            }
            _ => Err(Problem::field("", "Say what is to be done: either append or set.")),
        }
    }
}
