//! A password, a client secret, a key: what nobody may see who doesn't need it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that no print shows. [`SecretText::expose`] is the only way to it, so that whoever reads the code sees where a
/// secret goes.
///
/// Written as JSON it is the text itself, since that is how it is kept where secrets are kept: put it into nothing else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one who asks for it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Not even its length is shown.
impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_print_shows_nothing_of_it() {
        let secret = SecretText::new("hunter2");
        assert_eq!(format!("{:?}", Some(&secret)), "Some(SecretText(…))");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn it_is_kept_as_it_is() {
        let kept = serde_json::to_string(&SecretText::new("hunter2")).unwrap();
        assert_eq!(kept, "\"hunter2\"");
        assert_eq!(serde_json::from_str::<SecretText>(&kept).unwrap().expose(), "hunter2");
    }
}
