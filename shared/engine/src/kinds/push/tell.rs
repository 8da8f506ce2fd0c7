//! One user: what the phone system is told, and what of it is kept.

use rollcall_bulk::{
    job::Failure,
    push::{Brake, FoundUser, ListDiff, PushOutcome, PushPlan, REFUSALS_IN_A_ROW, Wanted},
};
use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    phone_side::PhoneUserId,
    push::{MOST_REMEMBERED, Mark, Told, list_hash},
};

use super::{Look, Work, stop};
use crate::{
    Attempt, Interrupt,
    world::{HeldList, PhoneSystemClient, TellFailure, Telling},
};

/// What came of a user of whom nothing is left to be told: there is no mark any more, or it was told in vain.
pub(super) fn settled(attempt: &Attempt<'_>, work: &Work, plan: &PushPlan, look: &Look) -> Option<PushPlan> {
    match &look.mark {
        Some(Mark { failed: None, .. }) => None,
        Some(Mark { failed: Some(_), .. }) if work.retry && attempt.job.previews() => None,
        Some(Mark { failed: Some(code), .. }) => Some(plan.ended(PushOutcome::Failed(*code))),
        None => Some(match &look.told {
            // An earlier attempt of this job has told it.
            Some(told) if told.job == attempt.job.id && told.user.is_some() => plan.told(told),
            Some(told) if told.user.is_none() => plan.ended(PushOutcome::NotThere),
            _ => plan.ended(PushOutcome::InStep),
        }),
    }
}

/// Tells the phone system of a user, if there is anything to tell. **The mark goes last, and only if nothing has changed since it was read**: whoever
/// dies before that has it told again, which changes nothing.
pub(super) async fn tell(
    attempt: &Attempt<'_>,
    work: &Work,
    plan: &PushPlan,
    look: Look,
) -> Result<PushPlan, Interrupt> {
    if let Some(settled) = settled(attempt, work, plan, &look) {
        return Ok(settled);
    }
    let (Some(client), Some(mark)) = (&work.client, &look.mark) else {
        return Ok(plan.ended(PushOutcome::InStep));
    };
    let user = User { attempt, work, client: &**client, plan, look: &look, mark };
    let told = look.told.as_ref();
    let wanted = Wanted::of(look.user.as_ref(), told, &work.inventory, &work.owned);
    match &plan.found {
        FoundUser::One(id) => user.tell(id, &wanted, told).await,
        FoundUser::Several => user.fails(RowCode::PhoneUserAmbiguous).await,
        FoundUser::None if look.user.is_none() && told.is_none() && work.named.contains(&plan.login) => {
            user.unmark(plan.ended(PushOutcome::Failed(RowCode::UserNotFound))).await
        }
        FoundUser::None => {
            if !wanted.list.is_empty() || told.is_some() {
                user.keep(&user.nobody()).await?;
            }
            user.unmark(plan.ended(PushOutcome::NotThere)).await
        }
    }
}

/// A user of whom the phone system is told.
struct User<'a> {
    attempt: &'a Attempt<'a>,
    work: &'a Work,
    client: &'a dyn PhoneSystemClient,
    plan: &'a PushPlan,
    look: &'a Look,
    mark: &'a Mark,
}

