//! The kind of job: the phone system is told which numbers users may dial from.
//!
//! A push is a job like any other. Its rows are the account's marked users; what each is to have is read when the turn comes, and not before. Whoever marks
//! users [wakes](wake) a push; one is at it at a time, and looks for marks once more when it has given its turn back.

mod bring;
mod scheduled;
mod tell;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use rollcall_bulk::{
    job::{Failure, Stage},
    push::{
        Brake, PushLedger, PushOutcome, PushPlan, PushRequest, Wanted,
        state::{PushState, Stopped},
    },
    upload::{InboxKey, SCHEDULED, UploadOptions},
};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    inventory::Inventory,
    jobs::{JobKind, ObjectVersion},
    push::{Mark, Told},
    safety_threshold::SafetyThreshold,
    settings::PhoneSystem,
    user::{User, fold},
};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError, change_push_state, drop_request,
    world::{Bucket, Permits, PhoneSystemClient, PhoneSystems, Pushes, TableUsage, World},
};

pub use scheduled::scheduled;

/// Tells accounts' phone systems.
pub struct Push {
    /// The phone systems.
    pub systems: Arc<dyn PhoneSystems>,
}

/// What a push was prepared with; nothing where there is nothing that it may do: another one is at it, or the phone system takes no lists.
pub struct PushContext(Option<Work>);

/// What a user's list is decided by.
struct Work {
    client: Option<Arc<dyn PhoneSystemClient>>,
    system: PhoneSystem,
    /// The numbers that the phone system has.
    owned: HashSet<CallerId>,
    inventory: Inventory,
    threshold: SafetyThreshold,
    /// A person means whatever is taken.
    confirmed: bool,
    /// Those of whom the phone system is told whatever it was told before.
    named: HashSet<String>,
    retry: bool,
    running: Mutex<Running>,
}

/// What an attempt has met so far.
#[derive(Default)]
struct Running {
    brake: Brake,
    /// Users who were refused one after the other, and why.
    refusals: (String, usize),
}

/// What there is of a user.
#[derive(Default)]
struct Look {
    mark: Option<Mark>,
    user: Option<User>,
    told: Option<Told>,
}

/// The rows that were brought; `None` where nobody was marked. They name users of this phone system: once the account has chosen another, nothing
/// more is told by them.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    system: PhoneSystem,
    rows: Option<ObjectVersion>,
}

/// Users whom the phone system is told of at the same moment: at usual distances enough for the pace.
const IN_FLIGHT: usize = 4;

