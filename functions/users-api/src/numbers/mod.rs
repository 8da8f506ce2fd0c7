//! The account's numbers.

pub(crate) mod add;
pub(crate) mod holders;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod rotate;

use rollcall_model::{caller_id::CallerId, inventory::NumberFacts};

use crate::problem::Problem;

/// The number that a path names.
fn named(number: &str) -> Result<CallerId, Problem> {
    number.parse().map_err(|_| Problem::not_found("number"))
}

/// Labels of one number: an item of the table holds 400 KB, and every append reads the whole inventory.
const MAX_LABELS: usize = 50;

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