impl User<'_> {
    async fn tell(&self, id: &PhoneUserId, wanted: &Wanted, told: Option<&Told>) -> Result<PushPlan, Interrupt> {
        let (attempt, work) = (self.attempt, self.work);
        let held = match self.client.held(id, attempt.until).await {
            Ok(held) => held,
            Err(failure) => return self.failed(failure).await,
        };
        let is_ours = |number: CallerId| work.inventory.listed(number).is_some();
        let diff = match &held {
            Some(held) => wanted.diff(&held.keys().copied().collect::<Vec<_>>(), is_ours),
            None => wanted.diff_from_told(told, work.system),
        };
        let now = self.told(id, wanted, &diff, held.as_ref(), told);
        let is_told = wanted.is_told(told, work.system) && !self.mark.unsure;
        if held.as_ref().map_or(is_told && !work.named.contains(&self.plan.login), |_| diff.is_empty()) {
            // What was read there is a fact, whatever was told.
            if held.is_some() && !is_told {
                self.keep(&now).await?;
            }
            let seen = PushPlan { missing: now.missing, foreign: now.foreign, ..self.plan.ended(PushOutcome::InStep) };
            return self.unmark(seen).await;
        }
        let has = held.as_ref().map_or_else(|| Brake::has(told), HeldList::len);
        self.brake(has - diff.foreign.min(has), wanted.list.len()).await?;
        let remove: Vec<String> = diff.remove.iter().filter_map(|number| held.as_ref()?.get(number).cloned()).collect();
        // Noted first: whoever dies over it leaves behind that it isn't known what the phone system has.
        if !attempt.world.pushes.begin_telling(attempt.account(), &self.plan.login).await? {
            return Ok(self.plan.ended(PushOutcome::Overtaken));
        }
        let telling = Telling { list: &wanted.list, add: &diff.add, remove: &remove };
        if let Err(failure) = self.client.tell(id, &telling, attempt.until).await {
            return self.failed(failure).await;
        }
        work.running().refusals = (String::new(), 0);
        self.keep(&now).await?;
        self.unmark(self.plan.told(&now)).await
    }

    /// What the phone system has been told when this is done.
    fn told(
        &self,
        id: &PhoneUserId,
        wanted: &Wanted,
        diff: &ListDiff,
        held: Option<&HeldList>,
        before: Option<&Told>,
    ) -> Told {
        let list = &wanted.list;
        let had = Brake::has(before);
        // Of a long list it is known alone how many numbers it had.
        let removed = diff.remove.len().max(if diff.is_empty() { had.saturating_sub(list.len()) } else { 0 });
        let doubted = before.is_some_and(|before| before.took_unseen);
        Told {
            system: self.work.system,
            user: Some(id.clone()),
            hash: list_hash(list),
            count: list.len(),
            first: list.first().copied(),
            list: (list.len() <= MOST_REMEMBERED).then(|| list.clone()),
            missing: wanted.missing.len(),
            foreign: diff.foreign,
            took_unseen: held.is_none() && (removed > 0 || doubted),
            at: self.attempt.world.now(),
            job: self.attempt.job.id.clone(),
            added: diff.add.len(),
            removed,
        }
    }

    /// That the phone system has nobody who is the user.
    fn nobody(&self) -> Told {
        Told {
            system: self.work.system,
            user: None,
            hash: list_hash(&[]),
            count: 0,
            first: None,
            list: Some(Vec::new()),
            missing: 0,
            foreign: 0,
            took_unseen: false,
            at: self.attempt.world.now(),
            job: self.attempt.job.id.clone(),
            added: 0,
            removed: 0,
        }
    }

    /// Holds the push where it would take too much with this user.
    async fn brake(&self, has: usize, wanted: usize) -> Result<(), Interrupt> {
        let work = self.work;
        if work.confirmed || has <= wanted {
            return Ok(());
        }
        let held = {
            let mut running = work.running();
            running.brake.add(has, wanted, self.look.user.is_none());
            running.brake.held(work.threshold)
        };
        match held {
            Some(reason) => Err(stop(self.attempt, Failure::OnHold { reason }).await?),
            None => Ok(()),
        }
    }

    async fn failed(&self, failure: TellFailure) -> Result<PushPlan, Interrupt> {
        let attempt = self.attempt;
        let reason = match failure {
            // The phone system takes so many calls a second: who is behind others comes to its turn too late.
            TellFailure::Failed(_) if attempt.is_nearly_over() => return Err(Interrupt::Time),
            TellFailure::Failed(error) => return Err(attempt.late(error)),
            TellFailure::Account(reason) => return Err(stop(attempt, Failure::Refused { reason }).await?),
            TellFailure::User(reason) => reason,
        };
        tracing::warn!(reason, "the phone system refuses a user");
        let refused = self.fails(RowCode::PhoneUserRefused).await?;
        let in_a_row = {
            let refusals = &mut self.work.running().refusals;
            *refusals = if refusals.0 == reason { (reason.clone(), refusals.1 + 1) } else { (reason.clone(), 1) };
            refusals.1
        };
        if in_a_row >= REFUSALS_IN_A_ROW && !self.work.confirmed {
            let reason = format!(
                "The phone system has refused {in_a_row} users one after the other ({reason}). It may be the account and not the users: a person decides."
            );
            return Err(stop(attempt, Failure::OnHold { reason }).await?);
        }
        Ok(refused)
    }

    async fn fails(&self, code: RowCode) -> Result<PushPlan, Interrupt> {
        let Self { attempt, plan, mark, .. } = self;
        attempt.world.pushes.fail_mark(attempt.account(), &plan.login, &mark.sequence, code).await?;
        Ok(plan.ended(PushOutcome::Failed(code)))
    }

    async fn keep(&self, told: &Told) -> Result<(), Interrupt> {
        Ok(self.attempt.world.pushes.put_told(self.attempt.account(), &self.plan.login, told).await?)
    }

    async fn unmark(&self, then: PushPlan) -> Result<PushPlan, Interrupt> {
        let Self { attempt, plan, mark, .. } = self;
        attempt.world.pushes.unmark(attempt.account(), &plan.login, &mark.sequence).await?;
        Ok(then)
    }
}
