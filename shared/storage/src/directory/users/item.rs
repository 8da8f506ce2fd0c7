//! A user as an item of the table.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    email::EmailAddress,
    stored,
    user::{AgentStatus, DirectoryId, LoginId, Name, Policy, Profile, Ref, User, WebLogin, fold},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::READING;
use crate::{
    StorageError,
    directory::{Item, string},
    keys::{ACCOUNT_PK, ACCOUNT_SK, Key, user_place, users_index},
};

pub(crate) const CALLER_IDS: &str = "caller_ids";
/// By what a user dials.
pub(crate) const POLICY: &str = "policy";
/// When a user was created.
pub(crate) const CREATED: &str = "created";
/// What lists show beside what a user is: a map.
pub(crate) const LISTED: &str = "listed";
/// Of it, that the directory which pushes users in has deleted this one.
pub(crate) const HIDDEN: &str = "hidden";
/// Of it, what the user's calls show where nothing else is said.
const DEFAULT: &str = "default";
/// The name, the address and the login ID, folded: what a search looks in.
pub(super) const SEARCH: &str = "search";
/// What a user is read from: the fields of its [record](UserRecord), and its list.
pub(crate) const ATTRIBUTES: [&str; 21] = [
    "schema",
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
    POLICY,
    "directory_id",
    "provisioning",
    "version",
    CREATED,
    "as_of",
    LISTED,
    CALLER_IDS,
];

/// What the table keeps of a user beside its keys and its list: an attribute for each field, none for what the user lacks. The list is a
/// set of its own, since appends add to it and read nothing.
#[derive(Serialize, Deserialize)]
struct UserRecord {
    /// The version of this shape. Lists are read from an index, which doesn't hold it.
    #[serde(default = "stored::first")]
    schema: u32,
    login: LoginId,
    name: Name,
    email: Option<EmailAddress>,
    call_forward_number: Option<CallerId>,
    #[serde(default)]
    calling_agent: bool,
    /// As JSON: the table is asked whether there is one, and nothing else of it.
    extension: Option<String>,
    role: Option<Ref>,
    department: Option<Ref>,
    team: Option<Ref>,
    designation: Option<Name>,
    agent_status: AgentStatus,
    web_login: WebLogin,
    #[serde(default)]
    policy: Policy,
    directory_id: Option<DirectoryId>,
    /// As JSON: the table asks nothing of it.
    provisioning: Option<String>,
    version: u64,
    created: Option<Timestamp>,
    /// As JSON: the table asks nothing of it.
    as_of: Option<String>,
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

/// Whether the directory that pushes users in has deleted this one.
fn is_hidden(user: &User) -> bool {
    user.provisioning.as_ref().is_some_and(|known| known.deleted)
}

/// Numbers as the table holds them.
pub(crate) fn number_set(numbers: &[CallerId]) -> AttributeValue {
    AttributeValue::Ss(numbers.iter().map(ToString::to_string).collect())
}

/// Everything of a user but its key and its list; `None` for what the user lacks.
pub(crate) fn attributes(account: &AccountId, user: &User) -> Vec<(&'static str, Option<AttributeValue>)> {
    let text = |text: String| Some(AttributeValue::S(text));
    let email = user.profile.email.as_ref().map(EmailAddress::as_str);
    let search = [user.profile.name.as_str(), email.unwrap_or_default(), user.login.as_str()];
    let mut attributes = vec![
        (ACCOUNT_PK, text(users_index(account))),
        (ACCOUNT_SK, text(user_place(user))),
        (SEARCH, text(search.map(|part| fold(part).into_owned()).join("\n"))),
    ];
    let hidden = is_hidden(user).then_some((HIDDEN, AttributeValue::Bool(true)));
    let default = user.profile.default_caller_id.map(|number| (DEFAULT, AttributeValue::S(number.to_string())));
    let listed: Item = [hidden, default].into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect();
    attributes.push((LISTED, (!listed.is_empty()).then_some(AttributeValue::M(listed))));
    let mut fields = UserRecord::of(user).fields();
    let names = ATTRIBUTES.into_iter().filter(|name| ![LISTED, CALLER_IDS].contains(name));
    attributes.extend(names.map(|name| (name, fields.remove(name).and_then(attribute))));
    attributes
}

pub(crate) fn read_user(item: &Item) -> Result<User, StorageError> {
    let field = |name: &str| Some((name.to_owned(), value(item.get(name)?)?));
    let fields: Map<String, Value> = ATTRIBUTES.into_iter().filter_map(field).collect();
    let record: UserRecord =
        serde_json::from_value(fields.into()).map_err(|error| StorageError::unreadable(READING, error))?;
    stored::check(record.schema).map_err(|error| StorageError::unreadable(READING, error))?;
    let user = record.user(caller_ids(item)?).map_err(|error| StorageError::unreadable(READING, error))?;
    let profile = Profile { default_caller_id: default_caller_id(item)?, ..user.profile };
    Ok(User { profile, ..user })
}

/// What a user's calls show where nothing else is said.
pub(crate) fn default_caller_id(item: &Item) -> Result<Option<CallerId>, StorageError> {
    let listed = item.get(LISTED).and_then(|listed| listed.as_m().ok());
    let default = listed.and_then(|listed| string(listed, DEFAULT)).map(|text| text.parse());
    default.transpose().map_err(|error| StorageError::unreadable(READING, error))
}

impl UserRecord {
    fn of(user: &User) -> Self {
        let User {
            login,
            profile,
            agent_status,
            web_login,
            policy,
            directory_id,
            provisioning,
            version,
            created,
            as_of,
            caller_ids: _,
        } = user.clone();
        let extension = profile
            .extension
            .map(|extension| serde_json::to_string(&extension).expect("an extension can be written as JSON"));
        let as_of = Some(as_of).filter(|as_of| !as_of.is_empty());
        let as_of = as_of.map(|as_of| serde_json::to_string(&as_of).expect("times can be written as JSON"));
        let provisioning = provisioning
            .map(|known| serde_json::to_string(&known).expect("what is provisioned can be written as JSON"));
        Self {
            schema: stored::SCHEMA,
            login,
            name: profile.name,
            email: profile.email,
            call_forward_number: profile.call_forward_number,
            calling_agent: profile.calling_agent,
            extension,
            role: profile.role,
            department: profile.department,
            team: profile.team,
            designation: profile.designation,
            agent_status,
            web_login,
            policy,
            directory_id,
            provisioning,
            version,
            created,
            as_of,
        }
    }

