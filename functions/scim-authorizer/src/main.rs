//! Says who may push users in: tells the account of a key, and is asked by API Gateway before `scim-api` is. It may read keys and nothing
//! else, since whoever has none reaches this far.

use jiff::{Timestamp, tz::TimeZone};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_model::scim_key::ScimToken;
use rollcall_storage::{connect::Aws, directory::Directory, environment::variable, log};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the gateway asks (payload format 2.0):
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    /// What the identity sources hold: the header `Authorization`.
    #[serde(default)]
    identity_source: Vec<String>,
}

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let directory = Directory::new(&Aws::from_env().await, variable::<String>("TABLE_NAME")?);
    run(service_fn(|event: LambdaEvent<Asked>| async { authorize(&directory, event.payload).await })).await
}

/// The simple answer. What isn't a key that the account has is refused, whatever else it is.
async fn authorize(directory: &Directory, asked: Asked) -> Result<Value, Error> {
    let refused = json!({ "isAuthorized": false });
    let [header] = asked.identity_source.as_slice() else { return Ok(refused) };
    let (scheme, token) = header.trim().split_once(' ').unwrap_or(("Bearer", header));
    let token = Some(token).filter(|_| scheme.eq_ignore_ascii_case("Bearer"));
    let Some(token) = token.and_then(|token| ScimToken::parse(token.trim())) else { return Ok(refused) };
    let keys = directory.scim_keys(&token.account).await?.value;
    let Some(key) = keys.iter().find(|key| token.is_of(key)) else {
        tracing::warn!(account = token.account.as_str(), "a SCIM key was refused");
        return Ok(refused);
    };
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    if key.last_used != Some(today)
        && let Err(error) = directory.note_scim_use(&token.account, &key.id, today).await
    {
        // Whether it can be written or not, the key is good.
        tracing::error!(error = error.chain(), "the use of a SCIM key could not be noted");
    }
    Ok(json!({ "isAuthorized": true, "context": { "account": token.account, "key": key.id } }))
}
