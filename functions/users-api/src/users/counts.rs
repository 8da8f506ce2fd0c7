//! How many users there are, by what they are.

use std::collections::BTreeMap;

use axum::{Json, body::Bytes, extract::State, http::StatusCode};
use jiff::Timestamp;
use rollcall_api_types::UserCounts;
use rollcall_engine::world::{Bucket, Numbers, TableUsage, Users};
use rollcall_model::{
    account::AccountId,
    code::ApiCode,
    inventory::DialableNumbers,
    user::{AgentStatus, Policy, User, WebLogin},
};
use rollcall_storage::directory::UserFilter;
use serde::Deserialize;
use tokio::time::{Duration, Instant};

use crate::{Api, Shared, caller::Caller, problem::Problem, query::Query};

/// How old counts may be, in seconds: they cost a read of every user and its list.
const USUAL_AGE: u64 = 24 * 3_600;
/// Users that are read at a time.
const READS: usize = 1_000;
/// How long counting may take, of the 29 seconds that a request has.
const LONGEST: Duration = Duration::from_secs(24);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// How old they may be; 0 counts anew.
    max_age_seconds: Option<u64>,
}

/// `GET /v1/user-counts`: those that were counted last, or new ones where those are too old.
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Query(Asked { max_age_seconds }): Query<Asked>,
) -> Result<Json<UserCounts>, Problem> {
    let (account, now) = (&caller.account, Timestamp::now());
    let key = format!("exports/{account}/user-counts.json");
    let most = max_age_seconds.unwrap_or(USUAL_AGE);
    let kept = api.files.get(&key).await?.and_then(|kept| serde_json::from_slice::<UserCounts>(&kept).ok());
    let is_fresh = |counts: &UserCounts| {
        let age = now.duration_since(counts.counted_at).as_secs();
        u64::try_from(age).is_ok_and(|age| age < most)
    };
    if let Some(kept) = kept.filter(is_fresh) {
        return Ok(Json(kept));
    }
    let counts = count(&api, account, now).await?;
    let bytes = Bytes::from(serde_json::to_vec(&counts).expect("counts can be written as JSON"));
    api.files.put(&key, "application/json", bytes).await?;
    Ok(Json(counts))
}

async fn count(api: &Api, account: &AccountId, now: Timestamp) -> Result<UserCounts, Problem> {
    let until = Instant::now() + LONGEST;
    let dialable = DialableNumbers::of(&api.directory.inventory(account).await?);
    let zeros = |names: Vec<&str>| names.into_iter().map(|name| (name.to_owned(), 0)).collect::<BTreeMap<_, _>>();
    let mut counts = UserCounts {
        counted_at: now,
        users: 0,
        agent_status: zeros(
            [AgentStatus::Enabled, AgentStatus::Disabled, AgentStatus::Blocked].map(AgentStatus::as_str).to_vec(),
        ),
        web_login: zeros([WebLogin::Active, WebLogin::Blocked].map(WebLogin::as_str).to_vec()),
        policies: zeros([Policy::All, Policy::Department, Policy::Custom].map(Policy::as_str).to_vec()),
        calling_agents: 0,
        with_extension: 0,
        without_numbers: 0,
    };
    let (all, mut after) = (UserFilter::default(), None);
    loop {
        let (users, next) = api.directory.users_page(account, &all, after.as_ref(), READS, READS).await?;
        let logins: Vec<String> = users.iter().map(|user| user.login.folded().into_owned()).collect();
        let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
        let mut lists = api.directory.find_users(account, &logins, until, &mut TableUsage::default()).await?;
        for user in &users {
            let list = lists.remove(&*user.login.folded()).map(|found| found.caller_ids).unwrap_or_default();
            let can_dial = dialable.reach(user.policy, user.profile.department.as_ref(), &list);
            add(&mut counts, user, can_dial);
        }
        after = next;
        if after.is_none() {
            return Ok(counts);
        }
        if Instant::now() > until {
            let detail = "The account has more users than one request can count.";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, ApiCode::Unavailable, detail));
        }
    }
}

fn add(counts: &mut UserCounts, user: &User, can_dial: bool) {
    counts.users += 1;
    *counts.agent_status.entry(user.agent_status.as_str().to_owned()).or_default() += 1;
    *counts.web_login.entry(user.web_login.as_str().to_owned()).or_default() += 1;
    *counts.policies.entry(user.policy.as_str().to_owned()).or_default() += 1;
    counts.calling_agents += usize::from(user.profile.calling_agent);
    counts.with_extension += usize::from(user.profile.extension.is_some());
    counts.without_numbers += usize::from(!can_dial);
}
