//! Values that are texts, and what spreadsheets, browsers and keyboards leave around one.

/// Lets a value that is a text be written as it, and read from it by its `parse`, also by serde (`try_from` and `into`).
macro_rules! text_value {
    ($name:ident, $error:ident) => {
        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use text_value;

/// White space, no-break spaces and the invisible marks that come along when text is copied out of a web page or a
/// chat: zero-width spaces and joiners, direction marks, the byte order mark.
pub(crate) fn is_padding(c: char) -> bool {
    c.is_whitespace()
        || c == '\0'
        || matches!(c, '\u{AD}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// The text without padding at either end.
pub(crate) fn trim(text: &str) -> &str {
    // Nearly every cell starts and ends with a printable ASCII character.
    match text.as_bytes() {
        [b'!'..=b'~', .., b'!'..=b'~'] | [b'!'..=b'~'] => text,
        _ => text.trim_matches(is_padding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_what_cannot_be_seen() {
        assert_eq!(trim("\u{feff}\u{a0} user1\u{200b}\t"), "user1");
        assert_eq!(trim("\u{202a}नाम\u{202c}"), "नाम");
        assert_eq!(trim("a b"), "a b");
        assert_eq!(trim("   "), "");
        assert_eq!(trim("x"), "x");
    }
}
