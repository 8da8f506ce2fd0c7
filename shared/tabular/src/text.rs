//! Text as files have it: what spreadsheets, browsers and keyboards leave around one.

use std::borrow::Cow;

/// White space and [what nobody sees](is_invisible): what comes along at the ends of a text that is copied out of a web
/// page or a chat, or that a program has written.
pub fn is_padding(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// A character that shows nothing by itself: control characters of ASCII, zero-width spaces and joiners, direction marks, fillers,
/// variation selectors, tags, the byte order mark (Unicode's `Default_Ignorable_Code_Point`). Control characters past ASCII are
/// not among them: they tell of a wrong encoding.
pub fn is_invisible(c: char) -> bool {
    c.is_ascii_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a text holds what no text has that was read in its own encoding: the sign for unreadable bytes, control
/// characters of the range C1, or UTF-8 that was taken for Windows-1252 (`JosÃ©`).
pub fn is_garbled(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    text.chars().any(|c| matches!(c, '\u{FFFD}' | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}')) || is_utf8_as_latin(text)
}

fn is_utf8_as_latin(text: &str) -> bool {
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
    !unmappable && std::str::from_utf8(&bytes).is_ok()
}

/// Characters that aren't seen, or change how what follows is seen: marks of direction, joints of words, tags. The joiners of Indian and other
/// scripts (U+200C, U+200D) belong to their spelling.
pub fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The text without padding at either end.
pub fn trim(text: &str) -> &str {
    if is_bare(text) { text } else { text.trim_matches(is_padding) }
}

/// Nearly every cell begins and ends with a printable character of ASCII: nothing is around it.
pub fn is_bare(text: &str) -> bool {
    matches!(text.as_bytes(), [b'!'..=b'~', .., b'!'..=b'~'] | [b'!'..=b'~'])
}

/// Characters of a value, or of a column's name, repeated in a remark.
const MAX_SHOWN: usize = 80;
/// A value as a message repeats it.
pub fn shown(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(MAX_SHOWN) {
        None => Cow::Borrowed(value),
        Some((end, _)) => Cow::Owned(format!("{}…", &value[..end])),
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
