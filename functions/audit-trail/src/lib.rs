//! What the table's stream tells becomes lines of the audit trail. What a line says is decided in the model.

use rollcall_engine::world::Jobs;
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use rollcall_engine::telemetry::{Measure, measure};
use rollcall_model::{
    account::AccountId,
    audit::{Actor, AuditChange},
    jobs::JobId,
};
use rollcall_storage::{
    StorageError,
    connect::Aws,
    directory::{Directory, StreamRecord},
    environment::{BadEnvironment, variable},
    files::Files,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The function, as it stands between two events.
pub struct AuditTrail {
    /// The table, which says who asked for a job.
    pub directory: Directory,
    /// The bucket.
    pub files: Files,
    /// How long an object may take to be complete, from the moment that its name says.
    pub patience: Duration,
}

/// Records of a table's stream. Each is read by itself, so that one that can't be read holds no other back.
#[derive(Debug, Deserialize)]
pub struct Records {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

/// From which record on the stream is to be told again; empty if all is done.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Changes of one account, and the first record that tells of them: its position and its place in the stream.
struct Batch {
    first: (usize, String),
    changes: Vec<AuditChange>,
}

impl AuditTrail {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// [`BadEnvironment`] names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, BadEnvironment> {
        let finish_reading: u64 = variable("AUDIT_SETTLE_SECONDS")?;
        // The other half is for a request that we gave up and that the bucket carries out all the same.
        let patience = Duration::from_secs(finish_reading) / 2;
        let directory = Directory::new(aws, variable::<String>("TABLE_NAME")?);
        Ok(Self { directory, files: Files::new(aws, variable::<String>("BUCKET_NAME")?), patience })
    }

    /// Keeps what the records tell. Accounts whose trail could not be written are told again.
    pub async fn handle(&self, Records { records }: Records) -> Answer {
        let mut again: Option<(usize, String)> = None;
        let mut failed = 0;
        let Read { accounts, unreadable } = read(records);
        if unreadable > 0 {
            // No later try would read them either, so the trail has a hole from now on: an alarm says so.
            measure(&[], &[("RecordsUnreadable", Measure::Count(unreadable))]);
        }
        for (account, Batch { first, changes }) in accounts {
            match self.keep(&account, changes).await {
                Ok(entries) => tracing::info!(%account, entries, "kept"),
                Err(error) => {
                    tracing::error!(%account, error = error.chain(), "changes could not be kept");
                    failed += 1;
                    again = Some(again.map_or(first.clone(), |again| again.min(first)));
                }
            }
        }
        if failed > 0 {
            // An answer that names records is a success to Lambda, and no metric of its own counts it.
            measure(&[], &[("TrailsNotKept", Measure::Count(failed))]);
        }
        let failures = again.map(|(_, item_identifier)| Failure { item_identifier });
        Answer { batch_item_failures: failures.into_iter().collect() }
    }
}

impl AuditTrail {
    /// Keeps changes of one account, each with who asked for the job that made it.
    async fn keep(&self, account: &AccountId, mut changes: Vec<AuditChange>) -> Result<usize, StorageError> {
        let mut asked = HashMap::<JobId, Option<Actor>>::new();
        for change in &mut changes {
            let Some(job) = change.job() else { continue };
            change.asked_by = if let Some(known) = asked.get(job) {
                known.clone()
            } else {
                let record = self.directory.job(account, job).await?;
                let asked_by = record.and_then(|record| record.asked_by);
                asked.insert(job.clone(), asked_by.clone());
                asked_by
            };
        }
        self.files.keep_changes(account, changes, self.patience).await
    }
}

/// What records tell.
struct Read {
    accounts: BTreeMap<AccountId, Batch>,
    /// Records that can't be understood, so that what they tell is missing from the trail.
    unreadable: u64,
}

fn read(records: Vec<Value>) -> Read {
    let mut accounts = BTreeMap::<AccountId, Batch>::new();
    let mut unreadable = 0;
    for (position, record) in records.into_iter().enumerate() {
        let record: StreamRecord = match serde_json::from_value(record) {
            Ok(record) => record,
            Err(error) => {
                tracing::error!(%error, "a record of the stream is none");
                unreadable += 1;
                continue;
            }
        };
        let (id, place) = (record.id().to_owned(), record.sequence_number().to_owned());
        match record.change() {
            Ok(None) => {}
            Ok(Some((account, change))) => {
                let batch = || Batch { first: (position, place), changes: Vec::new() };
                accounts.entry(account).or_insert_with(batch).changes.push(change);
            }
            Err(error) => {
                tracing::error!(record = id, error = error.chain(), "a record can't be read");
                unreadable += 1;
            }
        }
    }
    Read { accounts, unreadable }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_that_cannot_be_read_is_counted_and_holds_no_other_back() {
        let user = json!({"PK": {"S": "ACCT#acme#USER#user1"}, "SK": {"S": "USER"}});
        let record = |number: u64, image: &Value| {
            json!({
                "eventID": number.to_string(), "eventName": "INSERT",
                "dynamodb": {"ApproximateCreationDateTime": 0, "SequenceNumber": number.to_string(), "Keys": user, "NewImage": image},
            })
        };
        let Read { accounts, unreadable } = read(vec![json!("none"), json!({}), record(1, &json!({"PK": {"N": "x"}}))]);
        assert_eq!((accounts.len(), unreadable), (0, 3));
    }
}
