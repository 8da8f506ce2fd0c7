//! Wires the function to the Lambda runtime.

use std::time::Duration;

use lambda_http::{Error, run};
use rollcall_connectors::entra::{Endpoints, Tenants};
use rollcall_storage::{
    connect::Aws, directory::Directory, environment::variable, files::Files, log, secrets::Secrets,
};
use users_api::{Api, Seal, router};

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let aws = Aws::from_env().await;
    let api = Api {
        directory: Directory::new(&aws, variable::<String>("TABLE_NAME")?),
        files: Files::new(&aws, variable::<String>("BUCKET_NAME")?),
        secrets: Secrets::of_stack(&aws, variable::<String>("STACK_NAME")?),
        tenants: Tenants::new(Endpoints { login: variable("ENTRA_LOGIN_URL")?, graph: variable("GRAPH_URL")? }),
        country: variable("DEFAULT_COUNTRY")?,
        audit_settle: Duration::from_secs(variable("AUDIT_SETTLE_SECONDS")?),
        max_file_bytes: variable("MAX_FILE_BYTES")?,
        seal: Seal::default(),
    };
    run(router(api)).await
}
