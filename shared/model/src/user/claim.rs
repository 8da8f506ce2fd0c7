//! What only one user of an account can have.

use super::{DirectoryId, User, fold};

/// Something that is one user's alone. Compared without regard to case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// An e-mail address, folded.
    Email(String),
    /// The login of an extension, folded.
    Extension(String),
    /// A person of the company's directory, by the directory's ID.
    DirectoryId(DirectoryId),
    /// What a directory that pushes users in finds one by: its hash.
    UserName(String),
    /// Such a directory's own ID of one: its hash.
    ExternalId(String),
    /// Both, of one that it has deleted.
    Deleted(String),
}

impl User {
    /// What is this user's alone.
    pub fn claims(&self) -> Vec<Claim> {
        let profile = &self.profile;
        let email = profile.email.as_ref().map(|email| Claim::Email(email.folded().into_owned()));
        let extension = profile.extension.as_ref().map(|extension| Claim::extension(extension.login.as_str()));
        let person = self.directory_id.clone().map(Claim::DirectoryId);
        let provisioned = self.provisioning.iter().flat_map(super::Provisioning::claims);
        email.into_iter().chain(extension).chain(person).chain(provisioned).collect()
    }
}

impl Claim {
    /// The claim on an extension.
    pub fn extension(login: &str) -> Self {
        Self::Extension(fold(login).into_owned())
    }
}
