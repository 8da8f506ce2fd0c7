//! New numbers.

use rollcall_engine::world::{NumberChange, Numbers};
use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use rollcall_api_types::AddedNumbers;
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts},
    numbers::NumberReader,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{check, of_field, reader as reader_of};
use crate::{
    Shared,
    body::{self, Body},
    caller::Caller,
    problem::Problem,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    numbers: Vec<Map<String, Value>>,
}

/// Numbers that one request adds at most, so that it ends well within a request's time.
const MAX_ADDED: usize = 500;

/// `POST /v1/numbers`
pub(crate) async fn add(
    State(api): Shared,
    caller: Caller,
    Body(New { numbers }): Body<New>,
) -> Result<(StatusCode, Json<AddedNumbers>), Problem> {
    if numbers.is_empty() || numbers.len() > MAX_ADDED {
        let detail = format!("One request adds 1 to {MAX_ADDED} numbers.");
        return Err(Problem::field("/numbers", detail));
    }
    let mut new: Vec<InventoryNumber> = Vec::with_capacity(numbers.len());
    let now = Timestamp::now();
    let mut named = BTreeSet::new();
    let mut reader: Option<NumberReader> = None;
    for (index, mut fields) in numbers.into_iter().enumerate() {
        let at = format!("/numbers/{index}");
        let number = fields.remove("number").unwrap_or_default();
        let number: String = body::read(number).map_err(|problem| problem.at(format!("{at}/number")))?;
        let number: CallerId = match (number.parse(), &mut reader) {
            (Ok(number), _) => number,
            (Err(_), known) => {
                let reader = match known {
                    Some(reader) => reader,
                    None => known.insert(reader_of(&api, &caller).await?),
                };
                of_field(reader, &number, &format!("{at}/number"))?
            }
        };
        if !named.insert(number) {
            return Err(Problem::field(format!("{at}/number"), "The number stands further up in the request."));
        }
        let facts: NumberFacts = body::read(fields.into()).map_err(|problem| problem.within(&at))?;
        check(&facts).map_err(|problem| problem.within(&at))?;
        new.push(InventoryNumber::new(number, facts, now));
    }
    let by = caller.actor();
    let changes: Vec<_> = new.iter().map(|after| NumberChange { before: None, after }).collect();
    let outcomes = api.directory.change_numbers(&caller.account, &changes, &by).await?;
    let outcomes = new.iter().map(|number| number.number).zip(outcomes);
    let (added, taken): (Vec<_>, Vec<_>) = outcomes.partition(|(_, added)| *added);
    let numbers = |outcomes: Vec<(CallerId, bool)>| outcomes.into_iter().map(|(number, _)| number).collect();
    Ok((StatusCode::CREATED, Json(AddedNumbers { added: numbers(added), taken: numbers(taken) })))
}
