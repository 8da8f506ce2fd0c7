//! Lists from which numbers are taken: who has some of them, and one write for each list.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    rotation::{Holder, Only},
    upload::JobId,
    user::fold,
};
use tokio::time::Instant;

use super::item::{CALLER_IDS, caller_ids, policy};
use crate::{
    Error,
    directory::{BulkWork, Directory, Item, bulk::WRITTEN_BY, stream::CHANGED_BY, string},
    error::failed,
    keys::{ACCOUNT_PK, BY_ACCOUNT, Key, PK, login_of, users_index},
};

const READING: &str = "looking who has a number";

/// What a walk over users has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Those who have one of the numbers.
    pub holders: Vec<Holder>,
    /// Login IDs, folded, that were asked for and that nobody has.
    pub unknown: HashSet<String>,
}

/// One list that is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListChange<'a> {
    /// The user, by folded login ID.
    pub login: &'a str,
    /// The list before and after; `None` where nothing is to be written, but only looked whether the job has done so.
    pub lists: Option<[Vec<CallerId>; 2]>,
}

impl Directory {
    /// Looks at every user that is meant, each once, and gives those who have one of the numbers on their own lists. Users are
    /// listed by the index, which follows changes by some milliseconds; what counts of each is read as it is now.
    ///
    /// # Errors
    /// As [`Directory::find_users`].
    pub async fn holders(
        &self,
        account: &AccountId,
        numbers: &[CallerId],
        only: Option<&Only>,
        until: Instant,
        work: &mut BulkWork,
    ) -> Result<Walk, Error> {
        let numbers: HashSet<String> = numbers.iter().map(ToString::to_string).collect();
        let mut walk = Walk::default();
        if let Some(Only::Logins(logins)) = only {
            let logins: HashSet<String> = logins.iter().map(|login| login.folded().into_owned()).collect();
            walk.unknown.clone_from(&logins);
            self.look_at(account, logins.into_iter().collect(), &numbers, only, &mut walk, until, work).await?;
        } else {
            let mut after = None;
            loop {
                let (logins, more) = self.logins_page(account, after).await?;
                work.calls += 1;
                self.look_at(account, logins, &numbers, only, &mut walk, until, work).await?;
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

    /// Reads some users, and keeps those who have one of the numbers.
    #[expect(clippy::too_many_arguments, reason = "what is looked for, where, and what was found")]
    async fn look_at(
        &self,
        account: &AccountId,
        logins: Vec<String>,
        numbers: &HashSet<String>,
        only: Option<&Only>,
        walk: &mut Walk,
        until: Instant,
        work: &mut BulkWork,
    ) -> Result<(), Error> {
        let keys = logins.iter().map(|login| Key::user(account, login));
        for item in self.get_many(keys, &["policy", "department", "team", CALLER_IDS], until, work).await? {
            let login = string(&item, PK).and_then(|pk| login_of(account, &pk));
            let login = login.ok_or_else(|| Error::unreadable(READING, "an item is not a user"))?;
            walk.unknown.remove(&login);
            if is_meant(&item, only) && has_one(&item, numbers) {
                walk.holders.push(Holder { login, policy: policy(&item)?, caller_ids: caller_ids(&item)? });
            }
        }
        Ok(())
    }

    /// Some of the account's login IDs, folded, and where to go on.
    async fn logins_page(
        &self,
        account: &AccountId,
        after: Option<Item>,
    ) -> Result<(Vec<String>, Option<Item>), Error> {
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

    /// Writes lists for a job, each if it is still as it was. Gives the positions of those that must be decided again. One that
    /// this job has written already is left alone. Users' versions are not raised: appends, which raise none either, make a
    /// list another one, and so does this.
    ///
    /// # Errors
    /// As [`Directory::find_users`]. What was written stays written.
    pub async fn change_lists(
        &self,
        account: &AccountId,
        changes: &[ListChange<'_>],
        job: &JobId,
        until: Instant,
        work: &mut BulkWork,
    ) -> Result<Vec<usize>, Error> {
        let each = changes.iter().map(|change| self.change_list(account, change, job, until));
        Self::write_each(each.collect::<Vec<_>>(), work).await
    }

    async fn change_list(
        &self,
        account: &AccountId,
        change: &ListChange<'_>,
        job: &JobId,
        until: Instant,
    ) -> Result<(bool, BulkWork), Error> {
        let key = Key::user(account, change.login);
        let Some([before, after]) = &change.lists else {
            let done = BulkWork { calls: 1, ..BulkWork::default() };
            return Ok((self.has_written(key, job).await?, done));
        };
        let set = |numbers: &[CallerId]| AttributeValue::Ss(numbers.iter().map(ToString::to_string).collect());
        // One expression can't both add to a set and take from it, so it is set whole.
        let mut update = self
            .once
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.clone().attributes().into()))
            .condition_expression("#list = :before")
            .expression_attribute_names("#list", CALLER_IDS)
            .expression_attribute_names("#written", WRITTEN_BY)
            .expression_attribute_names("#by", CHANGED_BY)
            .expression_attribute_values(":before", set(before))
            .expression_attribute_values(":by", AttributeValue::S(Actor::Job(job.clone()).to_string()))
            .expression_attribute_values(":job", AttributeValue::S(job.to_string()));
        update = if after.is_empty() {
            update.update_expression("SET #written = :job, #by = :by REMOVE #list")
        } else {
            update
                .update_expression("SET #list = :after, #written = :job, #by = :by")
                .expression_attribute_values(":after", set(after))
        };
        let write = || async { update.clone().send().await.map(drop).map_err(failed("changing a list")) };
        self.write_once(key, 1, job, until, write).await
    }

    /// Takes numbers off lists. Done once or twice, they are off; a user who isn't there has none.
    ///
    /// # Errors
    /// As [`Directory::find_users`].
    pub async fn remove_caller_ids(
        &self,
        account: &AccountId,
        removals: &[(&str, &[CallerId])],
        by: &Actor,
        until: Instant,
        work: &mut BulkWork,
    ) -> Result<(), Error> {
        let each = removals.iter().map(|&(login, numbers)| {
            self.write_until(1, until, move || self.remove_numbers(&self.once, account, login, numbers, by))
        });
        Self::write_each(each.collect::<Vec<_>>(), work).await.map(drop)
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
