//! Deleting users.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Delete, TransactWriteItem},
};
use rollcall_model::{account::AccountId, audit::Actor, user::User};

use super::{
    change::WriteOutcome,
    item::{CALLER_IDS, number_set},
    transaction::write_together,
};
use crate::{
    StorageError,
    directory::{Directory, stream::DELETED_BY, taken, write_id::WriteId},
    error::failed,
    keys::Key,
};

const DELETING: &str = "deleting a user";

impl Directory {
    /// Deletes a user, if it is still at this version.
    ///
    /// What is gone can't say who took it away, and a deletion says nothing by itself. So the user says it before, in a write of
    /// its own, and goes only as long as it says so: the audit trail finds it on what was there last.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn delete_user(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<WriteOutcome, StorageError> {
        let deletion = self.delete_items(account, user, by, false)?;
        if !taken(self.say_who_deletes(&self.client, account, user, by).await)? {
            return Ok(WriteOutcome::Stale);
        }
        // What is gone bears no mark, but the token of the transaction does the same.
        let deleted = taken(self.write_patiently(deletion, &WriteId::new(), DELETING).await)?;
        Ok(WriteOutcome::of(deleted))
    }

    /// The same for a job, if the user's list is this one besides. [`ErrorKind::Conflict`] when either is not so any more.
    pub(super) async fn delete_with_list(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<(), StorageError> {
        self.say_who_deletes(&self.once, account, user, by).await?;
        write_together(&self.once, self.delete_items(account, user, by, true)?, None, DELETING).await
    }

    async fn say_who_deletes(
        &self,
        client: &Client,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<(), StorageError> {
        let mark = client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::user(account, &user.login.folded()).attributes().into()))
            .update_expression("SET #by = :by")
            .condition_expression("#version = :version")
            .expression_attribute_names("#by", DELETED_BY)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":by", AttributeValue::S(by.to_string()))
            .expression_attribute_values(":version", AttributeValue::N(user.version.to_string()));
        mark.send().await.map(drop).map_err(failed(DELETING))
    }

    /// What deletes a user and what was its alone, if it is still at this version and says by whom it goes, and where that is
    /// asked, if its list is still this one.
    fn delete_items(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
        with_list: bool,
    ) -> Result<Vec<TransactWriteItem>, StorageError> {
        let mut condition = "#version = :version AND #by = :by".to_owned();
        let mut delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(Key::user(account, &user.login.folded()).attributes().into()))
            .expression_attribute_names("#by", DELETED_BY)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":by", AttributeValue::S(by.to_string()))
            .expression_attribute_values(":version", AttributeValue::N(user.version.to_string()));
        if with_list {
            delete = delete.expression_attribute_names("#list", CALLER_IDS);
            if user.caller_ids.is_empty() {
                condition.push_str(" AND attribute_not_exists(#list)");
            } else {
                condition.push_str(" AND #list = :list");
                delete = delete.expression_attribute_values(":list", number_set(&user.caller_ids));
            }
        }
        let delete = delete.condition_expression(condition).build();
        let delete = delete.map_err(|error| StorageError::unreadable(DELETING, error))?;
        let mut items = vec![TransactWriteItem::builder().delete(delete).build()];
        for claim in user.claims() {
            items.push(self.release(Key::claim(account, &claim), &user.login.folded()));
        }
        if user.provisioning.is_some() {
            // What a directory has sent of the user goes with it.
            let document = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(Key::scim_document(account, &user.login.folded()).attributes().into()))
                .build();
            let document = document.map_err(|error| StorageError::unreadable(DELETING, error))?;
            items.push(TransactWriteItem::builder().delete(document).build());
        }
        Ok(items)
    }
}
