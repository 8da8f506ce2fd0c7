//! A user as plans keep it. It has every field, the list too: what a later attempt reads back is what was decided about.

use jiff::Timestamp;
use rollcall_model::{
    caller_id::CallerId,
    user::{AgentStatus, AsOf, DirectoryId, LoginId, Policy, Profile, Provisioning, User, WebLogin},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(remote = "User")]
struct LoggedUser {
    login: LoginId,
    #[serde(flatten)]
    profile: Profile,
    agent_status: AgentStatus,
    web_login: WebLogin,
    policy: Policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directory_id: Option<DirectoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provisioning: Option<Provisioning>,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "AsOf::is_empty")]
    as_of: AsOf,
    /// Plans of before it was kept have none.
    #[serde(default)]
    caller_ids: Vec<CallerId>,
}

/// To be named in `serde(with)` of a user.
pub(crate) fn serialize<S: Serializer>(user: &User, serializer: S) -> Result<S::Ok, S::Error> {
    LoggedUser::serialize(user, serializer)
}

/// See [`serialize`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<User>, D::Error> {
    LoggedUser::deserialize(deserializer).map(Box::new)
}

/// The same of a user before and after a change.
pub(crate) mod pair {
    use super::{Deserialize, Deserializer, LoggedUser, Serialize, Serializer, User};

    #[derive(Serialize)]
    struct Written<'a>(#[serde(with = "LoggedUser")] &'a User);

    #[derive(Deserialize)]
    struct Read(#[serde(with = "LoggedUser")] User);

    pub(crate) fn serialize<S: Serializer>([before, after]: &[User; 2], serializer: S) -> Result<S::Ok, S::Error> {
        [Written(before), Written(after)].serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[User; 2]>, D::Error> {
        let [Read(before), Read(after)] = Deserialize::deserialize(deserializer)?;
        Ok(Box::new([before, after]))
    }
}

#[cfg(test)]
mod tests {
    use crate::{undo::UndoChange, user_upload::UserChange};
    use rollcall_model::user::{LoginId, Profile, User};

    fn users() -> [User; 2] {
        let before = User::new(LoginId::parse("asha").unwrap(), Profile::named("Asha").unwrap());
        let before = User { caller_ids: vec!["+919876543210".parse().unwrap()], ..before };
        let after = User { version: 2, caller_ids: Vec::new(), ..before.clone() };
        [before, after]
    }

    #[test]
    fn a_plan_reads_back_with_the_lists_of_its_users() {
        let [before, after] = users().map(Box::new);
        for change in [UserChange::Create(before.clone()), UserChange::Update { before: before.clone(), after }] {
            let json = serde_json::to_string(&change).unwrap();
            assert_eq!(serde_json::from_str::<UserChange>(&json).unwrap(), change, "{json}");
        }
        for change in [UndoChange::Delete(before), UndoChange::Restore(Box::new(users()))] {
            let json = serde_json::to_string(&change).unwrap();
            assert_eq!(serde_json::from_str::<UndoChange>(&json).unwrap(), change, "{json}");
        }
    }

    #[test]
    fn a_plan_of_before_lists_were_kept_is_read() {
        let user = r#"{"login":"asha","name":"Asha","email":null,"call_forward_number":null,"calling_agent":false,
            "extension":null,"role":null,"department":null,"team":null,"designation":null,
            "agent_status":"enabled","web_login":"active","policy":"custom","version":1}"#;
        let [before, _] = users();
        let without = User { caller_ids: Vec::new(), ..before };
        let read: UserChange = serde_json::from_str(&format!(r#"{{"create":{user}}}"#)).unwrap();
        assert_eq!(read, UserChange::Create(Box::new(without.clone())));
        let read: UndoChange = serde_json::from_str(&format!(r#"{{"delete":{user}}}"#)).unwrap();
        assert_eq!(read, UndoChange::Delete(Box::new(without)));
    }
}
