//! Users by name, filtered and searched.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_engine::world::{TableUsage, Users};
use rollcall_model::{
    account::AccountId,
    user::{User, fold},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    TIMEOUT,
    item::{ATTRIBUTES, CALLER_IDS, LISTED, SEARCH, read_user},
};
use crate::{
    StorageError,
    directory::{Directory, Item, bulk::Reads, string},
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, user_place, users_index},
};

/// Items that the first query of a filtered list reads, some 100 KB. Where few are found among them, the next reads four times as many.
const FIRST_QUERY: usize = 250;

/// Users of the index, one after the other.
pub(super) struct Stretch {
    pub(super) users: Vec<User>,
    /// Where it goes on; `None` at the end.
    pub(super) next: Option<Place>,
    /// How many items were read.
    pub(super) read: usize,
}

impl Directory {
    /// The account's users by name, without their lists, as far as `reads` items of the index reach. The index follows
    /// changes by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn users_page(
        &self,
        account: &AccountId,
        filter: &UserFilter,
        after: Option<&Place>,
        most: usize,
        reads: usize,
    ) -> Result<(Vec<User>, Option<Place>), StorageError> {
        let Stretch { users, next, .. } = self.stretch(account, filter, Part::All, after, most, reads).await?;
        Ok((users, next))
    }

    /// As [`Self::users_page`], of a part of the users.
    pub(super) async fn stretch(
        &self,
        account: &AccountId,
        filter: &UserFilter,
        part: Part<'_>,
        after: Option<&Place>,
        most: usize,
        reads: usize,
    ) -> Result<Stretch, StorageError> {
        const LISTING: &str = "listing users";
        let conditions = filter.conditions();
        let mut found = Stretch { users: Vec::new(), next: after.cloned(), read: 0 };
        // One more than is wanted shows whether there are others.
        let mut size = if conditions.is_empty() { most.saturating_add(1) } else { FIRST_QUERY };
        loop {
            let left = reads - found.read;
            let lacking = if conditions.is_empty() { most.saturating_add(1) - found.users.len() } else { left };
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(BY_ACCOUNT)
                .key_condition_expression("#accountpk = :accountpk")
                .expression_attribute_names("#accountpk", ACCOUNT_PK)
                .expression_attribute_values(":accountpk", AttributeValue::S(users_index(account)))
                .limit(i32::try_from(left.min(size).min(lacking)).unwrap_or(i32::MAX))
                .set_exclusive_start_key(found.next.as_ref().map(|place| place.key(account)));
            if let Some((condition, values)) = part.condition() {
                query = query
                    .key_condition_expression(format!("#accountpk = :accountpk AND {condition}"))
                    .expression_attribute_names("#accountsk", ACCOUNT_SK);
                for (name, value) in values {
                    query = query.expression_attribute_values(name, AttributeValue::S(value.to_owned()));
                }
            }
            for (name, value, _) in &conditions {
                query = query.expression_attribute_names(format!("#{name}"), *name);
                if let Some(value) = value {
                    query = query.expression_attribute_values(format!(":{name}"), value.clone());
                }
            }
            if !conditions.is_empty() {
                let all = conditions.iter().map(|(.., condition)| condition.as_str()).collect::<Vec<_>>().join(" AND ");
                query = query.filter_expression(all);
            }
            let page = query.send().await.map_err(failed(LISTING))?;
            found.read += usize::try_from(page.scanned_count).unwrap_or(0);
            for item in page.items() {
                let user = read_user(item)?;
                if found.users.len() == most {
                    return Ok(found);
                }
                found.next = Some(Place::of(&user));
                found.users.push(user);
            }
            found.next = page.last_evaluated_key.as_ref().and_then(Place::read);
            if found.next.is_none() || found.read >= reads || found.users.len() == most {
                return Ok(found);
            }
            size = size.saturating_mul(4);
        }
    }

    /// Those of these users whom the filter lets through, by folded login ID, without their lists.
    ///
    /// # Errors
    /// As [`Directory::users_page`].
    pub async fn users_of(
        &self,
        account: &AccountId,
        filter: &UserFilter,
        folded_logins: &[&str],
    ) -> Result<HashMap<String, User>, StorageError> {
        let keys = folded_logins.iter().map(|login| Key::user(account, login));
        let (until, mut usage) = (Instant::now() + TIMEOUT, TableUsage::default());
        let attributes = ATTRIBUTES.into_iter().filter(|name| ![LISTED, CALLER_IDS].contains(name));
        let attributes: Vec<&str> = attributes.chain([SEARCH]).collect();
        let read = |item: &Item| filter.finds(item).then(|| read_user(item)).transpose();
        let reads = Reads { attributes: &attributes, consistent: false };
        let users = self.get_many(keys, reads, until, &mut usage, read).await?;
        Ok(users.into_iter().flatten().map(|user| (user.login.folded().into_owned(), user)).collect())
    }

    /// The account's users by name, with their lists; at most `most`.
    ///
    /// # Errors
    /// As [`Directory::users_page`].
    pub async fn users(&self, account: &AccountId, most: usize) -> Result<Vec<User>, StorageError> {
        let (mut users, _) = self.users_page(account, &UserFilter::default(), None, most, usize::MAX).await?;
        // The index doesn't hold the lists, so that appending to them doesn't write it.
        let logins: Vec<_> = users.iter().map(|user| user.login.folded().into_owned()).collect();
        let logins: Vec<_> = logins.iter().map(String::as_str).collect();
        let until = Instant::now() + TIMEOUT;
        let mut lists = self.find_users(account, &logins, until, &mut TableUsage::default()).await?;
        for user in &mut users {
            if let Some(found) = lists.remove(&*user.login.folded()) {
                user.caller_ids = found.caller_ids;
            }
        }
        Ok(users)
    }
}

