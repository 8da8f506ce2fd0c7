//! Users, whose lists are sets, and who are written on condition of their version.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use rollcall_bulk::rotation::{Holder, Only};
use rollcall_engine::{
    StorageError,
    world::{
        Added, Found, ListChange, ListNumbers, ListRoom, Lists, NotWritten, Sought, TableUsage, UserWrite, Users, Walk,
    },
};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    jobs::JobId,
    user::{Claim, DirectoryId, Policy, User, fold},
};
use tokio::time::Instant;

use crate::{Memory, State, log::What, memory::expect_account, state::Person};

/// Of so many users, each is read at a moment of its own: a batch of reads is none at one moment.
const EACH: usize = 8;
/// Numbers of whole lists that a walk keeps: few, so that some are cut.
const WHOLE_LISTS: usize = 12;
const READING: &str = "reading users";
const WRITING: &str = "writing users";

/// Whether so many numbers more make a list no longer than this, as the table counts them.
fn has_room(list: &[CallerId], more: &[CallerId], limit: usize) -> bool {
    list.len() + more.len() <= limit
}

impl State {
    /// Whether all that a user is to have alone is free, or its own.
    fn is_free(&self, user: &User) -> bool {
        let login = user.login.folded();
        user.claims().iter().all(|claim| self.owner(claim).is_none_or(|owner| *owner == *login))
    }

    fn written_by(&self, login: &str, job: &JobId) -> bool {
        self.users.get(login).is_some_and(|person| person.written_by.as_ref() == Some(job))
    }

    /// Writes a user for a job. Whether it is as wanted: also where this job has written it before.
    fn write_user(&mut self, write: UserWrite<'_>, job: &JobId) -> bool {
        let user = match write {
            UserWrite::Create(user, _)
            | UserWrite::Update([_, user], _)
            | UserWrite::Restore([_, user], _)
            | UserWrite::Delete(user) => user,
        };
        let login = user.login.folded().into_owned();
        let now = self.users.get(&login).map(|person| person.user.clone());
        let at_version = |version: u64| now.as_ref().is_some_and(|now| now.version == version);
        let list = now.as_ref().map(|now| now.caller_ids.clone()).unwrap_or_default();
        let (holds, list) = match write {
            UserWrite::Create(_, list) => (now.is_none() && self.is_free(user), Some(list.to_vec())),
            UserWrite::Update([before, _], ListRoom { add, limit }) => {
                let room = add.is_empty() || has_room(&list, add, limit);
                (at_version(before.version) && room && self.is_free(user), Some([&list, add].concat()))
            }
            UserWrite::Restore([before, _], take_off) => {
                let left = list.iter().copied().filter(|number| !take_off.contains(number)).collect();
                (at_version(before.version) && self.is_free(user), Some(left))
            }
            UserWrite::Delete(user) => (at_version(user.version) && list == user.caller_ids, None),
        };
        if !holds {
            return self.written_by(&login, job);
        }
        let born = self.users.get(&login).map(|person| person.born);
        let person = list.map(|list| Person {
            user: User { caller_ids: list, ..user.clone() },
            born: born.unwrap_or_else(|| self.next_birth()),
            written_by: Some(job.clone()),
        });
        self.put_user(&login, person);
        true
    }

    /// The user whom a change of a list is about.
    fn meant(&self, one: &ListNumbers<'_>) -> Option<&Person> {
        let person = self.users.get(one.login)?;
        one.is_about(person.user.created).then_some(person)
    }

    /// Sets a list, if it is still as it was, and hasn't come into force meanwhile. Whether it is as wanted: also where this job has written the user before.
    fn set_list(&mut self, change: &ListChange<'_>, job: &JobId) -> bool {
        let is_decided_on = |person: &Person| change.policy == Policy::Custom || person.user.policy == change.policy;
        match (&change.lists, self.users.get(change.login)) {
            (Some([before, after]), Some(person)) if person.user.caller_ids == *before && is_decided_on(person) => {
                let user = User { caller_ids: after.clone(), ..person.user.clone() };
                let person = Person { user, written_by: Some(job.clone()), ..person.clone() };
                self.put_user(change.login, Some(person));
                true
            }
            _ => self.written_by(change.login, job),
        }
    }
}

#[async_trait]
impl Users for Memory {
    async fn find_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Found>, StorageError> {
        let users = self.whole_users(account, folded_logins, until, usage).await?;
        let found = |user: User| Found {
            policy: user.policy,
            created: user.created,
            department: user.profile.department,
            email: user.profile.email.map(|email| fold(email.as_str()).into_owned()),
            caller_ids: user.caller_ids,
        };
        Ok(users.into_iter().map(|(login, user)| (login, found(user))).collect())
    }

    async fn whole_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<HashMap<String, User>, StorageError> {
        expect_account(account);
        let together = if folded_logins.len() > EACH { folded_logins.len() } else { 1 };
        let mut found = HashMap::new();
        for logins in folded_logins.chunks(together) {
            let read = self.ask(READING, |state| {
                for login in logins {
                    state.note(What::SawUser((*login).to_owned()));
                }
                let there = logins.iter().filter_map(|login| state.users.get_key_value(*login));
                there.map(|(login, person)| (login.clone(), person.user.clone())).collect::<Vec<_>>()
            });
            found.extend(read.await?);
        }
        Ok(found)
    }

