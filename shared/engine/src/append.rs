//! Caller IDs appended to users' lists.

use std::collections::HashMap;

use rollcall_bulk::{
    append::{self, AppendLedger, AppendPlan, AppendRequests, LoginLookup},
    left_out::LeftOut,
    report::Judgement,
};
use rollcall_model::{jobs::JobKind, numbers::NumberReader, user::Claim};
use rollcall_storage::{
    StorageError,
    directory::{Found, TableUsage},
};
use rollcall_tabular::{Row, Schema};

use crate::{Attempt, Done, Interrupt, ListAdditions, Operation, Prepared, RowSource, Work, near::Near};

/// Appends the caller IDs of a file.
pub struct Append;

/// One append.
pub struct AppendWork {
    numbers: NumberReader,
    wanted: AppendRequests,
    ledger: AppendLedger,
    list_limit: usize,
    near: Near,
}

impl Operation for Append {
    type Work = AppendWork;
    const KINDS: &'static [JobKind] = &[JobKind::AppendCallerIds];
    const LOOKS_AFTER_INBOX: bool = true;

    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<AppendWork>, Interrupt> {
        let settings = attempt.settings().await?;
        let inventory = attempt.inventory().await?;
        let work = AppendWork {
            numbers: NumberReader::new(attempt.country(&settings), &inventory),
            wanted: AppendRequests::default(),
            ledger: AppendRequests::default().finish_reading(),
            list_limit: settings.list_limit,
            near: Near::default(),
        };
        Ok(Prepared { work, rows: RowSource::Uploaded })
    }
}

impl Work for AppendWork {
    type Plan = AppendPlan;

    fn columns(&self) -> Schema {
        &append::COLUMNS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.wanted.take(row, &mut self.numbers);
    }

    fn finish_reading(&mut self) {
        self.ledger = std::mem::take(&mut self.wanted).finish_reading();
    }

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.ledger.is_decided(user)
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<AppendPlan>, StorageError> {
        let logins: Vec<&str> = users.iter().map(|&user| self.ledger.login(user)).collect();
        let standings = look_up(attempt, &logins, usage).await?;
        let nobody = logins.iter().zip(&standings).filter(|(_, (standing, _))| *standing == LoginLookup::Nobody);
        let nobody: Vec<&str> = nobody.map(|(login, _)| *login).collect();
        let mut near = self.near.of(attempt, &nobody, usage).await?;
        let plans = users.iter().zip(&standings).map(|(&user, (standing, found))| {
            let list = found.as_ref().map_or(&[][..], |found| &found.caller_ids);
            let plan = self.ledger.plan(user, *standing, list, self.list_limit);
            AppendPlan { near: near.remove(&plan.login).unwrap_or_default(), ..plan }
        });
        Ok(plans.collect())
    }

    fn writes(plan: &AppendPlan) -> bool {
        !plan.add.is_empty()
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        plans: &mut [&mut AppendPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, StorageError> {
        for at in append_numbers(attempt, plans, usage).await? {
            plans[at].vanished();
        }
        Ok(Vec::new())
    }

    fn is_done(plan: &AppendPlan, now: &AppendPlan) -> bool {
        plan.is_done(now)
    }

    fn leave_out(plan: &mut AppendPlan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &AppendPlan) -> Option<usize> {
        self.ledger.user(&plan.login)
    }

    fn record(&mut self, plan: &AppendPlan) {
        self.ledger.record(plan);
    }

    fn count(plan: &AppendPlan, done: &mut Done) {
        done.users_changed += u64::from(Self::writes(plan));
        done.numbers_added += plan.add.len() as u64;
    }

    fn additions(plan: &mut AppendPlan) -> Option<ListAdditions<'_>> {
        Some(list_additions(plan))
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        append::judge(row, &mut self.numbers, &mut self.ledger)
    }
}

/// What an append has put on a user's list.
pub(crate) fn list_additions(plan: &mut AppendPlan) -> ListAdditions<'_> {
    ListAdditions { login: &plan.login, added: &mut plan.add, retracted: &mut plan.retracted }
}

/// Adds the plans' numbers to their users' lists. Gives the positions of those whose user is not there any more.
pub(crate) async fn append_numbers(
    attempt: &Attempt<'_>,
    plans: &mut [&mut AppendPlan],
    usage: &mut TableUsage,
) -> Result<Vec<usize>, StorageError> {
    let shared: Vec<&AppendPlan> = plans.iter().map(|plan| &**plan).collect();
    let appended =
        attempt.engine.directory.append(attempt.account(), &shared, &attempt.actor(), attempt.until, usage).await?;
    for at in appended.too_large {
        let plan = &mut *plans[at];
        plan.over_limit.append(&mut plan.add);
    }
    for at in appended.not_storable {
        plans[at].leave_out(LeftOut::NotStorable);
    }
    Ok(appended.vanished)
}

/// Who the login IDs are. One that looks like an e-mail address is also looked up as such, unless it is known to be its
/// owner's: two candidates are told apart by nobody but a person.
async fn look_up(
    attempt: &Attempt<'_>,
    logins: &[&str],
    usage: &mut TableUsage,
) -> Result<Vec<(LoginLookup, Option<Found>)>, StorageError> {
    let directory = &attempt.engine.directory;
    let mut users = directory.find_users(attempt.account(), logins, attempt.until, usage).await?;
    let doubtful: Vec<Claim> = logins
        .iter()
        .filter(|login| login.contains('@'))
        .filter(|login| users.get(**login).is_none_or(|user| user.email.as_deref() != Some(**login)))
        .map(|login| Claim::Email((*login).to_owned()))
        .collect();
    let owners = if doubtful.is_empty() {
        HashMap::new()
    } else {
        directory.owners(attempt.account(), doubtful, attempt.until, usage).await?
    };
    let standing = |login: &str, found: Option<&Found>| match (found, owners.get(&Claim::Email(login.to_owned()))) {
        (Some(_), Some(owner)) if owner != login => LoginLookup::Ambiguous,
        (Some(found), _) => LoginLookup::User(found.policy),
        (None, Some(_)) => LoginLookup::EmailOnly,
        (None, None) => LoginLookup::Nobody,
    };
    Ok(logins
        .iter()
        .map(|login| {
            let found = users.remove(*login);
            (standing(login, found.as_ref()), found)
        })
        .collect())
}
