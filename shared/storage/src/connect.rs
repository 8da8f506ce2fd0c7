//! How AWS is reached.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_s3::config::Credentials;

/// The way to AWS, from which every client is made. Found once, when a function starts.
pub struct Aws {
    pub(crate) config: SdkConfig,
    local: Option<LocalStack>,
}

/// The name of every stack on this machine: each has its services for itself.
pub const LOCAL_STACK_NAME: &str = "rollcall";

/// A stack on this machine, with endpoints and credentials of its own.
#[derive(Clone, Debug)]
pub struct LocalStack {
    /// Where its table is served.
    pub dynamodb: String,
    /// Where its buckets are served.
    pub s3: String,
    /// Where its mail service is.
    pub ses: String,
    /// Where its secrets are kept.
    pub secrets_manager: String,
    /// The region that it plays.
    pub region: String,
    /// Its access key.
    pub access_key_id: String,
    /// The key's secret.
    pub secret_access_key: String,
}

/// A service that takes longer to say yes to a connection is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest silence. The SDK has no limit of its own, and a frozen function may wake up on a dead connection.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Tries for a single request, but on the bulk path, which paces and repeats by itself.
const MAX_ATTEMPTS: u32 = 4;

impl Aws {
    /// Reaches AWS as the environment says, as every function does.
    pub async fn from_env() -> Self {
        Self { config: defaults().load().await, local: None }
    }

    /// Reaches a stack on this machine.
    pub async fn local(stack: LocalStack) -> Self {
        let credentials =
            Credentials::new(&stack.access_key_id, &stack.secret_access_key, None, None, "rollcall-local");
        let region = Region::new(stack.region.clone());
        let config = defaults().region(region).credentials_provider(credentials).load().await;
        Self { config, local: Some(stack) }
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        if let Some(local) = &self.local {
            config.set_endpoint_url(Some(local.dynamodb.clone()));
        }
        config
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let mut config = aws_sdk_s3::config::Builder::from(&self.config);
        if let Some(local) = &self.local {
            config.set_endpoint_url(Some(local.s3.clone()));
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }

    pub(crate) fn ses(&self) -> aws_sdk_ses::Client {
        let mut config = aws_sdk_ses::config::Builder::from(&self.config);
        if let Some(local) = &self.local {
            config.set_endpoint_url(Some(local.ses.clone()));
        }
        aws_sdk_ses::Client::from_conf(config.build())
    }

    pub(crate) fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
        if let Some(local) = &self.local {
            config.set_endpoint_url(Some(local.secrets_manager.clone()));
        }
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }
}

fn defaults() -> aws_config::ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build())
        // A reader that is busy reading is not a stalled stream.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}
