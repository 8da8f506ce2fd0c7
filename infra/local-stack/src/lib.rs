//! The AWS side of the product on this machine, in this process: DynamoDB, S3, EventBridge and its Scheduler, SQS, SES, Secrets
//! Manager, Lambda and API Gateway, made from `template.yaml` and running the real function binaries.
//!
//! An object that is put into a bucket becomes an event in the same transaction, the event becomes messages by the
//! template's rules, a poller takes a message to a function, and what the function does goes through the same doors that
//! it would use on AWS.

mod api_gateway;
mod data_dir;
mod dynamodb;
mod dynamodb_proxy;
mod error;
mod event_source_mapping;
mod eventbridge;
mod events;
mod iam;
mod index;
mod lambda;
mod limits;
mod listeners;
mod s3;
mod scheduler;
mod secrets_manager;
mod ses;
mod signature;
mod sqs;
mod stream;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::api_gateway::{Grant, SigningKey, ticket};
pub use self::data_dir::{Endpoints, Issuer, Manifest};
pub use self::error::{Context, Result, StackError};
pub use self::scheduler::{Planned, RunState, Schedules};
pub use self::ses::{Attachment, Mail, list_mails};
pub use self::sqs::{Depth, Message, Queues};

use self::api_gateway::Gateway;
use self::data_dir::{Credentials, Home};
use self::dynamodb::Engine;
use self::event_source_mapping::Poller;
use self::eventbridge::Router as EventRouter;
use self::iam::Access;
use self::index::Index;
use self::lambda::Functions;
use self::limits::Limits;
use self::listeners::{Listeners, serve, url};
use self::s3::{Cors, Guard, Store};
use self::scheduler::Scheduler;
use self::stream::{Stream, StreamPoller};
use self::template::{Bucket, Function, REGION, StreamSource};

/// The file with the index of objects and with the queues.
const INDEX_FILE: &str = "stack.db";

/// How long a shutdown waits for the requests at work.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// What a stack is started with. By default it leaves nothing behind.
#[derive(Debug, Default)]
pub struct Options {
    /// Where data persists. Without one, nothing outlives the stack.
    pub dir: Option<PathBuf>,
    /// The text of the SAM template.
    pub template: String,
    /// Values for the template's parameters.
    pub parameters: Vec<(String, String)>,
    /// Where its services listen.
    pub ports: Ports,
    /// Whether the functions' log lines are printed too.
    pub echo: bool,
    /// How to log in, for people who open a page of the API without having done so.
    pub login_hint: String,
}

/// Ports on 127.0.0.1. Zero takes any that is free.
#[derive(Debug, Default, Clone, Copy)]
pub struct Ports {
    /// DynamoDB.
    pub dynamodb: u16,
    /// S3.
    pub s3: u16,
    /// SES.
    pub ses: u16,
    /// Secrets Manager.
    pub secrets_manager: u16,
    /// API Gateway.
    pub api: u16,
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
    /// Stops the pollers and the schedules when dropped.
    polling: DropGuard,
    /// What functions were at when the stack before it in this directory ended, with their queues: hidden until their visibility timeout is over.
    pub interrupted: Vec<(String, Message)>,
    /// Stops the servers when dropped.
    serving: DropGuard,
    /// The directory of a stack that leaves nothing behind; gone once this is dropped.
    temporary: Option<tempfile::TempDir>,
}

/// Builds the functions of a template, where they are built by cargo and aren't yet: a stack that is started then is there at once.
///
/// # Errors
/// If the template can't be run, or a function can't be built.
pub async fn build_functions(template: &str) -> Result<()> {
    let functions = template::resolve(template, &[], "http://localhost")?.functions;
    lambda::locate(functions.into_iter().map(|function| function.binary).collect()).await.map(drop)
}

