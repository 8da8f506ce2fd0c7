//! Lists from which numbers are taken: who has some of them, and one write for each list.

use async_trait::async_trait;
use rollcall_engine::world::{Added, ListChange, ListNumbers, Lists, NotWritten, Sought, TableUsage, Walk};
use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementRequest};
use rollcall_bulk::rotation::{Holder, LeftByPolicy, Only};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    jobs::JobId,
    user::{Policy, fold},
};
use tokio::time::Instant;

use super::item::{CALLER_IDS, CREATED, POLICY, caller_ids, created, department, number_set, policy};
use crate::{
    StorageError,
    directory::{
        Directory, Item,
        bulk::{Reads, WRITTEN_BY},
        statements::{ListCondition, Refusal, Statements},
        string,
    },
    error::failed,
    keys::{ACCOUNT_PK, BY_ACCOUNT, Key, PK, login_of, users_index},
};

const READING: &str = "looking who has a number";
const CHANGING: &str = "changing lists";

impl Directory {
    /// Reads some users, and keeps those who are looked for.
    async fn look_at(
        &self,
        account: &AccountId,
        logins: Vec<String>,
        seeker: &Seeker<'_>,
        walk: &mut Walk,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<(), StorageError> {
        let keys = logins.iter().map(|login| Key::user(account, login));
        let read = |item: &Item| {
            let login = string(item, PK).and_then(|pk| login_of(account, &pk));
            let login = login.ok_or_else(|| StorageError::unreadable(READING, "an item is not a user"))?;
            if !is_meant(item, seeker.only) {
                return Ok((login, None));
            }
            let (policy, department) = (policy(item)?, department(item)?);
            let looked_for = seeker.policies.contains(policy, department.as_ref());
            let mut list = if looked_for || has_one(item, &seeker.text) { Some(caller_ids(item)?) } else { None };
            let is_cut = list.as_mut().is_some_and(|list| seeker.cut(list));
            let created = created(item)?;
            Ok((login, Some((created, policy, department, list, is_cut))))
        };
        let attributes = [CREATED, POLICY, "department", "team", CALLER_IDS];
        for (login, meant) in self.get_many(keys, Reads::now(&attributes), until, usage, read).await? {
            walk.unknown.remove(&login);
            let Some((created, policy, department, list, is_cut)) = meant else { continue };
            walk.cut.extend(is_cut.then(|| login.clone()));
            walk.policies.count(policy, department.as_ref());
            walk.holders.extend(list.map(|caller_ids| Holder { login, created, policy, department, caller_ids }));
        }
        Ok(())
    }

    /// Some of the account's login IDs, folded, and where to go on.
    async fn logins_page(
        &self,
        account: &AccountId,
        after: Option<Item>,
    ) -> Result<(Vec<String>, Option<Item>), StorageError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_ACCOUNT)
            .key_condition_expression("#accountpk = :accountpk")
            .projection_expression("#login")
            .expression_attribute_names("#accountpk", ACCOUNT_PK)
            .expression_attribute_names("#login", "login")
            .expression_attribute_values(":accountpk", AttributeValue::S(users_index(account)))
            .set_exclusive_start_key(after);
        let page = query.send().await.map_err(failed("listing users"))?;
        let logins = page.items().iter().filter_map(|item| Some(fold(&string(item, "login")?).into_owned()));
        Ok((logins.collect(), page.last_evaluated_key))
    }

    /// Sets a list whole, since one statement can't both add to a set and take from it, on condition that it is as it was.
    fn whole_list_statement(
        &self,
        account: &AccountId,
        (folded_login, policy): (&str, Policy),
        [before, after]: &[Vec<CallerId>; 2],
        job: &JobId,
    ) -> BatchStatementRequest {
        let (change, mut values) = if after.is_empty() {
            (format!("REMOVE {CALLER_IDS}"), Vec::new())
        } else {
            (format!("SET {CALLER_IDS} = ?"), vec![number_set(after)])
        };
        values.push(AttributeValue::S(job.to_string()));
        let change = format!("{change} SET {WRITTEN_BY} = ?");
        let condition = ListCondition::Is(before, policy);
        self.list_statement(account, (folded_login, None), &change, values, &Actor::Job(job.clone()), condition)
    }
}

