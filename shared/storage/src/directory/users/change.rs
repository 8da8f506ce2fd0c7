//! Changing users.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use rollcall_engine::world::ListRoom;
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, user::User};

use super::{
    item::{CALLER_IDS, attributes, number_set},
    transaction::{Marks, marks_of},
};
use crate::{
    StorageError,
    directory::{Directory, stream::CHANGED_BY, taken, write_id::WriteId},
    error::failed,
    keys::{Key, PK},
};

const CHANGING: &str = "changing a user";

impl Directory {
    /// What turns `before` into `after` and changes its list, if it is still at the version of `before`.
    pub(in crate::directory) fn update_items(
        &self,
        account: &AccountId,
        [before, after]: [&User; 2],
        numbers: Numbers<'_>,
        marks: &Marks,
    ) -> Result<Vec<TransactWriteItem>, StorageError> {
        let mut update = Update::builder().table_name(&self.table);
        let (mut sets, mut removes) = (Vec::new(), Vec::new());
        let marks = marks.iter().map(|(name, value)| (*name, Some(value.clone())));
        for (name, value) in attributes(account, after).into_iter().chain(marks) {
            update = update.expression_attribute_names(format!("#{name}"), name);
            if let Some(value) = value {
                sets.push(format!("#{name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), value);
            } else {
                removes.push(format!("#{name}"));
            }
        }
        let mut expression = format!("SET {}", sets.join(", "));
        if !removes.is_empty() {
            expression.push_str(&format!(" REMOVE {}", removes.join(", ")));
        }
        let mut condition = "#version = :before".to_owned();
        let (verb, numbers) = match numbers {
            Numbers::Add(ListRoom { add, limit }) if !add.is_empty() => {
                // Where not even an empty list has room, no size is small enough.
                let missing = format!("attribute_not_exists({CALLER_IDS}) OR ");
                let (missing, compared) = if add.len() <= limit { (missing.as_str(), "<=") } else { ("", "<") };
                condition.push_str(&format!(" AND ({missing}size({CALLER_IDS}) {compared} :room)"));
                let room = AttributeValue::N(limit.saturating_sub(add.len()).to_string());
                update = update.expression_attribute_values(":room", room);
                ("ADD", add)
            }
            Numbers::Add(_) => ("ADD", &[][..]),
            Numbers::TakeOff(numbers) => ("DELETE", numbers),
        };
        if !numbers.is_empty() {
            expression.push_str(&format!(" {verb} {CALLER_IDS} :numbers"));
            update = update.expression_attribute_values(":numbers", number_set(numbers));
        }
        let update = update
            .set_key(Some(Key::user(account, &after.login.folded()).attributes().into()))
            .update_expression(expression)
            .condition_expression(condition)
            .expression_attribute_values(":before", AttributeValue::N(before.version.to_string()))
            .build()
            .map_err(|error| StorageError::unreadable(CHANGING, error))?;
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        let (had, has) = (before.claims(), after.claims());
        let gained = has.iter().filter(|claim| !had.contains(claim));
        items.extend(gained.map(|claim| self.take(Key::claim(account, claim), &after.login.folded())));
        for claim in had.iter().filter(|claim| !has.contains(claim)) {
            items.push(self.release(Key::claim(account, claim), &after.login.folded()));
        }
        Ok(items)
    }

    /// Replaces what is known of a user, but its list, if it is still at the version before `user`'s. Appends that come
    /// between are kept.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn update_user(
        &self,
        account: &AccountId,
        before: &User,
        user: &User,
        by: &Actor,
    ) -> Result<WriteOutcome, StorageError> {
        let mark = WriteId::new();
        let items = self.update_items(account, [before, user], Numbers::TakeOff(&[]), &marks_of(by, &mark))?;
        let updated = self.write_patiently(items, &mark, CHANGING).await;
        let updated = self.written(Key::user(account, &user.login.folded()), &mark, updated).await?;
        Ok(WriteOutcome::of(updated))
    }

    /// Takes one number off a user's list. `false` when there is no such user.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn remove_caller_id(
        &self,
        account: &AccountId,
        folded_login: &str,
        number: CallerId,
        by: &Actor,
    ) -> Result<bool, StorageError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::user(account, folded_login).attributes().into()))
            .update_expression(format!("DELETE {CALLER_IDS} :number SET #by = :by"))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#by", CHANGED_BY)
            .expression_attribute_values(":by", AttributeValue::S(by.to_string()))
            .expression_attribute_values(":number", number_set(&[number]));
        taken(update.send().await.map(drop).map_err(failed("taking a number off a list")))
    }
}

/// What becomes of a list, beside a change of its user.
#[derive(Clone, Copy)]
pub(in crate::directory) enum Numbers<'a> {
    Add(ListRoom<'a>),
    TakeOff(&'a [CallerId]),
}

/// What came of a write that is decided on one version of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum WriteOutcome {
    /// It was carried out.
    Written,
    /// It was not: the user has been changed or deleted meanwhile, or something of it is another's.
    Stale,
}

impl WriteOutcome {
    pub(in crate::directory) fn of(written: bool) -> Self {
        if written { Self::Written } else { Self::Stale }
    }
}
