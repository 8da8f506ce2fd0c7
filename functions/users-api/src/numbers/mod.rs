//! The account's numbers.

pub(crate) mod add;
pub(crate) mod download;
pub(crate) mod holders;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod rotate;
pub(crate) mod summary;

use rollcall_engine::world::Accounts;
use rollcall_model::{
    caller_id::CallerId,
    country::Country,
    inventory::{DUE, MAX_LABELS, NumberFacts},
    numbers::{NumberReader, Reading},
};

use crate::{Api, caller::Caller, problem::Problem};

/// The number that somebody has written, in any spelling that the account's own numbers or its country have.
pub(crate) async fn written(api: &Api, caller: &Caller, number: &str) -> Result<CallerId, Problem> {
    if let Ok(number) = number.parse() {
        return Ok(number);
    }
    match reader(api, caller).await?.read(number) {
        Reading::Number { number, .. } => Ok(number),
        Reading::Refused(_) => Err(Problem::not_found("number")),
    }
}

/// Reads numbers of the account, and any that is valid in its country.
async fn reader(api: &Api, caller: &Caller) -> Result<NumberReader, Problem> {
    let inventory = api.directory.packed_inventory(&caller.account).await?;
    Ok(NumberReader::of_inventory(country(api, caller).await?, inventory).taking_any())
}

/// The country by whose rules the account's national numbers are read.
pub(crate) async fn country(api: &Api, caller: &Caller) -> Result<Country, Problem> {
    Ok(api.directory.settings(&caller.account).await?.country.unwrap_or(api.country))
}

/// A number of a request's field, in any spelling that the reader knows.
pub(crate) fn of_field(reader: &mut NumberReader, written: &str, pointer: &str) -> Result<CallerId, Problem> {
    match reader.read(written) {
        Reading::Number { number, .. } => Ok(number),
        Reading::Refused(code) => {
            Err(Problem::field(pointer, format!("It is no telephone number ({}).", code.as_str())))
        }
    }
}

/// A number of days in service that a list may be asked for.
fn check_due(days: u32) -> Result<(), Problem> {
    if DUE.contains(&days) {
        return Ok(());
    }
    Err(Problem::parameter("due", format!("It is a number of days from {} to {}.", DUE.start(), DUE.end())))
}

fn check(facts: &NumberFacts) -> Result<(), Problem> {
    if facts.labels.len() > MAX_LABELS {
        let detail = format!("A number has {MAX_LABELS} labels at most.");
        return Err(Problem::field("/labels", detail));
    }
    if facts.is_consistent() {
        return Ok(());
    }
    let detail = "resting_until is the day that a resting number's rest ends: it goes with the state \"resting\", and with no other.";
    Err(Problem::field("/resting_until", detail))
}
