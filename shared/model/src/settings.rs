//! What an account has set for itself.

use serde::{Deserialize, Serialize};

use crate::{append::DEFAULT_LIST_LIMIT, country::Country, email::EmailAddress};

/// An account's settings. An account that has set nothing has the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whose dialling rules read a number without a country code; `None`: those of the deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Who gets a job's report when the upload names nobody.
    pub recipients: Vec<EmailAddress>,
    /// Numbers that one user's list takes at most.
    pub list_limit: usize,
    /// Where users may dial from what: mappings are resynced with it.
    pub phone_system: PhoneSystem,
}

/// A phone system. Its credentials are a secret of the account by the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhoneSystem {
    /// This directory itself.
    #[default]
    Builtin,
    /// The snapshot files that are dropped for the account.
    Snapshot,
    /// Smartflo, Acefone and Servetel.
    Smartflo,
    /// Zoom Phone.
    ZoomPhone,
}

impl PhoneSystem {
    /// Every phone system.
    pub const ALL: [Self; 4] = [Self::Builtin, Self::Snapshot, Self::Smartflo, Self::ZoomPhone];

    /// Finds it by its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Snapshot => "snapshot",
            Self::Smartflo => "smartflo",
            Self::ZoomPhone => "zoom-phone",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            country: None,
            recipients: Vec::new(),
            list_limit: DEFAULT_LIST_LIMIT,
            phone_system: PhoneSystem::default(),
        }
    }
}
