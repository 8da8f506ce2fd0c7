//! What can stand as one part of a path of the API, whatever a gateway in between makes of it.
//!
//! Paths are decoded once or twice before they reach the API, before or after they are cut into parts, and a `+` may become a
//! space on the way. What is the same after each of these can stand in the path. Everything else goes into the query.

/// Stands in the path for a value that is in the query, by the name of that part of the path.
pub const IN_QUERY: &str = "-";

/// Characters of ASCII beside letters and digits that no gateway was reported to change.
const SAFE: &str = "-._~@";

/// Whether a text, percent-encoded, is the same for the API however its path was decoded.
pub fn is_safe_in_path(text: &str) -> bool {
    let is_safe = |char: char| !char.is_ascii() || char.is_ascii_alphanumeric() || SAFE.contains(char);
    !matches!(text, "" | "." | ".." | IN_QUERY) && text.chars().all(is_safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `%XY` as bytes, and a plus as a space if it is a form's.
    fn decoded(text: &str, form: bool) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            let (byte, left) = match (first, hex) {
                (b'%', Some(byte)) => (byte, &after[2..]),
                (b'+', _) if form => (b' ', after),
                (byte, _) => (*byte, after),
            };
            bytes.push(byte);
            rest = left;
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn what_is_safe_is_the_same_however_often_it_is_decoded() {
        for text in ["user1", "ana.rao@example.com", "नमस्ते", "a_b~c-d", "--", "..."] {
            assert!(is_safe_in_path(text), "{text}");
            let sent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let once = decoded(&sent, false);
            assert_eq!((once.as_str(), decoded(&once, false), decoded(&once, true)), (text, text.into(), text.into()));
            assert!(!once.contains(['/', '?', '#']));
        }
        for text in
            ["a/b", "50%", "a%41", "a+b", "a b", "a?b", "a#b", "a\\b", "a;b", ".", "..", "-", "", "+919876500001"]
        {
            assert!(!is_safe_in_path(text), "{text}");
        }
    }
}
