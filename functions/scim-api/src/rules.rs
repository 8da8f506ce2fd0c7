//! What a document and a user's groups mean for the user.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use rollcall_engine::world::Catalogs;
use rollcall_model::{
    caller_id::CallerId,
    catalog::{CatalogEntry, CatalogKind},
    country::Country,
    email::EmailAddress,
    numbers::{NumberReader, Reading},
    settings::{ScimGroupRule, Settings},
    user::{DirectoryId, Given, Name, Provisioning, Ref, User, fold},
};
use rollcall_scim::{Document, Projection, ScimError, without_tombstone};
use rollcall_storage::directory::{ScimMember, group_claims};
use serde_json::Map;

use crate::{Scim, answer::failed, caller::Caller, users::is_guid};

/// What of the account decides it.
pub(crate) struct Rules {
    country: Country,
    departments: Vec<CatalogEntry>,
    roles: Vec<CatalogEntry>,
    default_role: Option<Ref>,
    /// What the user's groups set, the first of which counts.
    groups: Vec<ScimGroupRule>,
}

impl Rules {
    /// Reads what a document needs: a catalogue only if it names something of it.
    pub(crate) async fn of(
        scim: &Scim,
        caller: &Caller,
        settings: &Settings,
        user: &User,
        document: &Document,
    ) -> Result<Self, ScimError> {
        let told = Projection::of(document);
        let member = ScimMember::of(user);
        let mapped = scim.mapped_groups(caller, settings).await?;
        let ids: Vec<String> = mapped.iter().map(|(id, _)| id.clone()).collect();
        let logins = [member.login.clone()];
        let memberships = if ids.is_empty() {
            HashSet::default()
        } else {
            scim.directory.scim_memberships(&caller.account, &ids, &logins).await.map_err(|error| failed(&error))?
        };
        let groups = mapped.into_iter().filter(|(id, _)| memberships.contains(&(id.clone(), member.clone())));
        Ok(Self {
            country: settings.country.unwrap_or(scim.country),
            departments: scim.catalog(caller, CatalogKind::Department, told.department.is_some()).await?,
            roles: scim.catalog(caller, CatalogKind::Role, settings.scim_roles && !told.roles.is_empty()).await?,
            default_role: settings.default_role.clone(),
            groups: groups.map(|(_, rule)| rule.clone()).collect(),
        })
    }

    /// Whether something that is said of the user had no place when it was said, and may have one by now: a department that was made since.
    pub(crate) fn is_behind(user: &User, document: &Document) -> bool {
        let given = user.provisioning.as_ref().and_then(|known| known.given.department.as_ref());
        user.provisioning.is_some() && given.is_none() && Projection::of(document).department.is_some()
    }

    /// The user as it is with the document. Of what was said before, only what is said otherwise now is changed: **what a person has
    /// changed here stays** until the directory says something new.
    pub(crate) fn apply(&self, mut user: User, before: Option<&Document>, after: &Document, now: Timestamp) -> User {
        let (told, known) = (Projection::of(after), before.map(Projection::of));
        let is_new =
            |same: fn(&Projection, &Projection) -> bool| known.as_ref().is_none_or(|known| !same(known, &told));
        if is_new(|one, other| one.name == other.name)
            && let Some(name) = told.name.as_deref().and_then(name)
        {
            user.profile.name = name;
        }
        if is_new(|one, other| one.email == other.email) {
            user.profile.email = told.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
        }
        if is_new(|one, other| one.phones == other.phones) {
            user.profile.call_forward_number = self.number(&told.phones);
        }
        if is_new(|one, other| one.title == other.title) {
            user.profile.designation = told.title.as_deref().and_then(name);
        }
        let external_id = after.text("externalId");
        if before.and_then(|before| before.text("externalId")) != external_id {
            let id = external_id.filter(|id| is_guid(id)).and_then(|id| DirectoryId::parse(id).ok());
            user.directory_id = id.or(user.directory_id);
        }
        let user_name = without_tombstone(after.text("userName").unwrap_or_default().trim());
        // Of whom nothing was said yet, what is so counts as said: who is blocked has not left only now.
        let was_active = before.and_then(Document::active).unwrap_or(true);
        let first = || Provisioning { active: was_active, ..Provisioning::new(user_name, external_id) };
        let had = user.provisioning.get_or_insert_with(first).clone();
        let given = self.give(&mut user, had.given.clone(), &told);
        let active = after.active().unwrap_or(had.active);
        let now_known = Provisioning {
            user_name: user_name.into(),
            external_id: external_id.map(Into::into),
            active,
            deleted: false,
            given,
            ..had
        };
        user.provision(now_known, now);
        user
    }

