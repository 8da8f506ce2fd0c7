//! Pages of lists.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// What a list without filters may be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    pub limit: Option<usize>,
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Serialize)]
pub(crate) struct Page<T> {
    pub items: Vec<T>,
    /// Gives the next page; absent on the last one. A page may be short, or empty, and have a next one: each reads a
    /// bounded part of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Items on a page unless asked otherwise, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;

/// How many items a page has.
pub(crate) fn page_size(limit: Option<usize>) -> Result<usize, Problem> {
    match limit.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit),
        _ => Err(Problem::parameter("limit", format!("A page has 1 to {MOST} items."))),
    }
}
