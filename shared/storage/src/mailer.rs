//! Mail, by SES.

use async_trait::async_trait;
use aws_sdk_ses::{primitives::Blob, types::RawMessage};
use mail_builder::{MessageBuilder, headers::text::Text};
use rollcall_bulk::{job::MailState, job_email::JobEmail};
use rollcall_model::email::EmailAddress;

use rollcall_engine::world::{Attachment, Mails};

use crate::{ErrorKind, StorageError, connect::Aws, error::failed};

/// Sends reports.
pub struct Mailer {
    client: aws_sdk_ses::Client,
    sender: String,
    configuration_set: String,
}

const SENDING: &str = "sending the mail";

/// SES answers with one code, `Throttling`, for two quotas, and tells them apart in its text alone. The rate passes within
/// seconds; that of a day doesn't before the job is given up.
/// <https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html>
const DAILY_QUOTA: &str = "Daily message quota exceeded";

impl Mailer {
    /// Sends as `sender`, whose address or domain must be verified in SES. What becomes of the mails is told by way of the
    /// configuration set.
    pub fn new(aws: &Aws, sender: impl Into<String>, configuration_set: impl Into<String>) -> Self {
        Self { client: aws.ses(), sender: sender.into(), configuration_set: configuration_set.into() }
    }
}

#[async_trait]
impl Mails for Mailer {
    async fn send(
        &self,
        to: &[EmailAddress],
        job_email: &JobEmail,
        attachment: Option<Attachment>,
    ) -> Result<MailState, StorageError> {
        let bytes = message(&self.sender, to, job_email, attachment)?;
        let raw = RawMessage::builder().data(Blob::new(bytes)).build();
        let raw = raw.map_err(|error| StorageError::unreadable(SENDING, error))?;
        let request = self
            .client
            .send_raw_email()
            .source(&self.sender)
            .configuration_set_name(&self.configuration_set)
            .set_destinations(Some(to.iter().map(ToString::to_string).collect()))
            .raw_message(raw);
        match request.send().await.map_err(failed(SENDING)) {
            Ok(sent) => Ok(MailState::Sent { message_id: sent.message_id }),
            Err(error) if error.kind == ErrorKind::Transient && !error.chain().contains(DAILY_QUOTA) => Err(error),
            Err(error) => Ok(MailState::Refused { reason: error.chain() }),
        }
    }
}

/// A mail as it is sent (RFC 5322). It asks for no automatic answer.
fn message(
    sender: &str,
    to: &[EmailAddress],
    job_email: &JobEmail,
    attachment: Option<Attachment>,
) -> Result<Vec<u8>, StorageError> {
    let mut message = MessageBuilder::new()
        .from(("Rollcall", sender))
        .to(to.iter().map(EmailAddress::as_str).collect::<Vec<_>>())
        .subject(job_email.subject.as_str())
        // RFC 3834, section 5.
        .header("Auto-Submitted", Text::new("auto-generated"))
        // Exchange and Outlook go by this one: [MS-OXCMAIL], section 2.2.3.2.14.
        .header("X-Auto-Response-Suppress", Text::new("All"))
        .text_body(job_email.text.as_str());
    if let Some(Attachment { name, bytes }) = attachment {
        message = message.attachment("text/csv; charset=utf-8", name, bytes);
    }
    message.write_to_vec().map_err(|error| StorageError::unreadable(SENDING, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_asks_for_no_automatic_answer() {
        let to = [EmailAddress::parse("ann@example.com").unwrap()];
        let job_email = JobEmail { subject: "Rollcall: x.csv".to_owned(), text: "1 of 2 rows".to_owned() };
        let mail = String::from_utf8(message("rollcall@example.com", &to, &job_email, None).unwrap()).unwrap();
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        for header in ["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All"] {
            assert!(headers.lines().any(|line| line.trim_end() == header), "{headers}");
        }
    }
}
