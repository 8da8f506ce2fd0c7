//! Groups: kept as they are sent. What one sets of its members, the account's settings say; all others have no effect.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use lambda_http::http::Method;
use rollcall_engine::world::Accounts;
use rollcall_model::user::User;
use rollcall_provisioning::{TRIES, follow, is_seen};
use rollcall_scim::{CORE_GROUP, Document, Group, MemberChanges, Page, ScimError, ScimType, list_response, operations};
use rollcall_storage::directory::{ScimGroup, ScimMember, WriteOutcome, group_claims};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Asked, Scim,
    answer::{Answer, changed_meanwhile, check_match, failed, names},
    caller::Caller,
    users::{self, id_of, login_of},
};

fn version(group: &ScimGroup) -> String {
    format!("W/\"{}\"", group.version)
}

fn no_group() -> ScimError {
    ScimError::of(404, "There is no such group.")
}

impl Scim {
    pub(crate) async fn list_groups(&self, caller: &Caller, page: &Page) -> Result<Answer, ScimError> {
        let (groups, total) = self.groups_of(caller, page).await?;
        Ok(Answer::ok(list_response(total, page.start, &groups)))
    }

    /// A page of groups, and how many there are.
    pub(crate) async fn groups_of(&self, caller: &Caller, page: &Page) -> Result<(Vec<Value>, usize), ScimError> {
        let (directory, account) = (&self.directory, &caller.account);
        let name = page.filter.as_ref().and_then(|filter| filter.text("displayName", None));
        let mut groups = if let Some(name) = name {
            let fields = serde_json::Map::from_iter([("displayName".to_owned(), name.into())]);
            let owner = match group_claims(&fields).first() {
                Some(claim) => directory.group_owner(account, claim).await.map_err(|error| failed(&error))?,
                None => None,
            };
            match owner {
                Some(id) => {
                    directory.scim_group(account, &id).await.map_err(|error| failed(&error))?.into_iter().collect()
                }
                None => Vec::new(),
            }
        } else {
            directory.scim_groups(account).await.map_err(|error| failed(&error))?
        };
        if let Some(filter) = &page.filter {
            // Who is in it is looked up by the member that the filter names.
            let member = filter.text("members", Some("value")).or_else(|| filter.text("members", None));
            let of_member = match member.map(login_of) {
                None => None,
                Some(None) => Some(Vec::new()),
                Some(Some(login)) => {
                    Some(directory.scim_groups_of(account, &login).await.map_err(|error| failed(&error))?)
                }
            };
            groups.retain(|group| {
                let Value::Object(mut resource) = shown(caller, group, None) else { return false };
                if let (Some(of_member), Some(member)) = (&of_member, member) {
                    let is_in = of_member.contains(&group.id);
                    resource.insert(
                        "members".to_owned(),
                        json!(if is_in { vec![json!({ "value": member })] } else { vec![] }),
                    );
                }
                filter.takes(&resource, &|text| rollcall_model::user::fold(text).into_owned())
            });
        }
        let total = groups.len();
        let mut resources = Vec::new();
        for group in groups.iter().skip(page.start - 1).take(page.count) {
            let members =
                if page.selection.shows("members") { Some(self.members_shown(caller, &group.id).await?) } else { None };
            resources.push(page.selection.apply(shown(caller, group, members)));
        }
        Ok((resources, total))
    }

    pub(crate) async fn get_group(&self, caller: &Caller, asked: &Asked, id: &str) -> Result<Answer, ScimError> {
        let page = asked.page()?;
        let group = self.group(caller, id).await?;
        if asked.if_none_match.as_deref().is_some_and(|header| names(header, &version(&group))) {
            return Ok(Answer { etag: Some(version(&group)), ..Answer::empty(304) });
        }
        let members = if page.selection.shows("members") { Some(self.members_shown(caller, id).await?) } else { None };
        let mut answer = Answer::resource(200, shown(caller, &group, members));
        answer.body = answer.body.map(|body| page.selection.apply(body));
        Ok(answer)
    }

