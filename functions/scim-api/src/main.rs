//! Wires the function to the Lambda runtime.

use lambda_http::{Error, Request, run, service_fn};
use rollcall_storage::{connect::Aws, directory::Directory, environment::variable, log, mailer::Mailer};
use scim_api::Scim;

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let aws = Aws::from_env().await;
    let scim = Scim {
        directory: Directory::new(&aws, variable::<String>("TABLE_NAME")?),
        mailer: Mailer::new(&aws, variable::<String>("MAIL_SENDER")?, variable::<String>("MAIL_CONFIGURATION_SET")?),
        country: variable("DEFAULT_COUNTRY")?,
        mails_a_day: variable("MAX_MAILS_PER_DAY")?,
    };
    run(service_fn(|request: Request| async { Ok::<_, Error>(scim.answer(request).await) })).await
}
