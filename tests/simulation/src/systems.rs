//! Systems of others: a phone system that has the account's users and takes lists, and the company's directory.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use rollcall_bulk::directory_import::{DirectoryUser, sync::DirectoryChange};
use rollcall_engine::world::{
    ChangeStep, CompanyDirectories, CompanyDirectory, HeldList, PeopleChanges, PeoplePages, PhoneSystemClient,
    PhoneSystems, SystemFailure, TellFailure, Telling, Which,
};
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    catalog::CatalogEntry,
    country::Country,
    phone_side::{PhoneSide, PhoneUser, PhoneUserId},
    settings::PhoneSystem,
    user::{DirectoryId, LoginId},
};
use tokio::time::Instant;

use crate::{Memory, log::What, memory::expect_account, state::sort};

/// The systems of others in memory.
pub struct Systems(pub Arc<Memory>);

/// A system in memory, as a client has it.
struct Client(Arc<Memory>);

/// A phone system in memory.
struct Phones(Arc<Memory>, PhoneSystem);

#[async_trait]
impl PhoneSystems for Systems {
    async fn connect(
        &self,
        account: &AccountId,
        system: PhoneSystem,
    ) -> Result<Arc<dyn PhoneSystemClient>, SystemFailure> {
        expect_account(account);
        Ok(Arc::new(Phones(self.0.clone(), system)))
    }
}

#[async_trait]
impl PhoneSystemClient for Phones {
    /// It has our users, and tells no permissions of theirs: those are our own.
    async fn users(&self, _: Instant) -> Result<PhoneSide, SystemFailure> {
        let users = self.0.ask("reading the phone system's users", |state| {
            let users = state
                .users
                .values()
                .map(|person| PhoneUser { permission: None, ..PhoneUser::from(person.user.clone()) });
            PhoneSide::new(users.collect()).expect("login IDs are unique")
        });
        Ok(users.await?)
    }

    async fn departments(&self, _: Instant) -> Result<Vec<CatalogEntry>, SystemFailure> {
        Ok(self.0.ask("reading departments", |_| Vec::new()).await?)
    }

    async fn numbers(&self, _: Instant) -> Result<Vec<CallerId>, SystemFailure> {
        Ok(self.0.ask("reading the phone system's numbers", |state| state.numbers.keys().copied().collect()).await?)
    }

    /// Whom we have deleted, it has still.
    async fn roster(&self, _: Instant) -> Result<PhoneSide, SystemFailure> {
        let roster = self.0.ask("reading who there is in the phone system", |state| {
            let ours = state.users.values().map(|person| PhoneUserId::of_login(&person.user.login));
            let ids: BTreeSet<PhoneUserId> = ours.chain(state.lists.keys().map(|(_, id)| id.clone())).collect();
            let user = |id: PhoneUserId| PhoneUser {
                login: LoginId::parse(id.as_str()).ok(),
                id,
                email: None,
                permission: None,
            };
            PhoneSide::new(ids.into_iter().map(user).collect()).expect("each is there once")
        });
        Ok(roster.await?)
    }

    /// One phone system tells what a user has, the other doesn't.
    async fn held(&self, user: &PhoneUserId, _: Instant) -> Result<Option<HeldList>, TellFailure> {
        let held = self.0.ask("reading a list", |state| {
            let list = state.lists.get(&(self.1.as_str(), user.clone())).cloned().unwrap_or_default();
            let held = list.into_iter().map(|number| (number, number.to_string())).collect();
            (self.1 == PhoneSystem::ZoomPhone).then_some(held)
        });
        held.await.map_err(TellFailure::Failed)
    }

    /// One phone system takes whole lists, the other differences.
    async fn tell(&self, user: &PhoneUserId, telling: &Telling<'_>, _: Instant) -> Result<(), TellFailure> {
        let told = self.0.ask_again("telling a list", |state| {
            if state.refused.contains(user) {
                return false;
            }
            state.tellings += 1;
            let whole = self.1 == PhoneSystem::Smartflo;
            let list = state.lists.entry((self.1.as_str(), user.clone())).or_default();
            if whole {
                *list = telling.list.to_vec();
            } else {
                list.retain(|number| !telling.remove.contains(&number.to_string()));
                list.extend(telling.add);
                sort(list);
            }
            true
        });
        match told.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(TellFailure::User("it knows nobody of this ID".to_owned())),
            Err(error) => Err(TellFailure::Failed(error)),
        }
    }
}

#[async_trait]
impl CompanyDirectories for Systems {
    async fn open(&self, account: &AccountId, _: Country) -> Result<Arc<dyn CompanyDirectory>, SystemFailure> {
        expect_account(account);
        Ok(Arc::new(Client(self.0.clone())))
    }
}

#[async_trait]
impl CompanyDirectory for Client {
    fn tenant(&self) -> &'static str {
        "contoso"
    }

    async fn find(&self, id: &DirectoryId, _: Instant) -> Result<Option<DirectoryUser>, SystemFailure> {
        Ok(self
            .0
            .ask("finding a person", |state| {
                state.note(What::SawDirectory);
                state.people.get(id).cloned()
            })
            .await?)
    }

    fn list(&self, which: Which<'_>) -> Result<Box<dyn PeoplePages + '_>, SystemFailure> {
        let (Which::Search(text) | Which::Filter(text)) = which;
        Ok(Box::new(Page { memory: &self.0, begins: text.to_owned(), ended: false }))
    }

    fn changes(&self, since: Option<&str>) -> Result<Box<dyn PeopleChanges + '_>, SystemFailure> {
        let from = since.map(|link| link.parse().expect("a link that was given out"));
        Ok(Box::new(Delta { memory: &self.0, from, link: None }))
    }
}

struct Page<'a> {
    memory: &'a Memory,
    begins: String,
    ended: bool,
}

#[async_trait]
impl PeoplePages for Page<'_> {
    async fn next(&mut self, _: Instant) -> Result<Option<Vec<DirectoryUser>>, SystemFailure> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        let begins = &self.begins;
        let people = self.memory.ask("listing people", |state| {
            state.note(What::SawDirectory);
            let all = state.people.values().filter(|person| person.name.as_str().starts_with(begins.as_str()));
            all.cloned().collect()
        });
        Ok(Some(people.await?))
    }
}

/// A delta from a place of the log of changes; without one, everybody.
struct Delta<'a> {
    memory: &'a Memory,
    from: Option<usize>,
    link: Option<usize>,
}

#[async_trait]
impl PeopleChanges for Delta<'_> {
    async fn next(&mut self, _: Instant) -> Result<ChangeStep, SystemFailure> {
        if let Some(link) = self.link {
            return Ok(ChangeStep::End { link: link.to_string(), whole: self.from.is_none() });
        }
        let from = self.from;
        let read = self.memory.ask("reading changes", |state| {
            state.note(What::SawDirectory);
            let ids: Vec<DirectoryId> = match from {
                Some(from) => state.changes[from..].to_vec(),
                None => state.people.keys().cloned().collect(),
            };
            let change = |id: &DirectoryId| match state.people.get(id) {
                Some(person) => DirectoryChange::Is(person.clone().into()),
                None => DirectoryChange::Removed,
            };
            (ids.iter().map(|id| (id.clone(), change(id))).collect(), state.changes.len())
        });
        let (changes, link) = read.await?;
        self.link = Some(link);
        Ok(ChangeStep::Changes(changes))
    }
}
