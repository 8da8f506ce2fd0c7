//! The company's own directory.

use std::collections::BTreeSet;

use rollcall_bulk::directory_import::{
    DirectoryUser,
    sync_state::{Imported, Synced},
};
use rollcall_model::{
    caller_id::CallerId,
    email::EmailAddress,
    user::{DirectoryId, LoginId, Name},
};
use serde::{Deserialize, Serialize};

/// How the account and its directory stand, but for the secret and for what only the next sync needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryView {
    /// Which: the ID of its tenant, or one of the tenant's domains.
    pub tenant: Option<String>,
    /// Who we are there.
    pub client_id: Option<String>,
    /// The last import.
    pub last_import: Option<Imported>,
    /// The last sync.
    pub last_sync: Option<Synced>,
    /// Users whom the next sync asks about again, since their rows failed.
    pub ask_again: BTreeSet<DirectoryId>,
    /// Whether the account has a directory.
    pub connected: bool,
}

/// A user of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryUserView {
    /// The directory's own ID of the user.
    pub id: DirectoryId,
    /// The login name there, which is the login ID here.
    pub login: LoginId,
    /// The name that people know the user by.
    pub name: Name,
    /// The address.
    pub email: Option<EmailAddress>,
    /// The telephone, if it can be read.
    pub phone: Option<CallerId>,
    /// The job title.
    pub designation: Option<Name>,
    /// Whether the user may log in there.
    pub enabled: bool,
    /// The login ID of the user here, once imported.
    pub user: Option<String>,
}

impl DirectoryUserView {
    /// A user of the directory, and who it is here.
    pub fn of(user: DirectoryUser, linked: Option<String>) -> Self {
        Self {
            id: user.id,
            login: user.login,
            name: user.name,
            email: user.email,
            phone: user.phone.number(),
            designation: user.designation,
            enabled: user.enabled,
            user: linked,
        }
    }
}
