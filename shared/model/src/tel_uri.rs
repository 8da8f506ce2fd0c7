//! Telephone numbers as links have them: the `tel` URI of RFC 3966.
//!
//! What stands behind the number are parameters. `phone-context` belongs to the number: it says where the digits of one without a
//! country code are valid. `ext` and `isub` are optional (an implementation may ignore them): they name somebody behind the number,
//! who is reached once the call is answered. So they make another destination of it, and no other caller ID.

use std::borrow::Cow;

const SCHEME: &str = "tel:";
/// The mark between a number and its parameters.
const PARAMETER: char = ';';

/// What a URI says.
#[derive(Debug, PartialEq, Eq)]
pub struct TelUri<'a> {
    /// The number, from its context on.
    pub number: Cow<'a, str>,
    /// Who is behind the number, if it says so: the digits of an extension, or nothing of a subaddress.
    pub behind: Option<String>,
}

/// Whether a text is a URI of a telephone number, with what spreadsheets put before a text.
pub fn is_one(text: &str) -> bool {
    // Nearly every number begins with a digit or a plus sign.
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '+') {
        return false;
    }
    let bare = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '=' | '"'));
    bare.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
}

/// Whether a text is such a URI and names somebody behind the number.
pub fn has_extension(text: &str) -> bool {
    let is_extension = |part: &str| {
        let name = part.split('=').next().unwrap_or_default().trim();
        ["ext", "isub"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    is_one(text) && text.split(PARAMETER).skip(1).any(is_extension)
}

/// The length of a URI's first parameter, from the mark before it on; `None` where the text doesn't begin with one.
pub fn parameter(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(PARAMETER)?;
    let end = rest.find(PARAMETER).unwrap_or(rest.len());
    let (name, _) = rest[..end].split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some(PARAMETER.len_utf8() + end)
}

/// Reads a URI. `None` for a text that is none; [`Unusable`] for one whose number can't be told.
pub fn read(text: &str) -> Option<Result<TelUri<'_>, Unusable>> {
    let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    let mut parts = rest.split(PARAMETER);
    let number = decoded(parts.next().unwrap_or_default());
    let (mut context, mut behind) = (None, None);
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "phone-context" => context = Some(decoded(value)),
            "ext" => behind = Some(decoded(value).chars().filter(char::is_ascii_digit).collect()),
            "isub" => behind = behind.or(Some(String::new())),
            // Whoever doesn't know a mandatory parameter must not use the number.
            name if name.starts_with("m-") => return Some(Err(Unusable)),
            _ => {}
        }
    }
    let number = match context {
        _ if number.trim_start().starts_with('+') => number,
        None => number,
        // The network of a company, of which nobody else knows the numbers.
        Some(context) if !context.trim_start().starts_with('+') => return Some(Err(Unusable)),
        // The digits of a country before a number need not make a number: whoever reads it on asks the numbering plans.
        Some(context) => Cow::Owned(format!("{context}{number}")),
    };
    Some(Ok(TelUri { number, behind }))
}

/// The number can't be told from the URI.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable;

/// A text without percent-encoding (RFC 3986, section 2.1), where that gives a text.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let escaped = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(b'%'));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_its_number_with_its_context_and_who_is_behind_it() {
        for (uri, number, behind) in [
            ("tel:+91-98765-00003", "+91-98765-00003", None),
            ("TEL:%2B91%2098765%2000003", "+91 98765 00003", None),
            ("tel:+91-98765-00003;ext=12", "+91-98765-00003", Some("12")),
            ("tel:+91-98765-00003;isub=x;phone-context=+1", "+91-98765-00003", Some("")),
            ("tel:98765-00003;phone-context=+91", "+9198765-00003", None),
            ("tel:98765-00003;Phone-Context=%2B91;EXT=1-2", "+9198765-00003", Some("12")),
            ("tel:98765-00003;npdi;cic=+1", "98765-00003", None),
        ] {
            let expected = TelUri { number: number.into(), behind: behind.map(str::to_owned) };
            assert_eq!(read(uri), Some(Ok(expected)), "{uri}");
        }
        for uri in ["tel:7042;phone-context=example.com", "tel:+1-201-555-0123;m-new=1"] {
            assert_eq!(read(uri), Some(Err(Unusable)), "{uri}");
        }
        assert_eq!(read("+91-98765-00003;ext=12"), None);
    }

    #[test]
    fn parameters_are_told_from_more_numbers() {
        assert_eq!(parameter(";ext=12;+91"), Some(";ext=12".len()));
        assert_eq!(parameter("; phone-context=+91"), Some("; phone-context=+91".len()));
        for text in ["ext=12", ";+919876500003", ";=\"+919876500003\"", ";tel:+91;x=1", ";", ";npdi"] {
            assert_eq!(parameter(text), None, "{text}");
        }
    }
}
