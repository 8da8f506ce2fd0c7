//! Lists, page by page.

use axum::{extract::FromRequestParts, http::request::Parts};
use rollcall_api_types::Page;
use rollcall_model::account::AccountId;
use rollcall_storage::StorageError;
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
/// Items that one page is found among, where only some are asked for: what no index knows is found by reading. **Below that, no page is short or
/// empty while there are others.**
const LOOKED_AT: usize = 10_000;

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

    /// The page of those that are wanted. `read` reads items after a place, some at a time, at most as many as it is told, and says whether there
    /// are others behind these. `all` says that each is wanted, so that no more are read than the page holds.
    pub(crate) async fn find<
        T,
        P: Serialize + DeserializeOwned,
        R: Future<Output = Result<(Vec<T>, bool), StorageError>>,
    >(
        &self,
        all: bool,
        read: impl Fn(Option<P>, usize) -> R,
        is_wanted: impl Fn(&T) -> bool,
        place: impl Fn(&T) -> P,
    ) -> Result<Page<T>, Problem> {
        let mut after: Option<P> = self.after().await?;
        let (mut items, mut looked_at) = (Vec::new(), 0);
        loop {
            let most = if all { self.limit - items.len() } else { LOOKED_AT - looked_at };
            let (found, more) = read(after, most).await?;
            looked_at += found.len();
            after = found.last().map(&place);
            let mut found = found.into_iter().filter(&is_wanted);
            items.extend(found.by_ref().take(self.limit - items.len()));
            if found.next().is_some() {
                let next = items.last().map(&place);
                return self.page(items, next).await;
            }
            if !more || items.len() == self.limit || looked_at >= LOOKED_AT {
                return self.page(items, after.filter(|_| more)).await;
            }
        }
    }

    /// A page, and the place after which the next one begins.
    pub(crate) async fn page<T>(&self, items: Vec<T>, next: Option<impl Serialize>) -> Result<Page<T>, Problem> {
        Ok(Page { items, next: self.api.cursor(self.account, &self.name, next).await? })
    }
}