impl Operation for Push {
    type Job = PushLedger;
    type Context = PushContext;
    const KINDS: &'static [JobKind] = &[JobKind::PushLists];
    /// At two users a second, some ten seconds: a pause comes further, and progress shows.
    const GROUP: usize = 20;

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        match self.begin(attempt).await {
            Err(Interrupt::Ends(failure)) if attempt.writes() => Err(stop(attempt, failure).await?),
            begun => begun,
        }
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &PushLedger,
        context: &PushContext,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<PushPlan>, StorageError> {
        let users = users.iter().map(|&user| job.user(user));
        let open = users.map(|(login, found)| PushPlan::open(login, found)).collect::<Vec<_>>();
        let Some(work) = &context.0 else {
            return Ok(open.iter().map(|plan| plan.ended(PushOutcome::Overtaken)).collect());
        };
        let logins: Vec<&str> = open.iter().map(|plan| plan.login.as_str()).collect();
        let mut looks = look(attempt, work.system, &logins, usage).await?;
        let plans = open.iter().map(|plan| {
            let look = looks.remove(&plan.login).unwrap_or_default();
            if !attempt.job.previews() {
                return tell::settled(attempt, work, plan, &look).unwrap_or_else(|| plan.clone());
            }
            let wanted = Wanted::of(look.user.as_ref(), look.told.as_ref(), &work.inventory, &work.owned);
            let diff = wanted.diff_from_told(look.told.as_ref(), work.system);
            let (added, removed, missing) = (diff.add.len(), diff.remove.len(), wanted.missing.len());
            PushPlan { added, removed, missing, ..plan.clone() }
        });
        Ok(plans.collect())
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &PushContext,
        plans: &mut [&mut PushPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        let state = attempt.world.pushes.push_state(attempt.account()).await?.unwrap_or_default();
        let Some(work) = context.0.as_ref().filter(|_| state.value.is_of(&attempt.job.id)) else {
            for plan in plans.iter_mut() {
                **plan = plan.ended(PushOutcome::Overtaken);
            }
            return Ok(Vec::new());
        };
        let logins: Vec<&str> = plans.iter().map(|plan| plan.login.as_str()).collect();
        let mut looks = look(attempt, work.system, &logins, usage).await?;
        let telling: Vec<(&mut PushPlan, Look)> = plans
            .iter_mut()
            .map(|plan| {
                let look = looks.remove(&plan.login).unwrap_or_default();
                (&mut **plan, look)
            })
            .collect();
        stream::iter(telling)
            .map(Ok)
            .try_for_each_concurrent(IN_FLIGHT, async |(plan, look)| {
                *plan = tell::tell(attempt, work, plan, look).await?;
                Ok::<_, Interrupt>(())
            })
            .await?;
        Ok(Vec::new())
    }

    async fn give_up(&self, attempt: &mut Attempt<'_>) -> Result<(), StorageError> {
        let job = &attempt.job.id;
        change_push_state(&*attempt.world.pushes, attempt.account(), |state| state.give_back(job)).await
    }

    async fn finish(&self, attempt: &mut Attempt<'_>, _: &PushLedger, _: &PushContext) -> Result<(), StorageError> {
        let (world, account, job) = (attempt.world, attempt.account(), &attempt.job.id);
        let mine = |state: &mut PushState| {
            let mine = state.is_of(job);
            state.finish(job);
            mine
        };
        change_push_state(&*world.pushes, account, mine).await?;
        // Only now: what was marked while this one had the turn has woken nobody.
        if any_pending(&*world.pushes, account).await? { wake(world, account).await } else { Ok(()) }
    }
}

impl Push {
    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let request: PushRequest = attempt.request().await?;
        if request.preview {
            attempt.preview().await?;
        }
        // Before the settings: who chooses another phone system marks everybody afterwards, and that mark is for the new one.
        let everybody = attempt.world.pushes.everybody(attempt.account()).await?;
        let settings = attempt.settings().await?;
        let system = settings.phone_system;
        if !system.takes_lists() && attempt.job.asked_by != Some(Actor::Schedule) {
            let reason = format!("The account's phone system, {}, takes no lists of numbers.", system.as_str());
            return Err(Interrupt::refused(reason));
        }
        let known: Option<Checkpoint> = attempt.known().await?;
        let named: HashSet<String> = request.logins.iter().map(|login| fold(login).into_owned()).collect();
        if known.is_none() && attempt.writes() && system.takes_lists() {
            // Before it is known whose turn it is: should another push be at it, that one tells of them.
            bring::mark_asked(attempt, &named, request.retry).await?;
        }
        let is_another = known.as_ref().is_some_and(|known| known.system != system);
        if !system.takes_lists() || attempt.writes() && !take_turn(attempt).await? || is_another {
            let rows = known.and_then(|known| known.rows).map_or(RowSource::None, RowSource::Generated);
            return Ok(Prepared { job: PushLedger::default(), context: PushContext(None), rows });
        }
        let mut work = Work {
            client: None,
            system,
            owned: HashSet::new(),
            inventory: Inventory::of(attempt.inventory().await?),
            threshold: settings.safety_threshold,
            confirmed: attempt.job.is_confirmed(),
            named,
            retry: request.retry,
            running: Mutex::default(),
        };
        if !attempt.given_up {
            let failed = |failure| attempt.system_failed(failure);
            let client = self.systems.connect(attempt.account(), system).await.map_err(failed)?;
            work.owned = client.numbers(attempt.until).await.map_err(failed)?.into_iter().collect();
            work.client = Some(client);
            let totals = attempt.world.pushes.told_totals(attempt.account(), system).await?;
            work.running().brake.told = totals.numbers;
        }
        let rows = if let Some(known) = known {
            known.rows
        } else {
            let rows = bring::rows(attempt, &work, everybody).await?;
            attempt.save_checkpoint(&Checkpoint { system, rows: rows.clone() }).await?;
            rows
        };
        let rows = rows.map_or(RowSource::None, RowSource::Generated);
        Ok(Prepared { job: PushLedger::default(), context: PushContext(Some(work)), rows })
    }
}

