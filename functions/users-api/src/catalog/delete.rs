//! Roles, departments and teams that go. **What is in use stays**, unless another takes its place: a file that names it would else make
//! something of it that nobody meant.

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use rollcall_api_types::{MovedView, SettingsFields, SettingsView};
use rollcall_engine::world::{Accounts, Catalogs, Numbers};
use rollcall_model::{
    catalog::CatalogKind,
    code::ApiCode,
    inventory::{InventoryNumber, NumberFacts},
    settings::ScimGroupRule,
    user::{Profile, Ref, User},
};
use rollcall_storage::directory::{FilterValue, UserFilter};
use serde::Deserialize;

use crate::{Api, caller::Caller, problem::Problem, settings, users};

/// What may be asked beside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// What users and numbers get in its place, by ID.
    replace_with: Option<Ref>,
}

/// Users that one request moves at most, so that it ends well within a request's time. Where there are more, it is to be sent again.
const MAX_MOVED: usize = 1_000;
/// Writes in flight.
const IN_FLIGHT: usize = 8;
/// Users that are named.
const NAMED: usize = 3;

/// Who refers to something of the catalogue.
struct References {
    users: Vec<User>,
    numbers: Vec<InventoryNumber>,
    is_default: bool,
    is_set_by_groups: bool,
}