impl Stack {
    /// Starts everything. When this returns, the stack serves.
    ///
    /// # Errors
    /// If the template can't be run, the directory is in use or a part can't be started.
    pub async fn start(options: Options) -> Result<Self> {
        let (dir, temporary) = directory(options.dir)?;
        let home = Home::lock(&dir)?;
        let credentials = home.credentials()?;
        let listeners = Listeners::open(options.ports)?;
        let api_url = url(&listeners.api)?;
        let template = &*options.template;
        let mut resources = template::resolve(template, &options.parameters, &api_url)?;
        let access = Arc::new(Access::new(home.path(), credentials.clone(), &resources.functions)?);
        let issuer = match &resources.api {
            Some(api) => api_gateway::issuer(api, &api_url, &home)?,
            None => None,
        };
        let manifest = Manifest {
            pid: std::process::id(),
            region: REGION.to_owned(),
            endpoints: listeners.endpoints(resources.api.as_ref().map(|_| api_url.clone()))?,
            issuer,
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
            mail_dir: home.subdirectory("mail")?,
            log_dir: home.subdirectory("logs")?,
            outputs: resources.outputs,
        };

        // Whatever has started stops again if the rest can't.
        let serving = CancellationToken::new().drop_guard();
        let stop = || serving.token().clone();
        let database = home.path().join("dynamodb.db");
        let (engine, engine_address) = Engine::start(&database, &resources.tables, stop())?;

        let index = Index::open(&home.path().join(INDEX_FILE))?;
        let schedules = Schedules::new(index.clone());
        schedules.declare(&resources.schedules, Timestamp::now())?;
        let queues = Queues::new(index.clone());
        for queue in &resources.queues {
            queues.declare(queue)?;
        }
        let interrupted = queues.hidden()?;
        let events = EventRouter::new(resources.rules, queues.clone());
        let store = Store::open(index, &home.path().join("objects"), events)?;
        for bucket in &resources.buckets {
            store.declare(bucket)?;
        }
        let mut servers = vec![
            serve(
                listeners.dynamodb,
                dynamodb_proxy::router(Arc::clone(&access), Limits::of(&resources.tables), engine_address),
                stop(),
            )?,
            serve(listeners.s3, s3_router(store, &access, &resources.buckets), stop())?,
            serve(listeners.ses, ses::router(&manifest.mail_dir, Arc::clone(&access)), stop())?,
            serve(listeners.secrets_manager, secrets_manager::router(home.path(), Arc::clone(&access))?, stop())?,
        ];

        let sources = sources_of(&resources.functions, |function| &function.sources);
        let streams = streams_of(&resources.functions, &engine)?;
        let environment = endpoint_environment(&manifest);
        for function in &mut resources.functions {
            let credentials = access.credentials(&function.name).cloned();
            function.environment.extend(credentials.map(Credentials::environment).into_iter().flatten());
        }
        let (logs, issuer) = (&manifest.log_dir, manifest.issuer.clone());
        let functions = Functions::start(resources.functions, environment, logs, options.echo, stop()).await?;
        if let Some(api) = resources.api {
            let gateway = Gateway::new(api, &api_url, issuer, &options.login_hint, functions.clone()).await?;
            servers.push(serve(listeners.api, gateway.router(), stop())?);
        }
        let polling = CancellationToken::new().drop_guard();
        let mut pollers = Vec::new();
        for (function, source) in sources {
            let poller = Poller { function, source, queues: queues.clone(), functions: functions.clone() };
            pollers.push(tokio::spawn(poller.run(polling.token().clone())));
        }
        for (function, source, stream) in streams {
            let (queues, functions) = (queues.clone(), functions.clone());
            let poller = StreamPoller { function, source, stream, queues, functions };
            pollers.push(tokio::spawn(poller.run(polling.token().clone())));
        }
        if !resources.schedules.is_empty() {
            let (functions, queues) = (functions.clone(), queues.clone());
            let clock = Scheduler { declared: resources.schedules, schedules, functions, queues };
            pollers.push(tokio::spawn(clock.run(polling.token().clone())));
        }
        home.publish(&manifest)?;
        Ok(Self {
            home,
            manifest,
            queues,
            functions,
            engine,
            pollers,
            servers,
            polling,
            interrupted,
            serving,
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
    /// A message that was being worked on comes back after its visibility timeout, as after any crash, or when it is given back.
    pub async fn shutdown(self) {
        drop(self.polling);
        for poller in self.pollers {
            finish(poller).await;
        }
        self.functions.shutdown().await;
        drop(self.serving);
        let stop = async {
            for server in self.servers {
                finish(server).await;
            }
            self.engine.stopped().await;
        };
        if tokio::time::timeout(SHUTDOWN_LIMIT, stop).await.is_err() {
            tracing::warn!("some requests didn't finish in time");
        }
        self.home.retract();
        drop(self.temporary);
    }
}

/// Where a stack keeps its data, and what clears that away when nothing is to be left behind.
fn directory(given: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    if let Some(dir) = given {
        return Ok((dir, None));
    }
    let temporary = tempfile::tempdir().context("could not create a temporary directory")?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

async fn finish(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(error = %error, "a part of the stack failed");
    }
}

/// Each function with each of what feeds it.
/// The streams that functions are told of, each as its function reads it.
fn streams_of(functions: &[Function], engine: &Engine) -> Result<Vec<(String, StreamSource, Stream)>> {
    let sources = sources_of(functions, |function| &function.streams);
    let told = |table: &str| {
        let of_table = sources.iter().filter(|(_, source)| source.table == table);
        of_table.map(|(function, _)| function.clone()).collect::<Vec<_>>()
    };
    let open = |(function, source): &(String, StreamSource)| {
        let stream = engine.stream(&source.table, function, &told(&source.table))?;
        Ok((function.clone(), source.clone(), stream))
    };
    sources.iter().map(open).collect()
}

fn sources_of<T: Clone>(functions: &[Function], sources: impl Fn(&Function) -> &Vec<T>) -> Vec<(String, T)> {
    let of = |function| sources(function).iter().map(|source| (function.name.clone(), source.clone()));
    functions.iter().flat_map(of).collect()
}

fn s3_router(store: Store, access: &Arc<Access>, buckets: &[Bucket]) -> Router {
    let cors = Cors::new(buckets);
    let mut keys = SimpleAuth::new();
    for Credentials { access_key_id, secret_access_key } in access.all_credentials() {
        keys.register(access_key_id.clone(), secret_access_key.as_str().into());
    }
    let mut builder = S3ServiceBuilder::new(store);
    builder.set_auth(keys);
    builder.set_access(Guard(Arc::clone(access)));
    let service = builder.build();
    Router::new().fallback(move |request: axum::extract::Request| {
        let (service, cors) = (service.clone(), cors.clone());
        async move {
            let path = request.uri().path();
            if request.method() == axum::http::Method::OPTIONS {
                return cors.preflight(path, request.headers());
            }
            let allowed = cors.of_request(path, request.method(), request.headers());
            let mut response = match service.call(request.map(s3s::Body::http_body_unsync)).await {
                Ok(response) => response.map(axum::body::Body::new),
                Err(error) => {
                    tracing::error!(error = ?error, "S3 could not answer");
                    let mut response = axum::response::Response::default();
                    *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
                    response
                }
            };
            if let Some(allowed) = allowed {
                allowed.tell(&mut response);
            }
            response
        }
    })
}

/// What the SDK in a function reads to find the services.
fn endpoint_environment(manifest: &Manifest) -> BTreeMap<String, String> {
    [
        ("AWS_REGION", &manifest.region),
        ("AWS_DEFAULT_REGION", &manifest.region),
        ("AWS_ENDPOINT_URL_DYNAMODB", &manifest.endpoints.dynamodb),
        ("AWS_ENDPOINT_URL_S3", &manifest.endpoints.s3),
        ("AWS_ENDPOINT_URL_SES", &manifest.endpoints.ses),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &manifest.endpoints.secrets_manager),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .collect()
}
