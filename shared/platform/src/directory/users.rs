//! Users, by name and by login ID.

use std::time::Duration;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, Put, TransactWriteItem, Update},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    email::EmailAddress,
    user::{LoginId, Policy, Ref, User, fold},
};
use tokio::time::Instant;

use super::{BulkWork, Directory, Item, bulk::Patience, document, string};
use crate::{
    Error, Kind,
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, users_index},
};

/// How long a person waits for users to be shown.
const PATIENCE: Duration = Duration::from_secs(30);
/// Transactions in flight while users are created.
const IN_FLIGHT: usize = 4;

const READING: &str = "reading users";
pub(super) const CALLER_IDS: &str = "caller_ids";
/// What a user is read from.
const ATTRIBUTES: [&str; 15] = [
    "login",
    "name",
    "email",
    "call_forward_number",
    "calling_agent",
    "extension",
    "role",
    "department",
    "team",
    "designation",
    "agent_status",
    "web_login",
    "policy",
    "version",
    CALLER_IDS,
];

impl Directory {
    /// Creates users; login IDs and e-mail addresses that are taken are left as they are. Gives the number created.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn create_users(&self, account: &AccountId, users: &[User]) -> Result<usize, Error> {
        /// A transaction takes 100 items, and a user is up to two: itself, and the claim on its e-mail address.
        const BATCH: usize = 50;
        let mut batches = stream::iter(users.chunks(BATCH))
            .map(|batch| async move {
                match self.create_together(account, batch).await {
                    Ok(()) => Ok(batch.len()),
                    Err(error) if error.kind == Kind::Conflict => self.create_one_by_one(account, batch).await,
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(IN_FLIGHT);
        let mut created = 0;
        while let Some(count) = batches.try_next().await? {
            created += count;
        }
        Ok(created)
    }

    async fn create_one_by_one(&self, account: &AccountId, users: &[User]) -> Result<usize, Error> {
        let mut created = 0;
        for user in users {
            match self.create_together(account, std::slice::from_ref(user)).await {
                Ok(()) => created += 1,
                Err(error) if error.kind == Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(created)
    }

    async fn create_together(&self, account: &AccountId, users: &[User]) -> Result<(), Error> {
        let items = users.iter().flat_map(|user| self.create_items(account, user)).collect();
        self.transact(items, "creating users").await
    }

    fn create_items(&self, account: &AccountId, user: &User) -> Vec<TransactWriteItem> {
        let claim = user.profile.email.as_ref().map(|email| self.put_new(email_claim(account, email, &user.login)));
        [self.put_new(user_item(account, user))].into_iter().chain(claim).collect()
    }

    fn put_new(&self, item: Item) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .expect("table and item have been given");
        TransactWriteItem::builder().put(put).build()
    }

    /// Those of the login IDs that are users, in the order asked for.
    ///
    /// # Errors
    /// As [`Directory::find_users`].
    pub async fn named_users(&self, account: &AccountId, folded_logins: &[&str]) -> Result<Vec<User>, Error> {
        let mut asked: Vec<&str> = Vec::with_capacity(folded_logins.len());
        for login in folded_logins {
            // A read that names a key twice is refused.
            if !asked.contains(login) {
                asked.push(login);
            }
        }
        let keys = asked.iter().map(|login| Key::user(account, login));
        let until = Instant::now() + PATIENCE;
        let items = self.get_many(keys, &ATTRIBUTES, until, &mut BulkWork::default()).await?;
        let mut users = items.iter().map(read_user).collect::<Result<Vec<_>, _>>()?;
        users.sort_by_cached_key(|user| asked.iter().position(|login| *login == user.login.folded()));
        Ok(users)
    }

    /// A user, as it is now.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn user(&self, account: &AccountId, folded_login: &str) -> Result<Option<User>, Error> {
        let key = Key::user(account, folded_login).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        read.send().await.map_err(failed(READING))?.item.as_ref().map(read_user).transpose()
    }

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
    ) -> Result<(Vec<User>, Option<Place>), Error> {
        /// Items that one query reads at most: some 100 KB.
        const QUERY: usize = 250;
        const LISTING: &str = "listing users";
        let mut users = Vec::new();
        let mut after = after.cloned();
        let mut left = reads;
        loop {
            let reading = left.min(QUERY);
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(BY_ACCOUNT)
                .key_condition_expression("#accountpk = :accountpk")
                .expression_attribute_names("#accountpk", ACCOUNT_PK)
                .expression_attribute_values(":accountpk", AttributeValue::S(users_index(account)))
                .limit(i32::try_from(reading).unwrap_or(i32::MAX))
                .set_exclusive_start_key(after.as_ref().map(|place| place.key(account)));
            let conditions = filter.conditions();
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
            for item in page.items() {
                let user = read_user(item)?;
                if users.len() == most {
                    return Ok((users, after));
                }
                after = Some(Place { sort: index_place(&user), login: user.login.folded().into_owned() });
                users.push(user);
            }
            left -= reading;
            match page.last_evaluated_key.as_ref().and_then(Place::read) {
                None => return Ok((users, None)),
                Some(place) if left == 0 || users.len() == most => {
                    return Ok((users, Some(place)));
                }
                Some(place) => after = Some(place),
            }
        }
    }

    /// The account's users by name, with their lists; at most `most`.
    ///
    /// # Errors
    /// As [`Directory::users_page`].
    pub async fn users(&self, account: &AccountId, most: usize) -> Result<Vec<User>, Error> {
        let (mut users, _) = self.users_page(account, &UserFilter::default(), None, most, usize::MAX).await?;
        // The index doesn't hold the lists, so that appending to them doesn't write it.
        let logins: Vec<_> = users.iter().map(|user| user.login.folded().into_owned()).collect();
        let logins: Vec<_> = logins.iter().map(String::as_str).collect();
        let until = Instant::now() + PATIENCE;
        let mut lists = self.find_users(account, &logins, until, &mut BulkWork::default()).await?;
        for user in &mut users {
            if let Some(found) = lists.remove(&*user.login.folded()) {
                user.caller_ids = found.caller_ids;
            }
        }
        Ok(users)
    }

    /// Who has an e-mail address: a folded login ID.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn email_owner(&self, account: &AccountId, email: &EmailAddress) -> Result<Option<String>, Error> {
        let key = Key::email(account, &email.folded()).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let item = read.send().await.map_err(failed("looking an e-mail address up"))?.item;
        Ok(item.and_then(|item| string(&item, "owner")))
    }

