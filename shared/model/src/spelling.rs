//! What programs and keyboards do to an identifier, undone; and the form in which identifiers are compared.
//!
//! An identifier is a login ID, an e-mail address or the login of an extension: a text that one machine must find again
//! after another has written it. Two spellings that nobody can tell apart are the same identifier. Names of people are
//! no identifiers: they are stored as they stand.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;

use rollcall_tabular::text::is_invisible;

/// The identifier that was meant, as far as that is certain:
///
/// - characters that nobody sees (zero-width ones, direction marks, control characters) are left out, and no-break and
///   other blanks become one space
/// - quotes around the text go, of spreadsheets (`"…"`) and of word processors (`“…”`), and so do `="…"`, a leading
///   apostrophe, `mailto:` and angle brackets
/// - full-width letters and digits, dashes and apostrophes of typography become those of a keyboard
/// - letters are composed (Unicode Normalization Form C)
///
/// A line break or a tab inside the text stays: two values may stand in one cell. Repairing twice is repairing once. A
/// text that needs none costs nothing.
pub fn repair(given: &str) -> Cow<'_, str> {
    if is_plain(given) {
        return Cow::Borrowed(given);
    }
    let mut text = composed(&given.chars().filter_map(plain_char).collect::<String>());
    loop {
        let bare = unwrapped(&text);
        if bare.len() == text.len() {
            return Cow::Owned(single_spaces(&text));
        }
        text = bare.to_owned();
    }
}

/// Whether a text is so plain that there is nothing to repair: printable ASCII that begins and ends with a letter or
/// digit, without marks that can be a wrapping, and without two spaces in a row.
pub fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut last = b'x';
    ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|&byte| {
            let double = byte == b' ' && last == b' ';
            last = byte;
            matches!(byte, b' '..=b'~') && byte != b':' && !double
        })
}

/// A character as a keyboard has it; `None` for one that nobody sees.
fn plain_char(c: char) -> Option<char> {
    match c {
        // These may part two values.
        '\n' | '\r' | '\t' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        _ if c.is_whitespace() => Some(' '),
        _ if is_invisible(c) => None,
        _ => Some(plain_mark(c)),
    }
}

/// Marks of typography, and the full-width forms of ASCII, as the keyboard's.
fn plain_mark(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' | '\u{2BC}' => '\'',
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '«' | '»' => '"',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// The text without one layer of what stands around it.
fn unwrapped(text: &str) -> &str {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | '\u{B4}'));
    if let Some(quoted) = text.strip_prefix('\'') {
        return quoted.strip_suffix('\'').unwrap_or(quoted);
    }
    if let Some(formula) = text.strip_prefix('=')
        && (formula.starts_with('"') || formula.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return formula;
    }
    if let Some(address) = text.strip_prefix('<').and_then(|address| address.strip_suffix('>')) {
        return address;
    }
    match text.split_at_checked("mailto:".len()) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address,
        _ => text,
    }
}

/// A whole number that went through a column of decimals, `100234.0`, as the number. Shorter ones may be versions or
/// internal extensions with a point.
pub fn undo_decimal(text: &str) -> Option<&str> {
    /// A spreadsheet keeps 15 digits (IEEE 754).
    const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;
    let (whole, fraction) = text.split_once(['.', ','])?;
    let fits = DIGITS.contains(&whole.len())
        && whole.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=2).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte == b'0');
    fits.then_some(whole)
}

/// The form in which identifiers and names are compared: without regard to case, to how letters are composed, to their
/// width and other forms of one character, to the kind of blanks, dashes and apostrophes, and to characters that
/// nobody sees. This is Unicode's `NFKC_Casefold` (Unicode Standard, section 5.18 and UAX #44), repeated until nothing
/// changes, so that it is an equivalence. A text of plain ASCII without capitals costs nothing.
pub fn fold(text: &str) -> Cow<'_, str> {
    match plainness(text) {
        Plainness::Folded => Cow::Borrowed(text),
        Plainness::Ascii => Cow::Owned(text.to_ascii_lowercase()),
        Plainness::Other => Cow::Owned(fold_fully(text)),
    }
}

enum Plainness {
    /// It is what folding would make of it.
    Folded,
    /// Only capitals of ASCII are to be folded.
    Ascii,
    Other,
}

