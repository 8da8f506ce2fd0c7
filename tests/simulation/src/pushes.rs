//! What the phone system is to be told, and was told.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_bulk::push::state::PushState;
use rollcall_engine::{
    StorageError,
    world::{NewMark, Pushes, TableUsage, ToldTotals, Versioned},
};
use rollcall_model::{
    account::AccountId,
    code::RowCode,
    push::{Mark, Told},
    settings::PhoneSystem,
};
use tokio::time::Instant;

use crate::{
    Memory,
    memory::{ACCOUNT, expect_account},
};

/// Entries of a page: so few that there are several.
const PAGE: usize = 3;

#[async_trait]
impl Pushes for Memory {
    async fn push_state(&self, account: &AccountId) -> Result<Option<Versioned<PushState>>, StorageError> {
        expect_account(account);
        self.ask("reading how the account stands", |state| state.pushing.clone()).await
    }

    async fn put_push_state(&self, _: &AccountId, put: &Versioned<PushState>) -> Result<bool, StorageError> {
        self.ask_again("writing how the account stands", |state| {
            let version = state.pushing.as_ref().map_or(0, |there| there.version);
            let holds = version == put.version;
            if holds {
                state.pushing = Some(Versioned { value: put.value.clone(), version: version + 1 });
            }
            holds
        })
        .await
    }

    async fn pushed_accounts(&self) -> Result<Vec<AccountId>, StorageError> {
        let accounts = |there: bool| there.then(|| ACCOUNT.parse().expect("an account")).into_iter().collect();
        self.ask("listing accounts", |state| accounts(state.pushing.is_some())).await
    }

    async fn marks_after(&self, _: &AccountId, after: Option<&str>) -> Result<Vec<Mark>, StorageError> {
        self.ask("reading marks", |state| {
            let behind = state.marks.values().filter(|mark| after.is_none_or(|after| mark.login.as_str() > after));
            behind.take(PAGE).cloned().collect()
        })
        .await
    }

    async fn marks_of(
        &self,
        _: &AccountId,
        folded_logins: &[&str],
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<HashMap<String, Mark>, StorageError> {
        self.ask("reading marks", |state| {
            let marks = folded_logins.iter().filter_map(|login| state.marks.get(*login));
            marks.map(|mark| (mark.login.clone(), mark.clone())).collect()
        })
        .await
    }

    // One request for each.
    async fn mark(&self, _: &AccountId, marks: &[NewMark], at: Timestamp) -> Result<(), StorageError> {
        for NewMark { login, sequence, removes } in marks {
            let marked = self.ask_again("marking a user", |state| {
                let before = state.marks.get(login);
                let since = before.map_or(at, |before| before.since);
                let removes = *removes || before.is_some_and(|before| before.removes);
                let unsure = before.is_some_and(|before| before.unsure);
                let (login, sequence) = (login.clone(), sequence.clone());
                let mark = Mark { login: login.clone(), sequence, since, removes, failed: None, unsure };
                state.marks.insert(login, mark);
            });
            marked.await?;
        }
        Ok(())
    }

    async fn unmark(&self, _: &AccountId, folded_login: &str, sequence: &str) -> Result<(), StorageError> {
        self.ask_again("taking a mark away", |state| {
            if state.marks.get(folded_login).is_some_and(|mark| mark.sequence == sequence) {
                state.marks.remove(folded_login);
            }
        })
        .await
    }

    async fn begin_telling(&self, _: &AccountId, folded_login: &str) -> Result<bool, StorageError> {
        self.ask_again("beginning to tell", |state| {
            let mark = state.marks.get_mut(folded_login);
            mark.map(|mark| mark.unsure = true).is_some()
        })
        .await
    }

    async fn fail_mark(
        &self,
        _: &AccountId,
        folded_login: &str,
        sequence: &str,
        code: RowCode,
    ) -> Result<(), StorageError> {
        self.ask_again("failing a mark", |state| {
            if let Some(mark) = state.marks.get_mut(folded_login).filter(|mark| mark.sequence == sequence) {
                mark.failed = Some(code);
                mark.unsure = true;
            }
        })
        .await
    }

    async fn mark_everybody(&self, _: &AccountId, sequence: &str) -> Result<(), StorageError> {
        self.ask("marking everybody", |state| state.everybody = Some(sequence.to_owned())).await
    }

    async fn everybody(&self, _: &AccountId) -> Result<Option<String>, StorageError> {
        self.ask("reading whether everybody is marked", |state| state.everybody.clone()).await
    }

    async fn unmark_everybody(&self, _: &AccountId, sequence: &str) -> Result<(), StorageError> {
        self.ask_again("taking everybody's mark away", |state| {
            state.everybody.take_if(|mark| mark == sequence);
        })
        .await
    }

    async fn logins_after(
        &self,
        _: &AccountId,
        after: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), StorageError> {
        self.ask("listing users", |state| {
            let behind = state.users.keys().filter(|login| after.is_none_or(|after| login.as_str() > after));
            let page: Vec<String> = behind.take(PAGE).cloned().collect();
            let last = page.last().filter(|_| page.len() == PAGE).cloned();
            (page, last)
        })
        .await
    }

    async fn told_of(
        &self,
        _: &AccountId,
        system: PhoneSystem,
        folded_logins: &[&str],
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<HashMap<String, Told>, StorageError> {
        self.ask("reading what was told", |state| {
            let told = |login: &&str| {
                let told = state.told.get(&(system.as_str(), (*login).to_owned()))?;
                Some(((*login).to_owned(), told.clone()))
            };
            folded_logins.iter().filter_map(told).collect()
        })
        .await
    }

    async fn put_told(&self, _: &AccountId, folded_login: &str, told: &Told) -> Result<(), StorageError> {
        self.ask("keeping what was told", |state| {
            state.told.insert((told.system.as_str(), folded_login.to_owned()), told.clone());
        })
        .await
    }

    async fn told_users(&self, _: &AccountId, system: PhoneSystem) -> Result<Vec<(String, bool)>, StorageError> {
        self.ask("listing who was told of", |state| {
            let told = state.told.iter().filter(|(_, told)| told.system == system);
            told.map(|((_, login), told)| (login.clone(), told.user.is_some())).collect()
        })
        .await
    }

    async fn told_totals(&self, _: &AccountId, system: PhoneSystem) -> Result<ToldTotals, StorageError> {
        self.ask("summing up what was told", |state| {
            let told: Vec<&Told> = state.told.values().filter(|told| told.system == system).collect();
            ToldTotals { users: told.len(), numbers: told.iter().map(|told| told.count).sum() }
        })
        .await
    }
}