    pub(crate) async fn create_group(&self, caller: &Caller, body: Value) -> Result<Answer, ScimError> {
        let Group { document, members } = Group::sent(body)?;
        let now = Timestamp::now();
        let fields = document.into_fields();
        let group = ScimGroup { id: Uuid::new_v4().to_string(), fields, version: 1, created: now, modified: now };
        self.check_group_claims(caller, &group).await?;
        // Its members first, which nobody sees before the group is there: so it is there with all of them, or not at all.
        let named = self.change_members(caller, &group.id, &members).await?;
        let written = self.directory.put_scim_group(&caller.account, None, &group, &caller.by);
        if written.await.map_err(|error| failed(&error))? == WriteOutcome::Stale {
            let gone = named.iter().map(|member| member.login.clone()).collect::<Vec<_>>();
            let removed = self.directory.change_scim_members(&caller.account, &group.id, &[], &gone, &caller.by);
            removed.await.map_err(|error| failed(&error))?;
            return Err(ScimError::taken("Another group has this name or externalId."));
        }
        self.follow(caller, &named).await?;
        let members = self.members_shown(caller, &group.id).await?;
        Ok(Answer::resource(201, shown(caller, &group, Some(members))))
    }

    /// **Checked whole before anything is written**, and written step by step, since members may be thousands. What was cut short is done by
    /// sending it again.
    pub(crate) async fn change_group(&self, caller: &Caller, asked: &Asked, id: &str) -> Result<Answer, ScimError> {
        let body = asked.body()?;
        let is_put = asked.method == Method::PUT;
        let sent = if is_put { Ok(Group::sent(body)?) } else { Err(operations(&body)?) };
        for _ in 0..TRIES {
            let before = self.group(caller, id).await?;
            check_match(asked.if_match.as_deref(), &version(&before))?;
            let changed = match &sent {
                Ok(sent) => sent.clone(),
                Err(operations) => Group::changed(&Document::kept(before.fields.clone()), operations.clone())?,
            };
            let mut after = ScimGroup { fields: changed.document.into_fields(), ..before.clone() };
            let is_renamed = before.fields.get("displayName") != after.fields.get("displayName");
            self.check_group_claims(caller, &after).await?;
            let (add, remove, mut named) = self.plan_members(caller, id, &changed.members).await?;
            let is_same = add.is_empty() && remove.is_empty() && after.fields == before.fields;
            if !add.is_empty() || !remove.is_empty() {
                let written = self.directory.change_scim_members(&caller.account, id, &add, &remove, &caller.by);
                written.await.map_err(|error| failed(&error))?;
            }
            if !is_same {
                (after.version, after.modified) = (before.version + 1, Timestamp::now());
                let written = self.directory.put_scim_group(&caller.account, Some(&before), &after, &caller.by);
                if written.await.map_err(|error| failed(&error))? == WriteOutcome::Stale {
                    continue;
                }
            }
            if is_renamed {
                // What the settings say of a name may be of another group by now.
                named = self.directory.scim_members(&caller.account, id).await.map_err(|error| failed(&error))?;
                named.extend(remove.into_iter().map(|login| ScimMember { login, created: None }));
            }
            self.follow(caller, &named).await?;
            if is_put {
                let members = self.members_shown(caller, id).await?;
                return Ok(Answer::resource(200, shown(caller, &after, Some(members))));
            }
            // Entra ID wants no body.
            return Ok(Answer { etag: Some(version(&after)), ..Answer::empty(204) });
        }
        Err(changed_meanwhile())
    }