/// Takes an entry away, if nobody uses it any more. Of more users than one request moves, it moves so many, and says so: the entry is there until
/// the last of them has another one, so the same request again goes on, however the one before ended.
pub(super) async fn delete(
    api: &Api,
    caller: &Caller,
    kind: CatalogKind,
    id: &Ref,
    Asked { replace_with }: Asked,
) -> Result<Response, Problem> {
    let mut found = used_by(api, caller, kind, id).await?;
    match replace_with {
        None if !found.is_empty() => return Err(found.problem(kind)),
        None => {}
        Some(other) => {
            let entries = api.directory.catalog(&caller.account, kind).await?;
            if other == *id || !entries.iter().any(|entry| entry.id == other) {
                let detail = format!("The account has no other {} of this ID.", word(kind));
                return Err(Problem::parameter("replace_with", detail));
            }
            if found.users.len() > MAX_MOVED {
                found.users.truncate(MAX_MOVED);
                found.give_users(api, caller, kind, id, &other).await?;
                return Ok((StatusCode::ACCEPTED, Json(MovedView { moved: MAX_MOVED })).into_response());
            }
            found.give(api, caller, kind, id, &other).await?;
        }
    }
    api.directory.delete_entry(&caller.account, kind, id, &caller.actor()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn used_by(api: &Api, caller: &Caller, kind: CatalogKind, id: &Ref) -> Result<References, Problem> {
    let account = &caller.account;
    let filter =
        UserFilter { equal: vec![(word(kind), FilterValue::Text(id.as_str().to_owned()))], ..UserFilter::default() };
    // Read to the end of the account: one user who is not seen would be left with what isn't there.
    let (users, _) = api.directory.users_page(account, &filter, None, MAX_MOVED + 1, usize::MAX).await?;
    let numbers = match kind {
        CatalogKind::Department => api.directory.inventory(account).await?,
        CatalogKind::Role | CatalogKind::Team => Vec::new(),
    };
    let of_it = |number: &InventoryNumber| number.facts.department.as_ref() == Some(id);
    let settings = api.directory.settings(account).await?;
    let is_default = kind == CatalogKind::Role && settings.default_role.as_ref() == Some(id);
    let is_set_by_groups = settings.scim_groups.iter().any(|rule| set_by(rule, kind) == Some(id));
    Ok(References { users, numbers: numbers.into_iter().filter(of_it).collect(), is_default, is_set_by_groups })
}

impl References {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.numbers.is_empty() && !self.is_default && !self.is_set_by_groups
    }

    /// Who uses it, in a sentence.
    fn problem(&self, kind: CatalogKind) -> Problem {
        let mut parts = Vec::new();
        if !self.users.is_empty() {
            let named: Vec<_> = self.users.iter().take(NAMED).map(|user| user.login.as_str()).collect();
            let more = if self.users.len() > NAMED { ", …" } else { "" };
            let count = if self.users.len() > MAX_MOVED {
                format!("more than {MAX_MOVED} users")
            } else {
                format!("{} of the users", self.users.len())
            };
            parts.push(format!("{count} ({}{more})", named.join(", ")));
        }
        if !self.numbers.is_empty() {
            parts.push(format!("{} of the numbers", self.numbers.len()));
        }
        if self.is_default {
            parts.push("the settings, as the role of new users".to_owned());
        }
        if self.is_set_by_groups {
            parts.push("the settings, as what a group of the company's directory sets".to_owned());
        }
        let detail = format!(
            "The {} is in use by {}. Change them first, or name what takes its place.",
            word(kind),
            parts.join(" and ")
        );
        Problem::new(StatusCode::CONFLICT, ApiCode::InUse, detail)
    }

    /// Gives all of them another one.
    async fn give(&self, api: &Api, caller: &Caller, kind: CatalogKind, id: &Ref, other: &Ref) -> Result<(), Problem> {
        self.give_users(api, caller, kind, id, other).await?;
        for number in &self.numbers {
            let facts = NumberFacts { department: Some(other.clone()), ..number.facts.clone() };
            let Ok(after) = number.change(facts, Timestamp::now()) else { continue };
            if !api.directory.change_number(&caller.account, Some(number), &after, &caller.actor()).await? {
                return Err(Problem::changed());
            }
        }
        if self.is_default {
            let choose =
                |before| Ok(SettingsFields { default_role: Some(other.clone()), ..SettingsView::from(before).fields });
            settings::change(api, caller, &HeaderMap::new(), choose).await?;
        }
        if self.is_set_by_groups {
            let choose = |before| {
                let mut fields = SettingsView::from(before).fields;
                for rule in &mut fields.scim_groups {
                    let place = match kind {
                        CatalogKind::Role => &mut rule.role,
                        CatalogKind::Department => &mut rule.department,
                        CatalogKind::Team => &mut rule.team,
                    };
                    if place.as_ref() == Some(id) {
                        *place = Some(other.clone());
                    }
                }
                Ok(fields)
            };
            settings::change(api, caller, &HeaderMap::new(), choose).await?;
        }
        Ok(())
    }

    /// Gives the users another one. A change in between is no harm: whoever has something else meanwhile keeps that.
    async fn give_users(
        &self,
        api: &Api,
        caller: &Caller,
        kind: CatalogKind,
        id: &Ref,
        other: &Ref,
    ) -> Result<(), Problem> {
        let users: Vec<&str> = self.users.iter().map(|user| user.login.as_str()).collect();
        let moves = users.into_iter().map(|login| async move {
            let none = HeaderMap::new();
            let moved = users::change(api, caller, &none, login, |before| {
                let mut after = before.clone();
                let field = field(&mut after.profile, kind);
                if field.as_ref() == Some(id) {
                    *field = Some(other.clone());
                }
                Ok(after)
            });
            match moved.await {
                // Who has been deleted meanwhile needs none.
                Err(problem) if problem.is_not_found() => Ok(()),
                moved => moved.map(drop),
            }
        });
        stream::iter(moves.collect::<Vec<_>>()).buffer_unordered(IN_FLIGHT).try_collect().await
    }
}

fn field(profile: &mut Profile, kind: CatalogKind) -> &mut Option<Ref> {
    match kind {
        CatalogKind::Role => &mut profile.role,
        CatalogKind::Department => &mut profile.department,
        CatalogKind::Team => &mut profile.team,
    }
}

/// What of this kind a rule sets.
fn set_by(rule: &ScimGroupRule, kind: CatalogKind) -> Option<&Ref> {
    match kind {
        CatalogKind::Role => rule.role.as_ref(),
        CatalogKind::Department => rule.department.as_ref(),
        CatalogKind::Team => rule.team.as_ref(),
    }
}

/// What it is called, which is also the users' attribute for it.
fn word(kind: CatalogKind) -> &'static str {
    match kind {
        CatalogKind::Role => "role",
        CatalogKind::Department => "department",
        CatalogKind::Team => "team",
    }
}
