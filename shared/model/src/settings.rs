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
}

impl Default for Settings {
    fn default() -> Self {
        Self { country: None, recipients: Vec::new(), list_limit: DEFAULT_LIST_LIMIT }
    }
}