    pub(crate) async fn delete_group(&self, caller: &Caller, asked: &Asked, id: &str) -> Result<Answer, ScimError> {
        for _ in 0..TRIES {
            let group = self.group(caller, id).await?;
            check_match(asked.if_match.as_deref(), &version(&group))?;
            // The members first: a second try finds those that are left.
            let clear = MemberChanges { clear: true, ..MemberChanges::default() };
            let named = self.change_members(caller, id, &clear).await?;
            self.follow(caller, &named).await?;
            let deleted =
                self.directory.delete_scim_group(&caller.account, &group).await.map_err(|error| failed(&error))?;
            if deleted == WriteOutcome::Written {
                return Ok(Answer::empty(204));
            }
        }
        Err(changed_meanwhile())
    }

    async fn group(&self, caller: &Caller, id: &str) -> Result<ScimGroup, ScimError> {
        if Uuid::parse_str(id).is_err() {
            return Err(no_group());
        }
        self.directory.scim_group(&caller.account, id).await.map_err(|error| failed(&error))?.ok_or_else(no_group)
    }

    /// Refuses a name or an ID that another group has, before anything is written.
    async fn check_group_claims(&self, caller: &Caller, group: &ScimGroup) -> Result<(), ScimError> {
        for claim in group_claims(&group.fields) {
            let owner = self.directory.group_owner(&caller.account, &claim).await.map_err(|error| failed(&error))?;
            if owner.is_some_and(|owner| owner != group.id) {
                return Err(ScimError::taken("Another group has this name or externalId."));
            }
        }
        Ok(())
    }

    async fn change_members(
        &self,
        caller: &Caller,
        group: &str,
        changes: &MemberChanges,
    ) -> Result<Vec<ScimMember>, ScimError> {
        let (add, remove, named) = self.plan_members(caller, group, changes).await?;
        if !add.is_empty() || !remove.is_empty() {
            let written = self.directory.change_scim_members(&caller.account, group, &add, &remove, &caller.by);
            written.await.map_err(|error| failed(&error))?;
        }
        Ok(named)
    }

    /// Who comes and who goes, of those who aren't there and who are; and all who were named, whom an earlier try may have left half done.
    async fn plan_members(
        &self,
        caller: &Caller,
        group: &str,
        changes: &MemberChanges,
    ) -> Result<(Vec<ScimMember>, Vec<String>, Vec<ScimMember>), ScimError> {
        let (directory, account) = (&self.directory, &caller.account);
        let unknown = |id: &str| {
            let shown: String = id.chars().take(64).collect();
            ScimError::bad(ScimType::InvalidValue, format!("There is no user with the ID {shown:?}."))
        };
        let logins: Vec<String> =
            changes.add.iter().map(|id| login_of(id).ok_or_else(|| unknown(id))).collect::<Result<_, _>>()?;
        let users = directory.scim_users(account, &logins, false).await.map_err(|error| failed(&error))?;
        let mut wanted = Vec::with_capacity(logins.len());
        for login in &logins {
            let user = users.get(login).map(|(user, _)| user).filter(|user| is_seen(user));
            wanted.push(ScimMember::of(user.ok_or_else(|| unknown(&id_of(login)))?));
        }
        let there: Vec<ScimMember> = if changes.clear {
            directory.scim_members(account, group).await.map_err(|error| failed(&error))?
        } else {
            let gone = changes.remove.iter().filter_map(|id| login_of(id));
            let asked: Vec<String> = logins.iter().cloned().chain(gone).collect();
            let found = directory
                .scim_memberships(account, &[group.to_owned()], &asked)
                .await
                .map_err(|error| failed(&error))?;
            found.into_iter().map(|(_, member)| member).collect()
        };
        let there: HashMap<&str, &ScimMember> = there.iter().map(|member| (member.login.as_str(), member)).collect();
        let add: Vec<ScimMember> =
            wanted.iter().filter(|member| there.get(member.login.as_str()) != Some(member)).cloned().collect();
        let removed: Vec<String> = changes.remove.iter().filter_map(|id| login_of(id)).collect();
        let stays: HashSet<&str> = wanted.iter().map(|member| member.login.as_str()).collect();
        let gone: HashSet<&str> = removed.iter().map(String::as_str).collect();
        let goes = |login: &str| if changes.clear { !stays.contains(login) } else { gone.contains(login) };
        let remove: Vec<String> = there.keys().filter(|login| goes(login)).map(|login| (*login).to_owned()).collect();
        let mut named = wanted;
        let gone = changes
            .remove
            .iter()
            .filter_map(|id| login_of(id))
            .chain(remove.iter().cloned())
            .map(|login| ScimMember { login, created: None });
        named.extend(gone);
        named.sort();
        named.dedup_by(|one, other| one.login == other.login);
        Ok((add, remove, named))
    }

