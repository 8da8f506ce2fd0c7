//! What of the account decides what is sent of users, and the groups that they are in, mean for them.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use rollcall_engine::{StorageError, world::Catalogs};
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    catalog::{CatalogEntry, CatalogKind},
    country::Country,
    email::EmailAddress,
    numbers::{NumberReader, Reading},
    settings::{ScimGroupRule, Settings},
    user::{DirectoryId, Given, Name, Provisioning, Ref, User, fold},
};
use rollcall_scim::{Document, Projection, without_tombstone};
use rollcall_storage::directory::{Directory, ScimMember, group_claims};
use serde_json::Map;

use crate::is_guid;

/// What of the account decides it, for some users.
pub struct Rules {
    country: Country,
    departments: Vec<CatalogEntry>,
    roles: Vec<CatalogEntry>,
    default_role: Option<Ref>,
    /// Groups that set something, by ID, the first of which counts.
    groups: Vec<(String, ScimGroupRule)>,
    /// Which of the users are in which of them.
    memberships: HashSet<(String, ScimMember)>,
}

impl Rules {
    /// Reads what users need of whom this is said: a catalogue only if one of them names something of it. `country` is that of accounts that
    /// name none.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn of(
        directory: &Directory,
        account: &AccountId,
        country: Country,
        settings: &Settings,
        users: &[(&User, &Projection)],
    ) -> Result<Self, StorageError> {
        let owners = settings.scim_groups.iter().map(|rule| async move {
            let id = group_named(directory, account, &rule.group).await?;
            Ok::<_, StorageError>(id.map(|id| (id, rule.clone())))
        });
        let groups: Vec<_> = try_join_all(owners).await?.into_iter().flatten().collect();
        let ids: Vec<String> = groups.iter().map(|(id, _)| id.clone()).collect();
        let logins: Vec<String> = users.iter().map(|(user, _)| user.login.folded().into_owned()).collect();
        let memberships = if ids.is_empty() {
            HashSet::default()
        } else {
            directory.scim_memberships(account, &ids, &logins).await?
        };
        let catalog = async |kind, asked| {
            if asked { directory.catalog(account, kind).await } else { Ok(Vec::new()) }
        };
        let named = |part: fn(&Projection) -> bool| users.iter().any(|(_, told)| part(told));
        let departments = named(|told| told.department.is_some());
        let roles = settings.scim_roles && named(|told| !told.roles.is_empty());
        Ok(Self {
            country: settings.country.unwrap_or(country),
            departments: catalog(CatalogKind::Department, departments).await?,
            roles: catalog(CatalogKind::Role, roles).await?,
            default_role: settings.default_role.clone(),
            groups,
            memberships,
        })
    }

    /// Whether something that is said of the user had no place when it was said, and may have one by now: a department that was made since.
    pub fn is_behind(user: &User, document: &Document) -> bool {
        let given = user.provisioning.as_ref().and_then(|known| known.given.department.as_ref());
        user.provisioning.is_some() && given.is_none() && Projection::of(document).department.is_some()
    }

    /// The user as it is with the document. Of what was said before, only what is said otherwise now is changed: **what a person has
    /// changed here stays** until the directory says something new.
    #[must_use]
    pub fn apply(&self, mut user: User, before: Option<&Document>, after: &Document, now: Timestamp) -> User {
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
        let member = ScimMember::of(user);
        let is_in = |group: &String| self.memberships.contains(&(group.clone(), member.clone()));
        let rules: Vec<_> = self.groups.iter().filter(|(group, _)| is_in(group)).map(|(_, rule)| rule).collect();
        let of_groups = |part: fn(&ScimGroupRule) -> Option<&Ref>| rules.iter().find_map(|rule| part(rule)).cloned();
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

/// The ID of the group of this name.
pub(crate) async fn group_named(
    directory: &Directory,
    account: &AccountId,
    name: &Name,
) -> Result<Option<String>, StorageError> {
    let claims = group_claims(&Map::from_iter([("displayName".to_owned(), name.as_str().into())]));
    let claim = claims.first().expect("a group with a name has a claim on it");
    directory.group_owner(account, claim).await
}
