//! The rows of a push: the marked users.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use rollcall_bulk::{
    job::Failure,
    note::Note,
    push::{self, Brake, FoundUser, Roster, Wanted},
};
use rollcall_model::{
    caller_id::CallerId,
    jobs::ObjectVersion,
    push::{Mark, Told},
};

use super::{Look, Work, look, mark_pages};
use crate::{
    Attempt, Interrupt,
    world::{NewMark, PhoneSystemClient, TableUsage},
};

/// Users that are looked at together: with 5,000 numbers each, some 20 MB.
const TOGETHER: usize = 200;

/// Users that are marked before the clock is looked at.
const MARKED: usize = 50;

/// Writes a row for each user of whom the phone system is to be told, numbers that go off first; `None` where there is none. Holds what would take too
/// much. **A preview marks nobody.**
pub(super) async fn rows(
    attempt: &mut Attempt<'_>,
    work: &Work,
    everybody: Option<String>,
) -> Result<Option<ObjectVersion>, Interrupt> {
    let marks = marks(attempt, work, everybody).await?;
    if marks.is_empty() {
        return Ok(None);
    }
    let Some(client) = &work.client else { return Ok(None) };
    let mut rows = attempt.begin_rows();
    rows.csv.record(push::HEADER);
    let mut extent = Extent { brake: work.running().brake, ..Extent::default() };
    let mut roster: Option<Roster> = None;
    for logins in marks.chunks(TOGETHER) {
        attempt.check_time()?;
        let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
        let mut looks = look(attempt, work.system, &logins, &mut TableUsage::default()).await?;
        for login in logins {
            let look = looks.remove(login).unwrap_or_default();
            let told = look.told.as_ref();
            // It may know the user by another name now.
            let is_unsure = look.mark.as_ref().is_some_and(|mark| mark.unsure);
            let known = told.and_then(|told| told.user.clone()).filter(|_| !work.retry && !is_unsure);
            let found = if let Some(id) = known {
                FoundUser::One(id)
            } else {
                if roster.is_none() {
                    roster = Some(read_roster(attempt, &**client).await?);
                }
                roster.as_ref().map_or(FoundUser::None, |roster| roster.find(login, look.user.as_ref()))
            };
            let wanted = Wanted::of(look.user.as_ref(), told, &work.inventory, &work.owned);
            extent.add(&wanted, told, &look);
            push::write_row(&mut rows.csv, login, &found, &wanted.diff_from_told(told, work.system));
            rows.pass_on().await?;
        }
    }
    let held = extent.held(work);
    match held.filter(|_| !work.confirmed) {
        Some(reason) if attempt.writes() => return Err(Interrupt::Ends(Failure::OnHold { reason })),
        Some(reason) => attempt.job.note([Note::safety_threshold(&reason)]),
        None => {}
    }
    Ok(Some(rows.finish().await?))
}

async fn read_roster(attempt: &Attempt<'_>, client: &dyn PhoneSystemClient) -> Result<Roster, Interrupt> {
    let side = client.roster(attempt.until).await.map_err(|failure| attempt.system_failed(failure))?;
    if side.users.is_empty() {
        return Err(Interrupt::refused("The phone system says that it has no users at all. Nothing was told."));
    }
    Ok(Roster::of(side))
}

/// What the push takes, and what the phone system lacks of what it is to be told.
#[derive(Default)]
struct Extent {
    brake: Brake,
    wanted: HashSet<CallerId>,
    missing: HashSet<CallerId>,
}

impl Extent {
    fn add(&mut self, wanted: &Wanted, told: Option<&Told>, look: &Look) {
        self.brake.add(Brake::has(told), wanted.list.len(), look.user.is_none());
        self.wanted.extend(&wanted.list);
        self.missing.extend(&wanted.missing);
    }

    fn held(&self, work: &Work) -> Option<String> {
        let missing = self.missing.len();
        let over_missing = Brake::held_over_missing(missing, self.wanted.len() + missing);
        over_missing.or_else(|| self.brake.held(work.threshold))
    }
}

