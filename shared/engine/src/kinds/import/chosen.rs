//! Chosen people of the directory, as rows.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, stream};
use rollcall_bulk::directory_import::{
    DirectoryUser, Phone,
    request::{Chosen, Import},
    rows::ImportRow,
    sync_state::ImportTally,
};
use rollcall_model::{
    code::FileCode,
    user::{Claim, DirectoryId, LoginId, Ref},
};
use rollcall_tabular::FileFault;

use super::Brought;
use crate::{
    Attempt, Interrupt,
    world::{CompanyDirectory, PeoplePages, TableUsage, Which},
};

/// Users that are asked for by ID at a time: enough to make up for the way there and back, few beside what a tenant is
/// allowed.
const IN_FLIGHT: usize = 8;

/// Brings the users of an import.
pub(super) async fn import(
    attempt: &mut Attempt<'_>,
    directory: &dyn CompanyDirectory,
    import: Import,
) -> Result<(Vec<ImportRow>, Brought), Interrupt> {
    let mut brought =
        Taken { rows: Vec::new(), seen: HashSet::new(), tally: ImportTally::default(), role: import.role };
    let which = match &import.chosen {
        Chosen::Ids(ids) => {
            for ids in ids.chunks(100) {
                let found = find(attempt, directory, ids).await?;
                let (users, unknown): (Vec<_>, Vec<_>) = ids.iter().zip(found).partition(|(_, user)| user.is_some());
                let users: Vec<DirectoryUser> = users.into_iter().filter_map(|(_, user)| user).collect();
                let former = if import.relink { former_ids(attempt, directory, &users).await? } else { HashMap::new() };
                let first = brought.rows.len();
                brought.take(attempt, users).await?;
                for row in &mut brought.rows[first..] {
                    row.former_id = former.get(&row.id).cloned();
                }
                brought.tally.unknown_ids += unknown.len();
                brought.rows.extend(unknown.into_iter().map(|(id, _)| ImportRow::nobody(id.clone())));
            }
            return Ok((brought.rows, Brought::Import(brought.tally)));
        }
        Chosen::Search(search) => Which::Search(search),
        Chosen::Filter(filter) => Which::Filter(filter),
    };
    let mut pages = directory.list(which).map_err(|failure| attempt.system_failed(failure))?;
    while let Some(users) = next_page(attempt, &mut *pages).await? {
        brought.take(attempt, users).await?;
    }
    Ok((brought.rows, Brought::Import(brought.tally)))
}

/// For each user whose login ID a user here has who is linked to somebody else: that somebody's ID, if the directory has nobody of it any
/// more. **Who is still there has not come back.**
async fn former_ids(
    attempt: &Attempt<'_>,
    directory: &dyn CompanyDirectory,
    users: &[DirectoryUser],
) -> Result<HashMap<DirectoryId, DirectoryId>, Interrupt> {
    let logins: Vec<String> = users.iter().map(|user| user.login.folded().into_owned()).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let table = &attempt.world.users;
    let here = table.whole_users(attempt.account(), &logins, attempt.until, &mut TableUsage::default()).await?;
    let linked = users.iter().zip(&logins).filter_map(|(user, login)| {
        let former = here.get(*login)?.directory_id.clone().filter(|former| *former != user.id)?;
        Some((user.id.clone(), former))
    });
    let (ids, former): (Vec<_>, Vec<_>) = linked.unzip();
    let found = find(attempt, directory, &former).await?;
    let gone = ids.into_iter().zip(former).zip(found).filter(|(_, found)| found.is_none());
    Ok(gone.map(|(ids, _)| ids).collect())
}

/// The users with these IDs, in order; `None` for those whom nobody has.
pub(super) async fn find(
    attempt: &Attempt<'_>,
    directory: &dyn CompanyDirectory,
    ids: &[DirectoryId],
) -> Result<Vec<Option<DirectoryUser>>, Interrupt> {
    let until = attempt.until;
    let asked: Vec<_> = ids.iter().map(|id| directory.find(id, until)).collect();
    let mut found = stream::iter(asked).buffered(IN_FLIGHT);
    let mut users = Vec::with_capacity(ids.len());
    while let Some(user) = found.next().await {
        users.push(user.map_err(|failure| attempt.system_failed(failure))?);
    }
    Ok(users)
}

async fn next_page(
    attempt: &Attempt<'_>,
    pages: &mut dyn PeoplePages,
) -> Result<Option<Vec<DirectoryUser>>, Interrupt> {
    pages.next(attempt.until).await.map_err(|failure| attempt.system_failed(failure))
}

/// What an import has taken so far.
struct Taken {
    rows: Vec<ImportRow>,
    /// A list that changes while it is read may show somebody twice.
    seen: HashSet<DirectoryId>,
    tally: ImportTally,
    role: Option<Ref>,
}

impl Taken {
    async fn take(&mut self, attempt: &mut Attempt<'_>, users: Vec<DirectoryUser>) -> Result<(), Interrupt> {
        let users: Vec<_> = users.into_iter().filter(|user| self.seen.insert(user.id.clone())).collect();
        let claims = users.iter().map(|user| Claim::DirectoryId(user.id.clone())).collect();
        let table = &attempt.world.users;
        let mut linked = table.owners(attempt.account(), claims, attempt.until, &mut TableUsage::default()).await?;
        for user in users {
            let login =
                linked.remove(&Claim::DirectoryId(user.id.clone())).and_then(|login| LoginId::parse(&login).ok());
            self.tally.users += 1;
            self.tally.phones_unread += usize::from(user.phone == Phone::Unreadable);
            self.rows.push(ImportRow::import(user, login, self.role.clone()));
        }
        let (rows, most) = (self.rows.len() as u64, attempt.limits.rows);
        if rows > most {
            let message = format!("More than {most} users are chosen. Choose fewer at a time.");
            return Err(FileFault { code: FileCode::TooManyRows, line: None, message }.into());
        }
        attempt.job.progress.rows = rows;
        attempt.show().await?;
        Ok(())
    }
}
