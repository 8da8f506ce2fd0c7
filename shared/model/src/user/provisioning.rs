//! A user whom the company's directory pushes in, by SCIM: what is kept of it beside what the user is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AgentStatus, Claim, Ref, User, UserField, WebLogin, fold};
use crate::fingerprint::fingerprint;

/// What the directory has said of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioning {
    /// What it finds the user by. It may change, which a login ID never does.
    pub user_name: Box<str>,
    /// Its own ID of the user, to the letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Box<str>>,
    /// Whether the user may be here: its last word.
    pub active: bool,
    /// It has deleted the user, and doesn't see it any more. Here the user stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// When the web login was blocked because the user left, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<i64>,
    /// When the agent was disabled because the user left, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<i64>,
    /// What was set by attributes and groups.
    #[serde(default, skip_serializing_if = "Given::is_empty")]
    pub given: Given,
}

/// What the directory has set by attributes and groups: it takes this back, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Given {
    /// A role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Ref>,
    /// A team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<Ref>,
    /// A department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<Ref>,
}

impl Given {
    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Provisioning {
    /// Of somebody of whom nothing is known but the name.
    pub fn new(user_name: &str, external_id: Option<&str>) -> Self {
        Self {
            user_name: user_name.into(),
            external_id: external_id.map(Into::into),
            active: true,
            deleted: false,
            blocked: None,
            disabled: None,
            given: Given::default(),
        }
    }

    /// What is this user's alone as long as the directory sees it; of one that it has deleted, by what the user is found when it comes back.
    pub(super) fn claims(&self) -> Vec<Claim> {
        if self.deleted {
            return vec![Claim::deleted(&self.user_name, self.external_id.as_deref())];
        }
        let external = self.external_id.as_deref().map(Claim::external_id);
        [Claim::user_name(&self.user_name)].into_iter().chain(external).collect()
    }
}

impl Claim {
    /// The claim on what the directory finds a user by, in any case.
    pub fn user_name(user_name: &str) -> Self {
        Self::UserName(hash([&fold(user_name)]))
    }

    /// The claim on the directory's own ID, to the letter.
    pub fn external_id(external_id: &str) -> Self {
        Self::ExternalId(hash([external_id]))
    }

    /// What a user is found by that was deleted under this name and ID.
    pub fn deleted(user_name: &str, external_id: Option<&str>) -> Self {
        Self::Deleted(hash([&*fold(user_name), external_id.unwrap_or_default()]))
    }
}

/// Texts of any length, of which a key has none.
fn hash<const N: usize>(texts: [&str; N]) -> String {
    hex::encode(fingerprint(texts.iter().map(|text| text.as_bytes())))
}

impl User {
    /// Whether the directory says that the user has left, and nobody has let it in again since.
    pub fn has_left(&self) -> bool {
        self.provisioning.as_ref().is_some_and(|known| !known.active) && self.web_login == WebLogin::Blocked
    }

    /// Does what a user's leaving or return means. Whoever leaves is blocked at the web, and takes no calls. **A return undoes exactly
    /// that**: what was so before, or was changed by somebody since, stays.
    pub fn provision(&mut self, mut provisioning: Provisioning, now: Timestamp) {
        let changed = |field| self.as_of.of(field).map(Timestamp::as_microsecond);
        if provisioning.active {
            let (blocked, disabled) = (provisioning.blocked.take(), provisioning.disabled.take());
            if blocked.is_some() && blocked == changed(UserField::WebLogin) && self.web_login == WebLogin::Blocked {
                self.web_login = WebLogin::Active;
            }
            if disabled.is_some()
                && disabled == changed(UserField::AgentStatus)
                && self.agent_status == AgentStatus::Disabled
            {
                self.agent_status = AgentStatus::Enabled;
            }
        } else if self.provisioning.as_ref().is_none_or(|before| before.active) {
            if self.web_login == WebLogin::Active {
                self.web_login = WebLogin::Blocked;
                provisioning.blocked = Some(now.as_microsecond());
            }
            if self.profile.calling_agent && self.agent_status == AgentStatus::Enabled {
                self.agent_status = AgentStatus::Disabled;
                provisioning.disabled = Some(now.as_microsecond());
            }
        }
        self.provisioning = Some(provisioning);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::user::{Action, LoginId, Profile};

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn agent() -> User {
        let profile = Profile { calling_agent: true, ..Profile::named("Maya").unwrap() };
        User::created(LoginId::parse("maya").unwrap(), profile, at(0))
    }

    fn told(user: &User, active: bool, minute: i64) -> User {
        let mut after = user.clone();
        let known = user.provisioning.clone().unwrap_or_else(|| Provisioning::new("maya", None));
        after.provision(Provisioning { active, ..known }, at(minute));
        after.revised(user, at(minute))
    }

    #[test]
    fn a_return_undoes_what_leaving_did_and_nothing_else() {
        let left = told(&agent(), false, 1);
        assert!(left.has_left() && left.agent_status == AgentStatus::Disabled);
        assert_eq!(told(&left, false, 2).provisioning, left.provisioning, "said twice, done once");
        let back = told(&told(&left, false, 2), true, 3);
        assert_eq!(
            (back.web_login, back.agent_status, back.has_left()),
            (WebLogin::Active, AgentStatus::Enabled, false)
        );
        assert_eq!(back.provisioning, Some(Provisioning::new("maya", None)));
    }

    #[test]
    fn what_a_person_has_done_stays() {
        // Before.
        let mut barred = agent();
        barred.web_login = WebLogin::Blocked;
        barred.act(Action::DisableAgent).unwrap();
        let back = told(&told(&barred, false, 1), true, 2);
        assert_eq!((back.web_login, back.agent_status), (WebLogin::Blocked, AgentStatus::Disabled));
        // Meanwhile.
        let left = told(&agent(), false, 1);
        let mut changed = left.clone();
        changed.act(Action::BlockAgent).unwrap();
        let back = told(&changed.revised(&left, at(2)), true, 3);
        assert_eq!((back.web_login, back.agent_status), (WebLogin::Active, AgentStatus::Blocked));
        // Let in and kept out again by a person.
        let mut inside = left.clone();
        inside.act(Action::UnblockWebLogin).unwrap();
        let inside = inside.revised(&left, at(2));
        assert!(!inside.has_left());
        let outside = User { web_login: WebLogin::Blocked, ..inside.clone() }.revised(&inside, at(3));
        assert_eq!(told(&outside, true, 4).web_login, WebLogin::Blocked);
    }

    #[test]
    fn what_is_one_users_alone_is_compared_as_it_must_be() {
        assert!(Claim::user_name("Maya@X.example") == Claim::user_name("maya@x.EXAMPLE"));
        assert!(Claim::external_id("Ab") != Claim::external_id("ab"));
        let known = Provisioning::new("maya", Some("1"));
        assert_eq!(known.claims().len(), 2);
        assert!(Provisioning { deleted: true, ..known }.claims() == [Claim::deleted("MAYA", Some("1"))]);
    }
}
