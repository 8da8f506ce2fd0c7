//! What goes wrong.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A problem in the words of RFC 9457.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemBody {
    /// Says that the status and the code are all that programs need: `about:blank` (section 4.2.1).
    pub r#type: Cow<'static, str>,
    /// The status in words.
    pub title: Cow<'static, str>,
    /// The status of the answer.
    pub status: u16,
    /// The stable code. A text, since a later version of the API may have others than [`rollcall_model::code::ApiCode`].
    pub code: Cow<'static, str>,
    /// A sentence for whoever asked.
    pub detail: String,
    /// Where in the request it is: a JSON pointer (RFC 6901), or the parameter's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}
