//! DynamoDB Streams: what a table tells of each write, until it has been worked on.
//!
//! The engine writes a record for every write, and forgets none. Here a record is forgotten once its function has dealt
//! with it, so that what is left is what is to be done, also for the next stack.

mod batch;
mod poller;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dynoxide::Database;
use dynoxide::actions::{get_records::GetRecordsRequest, get_shard_iterator::GetShardIteratorRequest};
use dynoxide::streams::{shard_id, stream_arn};
use rusqlite::Connection;
use serde_json::Value;

pub(super) use self::poller::StreamPoller;

use super::error::{Context, Result};
use super::template::REGION;

/// How long to wait for the engine, which writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The engine looks for the last record at every write, among all of them. With this it doesn't have to look at each.
const INDEX: &str = "
    CREATE INDEX IF NOT EXISTS stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// A table's stream. The engine has one shard for it.
#[derive(Clone)]
pub(super) struct Stream {
    database: Database,
    table: String,
    /// The engine's own file: it has no door for what is done here.
    file: Arc<Mutex<Connection>>,
}

impl Stream {
    /// The stream of a table of the database in this file.
    pub(super) fn open(database: Database, path: &Path, table: &str) -> Result<Self> {
        let open = || -> rusqlite::Result<Connection> {
            let file = Connection::open(path)?;
            file.busy_timeout(BUSY_TIMEOUT)?;
            file.pragma_update(None, "synchronous", "NORMAL")?;
            file.execute_batch(INDEX)?;
            Ok(file)
        };
        let file = open().context(format!("could not open the stream of {table}"))?;
        Ok(Self { database, table: table.to_owned(), file: Arc::new(Mutex::new(file)) })
    }

    pub(super) fn shard(&self) -> String {
        shard_id(&self.table)
    }

    /// The first records, at most `most`, in order, as Lambda hands them on.
    fn read(&self, most: usize) -> Result<Vec<Value>> {
        let what = || format!("could not read the stream of {}", self.table);
        let iterator = self.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: stream_arn(&self.table, "1"),
            shard_id: self.shard(),
            shard_iterator_type: "TRIM_HORIZON".to_owned(),
            sequence_number: None,
        });
        let mut next = iterator.context(what())?.shard_iterator;
        let mut found = Vec::new();
        // The engine gives a thousand at a time.
        while let Some(shard_iterator) = next.take().filter(|_| found.len() < most) {
            let read = self.database.get_records(GetRecordsRequest { shard_iterator, limit: Some(most - found.len()) });
            let read = read.context(what())?;
            if !read.records.is_empty() {
                next = read.next_shard_iterator;
            }
            for record in read.records {
                let mut record = serde_json::to_value(record).context(what())?;
                record["awsRegion"] = REGION.into();
                found.push(record);
            }
        }
        Ok(found)
    }

    /// How many records there are, counted up to `most`.
    fn waiting(&self, most: usize) -> Result<usize> {
        const COUNT: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM _stream_records WHERE table_name = ? ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?)";
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.query_row(COUNT, rusqlite::params![self.table, most], |row| row.get(0))
            .context(format!("could not look at the stream of {}", self.table))
    }

    /// Forgets a record and all before it.
    fn forget(&self, record: &Value) -> Result<()> {
        let what = || format!("could not shorten the stream of {}", self.table);
        // The engine shows its numbers with a one and zeros in front.
        let shown = sequence_number(record);
        let number: i64 = shown.get(1..).unwrap_or_default().parse().context(what())?;
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.execute(
            "DELETE FROM _stream_records WHERE table_name = ? AND CAST(sequence_number AS INTEGER) <= ?",
            rusqlite::params![self.table, number],
        )
        .context(what())?;
        Ok(())
    }
}

/// A record's place in the stream.
fn sequence_number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::dynamodb::Engine;
    use crate::template::Table;

    fn table(streams: bool) -> Table {
        let mut create = json!({
            "TableName": "users",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "PK", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "PK", "KeyType": "HASH" }],
        });
        if streams {
            create["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
        }
        Table { name: "users".to_owned(), create, ttl_attribute: None }
    }

    fn put(stream: &Stream, key: &str) {
        let request = json!({ "TableName": "users", "Item": { "PK": { "S": key } } });
        stream.database.put_item(serde_json::from_value(request).expect("a request")).expect("put");
    }

    fn keys(stream: &Stream, most: usize) -> Vec<String> {
        let records = stream.read(most).expect("records");
        records.iter().map(|record| record["dynamodb"]["Keys"]["PK"]["S"].as_str().expect("a key").to_owned()).collect()
    }

    #[tokio::test]
    async fn a_stream_tells_what_is_not_forgotten_also_to_the_next_stack() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = |streams| {
            let stop = CancellationToken::new();
            let file = dir.path().join("dynamodb.db");
            let (engine, _) = Engine::start(&file, &[table(streams)], stop.clone()).expect("an engine");
            let stream = engine.stream("users").expect("a stream");
            (engine, stream, stop.drop_guard())
        };
        let (engine, stream, guard) = open(false);
        put(&stream, "before");
        drop((stream, guard));
        engine.stopped().await;

        // The same table, with a stream from now on.
        let (engine, stream, guard) = open(true);
        for key in ["a", "b", "c"] {
            put(&stream, key);
        }
        assert_eq!([2, 10].map(|most| stream.waiting(most).expect("a count")), [2, 3]);
        assert_eq!(keys(&stream, 2), ["a", "b"]);
        let records = stream.read(2).expect("records");
        assert_eq!(records[0]["dynamodb"]["NewImage"]["PK"]["S"], "a");
        stream.forget(&records[1]).expect("forgotten");
        put(&stream, "d");
        drop((stream, guard));
        engine.stopped().await;

        let (engine, stream, guard) = open(true);
        assert_eq!(keys(&stream, 10), ["c", "d"]);
        drop((stream, guard));
        engine.stopped().await;
    }
}
