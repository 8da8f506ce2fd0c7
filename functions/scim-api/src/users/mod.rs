//! Users.

mod change;
mod create;
mod find;
mod show;

pub(crate) use show::{id_of, login_of, seconds};

use lambda_http::http::Method;
use rollcall_provisioning::{Known, is_seen};
use rollcall_scim::{Page, ScimError, list_response};

use crate::{
    Asked, Scim,
    answer::{Answer, check_match, failed, names},
    caller::Caller,
};
use show::{Shown, version};

pub(crate) fn no_user() -> ScimError {
    ScimError::of(404, "There is no such user.")
}

impl Scim {
    /// The user whom a path names.
    pub(crate) async fn user(&self, caller: &Caller, id: &str) -> Result<Known, ScimError> {
        let login = login_of(id).ok_or_else(no_user)?;
        let found = self.directory.scim_user(&caller.account, &login).await.map_err(|error| failed(&error))?;
        found.filter(|(user, _)| is_seen(user)).ok_or_else(no_user)
    }

    pub(crate) async fn get_user(&self, caller: &Caller, asked: &Asked, id: &str) -> Result<Answer, ScimError> {
        let page = asked.page()?;
        let known = self.user(caller, id).await?;
        let version = version(&known);
        if asked.if_none_match.as_deref().is_some_and(|header| names(header, &version)) {
            return Ok(Answer { etag: Some(version), ..Answer::empty(304) });
        }
        let shown = Shown { base: &caller.base };
        let mut answer = Answer::resource(200, shown.user(&known));
        if page.selection.asks("groups") {
            let groups = self.groups_shown(caller, &known.0).await?;
            if let Some(body) = answer.body.as_mut().filter(|_| !groups.is_empty()) {
                body["groups"] = groups.into();
            }
        }
        answer.body = answer.body.map(|body| page.selection.apply(body));
        Ok(answer)
    }

    /// `PUT` replaces what was sent, `PATCH` changes it.
    pub(crate) async fn change_user(&self, caller: &Caller, asked: &Asked, id: &str) -> Result<Answer, ScimError> {
        let page = asked.page()?;
        let body = asked.body()?;
        let known = if asked.method == Method::PUT {
            self.replace_user(caller, asked, id, &body).await?
        } else {
            self.patch_user(caller, asked, id, &body).await?
        };
        let mut answer = Answer::resource(200, Shown { base: &caller.base }.user(&known));
        answer.body = answer.body.map(|body| page.selection.apply(body));
        Ok(answer)
    }

    pub(crate) async fn list_users(&self, caller: &Caller, page: &Page) -> Result<Answer, ScimError> {
        let (users, total) = self.users_of(caller, page).await?;
        Ok(Answer::ok(list_response(total, page.start, &users)))
    }

    fn check_version(asked: &Asked, known: &Known) -> Result<(), ScimError> {
        check_match(asked.if_match.as_deref(), &version(known))
    }
}
