//! Users, and their lists of caller IDs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    user::{AgentStatus, DirectoryId, LoginId, Policy, Profile, User, WebLogin},
};
use serde::{Deserialize, Serialize};

use crate::SwitchView;

/// A user as the API shows it: without its list, which has a route of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// The key. It never changes.
    pub login: LoginId,
    /// What may be edited.
    #[serde(flatten)]
    pub profile: Profile,
    /// Whether the agent may take calls.
    pub agent_status: AgentStatus,
    /// Whether the user may log in to the web application.
    pub web_login: WebLogin,
    /// Which numbers the user may dial from.
    pub policy: Policy,
    /// Whom of the company's directory the user is, by the directory's own ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_id: Option<DirectoryId>,
    /// Raised by every change but appends. It is the entity tag.
    pub version: u64,
    /// How the list stands in the account's phone system, if that takes lists. Of one user that is asked for alone; the entity tag says nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<SwitchView>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User { login, profile, agent_status, web_login, policy, directory_id, version, .. } = user;
        Self { login, profile, agent_status, web_login, policy, directory_id, version, switch: None }
    }
}

impl UserView {
    /// The user with its list, as [`CallerIdsView`] has it.
    pub fn with_list(self, caller_ids: Vec<CallerId>) -> User {
        let Self { login, profile, agent_status, web_login, policy, directory_id, version, switch: _ } = self;
        let user = User::new(login, profile);
        User { agent_status, web_login, policy, directory_id, version, caller_ids, ..user }
    }
}

/// An extension as its list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionView {
    /// The name of its user.
    pub name: String,
    /// The extension's own login.
    pub login: String,
    /// Masked, always: the password belongs to the phone system and is not kept here.
    pub password: String,
    /// The number that colleagues dial.
    pub intercom: String,
    /// The number shown when the extension dials out.
    pub caller_id: Option<CallerId>,
    /// Devices that are registered now.
    pub registrations: u32,
    /// `active` or `inactive`.
    pub status: String,
    /// The login ID of its user.
    pub user: String,
}

/// Which of the account's numbers a user is to dial from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// The policy.
    pub policy: Policy,
}

/// What a user may dial from, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdsView {
    /// Which numbers the user may dial from.
    pub policy: Policy,
    /// The user's own list. It counts under the custom policy.
    pub caller_ids: Vec<CallerId>,
    /// What the policy gives, resolved against the inventory: resting and retired numbers are left out.
    pub effective: Vec<CallerId>,
    /// Of these, what the user's calls show where nothing else is said.
    pub default: Option<CallerId>,
}

/// Numbers that are to come onto a user's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppendRequest {
    /// The numbers, in any spelling.
    pub caller_ids: Vec<String>,
}

/// What came of an append, by the rules and codes of the bulk job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendView {
    /// Numbers that came onto the list.
    pub added: Vec<CallerId>,
    /// Numbers that were on it.
    pub already_allowed: Vec<CallerId>,
    /// What could not be added, and why.
    pub refused: Vec<RefusedCallerId>,
}

/// What could not be added to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedCallerId {
    /// The number, as it was given.
    pub value: String,
    /// Why.
    pub code: RowCode,
}

/// How many users an account has, by what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCounts {
    /// When they were counted.
    pub counted_at: Timestamp,
    /// All of them.
    pub users: usize,
    /// By agent status.
    pub agent_status: BTreeMap<String, usize>,
    /// By web login.
    pub web_login: BTreeMap<String, usize>,
    /// By policy.
    pub policies: BTreeMap<String, usize>,
    /// Those who make and take calls.
    pub calling_agents: usize,
    /// Those with an extension.
    pub with_extension: usize,
    /// Those who have no number in service to dial from, by list or by policy.
    pub without_numbers: usize,
}
