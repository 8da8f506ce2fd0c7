//! `rollcall edge`: what a switch asks in place of the API, on its own machine.
//!
//! A switch can neither renew a token nor keep calls from waiting for an API that hangs. The edge does: it keeps connections, tokens and
//! answers, and goes on with what it knows when nobody can be asked. What is decided without I/O stands apart: [`breaker`], [`kept`], [`choice`].

mod asker;
mod breaker;
mod choice;
mod kept;
mod question;
mod serve;
mod tokens;

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use axum::serve::ListenerExt;
use clap::Args;
use http::Uri;
use jiff::Timestamp;
use rollcall_connectors::{BaseUrl, Http};
use rollcall_model::country::area_of;
use rollcall_model::secret::SecretText;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::AccountArg;
use crate::cloudformation;
use crate::local::running;
use crate::output::print;
use crate::stack_selector::StackSelector;
use asker::Asker;
use serve::{Door, router};
use tokens::{Source, Tokens};

/// The variable with the secret of `--client-id`.
const CLIENT_SECRET: &str = "ROLLCALL_CLIENT_SECRET";

/// Options of `rollcall edge`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall edge
  ROLLCALL_CLIENT_SECRET=… rollcall edge --api https://api.example.com --token-url https://issuer.example.com/oauth2/token --client-id switch
  curl http://127.0.0.1:8790/v1/extensions/101/caller-ids/+919876500001

Without --client-id, the token for a stack on AWS is read from ROLLCALL_TOKEN, or printed by the command in ROLLCALL_TOKEN_COMMAND, which is run \
again before it ends. It needs the scope rollcall/dial.check, and rollcall/dial.choose for /next.")]
pub struct Edge {
    #[command(flatten)]
    whose: AccountArg,
    /// Where it listens, on this machine alone: nobody has to show a token there
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8790")]
    listen: SocketAddr,
    /// Trunk whose calls pass when nothing is known of them and the API can't be asked; can be given several times. All others are closed then
    #[arg(long, value_name = "TRUNK")]
    fail_open: Vec<String>,
    /// Where the API is, for a machine that may not ask CloudFormation
    #[arg(long, value_name = "URL")]
    api: Option<BaseUrl>,
    /// Where the issuer gives tokens to clients; the secret comes from the environment
    #[arg(long, value_name = "URL", requires = "client_id")]
    token_url: Option<BaseUrl>,
    /// The client's ID at the issuer
    #[arg(long, value_name = "ID", requires = "token_url")]
    client_id: Option<String>,
}

impl Edge {
    /// Serves until Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// If it can't listen there, or nothing says where the API is and how to get in.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        if !self.listen.ip().is_loopback() {
            bail!("{} is not this machine's alone; whoever reaches it may ask without a token", self.listen);
        }
        let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for Ctrl-C")?;
        let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
        let http = Http::new().map_err(|error| anyhow!(error.chain()))?;
        let tokens = Arc::new(Tokens::new(http.clone(), self.source(place).await?));
        // An edge that is started while nobody can be asked serves all the same.
        if let Err(error) = tokens.renew(None).await {
            tell(&format!("no token: {error:#}"));
        }
        let renewing = Arc::clone(&tokens);
        tokio::spawn(async move { renewing.keep_renewing(tell).await });
        // The numbering plans are read at the first question about them, and no call should wait for that.
        tokio::task::spawn_blocking(|| "+912261234501".parse().ok().and_then(area_of)).await?;

        let listener = TcpListener::bind(self.listen).await.context(format!("could not listen at {}", self.listen))?;
        let address = listener.local_addr().context("could not tell where it listens")?;
        let door = Door {
            asker: Arc::new(Asker::new(http, tokens)),
            fail_open: Arc::new(self.fail_open.into_iter().collect()),
        };
        print(&format!("Answering a switch at http://{address}. Ctrl-C stops it.\n"))?;
        let listener = listener.tap_io(|stream| {
            // Else small answers wait for the switch's acknowledgement. A connection that is gone is served no slower.
            let _ = stream.set_nodelay(true);
        });
        let ended = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        axum::serve(listener, router(door)).with_graceful_shutdown(ended).await.context("could not go on serving")?;
        Ok(ExitCode::SUCCESS)
    }

    async fn source(&self, place: &StackSelector) -> Result<Source> {
        let base = match (&self.api, place.stack()) {
            (Some(_), Some(_)) => bail!("--api and --stack both say where the API is"),
            (Some(base), None) => base.clone(),
            (None, Some(stack)) => {
                let deployed = cloudformation::describe(stack).await;
                let deployed = deployed.context(format!("could not look up the stack {stack}"))?;
                let url = deployed.outputs.get("ApiUrl");
                let url = url.ok_or_else(|| anyhow!("the stack {stack} has no output ApiUrl; it is not Rollcall's"))?;
                url.parse().context(format!("the output ApiUrl of the stack {stack}"))?
            }
            (None, None) => {
                running(place.dir())?;
                return Ok(Source::Here { dir: place.dir().to_owned(), account: self.whose.here() });
            }
        };
        let (Some(issuer), Some(id)) = (&self.token_url, &self.client_id) else {
            let name = place.stack().unwrap_or_else(|| base.as_str()).to_owned();
            return Ok(Source::Given { name, base });
        };
        let secret =
            env::var(CLIENT_SECRET).map_err(|_| anyhow!("{CLIENT_SECRET} doesn't hold the client's secret"))?;
        let issuer: Uri = issuer.as_str().parse().context("the address of the issuer")?;
        Ok(Source::Client { base, issuer, id: id.clone(), secret: SecretText::new(secret) })
    }
}

/// Tells on standard error what whoever watches over it should know: no number, no name.
fn tell(what: &str) {
    eprintln!("{:.0} {what}", Timestamp::now());
}
