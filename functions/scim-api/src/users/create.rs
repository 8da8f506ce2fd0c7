//! New users, and those who come back.

use jiff::Timestamp;
use rollcall_engine::world::Accounts;
use rollcall_model::user::{Claim, LoginId, Name, Profile, Provisioning, User};
use rollcall_provisioning::{Known, TRIES};
use rollcall_scim::{Document, Projection, ScimError, ScimType, without_tombstone};
use rollcall_storage::directory::{ScimDocument, Taken, WriteOutcome};
use serde_json::Value;

use super::show::Shown;
use crate::{
    Scim,
    answer::{Answer, changed_meanwhile, failed},
    caller::Caller,
};

impl Scim {
    /// **All of it or nothing**: the user, what was sent and what is the user's alone are one transaction, so that a client whose first try was
    /// cut short can send it again.
    pub(crate) async fn create_user(&self, caller: &Caller, body: Value) -> Result<Answer, ScimError> {
        let mut document = Document::sent(body)?.checked("userName")?;
        if document.active().is_none() {
            document.set_active(true);
        }
        let user_name = document.text("userName").unwrap_or_default().trim().to_owned();
        // A client can't be asked whether it means what looks like a number: it does.
        let login = LoginId::parse(&user_name).map_err(|error| {
            ScimError::bad(ScimType::InvalidValue, format!("userName can't be a login ID: {error}."))
        })?;
        let settings = self.directory.settings(&caller.account).await.map_err(|error| failed(&error))?;
        for _ in 0..TRIES {
            let now = Timestamp::now();
            let there =
                self.directory.scim_user(&caller.account, &login.folded()).await.map_err(|error| failed(&error))?;
            let before = match there {
                Some(known) if comes_back(&known, &document) => Some(known),
                Some(_) => return Err(ScimError::taken("Another user has this userName, or had it.")),
                None => self.deleted(caller, &document).await?,
            };
            let (user, sent) = match before.clone() {
                Some((user, Some(sent))) => (user, sent.next(document.fields().clone(), now)),
                Some((user, None)) => (user, ScimDocument::first(document.fields().clone(), now)),
                None => (new_user(&login, &document, now), ScimDocument::first(document.fields().clone(), now)),
            };
            let rules = self.rules(caller, &settings, &user, &document).await?;
            let mut after = rules.apply(user, None, &document, now);
            let before = before.map(|(user, _)| user);
            if let Some(before) = &before {
                after = after.revised(before, now);
            } else if after.profile.role.is_none() {
                after.profile.role.clone_from(&settings.default_role);
            }
            if self.is_anothers(caller, &after).await? {
                return Err(ScimError::taken("Another user has this userName."));
            }
            let written = self.directory.provision_user(&caller.account, before.as_ref(), &after, &sent, &caller.by);
            match written.await.map_err(|error| failed(&error))? {
                WriteOutcome::Written => {
                    let shown = Shown { base: &caller.base }.user(&(after, Some(sent)));
                    return Ok(Answer::resource(201, shown));
                }
                WriteOutcome::Stale => self.check_taken(caller, &after).await?,
            }
        }
        Err(changed_meanwhile())
    }

    /// Whoever the directory has deleted under this name and ID.
    async fn deleted(&self, caller: &Caller, document: &Document) -> Result<Option<Known>, ScimError> {
        let claim = Claim::deleted(name_of(document), document.text("externalId"));
        let owner = self.directory.owner(&caller.account, &claim).await.map_err(|error| failed(&error))?;
        let Some(login) = owner else { return Ok(None) };
        let found = self.directory.scim_user(&caller.account, &login).await.map_err(|error| failed(&error))?;
        Ok(found.filter(|known| comes_back(known, document)))
    }

    /// Whether a user's new name is the login ID of another one of whom nothing was sent: that one goes by it.
    pub(super) async fn is_anothers(&self, caller: &Caller, user: &User) -> Result<bool, ScimError> {
        let name = user.provisioning.as_ref().map(|known| LoginId::parse(&known.user_name));
        let Some(Ok(name)) = name.filter(|name| name.as_ref().is_ok_and(|name| name.folded() != user.login.folded()))
        else {
            return Ok(false);
        };
        let other = self.directory.user(&caller.account, &name.folded()).await.map_err(|error| failed(&error))?;
        Ok(other.is_some_and(|other| other.provisioning.is_none()))
    }

    /// Refuses what another user has by now.
    pub(super) async fn check_taken(&self, caller: &Caller, user: &User) -> Result<(), ScimError> {
        let what = match self.directory.taken(&caller.account, user).await.map_err(|error| failed(&error))? {
            None => return Ok(()),
            Some(Taken::Login | Taken::Claim(Claim::UserName(_))) => "userName",
            Some(Taken::Claim(Claim::Email(_))) => "e-mail address",
            Some(Taken::Claim(Claim::Extension(_))) => "extension",
            Some(Taken::Claim(Claim::DirectoryId(_) | Claim::ExternalId(_) | Claim::Deleted(_))) => "externalId",
        };
        Err(ScimError::taken(format!("Another user has this {what}.")))
    }
}

/// What a document's user is found by.
pub(super) fn name_of(document: &Document) -> &str {
    without_tombstone(document.text("userName").unwrap_or_default().trim())
}

/// Whether it is the user that the directory has deleted, by name and ID.
fn comes_back((user, _): &Known, document: &Document) -> bool {
    let Some(known) = user.provisioning.as_ref().filter(|known| known.deleted) else { return false };
    let deleted = Claim::deleted(&known.user_name, known.external_id.as_deref());
    deleted == Claim::deleted(name_of(document), document.text("externalId"))
}

/// A user of whom nothing is set but how it is called.
fn new_user(login: &LoginId, document: &Document, now: Timestamp) -> User {
    let name = Projection::of(document).name.and_then(|name| Name::parse(&name).ok());
    let name = name.or_else(|| Name::parse(login.as_str()).ok());
    let unnamed = || Name::parse("User").expect("it is a name");
    let mut user = User::created(login.clone(), Profile::of(name.unwrap_or_else(unnamed)), now);
    user.provisioning = Some(Provisioning::new(name_of(document), document.text("externalId")));
    user
}
