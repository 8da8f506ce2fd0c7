//! A user as an item of the table.

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    email::EmailAddress,
    user::{Claim, DirectoryId, LoginId, Policy, Ref, User, fold},
};

use super::READING;
use crate::{
    StorageError,
    directory::{Item, document, string},
    keys::{ACCOUNT_PK, ACCOUNT_SK, Key, user_place, users_index},
};

pub(crate) const CALLER_IDS: &str = "caller_ids";
/// Of a claim: whose it is, by folded login ID.
pub(super) const OWNER: &str = "owner";
/// What a user is read from.
pub(crate) const ATTRIBUTES: [&str; 16] = [
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
    "directory_id",
    "version",
    CALLER_IDS,
];

/// The item that keeps what one user has from all others.
pub(super) fn claim_item(account: &AccountId, claim: &Claim, login: &LoginId) -> Item {
    let mut item: Item = Key::claim(account, claim).attributes().into();
    item.insert(OWNER.into(), AttributeValue::S(login.folded().into_owned()));
    item
}

pub(crate) fn user_item(account: &AccountId, user: &User) -> Item {
    let mut item: Item = Key::user(account, &user.login.folded()).attributes().into();
    item.extend(attributes(account, user).into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    // A set can't be empty; a user without numbers has none.
    if !user.caller_ids.is_empty() {
        item.insert(CALLER_IDS.to_owned(), number_set(&user.caller_ids));
    }
    item
}

/// Numbers as the table holds them.
pub(crate) fn number_set(numbers: &[CallerId]) -> AttributeValue {
    AttributeValue::Ss(numbers.iter().map(ToString::to_string).collect())
}

/// Everything of a user but its key and its list; `None` for what the user lacks.
pub(crate) fn attributes(account: &AccountId, user: &User) -> Vec<(&'static str, Option<AttributeValue>)> {
    let User { login, profile, agent_status, web_login, policy, directory_id, version, caller_ids: _ } = user;
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    let id = |id: &Option<Ref>| id.as_ref().and_then(|id| text(id.as_str()));
    let email = profile.email.as_ref().map(EmailAddress::as_str);
    let search = [profile.name.as_str(), email.unwrap_or_default(), login.as_str()].map(|part| fold(part).into_owned());
    vec![
        (ACCOUNT_PK, text(&users_index(account))),
        (ACCOUNT_SK, text(&user_place(user))),
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
        ("directory_id", directory_id.as_ref().and_then(|id| text(id.as_str()))),
        ("version", Some(AttributeValue::N(version.to_string()))),
        ("search", text(&search.join("\n"))),
    ]
}

pub(crate) fn read_user(item: &Item) -> Result<User, StorageError> {
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
    let unreadable = |error: serde_json::Error| StorageError::unreadable(READING, error);
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
        login: LoginId::parse(&login).map_err(|error| StorageError::unreadable(READING, error))?,
        profile: serde_json::from_value(fields.into()).map_err(unreadable)?,
        agent_status: serde_json::from_value(status).map_err(unreadable)?,
        web_login: serde_json::from_value(web_login).map_err(unreadable)?,
        policy: policy(item)?,
        directory_id: string(item, "directory_id")
            .map(DirectoryId::try_from)
            .transpose()
            .map_err(|error| StorageError::unreadable(READING, error))?,
        version: version.ok_or_else(|| StorageError::unreadable(READING, "the user has no version"))?,
        caller_ids: caller_ids(item)?,
    })
}

pub(crate) fn caller_ids(item: &Item) -> Result<Vec<CallerId>, StorageError> {
    let numbers = item.get(CALLER_IDS).and_then(|set| set.as_ss().ok()).map_or(&[][..], Vec::as_slice);
    let numbers: Result<Vec<CallerId>, _> = numbers.iter().map(|number| number.parse()).collect();
    let mut numbers = numbers.map_err(|error| StorageError::unreadable(READING, error))?;
    numbers.sort_unstable();
    Ok(numbers)
}

pub(crate) fn policy(item: &Item) -> Result<Policy, StorageError> {
    match string(item, "policy").as_deref() {
        Some("custom") | None => Ok(Policy::Custom),
        Some("all") => Ok(Policy::All),
        Some("department") => Ok(Policy::Department),
        Some(_) => Err(StorageError::unreadable(READING, "a user's policy is unknown")),
    }
}
