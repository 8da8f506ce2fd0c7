//! Secrets of accounts, in Secrets Manager.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_sdk_secretsmanager::{
    Client,
    operation::{create_secret::CreateSecretError, get_secret_value::GetSecretValueError},
};
use jiff::{SignedDuration, Timestamp};
use rollcall_model::account::AccountId;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    StorageError,
    connect::{Aws, LOCAL_STACK_NAME},
    error::failed,
};

/// The secrets of one deployment. Each is JSON, and belongs to one account.
///
/// Values hide what must not be printed in a [`rollcall_model::secret::SecretText`].
pub struct Secrets {
    client: Client,
    /// The stack's name.
    stack: String,
    known: Known,
}

/// Secrets as they were read lately, by name. One that isn't there is asked for again, so that a new one is found at once.
#[derive(Default)]
struct Known(Mutex<HashMap<String, (String, Timestamp)>>);

/// How long a secret is used before it is asked for again. Secrets Manager bills every call, and a rotated secret must come
/// through by itself.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(5);

const READING: &str = "reading a secret of the account";
const WRITING: &str = "writing a secret of the account";

impl Secrets {
    /// Secrets of a stack on this machine.
    pub fn new(aws: &Aws) -> Self {
        Self::of_stack(aws, LOCAL_STACK_NAME)
    }

    /// Secrets of the stack of this name, in the Secrets Manager of the function's own region.
    pub fn of_stack(aws: &Aws, stack: impl Into<String>) -> Self {
        Self { client: aws.secrets_manager(), stack: stack.into(), known: Known::default() }
    }

    /// The account's secret for `what`, as it was within the last five minutes; `None` when it has none.
    ///
    /// # Errors
    /// When it can't be read, or isn't the JSON of a `T`. The error tells nothing of the secret itself.
    pub async fn read<T: DeserializeOwned>(
        &self,
        account: &AccountId,
        what: &'static str,
    ) -> Result<Option<T>, StorageError> {
        let name = name(&self.stack, account, what);
        let text = match self.known.get(&name, Timestamp::now()) {
            Some(text) => Some(text),
            None => self.fetch(&name).await?,
        };
        let value = text.map(|text| parse(&text)).transpose();
        if value.is_err() {
            // Whoever mends it need not wait.
            self.known.forget(&name);
        }
        value
    }

    /// Forgets the account's secret for `what`, once the other side has refused it: the next read asks for it anew.
    pub fn forget(&self, account: &AccountId, what: &'static str) {
        self.known.forget(&name(&self.stack, account, what));
    }

    /// Gives the account a secret for `what`, in place of the one that it may have.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn put<T: Serialize>(
        &self,
        account: &AccountId,
        what: &'static str,
        value: &T,
    ) -> Result<(), StorageError> {
        let name = name(&self.stack, account, what);
        let text = serde_json::to_string(value)
            .map_err(|_| StorageError::unreadable(WRITING, "it can't be written as JSON"))?;
        let create = self.client.create_secret().name(&name).secret_string(&text).send().await;
        match create {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(CreateSecretError::is_resource_exists_exception) => {
                let put = self.client.put_secret_value().secret_id(&name).secret_string(&text);
                put.send().await.map_err(failed(WRITING))?;
            }
            Err(error) => return Err(failed(WRITING)(error)),
        }
        self.known.forget(&name);
        Ok(())
    }

    async fn fetch(&self, name: &str) -> Result<Option<String>, StorageError> {
        let read = Timestamp::now();
        let found = match self.client.get_secret_value().secret_id(name).send().await {
            Ok(found) => found,
            Err(error)
                if error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(failed(READING)(error)),
        };
        let text =
            found.secret_string.ok_or_else(|| StorageError::unreadable(READING, "it is binary, and not JSON"))?;
        self.known.keep(name, &text, read);
        Ok(Some(text))
    }
}

impl Known {
    /// By the clock on the wall, which goes on while a function is frozen.
    fn get(&self, name: &str, now: Timestamp) -> Option<String> {
        let known = self.lock();
        let (text, read) = known.get(name)?;
        (SignedDuration::ZERO..KNOWN_FOR).contains(&now.duration_since(*read)).then(|| text.clone())
    }

    fn keep(&self, name: &str, text: &str, read: Timestamp) {
        self.lock().insert(name.to_owned(), (text.to_owned(), read));
    }

    fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (String, Timestamp)>> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A secret's name. The stack comes first, so that a role can be held to the secrets of its own stack where several are in one AWS account; then
/// the account. Neither name holds a separator, so that nobody can name another's. What a secret is for is written in the code, never
/// taken from a request.
fn name(stack: &str, account: &AccountId, what: &'static str) -> String {
    format!("rollcall/{stack}/{account}/{what}")
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    // The reader's own message may quote what it read.
    serde_json::from_str(text).map_err(|error| {
        let kind = if error.is_data() { "holds what it shouldn't, or lacks something" } else { "isn't JSON" };
        StorageError::unreadable(READING, format!("it {kind}, at line {}, column {}", error.line(), error.column()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_nothing_of_the_secret() {
        for text in [r#"{"n":"hunter2"}"#, "hunter2", r#"{"n":1"#] {
            let error = parse::<std::collections::BTreeMap<String, u32>>(text).unwrap_err().chain();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("line 1"), "{error}");
        }
    }

    #[test]
    fn two_stacks_in_one_aws_account_name_their_secrets_apart() {
        let account = "acme".parse().unwrap();
        assert_eq!(name("prod", &account, "entra"), "rollcall/prod/acme/entra");
        assert_ne!(name("prod", &account, "entra"), name("test", &account, "entra"));
    }

    #[test]
    fn a_secret_is_known_for_five_minutes_and_not_from_the_future() {
        let known = Known::default();
        let read = Timestamp::UNIX_EPOCH;
        known.keep("name", "secret", read);
        let is_known = |seconds| known.get("name", read + SignedDuration::from_secs(seconds)).is_some();
        assert_eq!([-1, 0, 299, 300].map(is_known), [false, true, true, false]);
        known.forget("name");
        assert!(!is_known(0));
    }
}
