//! Changes of users, and their leaving.

use jiff::Timestamp;
use rollcall_engine::world::Accounts;
use rollcall_model::user::{Claim, Provisioning};
use rollcall_provisioning::{Known, Rules, TRIES, document};
use rollcall_scim::{Document, ScimError, operations};
use rollcall_storage::directory::{ScimDocument, WriteOutcome};
use serde_json::Value;

use super::create::name_of;
use crate::{
    Asked, Scim,
    answer::{Answer, changed_meanwhile, failed},
    caller::Caller,
};

impl Scim {
    pub(super) async fn replace_user(
        &self,
        caller: &Caller,
        asked: &Asked,
        id: &str,
        body: &Value,
    ) -> Result<Known, ScimError> {
        let sent = Document::sent(body.clone())?.checked("userName")?;
        self.change(caller, asked, id, |before| {
            let mut after = sent.clone();
            if after.active().is_none()
                && let Some(active) = before.active()
            {
                after.set_active(active);
            }
            Ok(after)
        })
        .await
    }

    pub(super) async fn patch_user(
        &self,
        caller: &Caller,
        asked: &Asked,
        id: &str,
        body: &Value,
    ) -> Result<Known, ScimError> {
        let operations = operations(body)?;
        self.change(caller, asked, id, |before| before.changed(&operations)?.checked("userName")).await
    }

    /// Changes what was sent of a user, and the user with it. **What changes nothing writes nothing.** A change in between is no harm: it is
    /// decided again on what is there now.
    async fn change(
        &self,
        caller: &Caller,
        asked: &Asked,
        id: &str,
        edit: impl Fn(&Document) -> Result<Document, ScimError>,
    ) -> Result<Known, ScimError> {
        for _ in 0..TRIES {
            let known = self.user(caller, id).await?;
            Self::check_version(asked, &known)?;
            let before = document(&known);
            let after = edit(&before)?;
            let (user, sent) = &known;
            if after == before && !Rules::is_behind(user, &after) {
                return Ok(known);
            }
            // After the user: a change of the settings that the user follows meanwhile makes this a write of what isn't so any more.
            let settings = self.directory.settings(&caller.account).await.map_err(|error| failed(&error))?;
            let now = Timestamp::now();
            let rules = self.rules(caller, &settings, user, &after).await?;
            let next = rules.apply(user.clone(), Some(&before), &after, now);
            if after == before && next == *user {
                return Ok(known);
            }
            let was_active = user.provisioning.as_ref().map_or(before.active() != Some(false), |known| known.active);
            let leaves = was_active && next.provisioning.as_ref().is_some_and(|next| !next.active);
            let next = next.revised(user, now);
            let fields = after.into_fields();
            let sent = match sent {
                Some(sent) if sent.fields == fields => sent.clone(),
                Some(sent) => sent.next(fields, now),
                None => ScimDocument::first(fields, now),
            };
            if self.is_anothers(caller, &next).await? {
                return Err(ScimError::taken("Another user has this userName."));
            }
            let written = self.directory.provision_user(&caller.account, Some(user), &next, &sent, &caller.by);
            match written.await.map_err(|error| failed(&error))? {
                WriteOutcome::Written => {
                    if leaves {
                        self.left(caller, &settings, now).await;
                    }
                    return Ok((next, Some(sent)));
                }
                WriteOutcome::Stale => self.check_taken(caller, &next).await?,
            }
        }
        Err(changed_meanwhile())
    }

    /// The user leaves, and the directory doesn't see it any more. **Here it stays**, with its list and its login ID.
    pub(crate) async fn delete_user(&self, caller: &Caller, asked: &Asked, id: &str) -> Result<Answer, ScimError> {
        for _ in 0..TRIES {
            let known = self.user(caller, id).await?;
            Self::check_version(asked, &known)?;
            // The groups first: a second try finds those that are left, and after the user is gone there is none.
            self.leave_groups(caller, &known.0).await?;
            let now = Timestamp::now();
            let mut sent_document = document(&known);
            let provisioned = known.0.provisioning.as_ref();
            let was_active = provisioned.map_or(sent_document.active() != Some(false), |known| known.active);
            sent_document.set_active(false);
            let (user, sent) = known;
            let mut after = user.clone();
            let provisioning = user
                .provisioning
                .clone()
                .unwrap_or_else(|| Provisioning::new(name_of(&sent_document), sent_document.text("externalId")));
            after.provision(Provisioning { active: false, deleted: true, ..provisioning.clone() }, now);
            let claim = Claim::deleted(&provisioning.user_name, provisioning.external_id.as_deref());
            let other = self.directory.owner(&caller.account, &claim).await.map_err(|error| failed(&error))?;
            if other.is_some_and(|other| other != user.login.folded()) {
                // Somebody else was deleted under this name and ID, and is who comes back by them. This one is called otherwise from now on.
                let known = after.provisioning.as_mut().map(|known| &mut known.external_id);
                *known.expect("it has just been set") = Some(format!("deleted {}", now.as_microsecond()).into());
            }
            let after = after.revised(&user, now);
            let fields = sent_document.into_fields();
            let sent =
                sent.map_or_else(|| ScimDocument::first(fields.clone(), now), |sent| sent.next(fields.clone(), now));
            let written = self.directory.provision_user(&caller.account, Some(&user), &after, &sent, &caller.by);
            if written.await.map_err(|error| failed(&error))? == WriteOutcome::Written {
                if was_active {
                    let settings = self.directory.settings(&caller.account).await.map_err(|error| failed(&error))?;
                    self.left(caller, &settings, now).await;
                }
                return Ok(Answer::empty(204));
            }
        }
        Err(changed_meanwhile())
    }
}