#[async_trait]
impl Lists for Directory {
    async fn holders(
        &self,
        account: &AccountId,
        sought: Sought<'_>,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Walk, StorageError> {
        let Sought { numbers, policies, only } = sought;
        let text = numbers.iter().map(ToString::to_string).collect();
        let seeker =
            Seeker { text, numbers: numbers.iter().copied().collect(), policies, only, room: WHOLE_LISTS.into() };
        let mut walk = Walk::default();
        if let Some(Only::Logins(logins)) = only {
            let logins: HashSet<String> = logins.iter().map(|login| login.folded().into_owned()).collect();
            walk.unknown.clone_from(&logins);
            self.look_at(account, logins.into_iter().collect(), &seeker, &mut walk, until, usage).await?;
        } else {
            let mut after = None;
            loop {
                let (logins, more) = self.logins_page(account, after).await?;
                usage.calls += 1;
                self.look_at(account, logins, &seeker, &mut walk, until, usage).await?;
                after = more;
                if after.is_none() {
                    break;
                }
            }
        }
        // The same in every attempt.
        walk.holders.sort_by(|a, b| a.login.cmp(&b.login));
        Ok(walk)
    }

    async fn add_caller_ids(
        &self,
        account: &AccountId,
        additions: &[ListNumbers<'_>],
        limit: Option<usize>,
        by: &Actor,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Added, StorageError> {
        let room = |at: usize| {
            let has_room = |limit| ListCondition::HasRoom { more: additions[at].numbers.len(), limit };
            limit.map_or(ListCondition::Any, has_room)
        };
        let statements = Statements {
            count: additions.len(),
            weight: &|at: usize| additions[at].numbers.len(),
            build: &|at: usize| self.set_statement("set_add", account, additions[at], by, room(at)),
        };
        let mut all = Added::default();
        for (at, refusal) in self.execute_each("appending to users", statements, until, usage).await? {
            match refusal {
                // An update of an item that isn't there fails its condition: nothing is created by it.
                Refusal::Condition => all.outdated.push(at),
                Refusal::TooLarge => all.too_large.push(at),
                Refusal::NotStorable => all.not_storable.push(at),
            }
        }
        // A statement that is sent again finds the list longer by what it has added itself.
        let wanted: HashMap<&str, ListNumbers<'_>> =
            all.outdated.iter().map(|&at| (additions[at].login, additions[at])).collect();
        let keys = wanted.keys().map(|login| Key::user(account, login));
        let read = |item: &Item| {
            let login = string(item, PK).and_then(|pk| login_of(account, &pk)).unwrap_or_default();
            let list: HashSet<CallerId> = caller_ids(item)?.into_iter().collect();
            let created = created(item)?;
            let has_all = wanted
                .get(&*login)
                .is_some_and(|one| one.is_about(created) && one.numbers.iter().all(|number| list.contains(number)));
            Ok(has_all.then_some(login))
        };
        let done = self.get_many(keys, Reads::now(&[CREATED, CALLER_IDS]), until, usage, read).await?;
        let done: HashSet<String> = done.into_iter().flatten().collect();
        all.outdated.retain(|&at| !done.contains(additions[at].login));
        Ok(all)
    }

    async fn remove_caller_ids(
        &self,
        account: &AccountId,
        removals: &[ListNumbers<'_>],
        by: &Actor,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<(), StorageError> {
        let statements = Statements {
            count: removals.len(),
            weight: &|at: usize| removals[at].numbers.len(),
            build: &|at: usize| self.set_statement("set_delete", account, removals[at], by, ListCondition::Any),
        };
        let refused = self.execute_each(CHANGING, statements, until, usage).await?;
        if refused.iter().any(|(_, refusal)| *refusal != Refusal::Condition) {
            return Err(StorageError::unreadable(CHANGING, "the table refuses to take a number off a list"));
        }
        Ok(())
    }

    async fn change_lists(
        &self,
        account: &AccountId,
        changes: &[ListChange<'_>],
        job: &JobId,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        let (mut asked, mut open, mut not_storable) = (Vec::new(), Vec::new(), Vec::new());
        for (at, change) in changes.iter().enumerate() {
            match &change.lists {
                Some(lists) => asked.push((at, (change.login, change.policy), lists)),
                None => open.push(at),
            }
        }
        let statements = Statements {
            count: asked.len(),
            weight: &|at: usize| asked[at].2.iter().map(Vec::len).sum(),
            build: &|at: usize| self.whole_list_statement(account, asked[at].1, asked[at].2, job),
        };
        for (at, refusal) in self.execute_each(CHANGING, statements, until, usage).await? {
            match refusal {
                Refusal::Condition => open.push(asked[at].0),
                Refusal::TooLarge | Refusal::NotStorable => not_storable.push(asked[at].0),
            }
        }
        open.sort_unstable();
        // Where the condition doesn't hold, that may be this job's own doing.
        let keys = open.iter().map(|&at| Key::user(account, changes[at].login));
        let read = |item: &Item| {
            let mine = string(item, WRITTEN_BY).is_some_and(|by| by == job.as_str());
            Ok(string(item, PK).filter(|_| mine).and_then(|pk| login_of(account, &pk)))
        };
        let done = self.get_many(keys, Reads::now(&[WRITTEN_BY]), until, usage, read).await?;
        let done: HashSet<String> = done.into_iter().flatten().collect();
        open.retain(|&at| !done.contains(changes[at].login));
        Ok(NotWritten { outdated: open, not_storable })
    }
}

/// Who is looked for, with numbers as the table has them.
struct Seeker<'a> {
    /// The numbers as the table has them.
    text: HashSet<String>,
    numbers: HashSet<CallerId>,
    policies: LeftByPolicy,
    only: Option<&'a Only>,
    /// Numbers that whole lists may still have.
    room: AtomicUsize,
}

/// Numbers of whole lists that a walk keeps: 16 MB of them.
const WHOLE_LISTS: usize = 2_000_000;

impl Seeker<'_> {
    /// Cuts a list to the numbers that are looked for, where there is no room for all of it. Whether it was cut.
    fn cut(&self, list: &mut Vec<CallerId>) -> bool {
        if self.room.fetch_update(Relaxed, Relaxed, |room| room.checked_sub(list.len())).is_ok() {
            return false;
        }
        list.retain(|number| self.numbers.contains(number));
        list.shrink_to_fit();
        true
    }
}

/// Whether the rotation is about a user.
fn is_meant(item: &Item, only: Option<&Only>) -> bool {
    match only {
        None | Some(Only::Logins(_)) => true,
        Some(Only::Department(id)) => string(item, "department").is_some_and(|department| department == id.as_str()),
        Some(Only::Team(id)) => string(item, "team").is_some_and(|team| team == id.as_str()),
    }
}

fn has_one(item: &Item, numbers: &HashSet<String>) -> bool {
    let list = item.get(CALLER_IDS).and_then(|list| list.as_ss().ok());
    list.is_some_and(|list| list.iter().any(|number| numbers.contains(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_kept_whole_while_there_is_room_and_cut_to_what_is_looked_for_after_that() {
        let number = |at: usize| -> CallerId { format!("+9198765{at:05}").parse().expect("a number") };
        let seeker = Seeker {
            text: HashSet::new(),
            numbers: HashSet::from([number(1), number(9)]),
            policies: LeftByPolicy::default(),
            only: None,
            room: 5.into(),
        };
        let lists = [vec![1, 2, 3], vec![1, 2, 9], vec![1], vec![9, 1], vec![4]];
        let cut: Vec<(Vec<CallerId>, bool)> = lists
            .map(|list| list.into_iter().map(number).collect::<Vec<_>>())
            .into_iter()
            .map(|mut list| {
                let is_cut = seeker.cut(&mut list);
                (list, is_cut)
            })
            .collect();
        let expected =
            [(vec![1, 2, 3], false), (vec![1, 9], true), (vec![1], false), (vec![9, 1], true), (vec![4], false)];
        assert_eq!(cut, expected.map(|(list, is_cut)| (list.into_iter().map(number).collect(), is_cut)));
    }
}
