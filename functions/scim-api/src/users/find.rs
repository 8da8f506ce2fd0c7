//! Users by a filter, and all of them page by page.

use jiff::Timestamp;
use rollcall_model::user::{Claim, DirectoryId, LoginId, fold};
use rollcall_provisioning::{Known, is_guid, is_seen};
use rollcall_scim::{Filter, Page, ScimError, ScimType, without_tombstone};
use serde_json::Value;

use super::show::{Shown, login_of};
use crate::{Scim, answer::failed, caller::Caller};

/// Users of one name that are looked at.
const MAX_NAMESAKES: usize = 200;

impl Scim {
    /// A page of users, and how many there are.
    pub(crate) async fn users_of(&self, caller: &Caller, page: &Page) -> Result<(Vec<Value>, usize), ScimError> {
        let shown = Shown { base: &caller.base };
        let (users, total) = match &page.filter {
            Some(filter) => {
                let found = self.find(caller, filter).await?;
                let total = found.len();
                (found.into_iter().skip(page.start - 1).take(page.count).collect(), total)
            }
            None => self.stretch(caller, page).await?,
        };
        Ok((users.iter().map(|known| page.selection.apply(shown.user(known))).collect(), total))
    }

    /// The users whom a filter finds. It must name something that users are found by.
    async fn find(&self, caller: &Caller, filter: &Filter) -> Result<Vec<Known>, ScimError> {
        let address = || {
            let term = filter
                .terms
                .iter()
                .find(|term| term.path.is("emails") && term.path.sub.as_deref().is_none_or(|sub| sub == "value"));
            term.and_then(|term| term.value.as_str())
        };
        let found = if let Some(id) = filter.text("id", None) {
            self.by_login(caller, login_of(id)).await?
        } else if let Some(name) = filter.text("userName", None) {
            self.by_user_name(caller, name).await?
        } else if let Some(id) = filter.text("externalId", None) {
            self.by_external_id(caller, id).await?
        } else if let Some(address) = address() {
            let owner = self.owner(caller, &Claim::Email(fold(address).into_owned())).await?;
            self.by_login(caller, owner).await?
        } else if let Some(name) = filter.text("displayName", None) {
            let logins = self
                .directory
                .logins_named(&caller.account, &fold(name), MAX_NAMESAKES)
                .await
                .map_err(|error| failed(&error))?;
            let mut found =
                self.directory.scim_users(&caller.account, &logins, true).await.map_err(|error| failed(&error))?;
            logins.iter().filter_map(|login| found.remove(login)).collect()
        } else {
            let detail = "Users are found by id, userName, externalId, emails.value or displayName.";
            return Err(ScimError::bad(ScimType::InvalidFilter, detail));
        };
        let shown = Shown { base: &caller.base };
        let fits = |known: &Known| {
            let Value::Object(mut resource) = shown.user(known) else { return false };
            // A name is found by what it was before its user was deleted there, and an ID of an import in any case.
            for name in ["userName", "externalId"] {
                let same = |found: &str, asked: &str| match name {
                    "userName" => fold(without_tombstone(found)) == fold(without_tombstone(asked)),
                    _ => known.1.is_none() && found.eq_ignore_ascii_case(asked),
                };
                let found = resource.get(name).and_then(Value::as_str).unwrap_or_default();
                if let Some(asked) = filter.text(name, None).filter(|asked| same(found, asked)) {
                    resource.insert(name.to_owned(), asked.into());
                }
            }
            is_seen(&known.0) && filter.takes(&resource, &|text| fold(text).into_owned())
        };
        Ok(found.into_iter().filter(fits).collect())
    }

    async fn by_login(&self, caller: &Caller, login: Option<String>) -> Result<Vec<Known>, ScimError> {
        let Some(login) = login else { return Ok(Vec::new()) };
        Ok(self
            .directory
            .scim_user(&caller.account, &login)
            .await
            .map_err(|error| failed(&error))?
            .into_iter()
            .collect())
    }

    async fn by_user_name(&self, caller: &Caller, name: &str) -> Result<Vec<Known>, ScimError> {
        let owner = self.owner(caller, &Claim::user_name(without_tombstone(name))).await?;
        // Who was never sent goes by the login ID.
        let login = owner.or_else(|| LoginId::parse(name).ok().map(|login| login.folded().into_owned()));
        self.by_login(caller, login).await
    }

    async fn by_external_id(&self, caller: &Caller, id: &str) -> Result<Vec<Known>, ScimError> {
        if let Some(owner) = self.owner(caller, &Claim::external_id(id)).await? {
            return self.by_login(caller, Some(owner)).await;
        }
        // Who was imported from the same directory is the same person.
        let Some(person) = DirectoryId::parse(id).ok().filter(|_| is_guid(id)) else { return Ok(Vec::new()) };
        let owner = self.owner(caller, &Claim::DirectoryId(person)).await?;
        let found = self.by_login(caller, owner).await?;
        Ok(found.into_iter().filter(|(_, sent)| sent.is_none()).collect())
    }

    async fn owner(&self, caller: &Caller, claim: &Claim) -> Result<Option<String>, ScimError> {
        self.directory.owner(&caller.account, claim).await.map_err(|error| failed(&error))
    }

    /// All users, from a place on. Where the page before ended is remembered, so that the next one doesn't walk there again.
    async fn stretch(&self, caller: &Caller, page: &Page) -> Result<(Vec<Known>, usize), ScimError> {
        let (directory, account, now) = (&self.directory, &caller.account, Timestamp::now());
        let known = match page.start {
            1 => None,
            start => directory.scim_page(account, start, now).await.map_err(|error| failed(&error))?,
        };
        let (from, skip, total) = match known {
            Some((place, total)) => (Some(place), 0, total),
            None => (None, page.start - 1, directory.count_scim_users(account).await.map_err(|error| failed(&error))?),
        };
        if page.count == 0 || page.start > total {
            return Ok((Vec::new(), total));
        }
        let found = directory
            .list_scim_users(account, from.as_deref(), skip, page.count)
            .await
            .map_err(|error| failed(&error))?;
        let next = page.start + found.users.len();
        if let Some(place) = found.next.filter(|_| next <= total) {
            directory.put_scim_page(account, next, (&place, total), now).await.map_err(|error| failed(&error))?;
        }
        Ok((found.users, total))
    }
}
