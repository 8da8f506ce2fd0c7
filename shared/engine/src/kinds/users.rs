//! Users created and changed.

use rollcall_bulk::{
    bulk_job::Plan,
    left_out::LeftOut,
    user_upload::{Catalog, NewEntry, UploadJob, UserChange, UserPlan, UserRowReader},
};
use rollcall_model::{
    audit::Actor,
    catalog::CatalogKind,
    jobs::JobKind,
    user::{Claim, User},
};

use super::append::{AppendContext, append_numbers};
use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError,
    world::{ListRoom, TableUsage, UserWrite},
};

/// Creates and changes the users of a file.
pub struct UploadUsers;

/// Refuses a file of which a newer version has been dropped: whoever is late with an old one would put everything back that the new one has changed.
pub(super) async fn refuse_an_older_version(attempt: &Attempt<'_>) -> Result<(), Interrupt> {
    let dropped = &attempt.job.source;
    let latest = if attempt.has_begun() { None } else { attempt.world.bucket.latest(&dropped.key).await? };
    if latest.is_some_and(|now| now != dropped.version) {
        let reason =
            "A newer version of this file has been dropped, and counts instead. Drop this one again if it is meant.";
        return Err(Interrupt::refused(reason));
    }
    Ok(())
}

impl Operation for UploadUsers {
    type Job = UploadJob;
    type Context = AppendContext;
    const KINDS: &'static [JobKind] = &[JobKind::UploadUsers];

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        refuse_an_older_version(attempt).await?;
        let (job, context) = upload(attempt).await?;
        Ok(Prepared { job, context, rows: RowSource::Uploaded })
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &UploadJob,
        context: &AppendContext,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<UserPlan>, StorageError> {
        plan(attempt, job, context, users, usage).await
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &AppendContext,
        plans: &mut [&mut UserPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        write(attempt, context, plans, usage).await.map_err(Interrupt::Error)
    }
}

/// An upload for the account of an attempt, and what its writes need.
pub(super) async fn upload(attempt: &Attempt<'_>) -> Result<(UploadJob, AppendContext), StorageError> {
    let settings = attempt.settings().await?;
    let inventory = attempt.inventory().await?;
    let entries = |kind| attempt.world.catalogs.catalog(attempt.account(), kind);
    let roles = entries(CatalogKind::Role).await?;
    let default_role = settings.default_role.clone().filter(|role| roles.iter().any(|entry| entry.id == *role));
    let catalog = Catalog {
        roles,
        departments: entries(CatalogKind::Department).await?,
        teams: entries(CatalogKind::Team).await?,
        role: attempt.job.role.clone(),
        default_role,
        welcomes_new: settings.catalog_from_files,
    };
    let reader = UserRowReader::new(attempt.country(&settings), &inventory);
    let limit = settings.list_limit;
    Ok((UploadJob::new(reader, catalog, limit), AppendContext::new(&inventory, limit)))
}

/// Decides for some users.
pub(super) async fn plan(
    attempt: &Attempt<'_>,
    job: &UploadJob,
    context: &AppendContext,
    users: &[usize],
    usage: &mut TableUsage,
) -> Result<Vec<UserPlan>, StorageError> {
    let (account, until) = (attempt.account(), attempt.until);
    let logins: Vec<&str> = users.iter().map(|&user| job.login(user)).collect();
    let present = attempt.world.users.whole_users(account, &logins, until, usage).await?;
    // What a user has already needs no looking up: most files change little.
    let wanted = users.iter().flat_map(|&user| {
        let has = present.get(job.login(user)).map(User::claims).unwrap_or_default();
        job.claims(user).into_iter().filter(move |claim| !has.contains(claim))
    });
    let wanted: Vec<Claim> = wanted.collect();
    let owners = attempt.world.users.owners(account, wanted, until, usage).await?;
    let times = [attempt.world.now(), attempt.as_of()];
    let plans = users.iter().map(|&user| {
        let present = present.get(job.login(user));
        let mut plan = job.plan(user, present, &owners, &context.dialable, times);
        if let Some(user) = present {
            let department = user.profile.department.as_ref();
            plan.numbers.had_none = !context.dialable.reach(user.policy, department, &user.caller_ids);
            plan.numbers.created = user.created;
            plan.numbers.list = attempt.goes_on().then(|| user.caller_ids.clone());
        } else if let UserChange::Create(user) = &plan.change {
            plan.numbers.created = user.created;
        }
        plan
    });
    let mut plans: Vec<UserPlan> = plans.collect();
    let strangers = plans.iter().filter(|plan| plan.is_of_nobody()).map(|plan| plan.numbers.login.clone());
    let strangers: Vec<String> = strangers.collect();
    let near = context.near.of(attempt, &strangers.iter().map(String::as_str).collect::<Vec<_>>(), usage).await?;
    for plan in &mut plans {
        if let Some(near) = near.get(&plan.numbers.login) {
            plan.was_meant(near);
        }
    }
    Ok(plans)
}

/// Makes the departments and teams of the plans, before somebody refers to them.
pub(super) async fn make_entries<'a>(
    attempt: &Attempt<'_>,
    creates: impl Iterator<Item = &'a NewEntry>,
) -> Result<(), StorageError> {
    let mut made: Vec<&NewEntry> = Vec::new();
    for new in creates {
        if !made.contains(&new) {
            made.push(new);
        }
    }
    let by = Actor::Job(attempt.job.id.clone());
    for NewEntry { kind, entry } in made {
        attempt.world.catalogs.put_entry(attempt.account(), (*kind).into(), entry, Some(&by)).await?;
    }
    Ok(())
}

/// Carries plans out.
pub(super) async fn write(
    attempt: &Attempt<'_>,
    context: &AppendContext,
    plans: &mut [&mut UserPlan],
    usage: &mut TableUsage,
) -> Result<Vec<usize>, StorageError> {
    make_entries(attempt, plans.iter().flat_map(|plan| &plan.creates)).await?;
    let mut writes = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        let add = plan.numbers.add.as_slice();
        match &plan.change {
            UserChange::Create(user) => writes.push((at, UserWrite::Create(user, add))),
            UserChange::Update { before, after } => {
                let room = ListRoom { add, limit: context.list_limit };
                writes.push((at, UserWrite::Update([before, after], room)));
            }
            UserChange::None | UserChange::Refused(_) => {}
        }
    }
    let (positions, writes): (Vec<usize>, Vec<UserWrite<'_>>) = writes.into_iter().unzip();
    let not_written =
        attempt.world.users.write_users(attempt.account(), &writes, &attempt.job.id, attempt.until, usage).await?;
    let mut again: Vec<usize> = not_written.outdated.into_iter().map(|at| positions[at]).collect();
    for at in not_written.not_storable {
        plans[positions[at]].leave_out(LeftOut::NotStorable);
    }

    // Where only caller IDs are new, they are appended as any others, without a version.
    let appends = plans.iter_mut().enumerate().filter(|(_, plan)| plan.change == UserChange::None);
    let (positions, mut appends): (Vec<usize>, Vec<_>) =
        appends.filter(|(_, plan)| !plan.numbers.add.is_empty()).map(|(at, plan)| (at, &mut plan.numbers)).unzip();
    if !appends.is_empty() {
        // Somebody who has been deleted meanwhile is new.
        again.extend(append_numbers(attempt, context, &mut appends, usage).await?.into_iter().map(|at| positions[at]));
    }
    Ok(again)
}
