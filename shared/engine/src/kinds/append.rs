//! Caller IDs appended to users' lists.

use std::collections::HashMap;

use rollcall_bulk::{
    append::{AppendJob, AppendPlan, LoginLookup},
    bulk_job::Plan,
    left_out::LeftOut,
};
use rollcall_model::{
    inventory::{DialableNumbers, InventoryNumber},
    jobs::JobKind,
    numbers::NumberReader,
    user::Claim,
};

use super::near::Near;
use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError,
    world::{Found, ListNumbers, TableUsage},
};

/// Appends the caller IDs of a file.
pub struct Append;

/// What is needed beside the rows by whatever puts numbers onto lists.
pub struct AppendContext {
    pub(super) near: Near,
    /// How many numbers a list may have.
    pub(super) list_limit: usize,
    /// Numbers that can be dialled from.
    pub(super) dialable: DialableNumbers,
}

impl AppendContext {
    pub(super) fn new(inventory: &[InventoryNumber], list_limit: usize) -> Self {
        Self { near: Near::default(), list_limit, dialable: DialableNumbers::of(inventory) }
    }
}

impl Operation for Append {
    type Job = AppendJob;
    type Context = AppendContext;
    const KINDS: &'static [JobKind] = &[JobKind::AppendCallerIds];
    const LOOKS_AFTER_INBOX: bool = true;

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let settings = attempt.settings().await?;
        let inventory = attempt.inventory().await?;
        let numbers = NumberReader::new(attempt.country(&settings), &inventory);
        let job = AppendJob::new(numbers, settings.list_limit);
        Ok(Prepared { job, context: AppendContext::new(&inventory, settings.list_limit), rows: RowSource::Uploaded })
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &AppendJob,
        context: &AppendContext,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<AppendPlan>, StorageError> {
        let logins: Vec<&str> = users.iter().map(|&user| job.login(user)).collect();
        let looked_up = look_up(attempt, &logins, usage).await?;
        let nobody = logins.iter().zip(&looked_up).filter(|(_, (lookup, _))| *lookup == LoginLookup::Nobody);
        let nobody: Vec<&str> = nobody.map(|(login, _)| *login).collect();
        let mut near = context.near.of(attempt, &nobody, usage).await?;
        let plans = users.iter().zip(&looked_up).map(|(&user, (lookup, found))| {
            let list = found.as_ref().map_or(&[][..], |found| &found.caller_ids);
            let plan = job.plan(user, *lookup, list);
            let had_none = found.as_ref().is_some_and(|found| {
                !context.dialable.reach(found.policy, found.department.as_ref(), &found.caller_ids)
            });
            let created = found.as_ref().and_then(|found| found.created);
            let near = near.remove(&plan.login).unwrap_or_default();
            let list = attempt.goes_on().then(|| list.to_vec());
            AppendPlan { near, had_none, created, list, ..plan }
        });
        Ok(plans.collect())
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &AppendContext,
        plans: &mut [&mut AppendPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        append_numbers(attempt, context, plans, usage).await.map_err(Interrupt::Error)
    }
}

/// Adds the plans' numbers to their users' lists. Gives the positions of those to be decided again: the user is not there any more, or its
/// list has no room for them any more.
pub(crate) async fn append_numbers(
    attempt: &Attempt<'_>,
    context: &AppendContext,
    plans: &mut [&mut AppendPlan],
    usage: &mut TableUsage,
) -> Result<Vec<usize>, StorageError> {
    let additions =
        plans.iter().map(|plan| ListNumbers { login: &plan.login, created: plan.created, numbers: &plan.add });
    let additions: Vec<ListNumbers<'_>> = additions.collect();
    let (account, limit, by) = (attempt.account(), Some(context.list_limit), attempt.actor());
    let added = attempt.world.lists.add_caller_ids(account, &additions, limit, &by, attempt.until, usage).await?;
    for at in added.too_large {
        let plan = &mut *plans[at];
        plan.over_limit.append(&mut plan.add);
    }
    for at in added.not_storable {
        plans[at].leave_out(LeftOut::NotStorable);
    }
    Ok(added.outdated)
}

/// Who the login IDs are. One that looks like an e-mail address is also looked up as such, unless it is known to be its
/// owner's: two candidates are told apart by nobody but a person.
async fn look_up(
    attempt: &Attempt<'_>,
    logins: &[&str],
    usage: &mut TableUsage,
) -> Result<Vec<(LoginLookup, Option<Found>)>, StorageError> {
    let users = &attempt.world.users;
    let mut found = users.find_users(attempt.account(), logins, attempt.until, usage).await?;
    let doubtful: Vec<Claim> = logins
        .iter()
        .filter(|login| login.contains('@'))
        .filter(|login| found.get(**login).is_none_or(|user| user.email.as_deref() != Some(**login)))
        .map(|login| Claim::Email((*login).to_owned()))
        .collect();
    let owners = if doubtful.is_empty() {
        HashMap::new()
    } else {
        users.owners(attempt.account(), doubtful, attempt.until, usage).await?
    };
    let lookup = |login: &str, found: Option<&Found>| match (found, owners.get(&Claim::Email(login.to_owned()))) {
        (Some(_), Some(owner)) if owner != login => LoginLookup::Ambiguous,
        (Some(found), _) => LoginLookup::User(found.policy),
        (None, Some(_)) => LoginLookup::EmailOnly,
        (None, None) => LoginLookup::Nobody,
    };
    Ok(logins
        .iter()
        .map(|login| {
            let found = found.remove(*login);
            (lookup(login, found.as_ref()), found)
        })
        .collect())
}
