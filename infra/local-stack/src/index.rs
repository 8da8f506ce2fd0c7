//! The SQLite file that holds what the store, the queues and the schedules know. One file, so that an object and the
//! messages that tell of it are written in one transaction.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{Context, Result};

/// How long to wait for another process that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS buckets (
        name TEXT PRIMARY KEY,
        created INTEGER NOT NULL,
        versioned INTEGER NOT NULL,
        emits_events INTEGER NOT NULL
    ) WITHOUT ROWID;

    -- Every version of every object. The id grows with time, so it orders the versions of a key.
    CREATE TABLE IF NOT EXISTS objects (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        version TEXT NOT NULL,
        latest INTEGER NOT NULL,
        -- NULL for a delete marker.
        content TEXT,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified INTEGER NOT NULL,
        attributes TEXT NOT NULL,
        UNIQUE (bucket, key, version)
    );
    CREATE INDEX IF NOT EXISTS latest_objects ON objects (bucket, key) WHERE latest;

    CREATE TABLE IF NOT EXISTS uploads (
        id TEXT PRIMARY KEY,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        attributes TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS parts (
        upload TEXT NOT NULL,
        number INTEGER NOT NULL,
        content TEXT NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified INTEGER NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID;

    CREATE TABLE IF NOT EXISTS queues (
        name TEXT PRIMARY KEY,
        visibility_timeout INTEGER NOT NULL,
        retention INTEGER NOT NULL,
        dead_letters TEXT,
        max_receives INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        sent INTEGER NOT NULL,
        visible INTEGER NOT NULL,
        receives INTEGER NOT NULL,
        first_received INTEGER,
        receipt TEXT,
        -- For a dead letter: the queue it came from.
        source TEXT
    );
    CREATE INDEX IF NOT EXISTS visible_messages ON messages (queue, visible);

    CREATE TABLE IF NOT EXISTS schedules (
        name TEXT PRIMARY KEY,
        arn TEXT NOT NULL,
        function TEXT NOT NULL,
        expression TEXT NOT NULL,
        input TEXT,
        enabled INTEGER NOT NULL,
        -- When it is due; NULL if it never is.
        next INTEGER
    ) WITHOUT ROWID;

    -- Events of schedules for functions to work on: those that have not ended, and the latest of those that have.
    CREATE TABLE IF NOT EXISTS invocations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        schedule TEXT NOT NULL,
        payload TEXT NOT NULL,
        -- Whether somebody waits for its end. Then it is tried once.
        awaited INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        due INTEGER NOT NULL,
        -- Attempts that failed.
        failures INTEGER NOT NULL,
        -- When the latest attempt began.
        begun INTEGER,
        ended INTEGER,
        answer TEXT,
        error TEXT
    );
    CREATE INDEX IF NOT EXISTS due_invocations ON invocations (due) WHERE ended IS NULL;
    CREATE INDEX IF NOT EXISTS invocations_of_schedules ON invocations (schedule, begun);
";

/// A handle to the file.
#[derive(Clone)]
pub struct Index(Arc<Mutex<Connection>>);

impl Index {
    /// Opens the file, creating it if there is none.
    ///
    /// # Errors
    /// If it can't be opened or isn't such a file.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // With a write-ahead log, NORMAL outlives any crash of the process.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        let connection = open().context(format!("could not open {}", path.display()))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Does `work` in one transaction: all of it or, if it fails, nothing.
    ///
    /// # Errors
    /// Those of `work`, and of the commit.
    pub fn transaction<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        // A panic inside rolled its transaction back, so the connection is sound.
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

/// Milliseconds since 1970, which is how the file writes a time.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
