//! The account's numbers, filtered and sorted.

use axum::{Json, extract::State};
use jiff::Timestamp;
use rollcall_api_types::{NumberView, Page};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{Inventory, InventoryNumber, Listed, NumberState, Purpose},
    user::Ref,
};
use serde::{Deserialize, Serialize};

use super::check_due;
use crate::{Shared, caller::Caller, page::ListQuery, problem::Problem};

/// The list's own parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    /// Numbers in service for so many days or longer.
    due: Option<u32>,
    state: Option<NumberState>,
    department: Option<Ref>,
    purpose: Option<Purpose>,
    /// One of their labels.
    label: Option<Ref>,
    /// Part of the number's digits.
    search: Option<String>,
    #[serde(default)]
    sort: Order,
}

/// In which order numbers are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Order {
    /// By number.
    #[default]
    #[serde(rename = "number")]
    Number,
    /// The shortest time in service first; those out of service come last.
    #[serde(rename = "days")]
    Days,
    /// The longest time in service first; those out of service come last.
    #[serde(rename = "-days")]
    DaysDescending,
}

/// Where a number stands in a list: out of service or not, by its days as the order has them, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place(bool, i64, CallerId);

/// `GET /v1/numbers`: **whatever is asked for, a page costs what the packed inventory does**, since it holds all that is filtered by.
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    ListQuery { filters, page }: ListQuery<Filters>,
) -> Result<Json<Page<NumberView>>, Problem> {
    let list = page.of(&api, &caller, format!("numbers {filters:?}"))?;
    let now = Timestamp::now();
    let wanted = filters.wanted(now)?;
    let after: Option<Place> = list.after().await?;
    let inventory = api.directory.packed_inventory(&caller.account).await?;
    let place = |item: &Listed<'_>| filters.sort.place(item);
    let mut found: Vec<Place> = inventory
        .iter()
        .filter(|item| wanted(item))
        .map(|item| place(&item))
        .filter(|place| after.is_none_or(|after| *place > after))
        .collect();
    found.sort_unstable();
    let next = (found.len() > list.limit).then(|| found[list.limit - 1]);
    found.truncate(list.limit);
    let items = whole(&inventory, &found).map(|number| NumberView::listed(number, now)).collect();
    Ok(Json(list.page(items, next).await?))
}

fn whole<'a>(inventory: &'a Inventory, places: &'a [Place]) -> impl Iterator<Item = InventoryNumber> + use<'a> {
    places.iter().filter_map(|place| inventory.get(place.2))
}

impl Filters {
    /// Whether a number is asked for.
    pub(super) fn wanted(&self, now: Timestamp) -> Result<impl Fn(&Listed<'_>) -> bool, Problem> {
        self.due.map_or(Ok(()), check_due)?;
        let digits = match &self.search {
            Some(search) => Some(digits(search)?),
            None => None,
        };
        Ok(move |item: &Listed<'_>| {
            let Listed { number, standing, dates } = item;
            self.due.is_none_or(|days| dates.days_in_service(now).is_some_and(|served| served >= days))
                && self.state.is_none_or(|state| standing.state == state)
                && self.department.as_ref().is_none_or(|id| standing.department.as_ref() == Some(id))
                && self.purpose.is_none_or(|purpose| standing.purpose == Some(purpose))
                && self.label.as_ref().is_none_or(|label| standing.labels.contains(label))
                && digits.as_ref().is_none_or(|digits| number.digits().contains(digits))
        })
    }
}

/// What is looked for in numbers: people type them with spaces, dashes and a plus sign.
fn digits(search: &str) -> Result<String, Problem> {
    let digits: String = search.chars().filter(|c| !" -().+".contains(*c)).collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::parameter(
            "search",
            "It is a part of a number: digits, which may have spaces and dashes between.",
        ));
    }
    Ok(digits)
}

impl Order {
    fn place(self, item: &Listed<'_>) -> Place {
        let since = item.dates.in_service_since.map(Timestamp::as_second);
        let (out, by) = match (self, since) {
            (Self::Number, _) => (false, 0),
            (_, None) => (true, 0),
            (Self::Days, Some(since)) => (false, -since),
            (Self::DaysDescending, Some(since)) => (false, since),
        };
        Place(out, by, item.number)
    }
}
