//! The AWS side of the product on this machine, in this process: DynamoDB, S3, EventBridge, SQS, SES and Lambda, made from
//! `template.yaml` and running the real function binaries.
//!
//! An object that is put into a bucket becomes an event in the same transaction, the event becomes messages by the
//! template's rules, a poller takes a message to a function, and what the function does goes through the same doors that
//! it would use on AWS.

mod engine;
mod error;
mod events;
mod home;
mod index;
mod lambda;
mod mail;
mod poller;
mod queue;
mod routing;
mod store;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::error::{Context, Error, Result};
pub use self::home::{Endpoints, Manifest};
pub use self::mail::{Attachment, Mail, list_mails};
pub use self::queue::{Depth, Message, Queues};

use self::engine::Engine;
use self::home::{Credentials, Home};
use self::index::Index;
use self::lambda::Functions;
use self::poller::Poller;
use self::routing::Router as EventRouter;
use self::store::Store;
use self::template::{REGION, Resources};

/// The file with the index of objects and with the queues.
const INDEX_FILE: &str = "stack.db";

/// How long a shutdown waits for the requests at work.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// What a stack is started with. The default is a stack of the bundled template that leaves nothing behind.
#[derive(Debug, Default)]
pub struct Options {
    /// Where data persists. Without one, nothing outlives the stack.
    pub dir: Option<PathBuf>,
    /// The text of a template to use instead of the bundled one.
    pub template: Option<String>,
    /// Values for the template's parameters.
    pub parameters: Vec<(String, String)>,
    pub ports: Ports,
    /// Whether the functions' log lines are printed too.
    pub echo: bool,
}

/// Ports on 127.0.0.1. Zero takes any that is free.
#[derive(Debug, Default, Clone, Copy)]
pub struct Ports {
    pub dynamodb: u16,
    pub s3: u16,
    pub ses: u16,
}

/// A running stack. Dropped without [`Stack::shutdown`], it ends with the process.
pub struct Stack {
    home: Home,
    manifest: Manifest,
    queues: Queues,
    functions: Functions,
    engine: Engine,
    pollers: Vec<JoinHandle<()>>,
    servers: Vec<JoinHandle<()>>,
    stop_polling: CancellationToken,
    stop_serving: CancellationToken,
    /// The directory of a stack that leaves nothing behind; gone once this is dropped.
    temporary: Option<tempfile::TempDir>,
}

