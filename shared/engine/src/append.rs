//! Caller IDs appended to users' lists.

use std::collections::HashMap;

use rollcall_model::{
    append::{self, Ledger, Standing, UserPlan, Wanted},
    csv_file::{Row, Schema},
    left_out::LeftOut,
    numbers::NumberReader,
    report::Judgement,
    upload::Kind,
    user::Claim,
};
use rollcall_platform::{
    Error,
    directory::{BulkWork, Found},
};

use crate::{Begun, Done, Operation, PutOn, RowsIn, Run, Stop, Work, near::Near};

/// Appends the caller IDs of a file.
pub struct Append;

/// One append.
pub struct AppendWork {
    numbers: NumberReader,
    wanted: Wanted,
    ledger: Ledger,
    list_limit: usize,
    near: Near,
}

impl Operation for Append {
    type Work = AppendWork;
    const KINDS: &'static [Kind] = &[Kind::AppendCallerIds];
    const LOOKS_AFTER_INBOX: bool = true;

    async fn begin(&self, run: &mut Run<'_>) -> Result<Begun<AppendWork>, Stop> {
        let settings = run.settings().await?;
        let inventory = run.inventory().await?;
        let work = AppendWork {
            numbers: NumberReader::new(run.country(&settings), &inventory),
            wanted: Wanted::default(),
            ledger: Wanted::default().settle(),
            list_limit: settings.list_limit,
            near: Near::default(),
        };
        Ok(Begun { work, rows: RowsIn::Dropped })
    }
}

impl Work for AppendWork {
    type Plan = UserPlan;

    fn columns(&self) -> Schema {
        &append::COLUMNS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.wanted.take(row, &mut self.numbers);
    }

    fn settle(&mut self) {
        self.ledger = std::mem::take(&mut self.wanted).settle();
    }

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_settled(&self, user: usize) -> bool {
        self.ledger.is_settled(user)
    }

    async fn plan(&self, run: &Run<'_>, users: &[usize], work: &mut BulkWork) -> Result<Vec<UserPlan>, Error> {
        let logins: Vec<&str> = users.iter().map(|&user| self.ledger.login(user)).collect();
        let standings = look_up(run, &logins, work).await?;
        let nobody = logins.iter().zip(&standings).filter(|(_, (standing, _))| *standing == Standing::Nobody);
        let nobody: Vec<&str> = nobody.map(|(login, _)| *login).collect();
        let mut near = self.near.of(run, &nobody, work).await?;
        let plans = users.iter().zip(&standings).map(|(&user, (standing, found))| {
            let list = found.as_ref().map_or(&[][..], |found| &found.caller_ids);
            let plan = self.ledger.plan(user, *standing, list, self.list_limit);
            UserPlan { near: near.remove(&plan.login).unwrap_or_default(), ..plan }
        });
        Ok(plans.collect())
    }

    fn writes(plan: &UserPlan) -> bool {
        !plan.add.is_empty()
    }

    async fn carry_out(
        &self,
        run: &Run<'_>,
        plans: &mut [&mut UserPlan],
        work: &mut BulkWork,
    ) -> Result<Vec<usize>, Error> {
        for at in append_numbers(run, plans, work).await? {
            plans[at].vanished();
        }
        Ok(Vec::new())
    }

    fn is_done(plan: &UserPlan, now: &UserPlan) -> bool {
        plan.is_done(now)
    }

    fn leave_out(plan: &mut UserPlan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &UserPlan) -> Option<usize> {
        self.ledger.user(&plan.login)
    }

    fn record(&mut self, plan: &UserPlan) {
        self.ledger.record(plan);
    }

    fn count(plan: &UserPlan, done: &mut Done) {
        done.users_changed += u64::from(Self::writes(plan));
        done.numbers_added += plan.add.len() as u64;
    }

    fn put_on(plan: &mut UserPlan) -> Option<PutOn<'_>> {
        Some(put_on(plan))
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        append::judge(row, &mut self.numbers, &mut self.ledger)
    }
}

/// What an append has put on a user's list.
pub(crate) fn put_on(plan: &mut UserPlan) -> PutOn<'_> {
    PutOn { login: &plan.login, added: &mut plan.add, taken_back: &mut plan.taken_back }
}

/// Adds the plans' numbers to their users' lists. Gives the positions of those whose user is not there any more.
pub(crate) async fn append_numbers(
    run: &Run<'_>,
    plans: &mut [&mut UserPlan],
    work: &mut BulkWork,
) -> Result<Vec<usize>, Error> {
    let shared: Vec<&UserPlan> = plans.iter().map(|plan| &**plan).collect();
    let appended = run.engine.directory.append(run.account(), &shared, &run.actor(), run.until, work).await?;
    for at in appended.too_large {
        let plan = &mut *plans[at];
        plan.over.append(&mut plan.add);
    }
    for at in appended.not_storable {
        plans[at].leave_out(LeftOut::NotStorable);
    }
    Ok(appended.vanished)
}

/// Who the login IDs are. One that looks like an e-mail address is also looked up as such, unless it is known to be its
/// owner's: two candidates are told apart by nobody but a person.
async fn look_up(run: &Run<'_>, logins: &[&str], work: &mut BulkWork) -> Result<Vec<(Standing, Option<Found>)>, Error> {
    let directory = &run.engine.directory;
    let mut users = directory.find_users(run.account(), logins, run.until, work).await?;
    let doubtful: Vec<Claim> = logins
        .iter()
        .filter(|login| login.contains('@'))
        .filter(|login| users.get(**login).is_none_or(|user| user.email.as_deref() != Some(**login)))
        .map(|login| Claim::Email((*login).to_owned()))
        .collect();
    let owners = if doubtful.is_empty() {
        HashMap::new()
    } else {
        directory.owners(run.account(), doubtful, run.until, work).await?
    };
    let standing = |login: &str, found: Option<&Found>| match (found, owners.get(&Claim::Email(login.to_owned()))) {
        (Some(_), Some(owner)) if owner != login => Standing::Ambiguous,
        (Some(found), _) => Standing::User(found.policy),
        (None, Some(_)) => Standing::EmailOnly,
        (None, None) => Standing::Nobody,
    };
    Ok(logins
        .iter()
        .map(|login| {
            let found = users.remove(*login);
            (standing(login, found.as_ref()), found)
        })
        .collect())
}