    async fn owners(
        &self,
        _: &AccountId,
        claims: Vec<Claim>,
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<HashMap<Claim, String>, StorageError> {
        if claims.is_empty() {
            return Ok(HashMap::new());
        }
        self.ask("looking up who has it", |state| {
            let owned = claims.into_iter().filter_map(|claim| Some((claim.clone(), state.owner(&claim)?.clone())));
            owned.collect()
        })
        .await
    }

    async fn linked_users(&self, _: &AccountId) -> Result<Vec<(DirectoryId, String)>, StorageError> {
        self.ask(READING, |state| {
            let people = state.users.iter();
            people.filter_map(|(login, person)| Some((person.user.directory_id.clone()?, login.clone()))).collect()
        })
        .await
    }

    async fn write_users(
        &self,
        account: &AccountId,
        writes: &[UserWrite<'_>],
        job: &JobId,
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        expect_account(account);
        let mut not_written = NotWritten::default();
        for (at, write) in writes.iter().enumerate() {
            let written = self.ask_again(WRITING, |state| state.write_user(*write, job)).await?;
            not_written.outdated.extend((!written).then_some(at));
        }
        Ok(not_written)
    }
}

#[async_trait]
impl Lists for Memory {
    async fn holders(
        &self,
        account: &AccountId,
        Sought { numbers, policies, only }: Sought<'_>,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Walk, StorageError> {
        let (mut walk, mut room) = (Walk::default(), WHOLE_LISTS);
        let logins: Vec<String> = match only {
            Some(Only::Logins(logins)) => logins.iter().map(|login| login.folded().into_owned()).collect(),
            _ => self.ask("listing users", |state| state.users.keys().cloned().collect()).await?,
        };
        if matches!(only, Some(Only::Logins(_))) {
            walk.unknown.extend(logins.iter().cloned());
        }
        let named: Vec<&str> = logins.iter().map(String::as_str).collect();
        // In an order of their own: which lists are cut is the same for the same seed.
        let found: BTreeMap<String, User> =
            self.whole_users(account, &named, until, usage).await?.into_iter().collect();
        for (login, user) in found {
            walk.unknown.remove(&login);
            let is_meant = match only {
                None | Some(Only::Logins(_)) => true,
                Some(Only::Department(id)) => user.profile.department.as_ref() == Some(id),
                Some(Only::Team(id)) => user.profile.team.as_ref() == Some(id),
            };
            let (created, policy, department) = (user.created, user.policy, user.profile.department);
            if !is_meant {
                continue;
            }
            walk.policies.count(policy, department.as_ref());
            let looked_for = policies.contains(policy, department.as_ref());
            if looked_for || user.caller_ids.iter().any(|number| numbers.contains(number)) {
                let mut caller_ids = user.caller_ids;
                if let Some(left) = room.checked_sub(caller_ids.len()) {
                    room = left;
                } else {
                    caller_ids.retain(|number| numbers.contains(number));
                    walk.cut.insert(login.clone());
                }
                walk.holders.push(Holder { login, created, policy, department, caller_ids });
            }
        }
        Ok(walk)
    }

    async fn add_caller_ids(
        &self,
        account: &AccountId,
        additions: &[ListNumbers<'_>],
        limit: Option<usize>,
        _: &Actor,
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<Added, StorageError> {
        expect_account(account);
        let mut added = Added::default();
        for (at, one) in additions.iter().enumerate() {
            let numbers = one.numbers;
            let on_list = self.ask_again(WRITING, |state| {
                let Some(list) = state.meant(one).map(|person| person.user.caller_ids.clone()) else { return false };
                if numbers.iter().all(|number| list.contains(number)) {
                    return true;
                }
                let fits = limit.is_none_or(|limit| has_room(&list, numbers, limit));
                fits && state.change_list(one.login, |list| list.extend(numbers))
            });
            added.outdated.extend((!on_list.await?).then_some(at));
        }
        Ok(added)
    }

    async fn remove_caller_ids(
        &self,
        _: &AccountId,
        removals: &[ListNumbers<'_>],
        _: &Actor,
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<(), StorageError> {
        for one in removals {
            let take_off = |list: &mut Vec<CallerId>| list.retain(|number| !one.numbers.contains(number));
            self.ask(WRITING, |state| state.meant(one).is_some() && state.change_list(one.login, take_off)).await?;
        }
        Ok(())
    }

    async fn change_lists(
        &self,
        _: &AccountId,
        changes: &[ListChange<'_>],
        job: &JobId,
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        let mut not_written = NotWritten::default();
        for (at, change) in changes.iter().enumerate() {
            let written = self.ask_again(WRITING, |state| state.set_list(change, job)).await?;
            not_written.outdated.extend((!written).then_some(at));
        }
        Ok(not_written)
    }
}
