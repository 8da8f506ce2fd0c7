//! The records of jobs.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_bulk::job::{Job, JobState};
use rollcall_engine::world::Jobs;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    jobs::{Decision, JobId},
};

use super::{
    Directory, Item, document, read_document,
    stream::{CHANGED_BY, DECISION},
    write_id::WriteId,
};
use crate::{
    StorageError,
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, jobs_index},
};

const READING: &str = "reading the job";
const RECORD: &str = "job";
const OWNER: &str = "lease_owner";
const ATTEMPTS: &str = "attempts";
const STATE: &str = "state";

/// Where a job stands among the account's jobs.
pub fn job_place(job: &Job) -> String {
    format!("{}#{}", job.started, job.id)
}

impl Directory {
    /// The account's latest jobs, the latest first, at most `most` after the [place](job_place) `after`. The flag says
    /// whether there are more. The index that lists them follows the records by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn jobs(
        &self,
        account: &AccountId,
        after: Option<&str>,
        most: i32,
    ) -> Result<(Vec<Job>, bool), StorageError> {
        let read = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_ACCOUNT)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", ACCOUNT_PK)
            .expression_attribute_values(":pk", AttributeValue::S(jobs_index(account)))
            .scan_index_forward(false)
            .limit(most)
            .set_exclusive_start_key(after.map(|job| Self::index_key(account, job)));
        let page = read.send().await.map_err(failed("listing jobs"))?;
        let jobs =
            page.items().iter().map(|item| read_document(item, RECORD, "listing jobs")).collect::<Result<_, _>>()?;
        Ok((jobs, page.last_evaluated_key.is_some()))
    }

    fn index_key(account: &AccountId, place: &str) -> Item {
        let id = place.rsplit('#').next().unwrap_or_default();
        let mut key: Item = Key::job(account, id).attributes().into();
        key.insert(ACCOUNT_PK.to_owned(), AttributeValue::S(jobs_index(account)));
        key.insert(ACCOUNT_SK.to_owned(), AttributeValue::S(place.to_owned()));
        key
    }

    fn put_job(&self, job: &Job) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
        let account = &job.upload.account;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::job(account, job.id.as_str()).attributes().into()))
            .item(ACCOUNT_PK, AttributeValue::S(jobs_index(account)))
            .item(ACCOUNT_SK, AttributeValue::S(job_place(job)))
            .item(STATE, AttributeValue::S(job.state.as_str().to_owned()))
            .item(ATTEMPTS, AttributeValue::N(job.attempts.to_string()))
            .item(RECORD, document(job));
        match &job.lease {
            Some(lease) => put.item(OWNER, AttributeValue::S(lease.owner.clone())),
            None => put,
        }
    }
}

#[async_trait]
impl Jobs for Directory {
    async fn job(&self, account: &AccountId, id: &JobId) -> Result<Option<Job>, StorageError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(Key::job(account, id.as_str()).attributes().into()));
        let item = read.consistent_read(true).send().await.map_err(failed(READING))?.item;
        item.map(|item| read_document(&item, RECORD, READING)).transpose()
    }

    async fn claim_job(&self, job: &Job, decided_on: Option<&Job>) -> Result<(), StorageError> {
        let put = self.put_job(job);
        let put = match decided_on {
            None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK),
            // Every claim raises the number of attempts or changes the owner, and every decision the state.
            Some(before) => {
                let put = put
                    .expression_attribute_names("#state", STATE)
                    .expression_attribute_values(":state", AttributeValue::S(before.state.as_str().to_owned()))
                    .expression_attribute_names("#attempts", ATTEMPTS)
                    .expression_attribute_values(":attempts", AttributeValue::N(before.attempts.to_string()))
                    .expression_attribute_names("#owner", OWNER);
                match &before.lease {
                    Some(lease) => put
                        .condition_expression("#state = :state AND #attempts = :attempts AND #owner = :owner")
                        .expression_attribute_values(":owner", AttributeValue::S(lease.owner.clone())),
                    None => put.condition_expression(
                        "#state = :state AND #attempts = :attempts AND attribute_not_exists(#owner)",
                    ),
                }
            }
        };
        put.send().await.map_err(failed("claiming the job"))?;
        Ok(())
    }

    async fn save_job(&self, job: &Job, owner: &str) -> Result<(), StorageError> {
        let put = self.put_job(job).condition_expression("#owner = :owner").expression_attribute_names("#owner", OWNER);
        let put = put.expression_attribute_values(":owner", AttributeValue::S(owner.to_owned()));
        put.send().await.map_err(failed("writing the job"))?;
        Ok(())
    }

    async fn decide_job(
        &self,
        job: &Job,
        decided_on: JobState,
        decision: Decision,
        by: &Actor,
    ) -> Result<bool, StorageError> {
        let mark = WriteId::new();
        let (write_id, value) = mark.attribute();
        let put = self.put_job(job).item(DECISION, AttributeValue::S(decision.as_str().to_owned()));
        let put = put.item(CHANGED_BY, AttributeValue::S(by.to_string()));
        let put = put.condition_expression("#state = :state").expression_attribute_names("#state", STATE);
        let put = put.expression_attribute_values(":state", AttributeValue::S(decided_on.as_str().to_owned()));
        let written = put.item(write_id, value).send().await.map(drop);
        let written = written.map_err(failed("writing the decision about the job"));
        self.written(Key::job(&job.upload.account, job.id.as_str()), &mark, written).await
    }
}
