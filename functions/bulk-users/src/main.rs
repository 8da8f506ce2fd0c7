//! Creates and changes the users of a file, and the numbers of one: wires both kinds of job to the Lambda runtime.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_engine::kinds::{UploadNumbers, UploadUsers};
use rollcall_storage::{connect::Aws, log, worker_from_env};

// One invocation at a time on one processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let aws = Aws::from_env().await;
    let (users, numbers) = (&worker_from_env(&aws, UploadUsers)?, &worker_from_env(&aws, UploadNumbers)?);
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        // The queue gives one delivery at a time. What is of neither kind is passed over by the first.
        Ok::<_, Error>(if numbers.takes(&event.payload) {
            Box::pin(numbers.handle(event)).await
        } else {
            Box::pin(users.handle(event)).await
        })
    }))
    .await
}