/// The marked users, by folded login ID: those first who may lose numbers, then those who wait for longest.
async fn marks(attempt: &Attempt<'_>, work: &Work, everybody: Option<String>) -> Result<Vec<String>, Interrupt> {
    let (world, account) = (attempt.world, attempt.account());
    // What a preview would have marked.
    let mut marked: Vec<String> = work.named.iter().cloned().collect();
    if let Some(everybody) = everybody.filter(|_| work.named.is_empty()) {
        let changed = changed(attempt, work).await?;
        if attempt.writes() {
            // After the marks: who dies in between looks again.
            world.pushes.unmark_everybody(account, &everybody).await?;
        }
        marked.extend(changed);
    }
    let mut marks: Vec<Mark> = Vec::new();
    let mut pages = mark_pages(&*world.pushes, account);
    while let Some(page) = pages.try_next().await? {
        attempt.check_time()?;
        let is_due = |mark: &Mark| {
            let waits = mark.failed.is_none() || work.retry;
            waits && (work.named.is_empty() || work.named.contains(&mark.login))
        };
        marks.extend(page.into_iter().filter(is_due));
    }
    marks.sort_by(|a, b| (!a.removes, a.since, &a.login).cmp(&(!b.removes, b.since, &b.login)));
    let mut logins: Vec<String> = marks.into_iter().map(|mark| mark.login).collect();
    if !attempt.writes() {
        let known: HashSet<String> = logins.iter().cloned().collect();
        marked.retain(|login| !known.contains(login));
        marked.sort_unstable();
        logins.extend(marked);
    }
    Ok(logins)
}

/// Marks those whom somebody has named, and those of whom the phone system was told in vain, if somebody wants them to be tried again.
pub(super) async fn mark_asked(attempt: &Attempt<'_>, named: &HashSet<String>, retry: bool) -> Result<(), Interrupt> {
    let mut asked: Vec<String> = named.iter().cloned().collect();
    if retry {
        let failed = failed(attempt).await?;
        asked.extend(failed.into_iter().filter(|login| named.is_empty() || named.contains(login)));
    }
    asked.sort_unstable();
    asked.dedup();
    mark_all(attempt, &asked).await
}

/// Those of whom the phone system was told in vain.
async fn failed(attempt: &Attempt<'_>) -> Result<Vec<String>, Interrupt> {
    let mut failed = Vec::new();
    let mut pages = mark_pages(&*attempt.world.pushes, attempt.account());
    while let Some(page) = pages.try_next().await? {
        attempt.check_time()?;
        failed.extend(page.into_iter().filter(|mark| mark.failed.is_some()).map(|mark| mark.login));
    }
    Ok(failed)
}

async fn mark_all(attempt: &Attempt<'_>, logins: &[String]) -> Result<(), Interrupt> {
    let sequence = format!("job:{}", attempt.job.id);
    let new = |login: &String| NewMark { login: login.clone(), sequence: sequence.clone(), removes: false };
    let marks: Vec<NewMark> = logins.iter().map(new).collect();
    for marks in marks.chunks(MARKED) {
        attempt.check_time()?;
        attempt.world.pushes.mark(attempt.account(), marks, attempt.world.now()).await?;
    }
    Ok(())
}

/// Everybody of whom the phone system was told something else than what the user may dial from now; those among them whom we have deleted, since it may
/// be a phone system that the account comes back to.
async fn changed(attempt: &Attempt<'_>, work: &Work) -> Result<Vec<String>, Interrupt> {
    let (world, account) = (attempt.world, attempt.account());
    let mut changed: Vec<String> = Vec::new();
    let told = world.pushes.told_users(account, work.system).await?;
    let mut gone: HashSet<String> = told.into_iter().map(|(login, _)| login).collect();
    let mut after: Option<String> = None;
    loop {
        let (logins, next) = world.pushes.logins_after(account, after.as_deref()).await?;
        differing(attempt, work, &logins, &mut changed).await?;
        for login in &logins {
            gone.remove(login);
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    let mut gone: Vec<String> = gone.into_iter().collect();
    gone.sort_unstable();
    differing(attempt, work, &gone, &mut changed).await?;
    Ok(changed)
}

/// Adds those of the users of whom the phone system was told something else, and marks them, but for those who are marked: an attempt that goes on has
/// the fewer left. Whom the phone system doesn't have is left to the resync, which sees who comes.
async fn differing(
    attempt: &Attempt<'_>,
    work: &Work,
    logins: &[String],
    changed: &mut Vec<String>,
) -> Result<(), Interrupt> {
    for logins in logins.chunks(TOGETHER) {
        attempt.check_time()?;
        let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
        let looks = look(attempt, work.system, &logins, &mut TableUsage::default()).await?;
        let differs = |look: &Look| {
            let told = look.told.as_ref();
            let wanted = Wanted::of(look.user.as_ref(), told, &work.inventory, &work.owned);
            let is_absent = look.mark.is_none() && told.is_some_and(|told| told.user.is_none());
            !is_absent && !wanted.is_told(told, work.system)
        };
        let is_pending = |look: &Look| look.mark.as_ref().is_some_and(|mark| mark.failed.is_none());
        let differing = looks.into_iter().filter(|(_, look)| differs(look) && !is_pending(look));
        let differing: Vec<String> = differing.map(|(login, _)| login).collect();
        if attempt.writes() {
            mark_all(attempt, &differing).await?;
        }
        changed.extend(differing);
    }
    Ok(())
}
