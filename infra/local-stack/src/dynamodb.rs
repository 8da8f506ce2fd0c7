//! DynamoDB: dynoxide, on a thread with a runtime of its own, because its handlers block the worker that they run on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dynoxide::Database;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::{Context, Result};
use super::stream::Stream;
use super::template::Table;

/// Workers for requests. One request at a time has the database anyway; the second keeps the first from blocking a reply.
const WORKERS: usize = 2;

/// How often expired items are deleted. AWS takes up to a few days.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// A running engine.
pub struct Engine {
    thread: JoinHandle<()>,
    database: Database,
    path: PathBuf,
}

impl Engine {
    /// Opens the database in this file, creates the tables that it lacks and serves it until `stop`. Also gives where it is
    /// served, which the door before it alone is told: the engine asks nobody who they are.
    ///
    /// # Errors
    /// If the database can't be opened, a table can't be created, or the thread can't be started.
    pub fn start(path: &Path, tables: &[Table], stop: CancellationToken) -> Result<(Self, SocketAddr)> {
        let database = Database::new(&path.to_string_lossy()).context("could not open the DynamoDB database")?;
        // The engine's default syncs every statement of a batch, which makes a bulk job nearly twice as slow, and keeps two
        // megabytes of pages in memory. Without syncs the files outlive the end of this process, but not that of the machine.
        database.enable_bulk_loading().context("could not open the DynamoDB database")?;
        for table in tables {
            create(&database, table).context(format!("could not create table {}", table.name))?;
        }
        let sweeps = tables.iter().any(|table| table.ttl_attribute.is_some());

        let listener = listener().context("could not serve DynamoDB")?;
        let address = listener.local_addr().context("could not serve DynamoDB")?;
        listener.set_nonblocking(true).context("could not serve DynamoDB")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("dynamodb")
            .enable_all()
            .build()
            .context("could not start DynamoDB's runtime")?;
        let served = database.clone();
        let serve = async move {
            if sweeps {
                tokio::spawn(sweep(served.clone()));
            }
            let listener = match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(error = %error, "could not serve DynamoDB"),
            };
            if let Err(error) = dynoxide::server::serve_with_shutdown(listener, served, stop.cancelled_owned()).await {
                tracing::error!(error, "DynamoDB stopped");
            }
        };
        let thread = thread::Builder::new()
            .name("dynamodb".to_owned())
            .spawn(move || runtime.block_on(serve))
            .context("could not start DynamoDB's thread")?;
        Ok((Self { thread, database, path: path.to_owned() }, address))
    }

    /// The stream of a table, as one of the functions that are told of it reads it.
    ///
    /// # Errors
    /// If the database's file can't be opened.
    pub fn stream(&self, table: &str, consumer: &str, consumers: &[String]) -> Result<Stream> {
        Stream::open(self.database.clone(), &self.path, table, consumer, consumers)
    }

    /// Waits until the engine, told to stop, has finished the requests at work and closed the database.
    pub async fn stopped(self) {
        // A panic of the thread was reported as it happened.
        drop(tokio::task::spawn_blocking(move || self.thread.join()).await);
    }
}

/// A port for the door alone, at an address of this machine that chance chooses where there are as many as on Linux: whoever guesses ports, as a page in
/// a browser can, would have to guess the address too. The engine's crate serves by TCP alone.
fn listener() -> std::io::Result<TcpListener> {
    let [second, third, last, ..] = *Uuid::new_v4().as_bytes();
    let chosen = Ipv4Addr::new(127, second, third, last.clamp(1, 254));
    TcpListener::bind((chosen, 0)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
}

fn create(database: &Database, table: &Table) -> Result<()> {
    let what = "the engine refused it";
    match database.get_table_metadata(&table.name).context(what)? {
        None => {
            database.create_table(serde_json::from_value(table.create.clone()).context(what)?).context(what)?;
        }
        // A table that is older than its stream.
        Some(found) if !found.stream_enabled && !table.create["StreamSpecification"].is_null() => {
            let request = serde_json::json!({
                "TableName": table.name,
                "StreamSpecification": table.create["StreamSpecification"],
            });
            database.update_table(serde_json::from_value(request).context(what)?).context(what)?;
        }
        Some(_) => {}
    }
    if let Some(attribute) = &table.ttl_attribute {
        let request = serde_json::json!({
            "TableName": table.name,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        });
        database.update_time_to_live(serde_json::from_value(request).context(what)?).context(what)?;
    }
    Ok(())
}

async fn sweep(database: Database) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let database = database.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            tracing::warn!(error = %error, "could not delete expired items");
        }
    }
}