    /// Sets what groups and attributes give, and takes back what they gave and don't give any more.
    pub(crate) fn give(&self, user: &mut User, mut given: Given, told: &Projection) -> Given {
        let of_groups = |part: fn(&ScimGroupRule) -> Option<&Ref>| self.groups.iter().find_map(part).cloned();
        let role = of_groups(|rule| rule.role.as_ref())
            .or_else(|| told.roles.iter().find_map(|role| one_of(&self.roles, role)));
        let department = of_groups(|rule| rule.department.as_ref())
            .or_else(|| told.department.as_deref().and_then(|department| one_of(&self.departments, department)));
        let profile = &mut user.profile;
        give(&mut profile.role, &mut given.role, role, self.default_role.as_ref());
        give(&mut profile.team, &mut given.team, of_groups(|rule| rule.team.as_ref()), None);
        give(&mut profile.department, &mut given.department, department, None);
        given
    }

    fn number(&self, phones: &[String]) -> Option<CallerId> {
        let mut reader = NumberReader::new(self.country, &[]);
        phones.iter().find_map(|phone| match reader.read(phone) {
            Reading::Number { number, .. } => Some(number),
            Reading::Refused(_) => None,
        })
    }
}

fn give(has: &mut Option<Ref>, given: &mut Option<Ref>, wanted: Option<Ref>, otherwise: Option<&Ref>) {
    if *given == wanted {
        return;
    }
    match &wanted {
        Some(wanted) => *has = Some(wanted.clone()),
        // What somebody else has set since stays.
        None if has == given => *has = otherwise.cloned(),
        None => {}
    }
    *given = wanted;
}

/// The one entry of this ID, or else of this name. A name that two have is nobody's.
fn one_of(entries: &[CatalogEntry], text: &str) -> Option<Ref> {
    let by_id = entries.iter().find(|entry| fold(entry.id.as_str()) == fold(text));
    let mut named = entries.iter().filter(|entry| fold(entry.name.as_str()) == fold(text));
    let by_name = match (named.next(), named.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    };
    by_id.or(by_name).map(|entry| entry.id.clone())
}

/// As much of a text as a name can have.
fn name(text: &str) -> Option<Name> {
    const LONGEST: usize = 256;
    Name::parse(&text.chars().take(LONGEST).collect::<String>()).ok()
}

impl Scim {
    /// The groups that set something, by ID, in the order of the settings.
    pub(crate) async fn mapped_groups<'a>(
        &self,
        caller: &Caller,
        settings: &'a Settings,
    ) -> Result<Vec<(String, &'a ScimGroupRule)>, ScimError> {
        let mut owners = Vec::with_capacity(settings.scim_groups.len());
        for rule in &settings.scim_groups {
            owners.push(self.group_named(caller, rule));
        }
        Ok(try_join_all(owners).await?.into_iter().flatten().collect())
    }

    /// What the account has of a kind, where that is asked.
    async fn catalog(&self, caller: &Caller, kind: CatalogKind, asked: bool) -> Result<Vec<CatalogEntry>, ScimError> {
        if asked {
            self.directory.catalog(&caller.account, kind).await.map_err(|error| failed(&error))
        } else {
            Ok(Vec::new())
        }
    }

    async fn group_named<'a>(
        &self,
        caller: &Caller,
        rule: &'a ScimGroupRule,
    ) -> Result<Option<(String, &'a ScimGroupRule)>, ScimError> {
        let fields = Map::from_iter([("displayName".to_owned(), rule.group.as_str().into())]);
        let claims = group_claims(&fields);
        let claim = claims.first().expect("a group with a name has a claim on it");
        let owner = self.directory.group_owner(&caller.account, claim).await.map_err(|error| failed(&error))?;
        Ok(owner.map(|id| (id, rule)))
    }
}
