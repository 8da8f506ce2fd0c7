//! Requests that somebody else has signed.

use http::{HeaderName, HeaderValue, Method};
use tokio::time::Instant;

use crate::{ConnectorError, FailureKind, Http, http_client::Ask, service::Service};

impl Http {
    /// Sends a form as it was signed, with the headers that were signed, and again where the service asks for patience. Gives the
    /// answer's status and text.
    ///
    /// # Errors
    /// [`FailureKind::Unavailable`] without an answer, [`FailureKind::Refused`] for what can't be sent, [`FailureKind::Malformed`] for an answer that is no
    /// text.
    pub async fn send_signed(
        &self,
        operation: &'static str,
        url: &str,
        headers: &[(String, String)],
        form: String,
        until: Instant,
    ) -> Result<(u16, String), ConnectorError> {
        let unfit = || ConnectorError::new(operation, FailureKind::Refused, "the request can't be sent");
        let mut ask = Ask::get(operation, url.parse().map_err(|_| unfit())?);
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|_| unfit())?;
            ask.headers.insert(name, HeaderValue::try_from(value).map_err(|_| unfit())?);
        }
        (ask.method, ask.body) = (Method::POST, form.into());
        let answer = Service::new(self.clone()).ask(&ask, until).await?;
        let text = String::from_utf8(answer.body.to_vec());
        let text = text.map_err(|_| ConnectorError::new(operation, FailureKind::Malformed, "the answer is no text"))?;
        Ok((answer.status.as_u16(), text))
    }
}
