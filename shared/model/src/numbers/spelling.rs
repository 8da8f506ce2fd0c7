//! How numbers are written, and what spreadsheets and keyboards make of them.

use rollcall_tabular::text;

use crate::{caller_id::MAX_DIGITS, code::RowCode};

/// A spelling of digits alone, or of a plus sign and digits, packed so that looking it up costs a multiplication.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digits(u64);

impl Digits {
    /// `None` for any other spelling, and for more digits than a number has. Leading zeros count: `0987…` is another
    /// spelling than `987…`.
    pub(super) fn pack(text: &str) -> Option<Self> {
        let (plus, digits) = match text.strip_prefix('+') {
            Some(digits) => (1_u64, digits),
            None => (0, text),
        };
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return None;
        }
        let mut value = 0_u64;
        for byte in digits.bytes() {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u64::from(byte - b'0');
        }
        // Fifteen digits take 50 bits; above them the length, and the plus sign at the top.
        Some(Self(value | (digits.len() as u64) << 56 | plus << 63))
    }
}

/// A number without a leading `'`, or `=` with or without quotes: how it is kept from being reckoned with.
pub(super) fn unwrapped(written: &str) -> &str {
    let bare = written.trim_start_matches('\'');
    bare.strip_prefix('=').map_or(bare, |formula| formula.trim_matches('"'))
}

/// Undoes what spreadsheets and keyboards do to a number, and refuses what can't be undone.
///
/// - digits of other scripts
/// - `9876543210.0`: a number that went through a floating-point column
/// - `9.87654321E8`: the last digits are gone. As digits it would even be a valid number, but another one.
/// - punctuation between digits
pub(super) fn repair(bare: &str) -> Result<String, RowCode> {
    let mut plain = String::with_capacity(bare.len());
    for c in bare.chars() {
        match c {
            '＋' => plain.push('+'),
            _ if text::is_padding(c) => {}
            // Dashes of every kind: hyphens, en and em dashes, the minus sign, the full-width one.
            ' ' | '-' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}' => {}
            _ => plain.push(ascii_digit(c).unwrap_or(c)),
        }
    }
    if is_scientific(&plain) {
        return Err(RowCode::NumberScientific);
    }
    if let Some((whole, fraction)) = plain.split_once(['.', ','])
        && !fraction.is_empty()
        && fraction.bytes().all(|digit| digit == b'0')
        && Digits::pack(whole).is_some()
    {
        plain.truncate(whole.len());
    }
    // Points also group digits: 98.765.43210. A comma never does: it would glue two numbers into one.
    plain.retain(|c| c != '.');
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(plain)
    } else {
        // Letters too: numbering rules would find a number inside "call 98765 43210" and spell out 1-800-FLOWERS.
        Err(RowCode::NumberInvalid)
    }
}

/// `digits[.digits]E[+]digits`, with a comma where the decimal point is one.
pub(super) fn is_scientific(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let mantissa_is_number = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => all_digits(mantissa),
    };
    mantissa_is_number && all_digits(exponent)
}

/// The ASCII form of a decimal digit of another script (Unicode category Nd), for the scripts of countries with call
/// centres: Arabic (both forms), the scripts of India, Thai, Lao, Tibetan, Burmese, Khmer, and full-width digits.
pub(super) fn ascii_digit(c: char) -> Option<char> {
    const ZEROS: [u32; 18] = [
        0x0660, 0x06F0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0,
        0x0F20, 0x1040, 0x17E0, 0xFF10,
    ];
    let code = u32::from(c);
    ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code)).and_then(|zero| char::from_digit(code - zero, 10))
}
