//! Where the services listen.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use axum::Router;
use axum::serve::ListenerExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Ports;
use super::data_dir::Endpoints;
use super::error::{Context, Result};

/// The listeners of the services, bound before anything starts: a port that is taken is reported first.
pub(super) struct Listeners {
    pub(super) dynamodb: TcpListener,
    pub(super) s3: TcpListener,
    pub(super) ses: TcpListener,
    pub(super) secrets_manager: TcpListener,
    pub(super) api: TcpListener,
}

impl Listeners {
    pub(super) fn open(ports: Ports) -> Result<Self> {
        let bind = |service: &str, port: u16| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listener = TcpListener::bind(address);
            listener.context(format!("could not serve {service} on {address}"))
        };
        Ok(Self {
            dynamodb: bind("DynamoDB", ports.dynamodb)?,
            s3: bind("S3", ports.s3)?,
            ses: bind("SES", ports.ses)?,
            secrets_manager: bind("Secrets Manager", ports.secrets_manager)?,
            api: bind("the API", ports.api)?,
        })
    }

    /// Where each service is; the API where there is one.
    pub(super) fn endpoints(&self, api: Option<String>) -> Result<Endpoints> {
        Ok(Endpoints {
            dynamodb: url(&self.dynamodb)?,
            s3: url(&self.s3)?,
            ses: url(&self.ses)?,
            secrets_manager: url(&self.secrets_manager)?,
            api,
        })
    }
}

pub(super) fn url(listener: &TcpListener) -> Result<String> {
    let address = listener.local_addr();
    Ok(format!("http://{}", address.context("could not tell the address of a port")?))
}

/// Serves until it is stopped, and then until the requests at work are done.
pub(super) fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> Result<JoinHandle<()>> {
    let what = "could not serve a port";
    listener.set_nonblocking(true).context(what)?;
    let listener = tokio::net::TcpListener::from_std(listener).context(what)?;
    // An answer must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::warn!(error = %error, "could not set up a connection");
        }
    });
    Ok(tokio::spawn(async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = server.await {
            tracing::error!(error = %error, "a server stopped");
        }
    }))
}