    fn user(self, caller_ids: Vec<CallerId>) -> Result<User, serde_json::Error> {
        Ok(User {
            login: self.login,
            profile: Profile {
                name: self.name,
                email: self.email,
                call_forward_number: self.call_forward_number,
                calling_agent: self.calling_agent,
                extension: self.extension.map(|json| serde_json::from_str(&json)).transpose()?,
                role: self.role,
                department: self.department,
                team: self.team,
                designation: self.designation,
                // It stands beside, where lists are read from.
                default_caller_id: None,
            },
            agent_status: self.agent_status,
            web_login: self.web_login,
            policy: self.policy,
            directory_id: self.directory_id,
            provisioning: self.provisioning.map(|json| serde_json::from_str(&json)).transpose()?,
            version: self.version,
            created: self.created,
            as_of: self.as_of.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default(),
            caller_ids,
        })
    }

    /// By name.
    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => unreachable!("a record has fields, and each can be written as JSON"),
        }
    }
}

/// A field as an attribute.
fn attribute(value: Value) -> Option<AttributeValue> {
    match value {
        Value::String(text) => Some(AttributeValue::S(text)),
        Value::Number(number) => Some(AttributeValue::N(number.to_string())),
        Value::Bool(flag) => Some(AttributeValue::Bool(flag)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An attribute as a field.
fn value(attribute: &AttributeValue) -> Option<Value> {
    match attribute {
        AttributeValue::S(text) => Some(text.as_str().into()),
        AttributeValue::N(number) => serde_json::from_str(number).ok(),
        AttributeValue::Bool(flag) => Some((*flag).into()),
        _ => None,
    }
}

pub(crate) fn caller_ids(item: &Item) -> Result<Vec<CallerId>, StorageError> {
    let numbers = item.get(CALLER_IDS).and_then(|set| set.as_ss().ok()).map_or(&[][..], Vec::as_slice);
    let numbers: Result<Vec<CallerId>, _> = numbers.iter().map(|number| number.parse()).collect();
    let mut numbers = numbers.map_err(|error| StorageError::unreadable(READING, error))?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// When a user was created, where that is known.
pub(crate) fn created(item: &Item) -> Result<Option<Timestamp>, StorageError> {
    let created = string(item, CREATED).map(|text| text.parse());
    created.transpose().map_err(|error| StorageError::unreadable(READING, error))
}

/// A user's department.
pub(crate) fn department(item: &Item) -> Result<Option<Ref>, StorageError> {
    let department = string(item, "department").map(|text| Ref::parse(&text));
    department.transpose().map_err(|error| StorageError::unreadable(READING, error))
}

pub(crate) fn policy(item: &Item) -> Result<Policy, StorageError> {
    match string(item, POLICY).as_deref() {
        Some("custom") | None => Ok(Policy::Custom),
        Some("all") => Ok(Policy::All),
        Some("department") => Ok(Policy::Department),
        Some(_) => Err(StorageError::unreadable(READING, "a user's policy is unknown")),
    }
}

#[cfg(test)]
mod tests {
    use rollcall_model::user::{Extension, Provisioning};

    use super::*;

    fn user() -> User {
        let id = |text: &str| Ref::parse(text).ok();
        let extension = Extension {
            login: id("101").unwrap(),
            intercom: id("7").unwrap(),
            caller_id: "+919876543210".parse().ok(),
            registrations: 2,
            active: true,
        };
        let mut user = User::new(LoginId::parse("Asha").unwrap(), Profile::named("Asha Rao").unwrap());
        user.profile.email = EmailAddress::parse("asha@example.com").ok();
        user.profile.call_forward_number = "+919876543211".parse().ok();
        user.profile.default_caller_id = "+919876543210".parse().ok();
        user.profile.calling_agent = true;
        user.profile.extension = Some(extension);
        (user.profile.role, user.profile.department, user.profile.team) = (id("r"), id("d"), id("t"));
        user.profile.designation = Name::parse("Manager").ok();
        user.agent_status = AgentStatus::Blocked;
        user.web_login = WebLogin::Blocked;
        user.policy = Policy::Department;
        user.directory_id = DirectoryId::parse("a-1").ok();
        user.provisioning = Some(Provisioning::new("asha@example.com", Some("1")));
        user.version = 1_772_323_200_000_007;
        user.caller_ids = vec!["+919876543210".parse().unwrap(), "+919876543211".parse().unwrap()];
        user
    }

    #[test]
    fn a_user_reads_back_whole_from_the_attributes_that_are_asked_for() {
        let names: Vec<String> = UserRecord::of(&user()).fields().into_iter().map(|(name, _)| name).collect();
        let mut asked: Vec<&str> = ATTRIBUTES.into_iter().filter(|name| ![LISTED, CALLER_IDS].contains(name)).collect();
        asked.sort_unstable();
        assert_eq!(names, asked, "every field is asked for");
        let bare = User::new(LoginId::parse("ravi").unwrap(), Profile::named("Ravi").unwrap());
        for user in [user(), bare] {
            let item = user_item(&"acme".parse().unwrap(), &user);
            assert_eq!(item["schema"], AttributeValue::N(stored::SCHEMA.to_string()));
            let item = item.into_iter().filter(|(name, _)| ATTRIBUTES.contains(&name.as_str())).collect();
            assert_eq!(read_user(&item).unwrap(), user);
        }
    }

    #[test]
    fn a_user_is_read_from_before_records_had_a_version_and_not_from_a_later_one() {
        let text = |name: &str, text: &str| (name.to_owned(), AttributeValue::S(text.to_owned()));
        let mut item = Item::from([
            text("login", "Asha"),
            text("name", "Asha Rao"),
            ("calling_agent".to_owned(), AttributeValue::Bool(true)),
            text("extension", r#"{"login":"101","intercom":"7","caller_id":null,"registrations":0,"active":true}"#),
            text("agent_status", "enabled"),
            text("web_login", "active"),
            ("version".to_owned(), AttributeValue::N("3".to_owned())),
        ]);
        let read = read_user(&item).unwrap();
        assert_eq!((read.version, read.policy, read.profile.calling_agent), (3, Policy::Custom, true));
        assert_eq!(read.profile.extension.map(|extension| extension.intercom), Ref::parse("7").ok());
        item.insert("schema".to_owned(), AttributeValue::N((stored::SCHEMA + 1).to_string()));
        assert!(read_user(&item).is_err());
    }
}
