//! What may be done with an agent, and when.
//!
//! | action | enabled | disabled | blocked |
//! |---|---|---|---|
//! | `block-agent` | blocked | blocked | illegal |
//! | `enable-agent` | illegal | enabled | enabled |
//! | `disable-agent` | disabled | illegal | illegal |
//!
//! `unblock-web-login` turns a blocked web login active, and is illegal for an active one. The first three are for calling
//! agents alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::User;

/// Whether an agent may take calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case")]
pub enum AgentStatus {
    /// Yes.
    #[default]
    Enabled,
    /// No, for the time being.
    Disabled,
    /// No, until somebody says otherwise.
    Blocked,
}

impl AgentStatus {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Whether a user may log in to the web application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case")]
pub enum WebLogin {
    /// Yes.
    #[default]
    Active,
    /// No.
    Blocked,
}

impl WebLogin {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What may be done with one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    /// The agent takes no calls until it is enabled again.
    BlockAgent,
    /// The agent takes calls.
    EnableAgent,
    /// The agent takes no calls for the time being.
    DisableAgent,
    /// The user may log in again.
    UnblockWebLogin,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::BlockAgent, Self::EnableAgent, Self::DisableAgent, Self::UnblockWebLogin];

    /// As it stands in paths.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The action of this name.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// The action is not legal from where the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidAgentState {
    /// The user is no calling agent.
    NotAnAgent,
    /// The agent's status doesn't allow it.
    Agent(AgentStatus),
    /// The web login isn't blocked.
    WebLoginActive,
}

impl fmt::Display for InvalidAgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAgent => f.write_str("The user is not a calling agent."),
            Self::Agent(status) => write!(f, "The agent is {}, from where this is not possible.", status.as_str()),
            Self::WebLoginActive => f.write_str("The web login is not blocked."),
        }
    }
}

impl User {
    /// Does it, if it is legal.
    ///
    /// # Errors
    /// [`InvalidAgentState`]; the user is as before.
    pub fn act(&mut self, action: Action) -> Result<(), InvalidAgentState> {
        use AgentStatus::{Blocked, Disabled, Enabled};
        if action == Action::UnblockWebLogin {
            if self.web_login == WebLogin::Active {
                return Err(InvalidAgentState::WebLoginActive);
            }
            self.web_login = WebLogin::Active;
            return Ok(());
        }
        if !self.profile.calling_agent {
            return Err(InvalidAgentState::NotAnAgent);
        }
        self.agent_status = match (action, self.agent_status) {
            (Action::BlockAgent, Enabled | Disabled) => Blocked,
            (Action::EnableAgent, Disabled | Blocked) => Enabled,
            (Action::DisableAgent, Enabled) => Disabled,
            (_, status) => return Err(InvalidAgentState::Agent(status)),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::{LoginId, Profile};

    fn user(calling_agent: bool, agent_status: AgentStatus, web_login: WebLogin) -> User {
        let profile = Profile { calling_agent, ..Profile::named("Ana").unwrap() };
        User { agent_status, web_login, ..User::new(LoginId::parse("ana").unwrap(), profile) }
    }

    #[test]
    fn agents_move_as_the_table_says() {
        use AgentStatus::{Blocked, Disabled, Enabled};
        let table = [
            (Action::BlockAgent, [Some(Blocked), Some(Blocked), None]),
            (Action::EnableAgent, [None, Some(Enabled), Some(Enabled)]),
            (Action::DisableAgent, [Some(Disabled), None, None]),
        ];
        for (action, row) in table {
            for (from, to) in [Enabled, Disabled, Blocked].into_iter().zip(row) {
                let mut agent = user(true, from, WebLogin::Active);
                assert_eq!(agent.act(action).is_ok(), to.is_some(), "{action:?} from {from:?}");
                assert_eq!(agent.agent_status, to.unwrap_or(from));
            }
            assert_eq!(user(false, Enabled, WebLogin::Active).act(action), Err(InvalidAgentState::NotAnAgent));
        }
    }

    #[test]
    fn a_web_login_is_unblocked_once() {
        let mut user = user(false, AgentStatus::Enabled, WebLogin::Blocked);
        assert_eq!(user.act(Action::UnblockWebLogin), Ok(()));
        assert_eq!(user.act(Action::UnblockWebLogin), Err(InvalidAgentState::WebLoginActive));
    }
}
