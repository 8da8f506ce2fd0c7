//! A user's list of caller IDs, and what comes of it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use rollcall_api_types::{AppendRequest, AppendView, CallerIdsView, RefusedCallerId};
use rollcall_bulk::append::{AppendPlan, LoginLookup};
use rollcall_engine::world::{Accounts, ListNumbers, Lists, TableUsage};
use rollcall_model::{
    caller_id::CallerId,
    code::{ApiCode, RowCode},
    dial::default_of,
    numbers::{NumberReader, Reading},
    phone_side::DialPermission,
};
use tokio::time::{Duration, Instant};

use super::{find, find_with_inventory, nobody};
use crate::{
    Api, Shared,
    body::Body,
    caller::Caller,
    numbers::written,
    preconditions::{tag_of, tagged_with},
    problem::Problem,
};

/// `GET /v1/users/{login}/caller-ids`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (user, known) = find_with_inventory(&api, &caller, &login).await?;
    let permission = DialPermission::of(&user);
    // Appends don't raise the user's version, so the tag is of the list itself.
    let said = (user.profile.default_caller_id, &user.caller_ids);
    let tag = tag_of(&(known.stamp, user.policy, &permission.department, said));
    Ok(tagged_with(&headers, &tag, || {
        let effective = known.inventory.allowed(&permission);
        let default = default_of(&user, &known.inventory);
        CallerIdsView { policy: user.policy, caller_ids: user.caller_ids, effective, default }
    }))
}

/// Numbers that one request appends at most; more are a bulk job.
const MAX_APPENDED: usize = 1_000;
/// Longest text that is read for a number, in characters: a provider's spelling has no more.
const MAX_WRITTEN: usize = 256;
/// How long the table may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `POST /v1/users/{login}/caller-ids`: appends, and removes nothing.
pub(crate) async fn append(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
    Body(AppendRequest { caller_ids }): Body<AppendRequest>,
) -> Result<Json<AppendView>, Problem> {
    if caller_ids.len() > MAX_APPENDED {
        let detail = format!("One request appends {MAX_APPENDED} numbers at most. Drop a file for more.");
        return Err(Problem::field("/caller_ids", detail));
    }
    if let Some(index) = caller_ids.iter().position(|written| written.chars().count() > MAX_WRITTEN) {
        let detail = format!("A number is written with {MAX_WRITTEN} characters at most.");
        return Err(Problem::field(format!("/caller_ids/{index}"), detail));
    }
    let (mut user, known) = find_with_inventory(&api, &caller, &login).await?;
    let settings = api.directory.settings(&caller.account).await?;
    let country = settings.country.unwrap_or(api.country);
    let mut reader = NumberReader::of_inventory(country, Arc::clone(&known.inventory));
    let mut outcome = AppendView::default();
    let mut wanted: Vec<CallerId> = Vec::new();
    for written in caller_ids {
        match reader.read(&written) {
            Reading::Number { number, .. } if wanted.contains(&number) => {}
            Reading::Number { number, .. } => wanted.push(number),
            Reading::Refused(code) => outcome.refused.push(RefusedCallerId { value: written, code }),
        }
    }
    let (limit, until) = (settings.list_limit, Instant::now() + TIMEOUT);
    let mut plan = loop {
        let standing = LoginLookup::User(user.policy);
        let mut plan =
            AppendPlan::decide(&user.login.folded(), standing, &user.caller_ids, wanted.iter().copied(), limit);
        plan.created = user.created;
        if plan.add.is_empty() || add(&api, &caller, &mut plan, limit, until).await? {
            break plan;
        }
        if Instant::now() > until {
            let detail = "Others change the list all the time. Please try again in a moment.";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, ApiCode::Unavailable, detail));
        }
        // Others have added to the list meanwhile, or the user has been deleted.
        user = find(&api, &caller, &login).await?;
    };
    if !plan.add.is_empty() {
        retract(&api, &caller, &mut plan, until).await?;
    }
    let refused = |code| move |number: &CallerId| RefusedCallerId { value: number.to_string(), code };
    outcome.refused.extend(plan.over_limit.iter().map(refused(RowCode::ListLimit)));
    outcome.refused.extend(plan.retracted.iter().map(refused(RowCode::NumberRetired)));
    (outcome.added, outcome.already_allowed) = (plan.add, plan.already_present);
    Ok(Json(outcome))
}

/// Carries a plan out. Whether that could be done: otherwise it is to be decided again.
async fn add(api: &Api, caller: &Caller, plan: &mut AppendPlan, limit: usize, until: Instant) -> Result<bool, Problem> {
    let (additions, mut usage) = ([list_numbers(plan, &plan.add)], TableUsage::default());
    let (account, by) = (&caller.account, caller.actor());
    let done = api.directory.add_caller_ids(account, &additions, Some(limit), &by, until, &mut usage).await?;
    if !done.not_storable.is_empty() {
        return Err(Problem::not_storable());
    }
    if !done.too_large.is_empty() {
        plan.over_limit.append(&mut plan.add);
    }
    Ok(done.outdated.is_empty())
}

fn list_numbers<'a>(plan: &'a AppendPlan, numbers: &'a [CallerId]) -> ListNumbers<'a> {
    ListNumbers { login: &plan.login, created: plan.created, numbers }
}

/// Takes numbers off the list again that a rotation has begun to retire since they were looked at. It may have passed this user
/// before they were added.
async fn retract(api: &Api, caller: &Caller, plan: &mut AppendPlan, until: Instant) -> Result<(), Problem> {
    let now = api.directory.numbers(&caller.account, &plan.add, until).await?;
    let gone: Vec<CallerId> = now.iter().filter(|item| !item.is_assignable()).map(|item| item.number).collect();
    if !gone.is_empty() {
        let removals = [list_numbers(plan, &gone)];
        api.directory
            .remove_caller_ids(&caller.account, &removals, &caller.actor(), until, &mut TableUsage::default())
            .await?;
        plan.retracted.extend(plan.add.extract_if(.., |number| gone.contains(number)));
    }
    Ok(())
}

/// `DELETE /v1/users/{login}/caller-ids/{number}`: done once or twice, the number is off the list.
pub(crate) async fn remove(
    State(api): Shared,
    caller: Caller,
    Path((login, number)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let number = written(&api, &caller, &number).await?;
    let user = find(&api, &caller, &login).await?;
    if api.directory.remove_caller_id(&caller.account, &user.login.folded(), number, &caller.actor()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(nobody())
    }
}