    /// Creates one user.
    ///
    /// # Errors
    /// [`Taken`] in the outcome says what of it another user has; otherwise when the table can't be written.
    pub async fn create_user(&self, account: &AccountId, user: &User) -> Result<Result<(), Taken>, Error> {
        match self.create_together(account, std::slice::from_ref(user)).await {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.kind == Kind::Conflict => {
                let there = self.user(account, &user.login.folded()).await?;
                Ok(Err(if there.is_some() { Taken::Login } else { Taken::Email }))
            }
            Err(error) => Err(error),
        }
    }

    /// Replaces what is known of a user, but its list, if it is still at the version before `user`'s. Appends that come
    /// between are kept.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn update_user(
        &self,
        account: &AccountId,
        before: &User,
        user: &User,
    ) -> Result<Result<(), Stale>, Error> {
        const OPERATION: &str = "changing a user";
        let mut update = Update::builder().table_name(&self.table);
        let key: Item = Key::user(account, &user.login.folded()).attributes().into();
        let (mut sets, mut removes) = (Vec::new(), Vec::new());
        for (name, value) in attributes(account, user) {
            update = update.expression_attribute_names(format!("#{name}"), name);
            if let Some(value) = value {
                sets.push(format!("#{name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), value);
            } else {
                removes.push(format!("#{name}"));
            }
        }
        let mut expression = format!("SET {}", sets.join(", "));
        if !removes.is_empty() {
            expression.push_str(&format!(" REMOVE {}", removes.join(", ")));
        }
        let update = update
            .set_key(Some(key))
            .update_expression(expression)
            .condition_expression("#version = :before")
            .expression_attribute_values(":before", AttributeValue::N(before.version.to_string()))
            .build()
            .map_err(|error| Error::unreadable(OPERATION, error))?;
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        let address = |user: &User| user.profile.email.as_ref().map(|email| email.folded().into_owned());
        if address(before) != address(user) {
            if let Some(email) = &user.profile.email {
                items.push(self.put_new(email_claim(account, email, &user.login)));
            }
            if let Some(email) = address(before) {
                items.push(self.delete(Key::email(account, &email), None)?);
            }
        }
        self.change(items, OPERATION).await
    }

    /// Deletes a user, if it is still at this version.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn delete_user(&self, account: &AccountId, user: &User) -> Result<Result<(), Stale>, Error> {
        let mut items = vec![self.delete(Key::user(account, &user.login.folded()), Some(user.version))?];
        if let Some(email) = &user.profile.email {
            items.push(self.delete(Key::email(account, &email.folded()), None)?);
        }
        self.change(items, "deleting a user").await
    }

    /// Takes one number off a user's list. `false` when there is no such user.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn remove_caller_id(
        &self,
        account: &AccountId,
        folded_login: &str,
        number: CallerId,
    ) -> Result<bool, Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::user(account, folded_login).attributes().into()))
            .update_expression(format!("DELETE {CALLER_IDS} :number"))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":number", AttributeValue::Ss(vec![number.to_string()]));
        match update.send().await.map_err(failed("taking a number off a list")) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn delete(&self, key: Key, version: Option<u64>) -> Result<TransactWriteItem, Error> {
        let mut delete = Delete::builder().table_name(&self.table).set_key(Some(key.attributes().into()));
        if let Some(version) = version {
            delete = delete
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        }
        let delete = delete.build().map_err(|error| Error::unreadable("deleting", error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    async fn change(&self, items: Vec<TransactWriteItem>, operation: &'static str) -> Result<Result<(), Stale>, Error> {
        match self.transact(items, operation).await {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.kind == Kind::Conflict => Ok(Err(Stale)),
            Err(error) => Err(error),
        }
    }

    async fn transact(&self, items: Vec<TransactWriteItem>, operation: &'static str) -> Result<(), Error> {
        let write = self.client.transact_write_items().set_transact_items(Some(items));
        let mut patience = Patience::new(Instant::now() + PATIENCE);
        loop {
            match write.clone().send().await {
                Ok(_) => return Ok(()),
                Err(error) if may_pass_later(&error) => patience.wait(failed(operation)(error)).await?,
                Err(error) => return Err(failed(operation)(error)),
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
            conditions.push(("search", Some(search), "contains(#search, :search)".to_owned()));
        }
        conditions
    }
}

/// Where a page of users ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The place among the account's users.
    pub sort: String,
    /// The folded login ID that stands there.
    pub login: String,
}

impl Place {
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

/// What of a new user another one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The login ID.
    Login,
    /// The e-mail address.
    Email,
}

/// The user has been changed or deleted meanwhile, or the e-mail address is another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

/// Whether a transaction was cancelled though none of its conditions failed: another one was at the same items, or the
/// table asks for patience. The SDK doesn't repeat these by itself.
fn may_pass_later(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return false;
    };
    let mut codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    codes.all(|code| {
        matches!(code, "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    })
}

fn email_claim(account: &AccountId, email: &EmailAddress, login: &LoginId) -> Item {
    let mut claim: Item = Key::email(account, &email.folded()).attributes().into();
    claim.insert("email".into(), AttributeValue::S(email.folded().into_owned()));
    claim.insert("owner".into(), AttributeValue::S(login.folded().into_owned()));
    claim
}

fn user_item(account: &AccountId, user: &User) -> Item {
    let mut item: Item = Key::user(account, &user.login.folded()).attributes().into();
    item.extend(attributes(account, user).into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    // A set can't be empty; a user without numbers has none.
    if !user.caller_ids.is_empty() {
        let numbers = user.caller_ids.iter().map(ToString::to_string).collect();
        item.insert(CALLER_IDS.to_owned(), AttributeValue::Ss(numbers));
    }
    item
}

/// Everything of a user but its key and its list; `None` for what the user lacks.
fn attributes(account: &AccountId, user: &User) -> Vec<(&'static str, Option<AttributeValue>)> {
    let User { login, profile, agent_status, web_login, policy, version, caller_ids: _ } = user;
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    let id = |id: &Option<Ref>| id.as_ref().and_then(|id| text(id.as_str()));
    let email = profile.email.as_ref().map(EmailAddress::as_str);
    let search = [profile.name.as_str(), email.unwrap_or_default(), login.as_str()].map(|part| fold(part).into_owned());
    vec![
        (ACCOUNT_PK, text(&users_index(account))),
        (ACCOUNT_SK, text(&index_place(user))),
        ("login", text(login.as_str())),
        ("name", text(profile.name.as_str())),
        ("email", email.and_then(text)),
        ("call_forward_number", profile.call_forward_number.and_then(|number| text(&number.to_string()))),
        ("calling_agent", Some(AttributeValue::Bool(profile.calling_agent))),
        ("extension", profile.extension.as_ref().map(document)),
        ("role", id(&profile.role)),
        ("department", id(&profile.department)),
        ("team", id(&profile.team)),
        ("designation", profile.designation.as_ref().and_then(|designation| text(designation.as_str()))),
        ("agent_status", text(agent_status.as_str())),
        ("web_login", text(web_login.as_str())),
        ("policy", text(policy.as_str())),
        ("version", Some(AttributeValue::N(version.to_string()))),
        ("search", text(&search.join("\n"))),
    ]
}

/// Where a user stands among the account's users: by name, then login ID.
fn index_place(user: &User) -> String {
    format!("{}#{}", fold(user.profile.name.as_str()), user.login.folded())
}

fn read_user(item: &Item) -> Result<User, Error> {
    /// The attributes that are kept as they are shown, for the model to read.
    const PLAIN: [&str; 10] = [
        "name",
        "email",
        "call_forward_number",
        "role",
        "department",
        "team",
        "designation",
        "agent_status",
        "web_login",
        "policy",
    ];
    let unreadable = |error: serde_json::Error| Error::unreadable(READING, error);
    let mut fields = serde_json::Map::new();
    for name in PLAIN {
        if let Some(text) = string(item, name) {
            fields.insert(name.to_owned(), text.into());
        }
    }
    let take = |fields: &mut serde_json::Map<_, _>, name| fields.remove(name).unwrap_or_default();
    let status = take(&mut fields, "agent_status");
    let web_login = take(&mut fields, "web_login");
    fields.remove("policy");
    let calling = item.get("calling_agent").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default();
    fields.insert("calling_agent".to_owned(), calling.into());
    if let Some(extension) = string(item, "extension") {
        fields.insert("extension".to_owned(), serde_json::from_str(&extension).map_err(unreadable)?);
    }
    let login = string(item, "login").unwrap_or_default();
    let version = item.get("version").and_then(|value| value.as_n().ok()).and_then(|version| version.parse().ok());
    Ok(User {
        login: LoginId::parse(&login).map_err(|error| Error::unreadable(READING, error))?,
        profile: serde_json::from_value(fields.into()).map_err(unreadable)?,
        agent_status: serde_json::from_value(status).map_err(unreadable)?,
        web_login: serde_json::from_value(web_login).map_err(unreadable)?,
        policy: policy(item)?,
        version: version.ok_or_else(|| Error::unreadable(READING, "the user has no version"))?,
        caller_ids: caller_ids(item)?,
    })
}

pub(super) fn caller_ids(item: &Item) -> Result<Vec<CallerId>, Error> {
    let numbers = item.get(CALLER_IDS).and_then(|set| set.as_ss().ok()).map_or(&[][..], Vec::as_slice);
    let numbers: Result<Vec<CallerId>, _> = numbers.iter().map(|number| number.parse()).collect();
    let mut numbers = numbers.map_err(|error| Error::unreadable(READING, error))?;
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn policy(item: &Item) -> Result<Policy, Error> {
    match string(item, "policy").as_deref() {
        Some("custom") | None => Ok(Policy::Custom),
        Some("all") => Ok(Policy::All),
        Some("department") => Ok(Policy::Department),
        Some(_) => Err(Error::unreadable(READING, "a user's policy is unknown")),
    }
}
