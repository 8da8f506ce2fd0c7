//! What spreadsheets, browsers and keyboards leave around a value, and how it is taken off.

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