/// A part of an account's users, by their places.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    All,
    /// Those that begin so.
    Beginning(&'a str),
    /// From here on, up to there. No place is either of them, since a place holds more than the beginning of a name.
    Range(&'a str, Option<&'a str>),
}

impl<'a> Part<'a> {
    /// The condition that it puts to places, and its values.
    fn condition(self) -> Option<(&'static str, Vec<(&'static str, &'a str)>)> {
        match self {
            Self::All | Self::Range("", None) => None,
            Self::Beginning(beginning) => {
                Some(("begins_with(#accountsk, :beginning)", vec![(":beginning", beginning)]))
            }
            Self::Range("", Some(to)) => Some(("#accountsk < :to", vec![(":to", to)])),
            Self::Range(from, None) => Some(("#accountsk >= :from", vec![(":from", from)])),
            Self::Range(from, Some(to)) => {
                Some(("#accountsk BETWEEN :from AND :to", vec![(":from", from), (":to", to)]))
            }
        }
    }
}

/// Which users are wanted.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Attributes that must have these values.
    pub equal: Vec<(&'static str, FilterValue)>,
    /// With or without an extension.
    pub has_extension: Option<bool>,
    /// Part of the name, the e-mail address or the login ID.
    pub search: Option<String>,
}

/// A value that a filter asks for.
#[derive(Clone, Debug)]
pub enum FilterValue {
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

impl UserFilter {
    /// Whether an item is asked for, but for the search.
    pub(super) fn takes(&self, item: &Item) -> bool {
        let equal = self.equal.iter().all(|(name, value)| match value {
            FilterValue::Text(text) => item.get(*name) == Some(&AttributeValue::S(text.clone())),
            FilterValue::Flag(flag) => item.get(*name) == Some(&AttributeValue::Bool(*flag)),
        });
        equal && self.has_extension.is_none_or(|has| item.contains_key("extension") == has)
    }

    /// Whether an item is asked for.
    fn finds(&self, item: &Item) -> bool {
        let has = |text: &str| string(item, SEARCH).is_some_and(|search| search.contains(&*fold(text)));
        self.takes(item) && self.search.as_deref().is_none_or(has)
    }

    fn conditions(&self) -> Vec<(&'static str, Option<AttributeValue>, String)> {
        let mut conditions: Vec<_> = self
            .equal
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    FilterValue::Text(text) => AttributeValue::S(text.clone()),
                    FilterValue::Flag(flag) => AttributeValue::Bool(*flag),
                };
                (*name, Some(value), format!("#{name} = :{name}"))
            })
            .collect();
        if let Some(has) = self.has_extension {
            let condition = if has { "attribute_exists(#extension)" } else { "attribute_not_exists(#extension)" };
            conditions.push(("extension", None, condition.to_owned()));
        }
        if let Some(search) = &self.search {
            let search = AttributeValue::S(fold(search).into_owned());
            conditions.push((SEARCH, Some(search), format!("contains(#{SEARCH}, :{SEARCH})")));
        }
        conditions
    }
}

/// Where a page of users ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The place among the account's users.
    pub sort: String,
    /// The folded login ID that stands there.
    pub login: String,
}

impl Place {
    /// Where a user stands.
    pub(super) fn of(user: &User) -> Self {
        Self { sort: user_place(user), login: user.login.folded().into_owned() }
    }

    /// Before everybody whose place begins so, or comes later.
    pub(super) fn at(beginning: &str) -> Self {
        Self { sort: beginning.to_owned(), login: String::new() }
    }

    fn key(&self, account: &AccountId) -> Item {
        let mut key: Item = Key::user(account, &self.login).attributes().into();
        key.insert(ACCOUNT_PK.to_owned(), AttributeValue::S(users_index(account)));
        key.insert(ACCOUNT_SK.to_owned(), AttributeValue::S(self.sort.clone()));
        key
    }

    fn read(key: &Item) -> Option<Self> {
        let sort = string(key, ACCOUNT_SK)?;
        let pk = string(key, PK)?;
        // ACCT#a#USER#login: an account's name holds no separator, so the login ID is all that follows the third.
        let login = pk.splitn(4, '#').nth(3)?.to_owned();
        Some(Self { sort, login })
    }
}
