//! Systems of others, asked over HTTP, in the words of the domain.
//!
//! What every such system needs stands apart from what is one's own: [`Http`] makes connections, a service is asked
//! with as much patience as it asks for and there is time, no faster than it takes, and a token is renewed once, whoever needs
//! it. [`entra`] is where users come from; [`smartflo`] and [`zoom_phone`] are phone systems.
//!
//! **A secret or a token goes to the origin that was set for it, and nowhere else**: no redirection is followed with
//! it, and a link that leads elsewhere is an error. **No error repeats what was sent or answered**: its text is for the log.

mod base_url;
pub mod entra;
mod error;
mod http_client;
mod rate_limiter;
mod refusal;
mod service;
mod session;
pub mod smartflo;
mod token;
mod trail;
pub mod zoom_phone;

pub use base_url::{BaseUrl, NotABaseUrl, encode};
pub use error::{ConnectorError, FailureKind};
pub use http_client::{Http, HttpRequest, HttpResponse};
pub use service::Service;
pub use trail::Trail;
