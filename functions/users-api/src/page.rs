//! Lists, page by page.

use axum::{extract::FromRequestParts, http::request::Parts};
use rollcall_api_types::Page;
use rollcall_model::account::AccountId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Api,
    caller::Caller,
    problem::Problem,
    query::{check_each_is_given_once, read},
};

/// What a list is asked for.
pub(crate) struct ListQuery<F> {
    /// The parameters that are the list's own.
    pub filters: F,
    /// Which page.
    pub page: PageQuery,
}

/// Which page of a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PageQuery {
    /// How many items it has at most.
    pub limit: Option<usize>,
    /// Where it begins, as the page before has said.
    pub cursor: Option<String>,
}

/// A list that takes no parameters of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFilters {}

/// One list of an account, of which a page is asked for.
pub(crate) struct List<'a> {
    api: &'a Api,
    account: &'a AccountId,
    /// Which list it is, with its filters.
    name: String,
    cursor: Option<String>,
    /// How many items the page has at most.
    pub limit: usize,
}

/// Items on a page unless asked otherwise, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;
/// Items that one page is found among, where only some are asked for: what no index knows is found by reading.
const LOOKED_AT: usize = 1_000;

impl<S: Sync, F: DeserializeOwned> FromRequestParts<S> for ListQuery<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        check_each_is_given_once(query)?;
        // Apart, since `serde(flatten)` reads no numbers from a query, and takes parameters that nothing has.
        let of_page = |pair: &&str| {
            let pair = form_urlencoded::parse(pair.as_bytes()).next();
            pair.is_some_and(|(name, _)| ["limit", "cursor"].contains(&&*name))
        };
        let (page, filters): (Vec<&str>, Vec<&str>) = query.split('&').partition(of_page);
        Ok(Self { page: read(&page.join("&"))?, filters: read(&filters.join("&"))? })
    }
}

impl PageQuery {
    /// The list that it asks for. `name` says which one, with its filters: a cursor belongs to one list.
    pub(crate) fn of<'a>(self, api: &'a Api, caller: &'a Caller, name: impl Into<String>) -> Result<List<'a>, Problem> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => {
                Ok(List { api, account: &caller.account, name: name.into(), cursor: self.cursor, limit })
            }
            _ => Err(Problem::parameter("limit", format!("A page has 1 to {MOST} items."))),
        }
    }
}

impl List<'_> {
    /// The place after which the page begins; `None` for the first one.
    pub(crate) async fn after<P: DeserializeOwned>(&self) -> Result<Option<P>, Problem> {
        self.api.place(self.account, &self.name, self.cursor.as_deref()).await
    }

    /// How many items are read for the page, where each is wanted or only some are.
    pub(crate) fn reads(&self, are_all_wanted: bool) -> usize {
        if are_all_wanted { self.limit } else { LOOKED_AT }
    }

    /// The page of those that are wanted among the items that were read; `more` says that there are others behind these.
    pub(crate) async fn find<T, P: Serialize>(
        &self,
        read: Vec<T>,
        more: bool,
        is_wanted: impl Fn(&T) -> bool,
        place: impl Fn(&T) -> P,
    ) -> Result<Page<T>, Problem> {
        let reached = read.last().map(&place).filter(|_| more);
        let mut found = read.into_iter().filter(is_wanted);
        let items: Vec<T> = found.by_ref().take(self.limit).collect();
        let next = if found.next().is_some() { items.last().map(place) } else { reached };
        self.page(items, next).await
    }

    /// A page, and the place after which the next one begins.
    pub(crate) async fn page<T>(&self, items: Vec<T>, next: Option<impl Serialize>) -> Result<Page<T>, Problem> {
        Ok(Page { items, next: self.api.cursor(self.account, &self.name, next).await? })
    }
}