impl Stack {
    /// Starts everything. When this returns, the stack serves.
    ///
    /// # Errors
    /// If the template can't be run, the directory is in use or a part can't be started.
    pub async fn start(options: Options) -> Result<Self> {
        let template = options.template.as_deref().unwrap_or(template::BUNDLED);
        let resources = template::resolve(template, &options.parameters)?;
        let (dir, temporary) = match options.dir {
            Some(dir) => (dir, None),
            None => {
                let temporary =
                    tempfile::tempdir().context("could not create a temporary directory")?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        let home = Home::lock(&dir)?;
        let credentials = home.credentials()?;
        let (mail_dir, log_dir) = (home.subdirectory("mail")?, home.subdirectory("logs")?);
        let stop_serving = CancellationToken::new();
        let Resources {
            tables,
            buckets,
            queues: declared_queues,
            rules,
            functions,
            outputs,
        } = resources;

        let database = home.path().join("dynamodb.db");
        let (listener, dynamodb) = bind("DynamoDB", options.ports.dynamodb)?;
        let engine = Engine::start(
            temporary.is_none().then_some(database.as_path()),
            &tables,
            listener,
        )?;

        let index = Index::open(&home.path().join(INDEX_FILE))?;
        let queues = Queues::new(index.clone());
        for queue in &declared_queues {
            queues.declare(queue)?;
        }
        let store = Store::open(
            index,
            &home.path().join("objects"),
            EventRouter::new(rules, queues.clone()),
        )?;
        for bucket in &buckets {
            store.declare(bucket)?;
        }
        let (listener, s3) = bind("S3", options.ports.s3)?;
        let mut servers = vec![serve(
            tokio_listener(listener)?,
            s3_router(store, &credentials),
            stop_serving.clone(),
        )];
        let (listener, ses) = bind("SES", options.ports.ses)?;
        servers.push(serve(
            tokio_listener(listener)?,
            mail::router(&mail_dir),
            stop_serving.clone(),
        ));

        let manifest = Manifest {
            pid: std::process::id(),
            region: REGION.to_owned(),
            endpoints: Endpoints { dynamodb, s3, ses },
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            mail_dir,
            log_dir,
            outputs,
        };
        let sources: Vec<_> = functions
            .iter()
            .flat_map(|function| {
                function
                    .sources
                    .iter()
                    .map(|source| (function.name.clone(), source.clone()))
            })
            .collect();
        let functions = Functions::start(
            functions,
            endpoint_environment(&manifest),
            &manifest.log_dir,
            options.echo,
            stop_serving.clone(),
        )
        .await?;
        let stop_polling = CancellationToken::new();
        let pollers = sources
            .into_iter()
            .map(|(function, source)| {
                let poller = Poller {
                    function,
                    source,
                    queues: queues.clone(),
                    functions: functions.clone(),
                };
                tokio::spawn(poller.run(stop_polling.clone()))
            })
            .collect();
        home.publish(&manifest)?;
        Ok(Self {
            home,
            manifest,
            queues,
            functions,
            engine,
            pollers,
            servers,
            stop_polling,
            stop_serving,
            temporary,
        })
    }

    /// How to reach the stack.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The stack's queues.
    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// Stops in order: no new messages are taken, the functions' processes are ended, the servers finish what they are at.
    /// A message that was being worked on comes back after its visibility timeout, as after any crash.
    pub async fn shutdown(self) {
        self.stop_polling.cancel();
        for poller in self.pollers {
            finish(poller).await;
        }
        self.functions.shutdown().await;
        self.stop_serving.cancel();
        let stop = async {
            for server in self.servers {
                finish(server).await;
            }
            self.engine.shutdown().await;
        };
        if tokio::time::timeout(SHUTDOWN_LIMIT, stop).await.is_err() {
            tracing::warn!("some requests didn't finish in time");
        }
        self.home.retract();
        drop(self.temporary);
    }
}

/// Serves until told to stop, and then until the requests at work are done.
fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = server.await {
            tracing::error!(error = %error, "a server stopped");
        }
    })
}

async fn finish(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(error = %error, "a part of the stack failed");
    }
}

/// A listener and its URL.
fn bind(service: &str, port: u16) -> Result<(TcpListener, String)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let what = || format!("could not serve {service} on {address}");
    let listener = TcpListener::bind(address).context(what())?;
    let url = format!("http://{}", listener.local_addr().context(what())?);
    Ok((listener, url))
}

fn tokio_listener(listener: TcpListener) -> Result<tokio::net::TcpListener> {
    let what = "could not serve a port";
    listener.set_nonblocking(true).context(what)?;
    tokio::net::TcpListener::from_std(listener).context(what)
}

fn s3_router(store: Store, credentials: &Credentials) -> Router {
    let mut builder = S3ServiceBuilder::new(store);
    let Credentials {
        access_key_id,
        secret_access_key,
    } = credentials;
    builder.set_auth(SimpleAuth::from_single(
        access_key_id.as_str(),
        secret_access_key.as_str(),
    ));
    let service = builder.build();
    Router::new().fallback(move |request: axum::extract::Request| {
        let service = service.clone();
        async move {
            match service.call(request.map(s3s::Body::http_body_unsync)).await {
                Ok(response) => response.map(axum::body::Body::new),
                Err(error) => {
                    tracing::error!(error = ?error, "S3 could not answer");
                    let mut response = axum::response::Response::default();
                    *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
                    response
                }
            }
        }
    })
}

/// What the SDK in a function reads to find the services.
fn endpoint_environment(manifest: &Manifest) -> BTreeMap<String, String> {
    [
        ("AWS_REGION", &manifest.region),
        ("AWS_DEFAULT_REGION", &manifest.region),
        ("AWS_ACCESS_KEY_ID", &manifest.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &manifest.secret_access_key),
        ("AWS_ENDPOINT_URL_DYNAMODB", &manifest.endpoints.dynamodb),
        ("AWS_ENDPOINT_URL_S3", &manifest.endpoints.s3),
        ("AWS_ENDPOINT_URL_SES", &manifest.endpoints.ses),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .collect()
}