fn plainness(text: &str) -> Plainness {
    let mut capitals = false;
    let mut last = b' ';
    for byte in text.bytes() {
        if !matches!(byte, b' '..=b'~') || (byte == b' ' && last == b' ') {
            return Plainness::Other;
        }
        capitals |= byte.is_ascii_uppercase();
        last = byte;
    }
    match () {
        () if last == b' ' && !text.is_empty() => Plainness::Other,
        () if capitals => Plainness::Ascii,
        () => Plainness::Folded,
    }
}

fn fold_fully(text: &str) -> String {
    /// Twice is enough for every text that people write; the rest is for what they don't.
    const TIMES: usize = 8;
    let nfkc = ComposingNormalizer::new_nfkc();
    let cases = CaseMapper::new();
    let mut folded = text.to_owned();
    for _ in 0..TIMES {
        let visible: String = folded.chars().filter(|&c| c.is_whitespace() || !is_invisible(c)).collect();
        let composed = nfkc.normalize(&visible);
        let lower = cases.fold_string(&composed);
        let marked: String = nfkc.normalize(&lower).chars().map(plain_mark).collect();
        let again = single_spaces(&marked);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

/// Letters composed with their accents.
fn composed(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { ComposingNormalizer::new_nfc().normalize(text).into_owned() }
}

/// The text with one space for every run of them, and none at its ends. Line breaks stay.
fn single_spaces(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for c in text.chars() {
        if c != ' ' || !single.ends_with(' ') {
            single.push(c);
        }
    }
    single.trim_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_programs_put_around_an_identifier_is_taken_off() {
        for spelled in [
            "user1",
            " user1\u{a0}",
            "\u{feff}user1",
            "us\u{200b}er1",
            "u\u{2060}ser1",
            "\u{1f}user1",
            "us\0er1",
            "\"user1\"",
            "“user1”",
            "„user1“",
            "«user1»",
            "'user1",
            "'user1'",
            "‘user1’",
            "''user1",
            "=\"user1\"",
            "'=\"user1\"",
            "＝＂user1＂",
            "ｕｓｅｒ１",
            "`user1`",
            "<user1>",
            "mailto:user1",
            "user1\n",
        ] {
            assert_eq!(repair(spelled), "user1", "{spelled:?}");
        }
        assert_eq!(repair("=00123"), "00123");
        assert_eq!(repair("front\u{a0} desk"), "front desk");
        assert_eq!(repair("o’neil"), "o'neil");
        assert_eq!(repair("ann–marie"), "ann-marie");
        assert_eq!(repair("jose\u{301}.m"), "jos\u{e9}.m");
    }

    #[test]
    fn what_is_not_certain_stays() {
        for text in ["o'neil", "a\nb", "=A1", "=TEXT(A1;\"0\")", "(mandatory)", "Ann <ann@example.com>", "@x", "-5"] {
            assert_eq!(repair(text), text, "{text:?}");
        }
    }

    #[test]
    fn a_plain_text_costs_nothing() {
        for text in ["user1", "ann.rao@example.com", "front desk", "a"] {
            assert!(matches!(repair(text), Cow::Borrowed(_)), "{text}");
            assert!(matches!(fold(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn what_reads_alike_folds_alike() {
        for (one, other) in [
            ("ΑΣ", "ας"),
            ("ΑΣ", "ασ"),
            ("é", "e\u{301}"),
            ("E\u{301}", "é"),
            ("STRASSE", "straße"),
            ("a\u{200b}b", "AB"),
            ("front\u{a0}desk", "Front  Desk"),
            ("ｕｓｅｒ１", "USER1"),
            ("o’neil", "O'NEIL"),
            ("ﬁnn", "FINN"),
            ("İ", "i\u{307}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("i"), fold("ı"));
    }

    proptest! {
        #[test]
        fn folding_is_an_equivalence(text in any::<String>()) {
            let folded = fold(&text).into_owned();
            prop_assert_eq!(fold(&folded), folded.as_str());
            for normalizer in [ComposingNormalizer::new_nfc(), ComposingNormalizer::new_nfkc()] {
                let normalized = normalizer.normalize(&text);
                prop_assert_eq!(fold(&normalized), folded.as_str());
            }
        }

        #[test]
        fn repairing_twice_is_repairing_once(text in any::<String>()) {
            let repaired = repair(&text).into_owned();
            prop_assert_eq!(repair(&repaired), repaired.as_str());
        }
    }
}
