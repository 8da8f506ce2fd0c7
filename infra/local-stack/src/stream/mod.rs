//! DynamoDB Streams: what a table tells of each write, until it has been worked on.
//!
//! The engine writes a record for every write, and forgets none. Here a record is forgotten once every function that is told of it has dealt
//! with it, so that what is left is what is to be done, also for the next stack.

mod batch;
mod poller;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dynoxide::Database;
use dynoxide::actions::{get_records::GetRecordsRequest, get_shard_iterator::GetShardIteratorRequest};
use dynoxide::streams::{shard_id, stream_arn};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

pub(super) use self::poller::StreamPoller;

use super::error::{Context, Result};
use super::template::REGION;

/// How long to wait for the engine, which writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The engine looks for the last record at every write, among all of them. With this it doesn't have to look at each.
const INDEX: &str = "
    CREATE INDEX IF NOT EXISTS stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// How far each function has come.
const POSITIONS: &str = "
    CREATE TABLE IF NOT EXISTS stream_positions
        (table_name TEXT, consumer TEXT, shown TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (table_name, consumer))";

/// A table's stream, as one function reads it. The engine has one shard for it.
#[derive(Clone)]
pub(super) struct Stream {
    database: Database,
    table: String,
    consumer: String,
    /// How many functions are told.
    consumers: usize,
    /// The engine's own file: it has no door for what is done here.
    file: Arc<Mutex<Connection>>,
}

impl Stream {
    /// The stream of a table of the database in this file, as `consumer` reads it, one of all `consumers`. One that has been told nothing yet
    /// begins with the first record that is left.
    pub(super) fn open(
        database: Database,
        path: &Path,
        table: &str,
        consumer: &str,
        consumers: &[String],
    ) -> Result<Self> {
        let open = || -> rusqlite::Result<Connection> {
            let file = Connection::open(path)?;
            file.busy_timeout(BUSY_TIMEOUT)?;
            file.pragma_update(None, "synchronous", "NORMAL")?;
            file.execute_batch(INDEX)?;
            file.execute_batch(POSITIONS)?;
            // Nobody waits for a function that is not told any more.
            let known: Vec<String> = {
                let mut known = file.prepare("SELECT consumer FROM stream_positions WHERE table_name = ?")?;
                known.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
            };
            for gone in known.iter().filter(|known| !consumers.contains(known)) {
                file.execute("DELETE FROM stream_positions WHERE table_name = ? AND consumer = ?", [table, gone])?;
            }
            Ok(file)
        };
        let file = open().context(format!("could not open the stream of {table}"))?;
        let file = Arc::new(Mutex::new(file));
        Ok(Self { database, table: table.to_owned(), consumer: consumer.to_owned(), consumers: consumers.len(), file })
    }

    pub(super) fn shard(&self) -> String {
        shard_id(&self.table)
    }

    /// The first records, at most `most`, in order, as Lambda hands them on.
    fn read(&self, most: usize) -> Result<Vec<Value>> {
        let what = || format!("could not read the stream of {}", self.table);
        let position = self.position()?;
        let from = if position.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let iterator = self.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: stream_arn(&self.table, "1"),
            shard_id: self.shard(),
            shard_iterator_type: from.to_owned(),
            sequence_number: position,
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
        const COUNT: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM _stream_records WHERE table_name = ? AND CAST(sequence_number AS INTEGER) > ? ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?)";
        let position = self.position()?.as_deref().map_or(Ok(-1), number).context("a place in a stream")?;
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.query_row(COUNT, rusqlite::params![self.table, position, most], |row| row.get(0))
            .context(format!("could not look at the stream of {}", self.table))
    }

    /// A record and all before it are done with. What every function is done with is forgotten.
    fn done(&self, record: &Value) -> Result<()> {
        const PUT: &str =
            "INSERT OR REPLACE INTO stream_positions (table_name, consumer, shown, sequence) VALUES (?, ?, ?, ?)";
        const ALL: &str = "SELECT MIN(sequence) FROM stream_positions WHERE table_name = ? HAVING COUNT(*) >= ?";
        const FORGET: &str =
            "DELETE FROM _stream_records WHERE table_name = ? AND CAST(sequence_number AS INTEGER) < ?";
        let what = || format!("could not shorten the stream of {}", self.table);
        let shown = sequence_number(record);
        let number = number(shown).context(what())?;
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.execute(PUT, rusqlite::params![self.table, self.consumer, shown, number]).context(what())?;
        let all: Option<i64> = file
            .query_row(ALL, rusqlite::params![self.table, self.consumers], |row| row.get(0))
            .optional()
            .context(what())?;
        // The last one stays: the engine numbers the next by it.
        if let Some(all) = all {
            file.execute(FORGET, rusqlite::params![self.table, all]).context(what())?;
        }
        Ok(())
    }

    /// The place of the last record that is done with, as the engine shows it.
    fn position(&self) -> Result<Option<String>> {
        const READ: &str = "SELECT shown FROM stream_positions WHERE table_name = ? AND consumer = ?";
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.query_row(READ, [&self.table, &self.consumer], |row| row.get(0))
            .optional()
            .context(format!("could not look at the stream of {}", self.table))
    }
}

/// The number of a place. The engine shows it with a one and zeros in front.
fn number(shown: &str) -> std::result::Result<i64, std::num::ParseIntError> {
    shown.get(1..).unwrap_or_default().parse()
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
            let stream = engine.stream("users", "trail", &["trail".to_owned()]).expect("a stream");
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
        stream.done(&records[1]).expect("done");
        put(&stream, "d");
        drop((stream, guard));
        engine.stopped().await;

        let (engine, stream, guard) = open(true);
        assert_eq!(keys(&stream, 10), ["c", "d"]);
        drop((stream, guard));
        engine.stopped().await;
    }

    #[tokio::test]
    async fn each_function_is_told_everything_however_far_others_are() {
        let dir = tempfile::tempdir().expect("a directory");
        let stop = CancellationToken::new();
        let (engine, _) =
            Engine::start(&dir.path().join("dynamodb.db"), &[table(true)], stop.clone()).expect("an engine");
        let both = ["trail", "packer"].map(str::to_owned);
        let [trail, packer] = both.each_ref().map(|name| engine.stream("users", name, &both).expect("a stream"));
        put(&trail, "a");
        let deal_with =
            |stream: &Stream| stream.done(stream.read(10).expect("records").last().expect("one")).expect("done");
        deal_with(&trail);
        assert_eq!((trail.waiting(10).expect("a count"), keys(&packer, 10)), (0, vec!["a".to_owned()]));
        deal_with(&packer);
        put(&trail, "b");
        assert_eq!([&trail, &packer].map(|stream| keys(stream, 10)), [["b"], ["b"]]);
        // One that is not told any more keeps nothing for itself.
        deal_with(&trail);
        let alone = engine.stream("users", "trail", &both[..1]).expect("a stream");
        put(&alone, "c");
        deal_with(&alone);
        assert_eq!(keys(&engine.stream("users", "packer", &both).expect("a stream"), 10), ["c"]);
        stop.cancel();
        engine.stopped().await;
    }
}
