//! Users by how their lists stand in the phone system.

use rollcall_engine::world::{Accounts, Pushes, TableUsage};
use rollcall_model::{
    push::{Mark, SwitchState, Told},
    settings::PhoneSystem,
    user::User,
};
use rollcall_storage::directory::UserFilter;
use tokio::time::{Duration, Instant};

use crate::{Api, caller::Caller, problem::Problem};

/// Users that are looked at together.
const TOGETHER: u16 = 200;
/// How long a person waits for the marks of these.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What there is of somebody, by folded login ID.
struct Look(String, Option<Mark>, Option<Told>);

/// The users that the filter lets through and whose lists stand so, by login ID, behind `after`; at most `most`, of so many `reads`. Then the place
/// behind which there are more.
pub(super) async fn users(
    api: &Api,
    caller: &Caller,
    (state, filter): (SwitchState, &UserFilter),
    mut after: Option<String>,
    most: usize,
    reads: usize,
) -> Result<(Vec<User>, Option<String>), Problem> {
    let (table, account) = (&api.directory, &caller.account);
    let system = table.settings(account).await?.phone_system;
    if !system.takes_lists() {
        let why = format!("The account's phone system, {}, takes no lists of numbers.", system.as_str());
        return Err(Problem::parameter("switch", why));
    }
    let verified = table.push_state(account).await?.unwrap_or_default().value.verified;
    let (mut found, mut read) = (Vec::new(), 0);
    loop {
        let looks = looks(api, caller, system, state, after.as_deref()).await?;
        if looks.is_empty() {
            return Ok((found, None));
        }
        for looks in looks.chunks(TOGETHER.into()) {
            let stands_so = |Look(_, mark, told): &&Look| {
                SwitchState::of(mark.as_ref(), told.as_ref(), system, &verified) == Some(state)
            };
            let logins: Vec<&str> = looks.iter().filter(stands_so).map(|Look(login, ..)| login.as_str()).collect();
            let mut users = table.users_of(account, filter, &logins).await?;
            for login in logins {
                let Some(user) = users.remove(login) else { continue };
                // One more than is wanted shows that there are others.
                if found.len() == most {
                    return Ok((found, after));
                }
                found.push(user);
                after = Some(login.to_owned());
            }
            after = looks.last().map(|Look(login, ..)| login.clone());
            read += looks.len();
            if read >= reads {
                return Ok((found, after));
            }
        }
    }
}

/// Some of those who may stand so, behind `after`. The last page is empty.
async fn looks(
    api: &Api,
    caller: &Caller,
    system: PhoneSystem,
    state: SwitchState,
    after: Option<&str>,
) -> Result<Vec<Look>, Problem> {
    let (table, account) = (&api.directory, &caller.account);
    if matches!(state, SwitchState::Pending | SwitchState::Failed) {
        let marks = table.marks_after(account, after).await?;
        return Ok(marks.into_iter().map(|mark| Look(mark.login.clone(), Some(mark), None)).collect());
    }
    let told = table.told_after(account, system, after, TOGETHER.into()).await?;
    let logins: Vec<&str> = told.iter().map(|(login, _)| login.as_str()).collect();
    let until = Instant::now() + TIMEOUT;
    let mut marks = table.marks_of(account, &logins, until, &mut TableUsage::default()).await?;
    let look = |(login, told): (String, Told)| {
        let mark = marks.remove(&login);
        Look(login, mark, Some(told))
    };
    Ok(told.into_iter().map(look).collect())
}
