//! The mail service.

use async_trait::async_trait;
use rollcall_bulk::{job::MailState, job_email::JobEmail};
use rollcall_model::email::EmailAddress;

use crate::StorageError;

/// A file that goes along.
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Largest file that is attached. SES takes messages of 10 MB, and base64 makes four bytes of three.
pub const MAX_ATTACHED_BYTES: u64 = 5 * 1024 * 1024;

/// The mail service.
#[async_trait]
pub trait Mails: Send + Sync {
    /// Sends one mail. That the service will not take it is an outcome, not an error: no later try would change it. The quota of a
    /// day is one, too: the rows of the job are done, and its report can be read without a mail.
    ///
    /// # Errors
    /// When the service can't be reached or asks for patience: then it is not known to have taken the mail.
    async fn send(
        &self,
        to: &[EmailAddress],
        job_email: &JobEmail,
        attachment: Option<Attachment>,
    ) -> Result<MailState, StorageError>;
}
