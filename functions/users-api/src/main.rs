//! Wires the function to the Lambda runtime.

use lambda_http::{Error, run};
use rollcall_platform::{connect::Aws, directory::Directory, environment::variable, files::Files, telemetry};
use users_api::{Api, router};

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let aws = Aws::from_env().await;
    let api = Api {
        directory: Directory::new(&aws, variable::<String>("TABLE_NAME")?),
        files: Files::new(&aws, variable::<String>("BUCKET_NAME")?),
        country: variable("DEFAULT_COUNTRY")?,
        max_file_bytes: variable("MAX_FILE_BYTES")?,
    };
    run(router(api)).await
}