    /// The members of a group who are still there, as they are shown.
    async fn members_shown(&self, caller: &Caller, group: &str) -> Result<Vec<Value>, ScimError> {
        let members = self.directory.scim_members(&caller.account, group).await.map_err(|error| failed(&error))?;
        let logins: Vec<String> = members.iter().map(|member| member.login.clone()).collect();
        let users = self.directory.scim_users(&caller.account, &logins, false).await.map_err(|error| failed(&error))?;
        let is_there = |member: &&ScimMember| {
            users.get(&member.login).is_some_and(|(user, _)| is_seen(user) && ScimMember::of(user) == **member)
        };
        let show = |member: &ScimMember| {
            let id = id_of(&member.login);
            MemberChanges::shown(&id, &format!("{}/Users/{id}", caller.base))
        };
        Ok(members.iter().filter(is_there).map(show).collect())
    }

    /// The groups of a user, as they are shown with it.
    pub(crate) async fn groups_shown(&self, caller: &Caller, user: &User) -> Result<Vec<Value>, ScimError> {
        let ids = self
            .directory
            .scim_groups_of(&caller.account, &user.login.folded())
            .await
            .map_err(|error| failed(&error))?;
        let mut groups = Vec::new();
        for id in ids {
            if let Some(group) =
                self.directory.scim_group(&caller.account, &id).await.map_err(|error| failed(&error))?
            {
                let location = format!("{}/Groups/{id}", caller.base);
                groups.push(json!({ "value": id, "$ref": location, "display": group.fields.get("displayName") }));
            }
        }
        Ok(groups)
    }

    /// Takes a user out of all groups.
    pub(crate) async fn leave_groups(&self, caller: &Caller, user: &User) -> Result<(), ScimError> {
        let login = [user.login.folded().into_owned()];
        for group in self.directory.scim_groups_of(&caller.account, &login[0]).await.map_err(|error| failed(&error))? {
            let removed = self.directory.change_scim_members(&caller.account, &group, &[], &login, &caller.by);
            removed.await.map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// Has users be what their groups make of them by now, if any group of the account makes something of anybody.
    async fn follow(&self, caller: &Caller, named: &[ScimMember]) -> Result<(), ScimError> {
        let Caller { account, by, .. } = caller;
        let settings = self.directory.settings(account).await.map_err(|error| failed(&error))?;
        if settings.scim_groups.is_empty() {
            return Ok(());
        }
        let logins: Vec<String> = named.iter().map(|member| member.login.clone()).collect();
        follow(&self.directory, account, self.country, &logins, by).await.map_err(|error| failed(&error))
    }
}

/// A group as it is shown, with its members or without.
fn shown(caller: &Caller, group: &ScimGroup, members: Option<Vec<Value>>) -> Value {
    let document = Document::kept(group.fields.clone());
    let schemas = document.schemas(CORE_GROUP);
    let mut body = Value::from(document.into_fields());
    body["schemas"] = schemas.into();
    body["id"] = group.id.as_str().into();
    body["meta"] = json!({
        "resourceType": "Group",
        "location": format!("{}/Groups/{}", caller.base, group.id),
        "version": version(group),
        "created": users::seconds(group.created),
        "lastModified": users::seconds(group.modified),
    });
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        body["members"] = members.into();
    }
    body
}
