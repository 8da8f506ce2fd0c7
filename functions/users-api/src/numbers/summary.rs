//! How the account's numbers stand, at a glance.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use jiff::Timestamp;
use rollcall_api_types::{DepartmentNumbers, NumberSummary};
use rollcall_model::inventory::NumberState;
use serde::Deserialize;

use super::check_due;
use crate::{Shared, caller::Caller, problem::Problem, query::Query};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// From how many days in service on a number is due.
    due: Option<u32>,
}

/// Numbers burn out in 15 to 20 days.
const USUAL: u32 = 15;

/// `GET /v1/numbers/summary`
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Query(Asked { due }): Query<Asked>,
) -> Result<Json<NumberSummary>, Problem> {
    let days = due.unwrap_or(USUAL);
    check_due(days)?;
    let inventory = api.directory.packed_inventory(&caller.account).await?;
    let now = Timestamp::now();
    let mut states = NumberState::ALL.map(|state| (state.as_str(), 0)).into_iter().collect::<BTreeMap<_, _>>();
    let mut departments = BTreeMap::<_, DepartmentNumbers>::new();
    let mut due = 0;
    for item in inventory.iter() {
        *states.entry(item.standing.state.as_str()).or_default() += 1;
        due += usize::from(item.dates.days_in_service(now).is_some_and(|served| served >= days));
        let department = departments.entry(item.standing.department.as_ref()).or_insert_with(|| DepartmentNumbers {
            department: item.standing.department.clone(),
            numbers: 0,
            usable: 0,
        });
        department.numbers += 1;
        department.usable += usize::from(item.standing.state.is_usable());
    }
    let departments = departments.into_values().collect();
    let states = states.into_iter().map(|(state, numbers)| (state.to_owned(), numbers)).collect();
    Ok(Json(NumberSummary { numbers: inventory.len(), states, due_days: days, due, departments }))
}
