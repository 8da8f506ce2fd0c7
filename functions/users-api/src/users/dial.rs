//! What a switch asks before it lets a call pass, and what it may choose from.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use rollcall_model::{
    caller_id::CallerId,
    dial::{Choices, DialDecision},
    inventory::{Inventory, InventoryNumber},
    numbers::{NumberReader, Reading},
    user::{LoginId, Ref, User},
};
use rollcall_storage::directory::KnownInventory;
use serde::Deserialize;

use crate::{Api, Shared, accept::prefers_text, caller::Caller, numbers::country, problem::Problem, query::Query};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Whether a number to dial from instead is wanted.
    #[serde(default)]
    suggest: bool,
}

/// How long a switch may keep what lets calls pass, in seconds.
const KEEP: &str = "private, max-age=5";
/// How long it may keep a refusal. It is sooner asked about again, since somebody may be mending it.
const KEEP_REFUSAL: &str = "private, max-age=2";
const ALLOWED: HeaderName = HeaderName::from_static("rollcall-allowed");
const USE: HeaderName = HeaderName::from_static("rollcall-use");

/// `GET /v1/users/{login}/caller-ids/{number}`: **200 for every decision**, also about a user or a number that nobody knows. What is wrong with
/// the address or the token has another status, so that a switch that is set up wrongly doesn't take it for a decision.
pub(crate) async fn check(
    State(api): Shared,
    caller: Caller,
    Path((login, number)): Path<(String, String)>,
    headers: HeaderMap,
    Query(Asked { suggest }): Query<Asked>,
) -> Result<Response, Problem> {
    let asked_of = user(&api, &caller, &login).await?;
    decided(&api, &caller, &headers, asked_of, (&number, suggest)).await
}

/// `GET /v1/extensions/{extension}/caller-ids/{number}`: the same about who has an extension, since that is whom a switch knows.
pub(crate) async fn check_extension(
    State(api): Shared,
    caller: Caller,
    Path((extension, number)): Path<(String, String)>,
    headers: HeaderMap,
    Query(Asked { suggest }): Query<Asked>,
) -> Result<Response, Problem> {
    let asked_of = of_extension(&api, &caller, &extension).await?;
    decided(&api, &caller, &headers, asked_of, (&number, suggest)).await
}

/// `GET /v1/users/{login}/choices`: what a call of the user may show, 200 also for a user whom nobody knows.
pub(crate) async fn choices(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
) -> Result<Response, Problem> {
    let (user, known) = user(&api, &caller, &login).await?;
    Ok(to_choose_from(user.as_ref(), &known))
}

/// `GET /v1/extensions/{extension}/choices`: the same of who has an extension.
pub(crate) async fn choices_of_extension(
    State(api): Shared,
    caller: Caller,
    Path(extension): Path<String>,
) -> Result<Response, Problem> {
    let (user, known) = of_extension(&api, &caller, &extension).await?;
    Ok(to_choose_from(user.as_ref(), &known))
}

/// Who is asked about, and the account's numbers.
type AskedOf = (Option<User>, Arc<KnownInventory>);

async fn user(api: &Api, caller: &Caller, login: &str) -> Result<AskedOf, Problem> {
    let login = LoginId::parse(login).map_err(|error| Problem::parameter("login", error.to_string()))?;
    Ok(api.directory.user_with_inventory(&caller.account, &login.folded()).await?)
}

async fn of_extension(api: &Api, caller: &Caller, extension: &str) -> Result<AskedOf, Problem> {
    let extension = Ref::parse(extension).map_err(|error| Problem::parameter("extension", error.to_string()))?;
    Ok(api.directory.extension_with_inventory(&caller.account, &extension).await?)
}

fn to_choose_from(user: Option<&User>, known: &KnownInventory) -> Response {
    let mut response = Json(Choices::of(user, &known.inventory)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(KEEP));
    response
}

async fn decided(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    (user, known): AskedOf,
    (number, suggest): (&str, bool),
) -> Result<Response, Problem> {
    let number = asked_about(api, caller, number, &known.inventory).await?;
    let mut decision = DialDecision::of(user.as_ref(), number, &known.inventory);
    if let Some(user) = user.filter(|_| suggest) {
        decision = decision.suggesting(&user, number, &known.inventory);
    }
    Ok(answer(&decision, prefers_text(headers)))
}

/// The number that is meant: in E.164 form, with or without its plus sign, as switches write it. What is no number of the account so is read by
/// the rules of its country, which takes another request to the table.
async fn asked_about(api: &Api, caller: &Caller, written: &str, inventory: &Inventory) -> Result<CallerId, Problem> {
    let plain = CallerId::from_digits(written.strip_prefix('+').unwrap_or(written));
    match plain {
        Ok(number) if written.starts_with('+') || inventory.get(number).is_some() => return Ok(number),
        _ => {}
    }
    let owned: Vec<InventoryNumber> = inventory.whole().collect();
    match (NumberReader::of_any(country(api, caller).await?, &owned).read(written), plain) {
        (Reading::Number { number, .. }, _) | (Reading::Refused(_), Ok(number)) => Ok(number),
        (Reading::Refused(_), Err(error)) => Err(Problem::parameter("number", error.to_string())),
    }
}

/// The decision, in headers too, or as words: switches read these more easily than JSON.
fn answer(decision: &DialDecision, as_words: bool) -> Response {
    let keep = if decision.allowed { KEEP } else { KEEP_REFUSAL };
    let mut response = if as_words { decision.words().into_response() } else { Json(decision).into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(ALLOWED, HeaderValue::from_static(if decision.allowed { "yes" } else { "no" }));
    if let Some(instead) = decision.instead.and_then(|number| HeaderValue::try_from(number.to_string()).ok()) {
        headers.insert(USE, instead);
    }
    response
}
