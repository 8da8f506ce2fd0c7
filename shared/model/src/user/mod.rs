//! A telephony user.

mod agent;
mod as_of;
mod claim;
mod directory_id;
mod login;
pub mod near;
mod profile;
mod provisioning;
mod suspect;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::spelling::fold;
pub use agent::{Action, AgentStatus, InvalidAgentState, WebLogin};
pub use as_of::{AsOf, UserField};
pub use claim::Claim;
pub use directory_id::{DirectoryId, NotADirectoryId};
pub use login::{GivenLogin, LoginId, MAX_LOGIN_BYTES, NotALogin};
pub use profile::{Extension, Name, NotAName, Profile, Ref};
pub use provisioning::{Given, Provisioning};
pub use suspect::Suspect;

pub use login::{plain_trim, read as read_login};

use crate::{caller_id::CallerId, version::first_version};

/// Which of the account's numbers a user may dial from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case")]
pub enum Policy {
    /// All of them.
    All,
    /// Those of the user's department.
    Department,
    /// Those on the user's own list.
    #[default]
    Custom,
}

impl Policy {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A user of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The key. It never changes.
    pub login: LoginId,
    /// What may be edited.
    pub profile: Profile,
    /// Whether the agent may take calls. It changes by actions alone.
    pub agent_status: AgentStatus,
    /// Whether the user may log in to the web application. It changes by actions alone.
    pub web_login: WebLogin,
    /// Which numbers the user may dial from.
    pub policy: Policy,
    /// Whom of the company's directory the user is, by the directory's own ID. Only an import sets it.
    pub directory_id: Option<DirectoryId>,
    /// What the company's directory has said of the user, if it pushes it in.
    pub provisioning: Option<Provisioning>,
    /// Begins with [the time of creation](first_version), so that no later user of this login ID has one that this one had.
    /// Raised by every change but appends, which commute.
    pub version: u64,
    /// When the user was created: somebody of the same login ID who was created at another time is somebody else. `None` for those who were
    /// created before this was kept.
    pub created: Option<Timestamp>,
    /// As of when what has been changed since is known to be so.
    pub as_of: AsOf,
    /// The user's own list, in order. It counts under [`Policy::Custom`].
    pub caller_ids: Vec<CallerId>,
}

impl User {
    /// A user that is created now.
    pub fn created(login: LoginId, profile: Profile, now: Timestamp) -> Self {
        Self { version: first_version(now), created: Some(now), ..Self::new(login, profile) }
    }

    /// A user as it is created: enabled, with an empty list. Its version is that of users of whom the time of creation isn't known.
    pub fn new(login: LoginId, profile: Profile) -> Self {
        Self {
            login,
            profile,
            agent_status: AgentStatus::default(),
            web_login: WebLogin::default(),
            policy: Policy::default(),
            directory_id: None,
            provisioning: None,
            version: 1,
            created: None,
            as_of: AsOf::default(),
            caller_ids: Vec::new(),
        }
    }
}
