//! Which phone system the account has, and how what it is told stands.

use std::collections::HashSet;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use rollcall_api_types::{
    PhoneSystemChoice, PhoneSystemView, PushView, RequestedJob, SettingsFields, SettingsView, SwitchView,
};
use rollcall_bulk::push::PushRequest;
use rollcall_engine::{
    change_push_state,
    kinds::mark_pages,
    world::{Accounts, Jobs, Pushes, TableUsage},
};
use rollcall_model::{
    jobs::JobKind,
    push::{SwitchState, Verified},
    settings::PhoneSystem,
    user::{LoginId, User},
};
use tokio::time::{Duration, Instant};

use crate::{Api, Shared, ask, body::Body, caller::Caller, problem::Problem, settings::change};

/// How long a person waits for what was told of one user.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `GET /v1/phone-system`
pub(crate) async fn get(State(api): Shared, caller: Caller) -> Result<Json<PhoneSystemView>, Problem> {
    let system = api.directory.settings(&caller.account).await?.phone_system;
    let push = if system.takes_lists() { Some(push(&api, &caller, system).await?) } else { None };
    Ok(Json(PhoneSystemView { system, push }))
}

/// `PUT /v1/phone-system`: mappings stay as they are until the next resync.
pub(crate) async fn put(
    State(api): Shared,
    caller: Caller,
    Body(chosen): Body<PhoneSystemChoice>,
) -> Result<Json<PhoneSystemChoice>, Problem> {
    let choose = |before| Ok(SettingsFields { phone_system: chosen.system, ..SettingsView::from(before).fields });
    change(&api, &caller, &HeaderMap::new(), choose).await?;
    Ok(Json(chosen))
}

/// `POST /v1/phone-system/push`
pub(crate) async fn ask(
    State(api): Shared,
    caller: Caller,
    Body(request): Body<PushRequest>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    for (at, login) in request.logins.iter().enumerate() {
        let pointer = format!("/logins/{at}");
        LoginId::parse(login).map_err(|error| Problem::field(&pointer, format!("{error}.")))?;
    }
    let json = serde_json::to_vec(&request).expect("a request can be written as JSON");
    ask::ask(&api, caller, JobKind::PushLists, "push.json", json).await
}

/// `PUT /v1/phone-system/verified`: what a person has seen the phone system do.
pub(crate) async fn verify(
    State(api): Shared,
    caller: Caller,
    Body(verified): Body<Verified>,
) -> Result<Json<Verified>, Problem> {
    change_push_state(&api.directory, &caller.account, |state| state.verified = verified.clone()).await?;
    Ok(Json(verified))
}

async fn push(api: &Api, caller: &Caller, system: PhoneSystem) -> Result<PushView, Problem> {
    let (table, account) = (&api.directory, &caller.account);
    let state = table.push_state(account).await?.unwrap_or_default().value;
    let (mut marked, mut failed, mut oldest) = (HashSet::new(), 0, None);
    let mut pages = mark_pages(table, account);
    while let Some(page) = pages.try_next().await? {
        failed += page.iter().filter(|mark| mark.failed.is_some()).count();
        let since = page.iter().filter(|mark| mark.failed.is_none()).map(|mark| mark.since).min();
        oldest = oldest.into_iter().chain(since).min();
        marked.extend(page.into_iter().map(|mark| mark.login));
    }
    let (mut in_step, mut not_there) = (0, 0);
    for (login, is_there) in table.told_users(account, system).await? {
        if !marked.contains(&login) {
            *(if is_there { &mut in_step } else { &mut not_there }) += 1;
        }
    }
    let job = state.pushing(Timestamp::now()).cloned();
    let record = match &job {
        Some(job) => table.job(account, job).await?,
        None => None,
    };
    Ok(PushView {
        in_step,
        pending: marked.len() - failed,
        failed,
        not_there,
        everybody: table.everybody(account).await?.is_some(),
        oldest_pending_at: oldest,
        ends_about: record.and_then(|job| job.ends_about),
        job,
        stopped: state.stopped,
        verified: state.verified,
    })
}

/// How a user's list stands in the account's phone system; `None` where that takes none, and nothing was told.
pub(crate) async fn switch_of(
    api: &Api,
    caller: &Caller,
    user: &User,
    system: PhoneSystem,
) -> Result<Option<SwitchView>, Problem> {
    let (table, account) = (&api.directory, &caller.account);
    if !system.takes_lists() {
        return Ok(None);
    }
    let login = user.login.folded();
    let (until, logins) = (Instant::now() + TIMEOUT, [&*login]);
    let mut usage = [TableUsage::default(), TableUsage::default()];
    let [of_marks, of_told] = &mut usage;
    let (mut marks, mut told, state) = tokio::try_join!(
        table.marks_of(account, &logins, until, of_marks),
        table.told_of(account, system, &logins, until, of_told),
        table.push_state(account),
    )?;
    let (mark, told) = (marks.remove(&*login), told.remove(&*login));
    let verified = state.unwrap_or_default().value.verified;
    Ok(SwitchState::of(mark.as_ref(), told.as_ref(), system, &verified).map(|state| SwitchView {
        state,
        since: mark.as_ref().map(|mark| mark.since),
        told_at: told.as_ref().map(|told| told.at),
        told: told.as_ref().map(|told| told.count),
        missing: told.as_ref().map(|told| told.missing).filter(|missing| *missing > 0),
        code: mark.and_then(|mark| mark.failed),
    }))
}