impl Work {
    fn running(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is of these users, as it is now. The mark is read before the user: what changes in between marks the user anew.
async fn look(
    attempt: &Attempt<'_>,
    system: PhoneSystem,
    folded_logins: &[&str],
    usage: &mut TableUsage,
) -> Result<HashMap<String, Look>, StorageError> {
    let (world, account, until) = (attempt.world, attempt.account(), attempt.until);
    let mut marks = world.pushes.marks_of(account, folded_logins, until, usage).await?;
    let mut users = world.users.whole_users(account, folded_logins, until, usage).await?;
    let mut told = world.pushes.told_of(account, system, folded_logins, until, usage).await?;
    let look = |login: &&str| {
        let look = Look { mark: marks.remove(*login), user: users.remove(*login), told: told.remove(*login) };
        ((*login).to_owned(), look)
    };
    Ok(folded_logins.iter().map(look).collect())
}

/// How often who waits for the turn asks for it.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes the turn. `false` where another push has it. **What a person has decided waits for it**: the other one may hold where this one may not.
async fn take_turn(attempt: &Attempt<'_>) -> Result<bool, Interrupt> {
    let (job, until) = (&attempt.job.id, attempt.deadline());
    loop {
        let now = attempt.world.now();
        let take = |state: &mut PushState| state.take(job, until, now);
        let taken = change_push_state(&*attempt.world.pushes, attempt.account(), take).await?;
        if taken || attempt.job.stage != Stage::Executed {
            return Ok(taken);
        }
        attempt.check_time()?;
        sleep(PAUSE).await;
    }
}

/// Ends the turn of a push that tells nothing more, and keeps why.
async fn stop(attempt: &Attempt<'_>, failure: Failure) -> Result<Interrupt, StorageError> {
    let (on_hold, reason) = match &failure {
        Failure::OnHold { reason } => (true, reason.clone()),
        Failure::Refused { reason } => (false, reason.clone()),
        Failure::File(_) | Failure::GaveUp { .. } => (false, "The request can't be read.".to_owned()),
    };
    let stopped = Stopped { job: attempt.job.id.clone(), at: attempt.world.now(), on_hold, reason };
    let change = |state: &mut PushState| state.stop(stopped.clone());
    change_push_state(&*attempt.world.pushes, attempt.account(), change).await?;
    Ok(Interrupt::Ends(failure))
}

/// Whether there is anything to tell that was not told in vain.
async fn any_pending(pushes: &dyn Pushes, account: &AccountId) -> Result<bool, StorageError> {
    if pushes.everybody(account).await?.is_some() {
        return Ok(true);
    }
    let mut pages = mark_pages(pushes, account);
    while let Some(page) = pages.try_next().await? {
        if page.iter().any(|mark| mark.failed.is_none()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The account's marks, some at a time, by folded login ID.
pub fn mark_pages<'a>(
    pushes: &'a dyn Pushes,
    account: &'a AccountId,
) -> BoxStream<'a, Result<Vec<Mark>, StorageError>> {
    let page = async move |after: Option<String>| {
        let page = pushes.marks_after(account, after.as_deref()).await?;
        let last = page.last().map(|last| last.login.clone());
        Ok(last.map(|last| (page, Some(last))))
    };
    stream::try_unfold(None, page).boxed()
}

/// Since when the oldest mark waits that was not told in vain.
async fn oldest_pending(pushes: &dyn Pushes, account: &AccountId) -> Result<Option<Timestamp>, StorageError> {
    let mut oldest = None;
    let mut pages = mark_pages(pushes, account);
    while let Some(page) = pages.try_next().await? {
        let since = page.iter().filter(|mark| mark.failed.is_none()).map(|mark| mark.since).min();
        oldest = oldest.into_iter().chain(since).min();
    }
    Ok(oldest)
}

/// Asks for a push of an account that has marks, unless one has been asked for that will see them.
///
/// # Errors
/// When AWS fails.
pub async fn wake(world: &World, account: &AccountId) -> Result<(), StorageError> {
    let state = world.pushes.push_state(account).await?.unwrap_or_default().value;
    wake_by((&*world.pushes, &*world.permits, &*world.bucket), account, &state, world.now()).await
}

/// The same for a function that has no whole world. `state` is how the account stands, read after its users were marked.
///
/// # Errors
/// When AWS fails.
pub async fn wake_by(
    (pushes, permits, bucket): (&dyn Pushes, &dyn Permits, &dyn Bucket),
    account: &AccountId,
    state: &PushState,
    now: Timestamp,
) -> Result<(), StorageError> {
    if !state.is_to_be_asked(now) {
        return Ok(());
    }
    ask((permits, bucket), account, now).await?;
    // Should the note fail, another one is asked for, which finds nothing left to do.
    change_push_state(pushes, account, |now| now.note_asked(state.epoch())).await
}

async fn ask(
    (permits, bucket): (&dyn Permits, &dyn Bucket),
    account: &AccountId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let name = format!("{SCHEDULED}/{}.json", now.strftime("%Y-%m-%dT%H-%M-%S%.3fZ"));
    let upload = InboxKey { account: account.clone(), kind: JobKind::PushLists, name };
    let options = UploadOptions::default();
    drop_request((permits, bucket), &upload, b"{}".to_vec(), now, Actor::Schedule, options).await.map(drop)
}
