//! What a login ID looks like that may be none.

use serde::{Deserialize, Serialize};

use crate::{blank, spelling::fold};
use rollcall_tabular::text;

/// What a text in the place of a login ID looks like, where it may be none. A user who has it is found by it. No user is
/// created by it unless somebody says that it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspect {
    /// `9.18766E+11`, or more digits than a spreadsheet keeps.
    Rounded,
    /// `100234.0`, which is read as `100234`: zeros in front may have been lost.
    Decimal,
    /// `1,234.5`: a number as a spreadsheet shows it.
    Number,
    /// `01-Mar`, `2026-03-01 00:00:00`.
    Date,
    /// `TRUE`, as a spreadsheet writes it.
    Truth,
    /// `NULL`, `-`, `N/A`.
    NoValue,
    /// `=A1`, `=TEXT(A1;"0")`.
    Formula,
    /// `Login ID`: the name of a column.
    Header,
    /// `(mandatory)`: a remark on how to fill in the column.
    Remark,
    /// `Total`, `(3 rows affected)`: the end of a list.
    Total,
    /// `Ann <ann@example.com>`.
    NameAndAddress,
    /// `user1; user2`.
    Several,
    /// Letters of different alphabets that look the same.
    MixedAlphabets,
}

impl Suspect {
    /// What a text that has been repaired looks like, if it looks like something else than a login ID. `given` is the
    /// text before that.
    pub(super) fn of(text: &str, given: &str) -> Option<Self> {
        Some(match () {
            () if given.len() != text.len()
                && crate::spelling::undo_decimal(&crate::spelling::repair(given)).is_some() =>
            {
                Self::Decimal
            }
            () if is_rounded(text) => Self::Rounded,
            () if is_date(text) => Self::Date,
            () if is_number(text) => Self::Number,
            () if blank::of(text).is_some() => Self::NoValue,
            () if text.starts_with('=') => Self::Formula,
            () if is_one_of(text, TRUTHS) => Self::Truth,
            () if is_header(text) => Self::Header,
            () if is_total(text) => Self::Total,
            () if is_remark(text) => Self::Remark,
            () if text.ends_with('>') && text.contains('<') => Self::NameAndAddress,
            () if text.contains([';', '|']) => Self::Several,
            () if mixes_alphabets(text) => Self::MixedAlphabets,
            () => return None,
        })
    }

    /// Whether a program has put it in the place of another text, whatever IDs look like in the system that it is from.
    pub fn is_spoilt(self) -> bool {
        matches!(self, Self::Rounded | Self::Decimal | Self::Date | Self::Header | Self::Total)
    }

    /// What it looks like, and what to do, in sentences for the person who made the file.
    pub fn message(self) -> &'static str {
        match self {
            Self::Rounded => {
                "It looks like a number that a spreadsheet has rounded, so digits are lost. Format the column as text and write the login ID again."
            }
            Self::Decimal => {
                "It looks like a number with decimals, so zeros in front may be lost. Format the column as text and write the login ID again."
            }
            Self::Number => {
                "It looks like a number as a spreadsheet shows it. Format the column as text and write the login ID again."
            }
            Self::Date => {
                "It looks like a date. A spreadsheet may have taken the login ID for one. Format the column as text and write the login ID again."
            }
            Self::Truth => {
                "It looks like a truth value of a spreadsheet. Format the column as text and write the login ID again."
            }
            Self::NoValue => "It looks like a mark for a missing value. Write the login ID, or take the row out.",
            Self::Formula => "It looks like a formula of a spreadsheet. Write its result.",
            Self::Header => "It looks like the name of a column. Take the row out, if it is a header.",
            Self::Remark => "It looks like a remark on how to fill in the column. Take the row out.",
            Self::Total => "It looks like a total or the end of a list. Take the row out.",
            Self::NameAndAddress => "It looks like a name and an address. Write the login ID alone.",
            Self::Several => "It looks like several login IDs. Write one in each row.",
            Self::MixedAlphabets => {
                "It mixes letters of different alphabets that look the same, such as Latin and Cyrillic. Type it again."
            }
        }
    }
}

const TRUTHS: &[&str] = &["true", "false", "wahr", "falsch", "vrai", "faux", "verdadero", "falso", "vero"];

fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Scientific notation, or digits past the fifteenth that are all zero: a spreadsheet keeps no more (IEEE 754).
fn is_rounded(text: &str) -> bool {
    const KEPT: usize = 15;
    if all_digits(text) {
        return text.len() > KEPT && text[KEPT..].bytes().all(|digit| digit == b'0');
    }
    let text = text.trim_start_matches(['+', '-']);
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let number = mantissa
        .split_once(['.', ','])
        .map_or(all_digits(mantissa), |(whole, fraction)| all_digits(whole) && all_digits(fraction));
    let signed = exponent.starts_with(['+', '-']);
    // `12e3` may be a login ID; a spreadsheet writes the sign.
    number && all_digits(exponent.trim_start_matches(['+', '-'])) && (signed || mantissa.contains(['.', ',']))
}

/// Digits with a decimal or with groups of three, a percentage, an amount.
fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-', '$', '€', '£', '₹']).trim_end_matches(['%', '€']).trim();
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.contains(['.', ',', ' ', '\'']) {
        return false;
    }
    let parts: Vec<&str> = text.split(['.', ',', ' ', '\'']).collect();
    let Some((last, groups)) = parts.split_last() else { return false };
    let grouped = groups.len() == 1 || groups[1..].iter().all(|group| (2..=3).contains(&group.len()));
    // Of an address such as 10.0.0.1 the groups are too short.
    all_digits(last) && groups.iter().all(|group| all_digits(group)) && grouped
}

/// The beginnings of the names of months, as spreadsheets shorten them in the languages of western Europe.
const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "ene", "abr", "ago", "dic",
    "mrz", "mär", "mai", "okt", "dez", "janv", "févr", "mars", "avr", "juin", "juil", "août", "sept", "déc", "gen",
    "mag", "giu", "lug", "set", "ott", "fev", "out",
];

/// A date or a time in one of the forms in which spreadsheets and databases write them.
fn is_date(text: &str) -> bool {
    let (day, time) = text.split_once(['T', ' ']).map_or((text, None), |(day, time)| (day, Some(time)));
    if let Some(time) = time {
        return is_day(day) && is_time(time.trim_end_matches('Z'));
    }
    is_day(text) || is_time(text)
}

fn is_time(text: &str) -> bool {
    let text = text.trim_end_matches(" AM").trim_end_matches(" PM");
    let text = text.split(['.', '+']).next().unwrap_or(text);
    let parts: Vec<&str> = text.split(':').collect();
    (2..=3).contains(&parts.len()) && parts.iter().all(|part| part.len() <= 2 && all_digits(part))
}

fn is_day(text: &str) -> bool {
    let Some(separator) = text.chars().find(|c| matches!(c, '-' | '/' | '.' | ' ')) else { return false };
    let parts: Vec<&str> = text.trim_end_matches('.').split(separator).collect();
    let is_month = |part: &str| {
        let part = fold(part.trim_end_matches('.'));
        MONTHS.iter().any(|month| *month == part) || LONG_MONTHS.iter().any(|month| *month == part)
    };
    let is_short = |part: &str| part.len() <= 2 && all_digits(part);
    let is_year = |part: &str| (part.len() == 2 || part.len() == 4) && all_digits(part);
    match parts[..] {
        [a, b] if separator != '.' => (is_short(a) && is_month(b)) || (is_month(a) && (is_short(b) || is_year(b))),
        [a, b, c] => {
            (is_short(a) && (is_short(b) || is_month(b)) && is_year(c))
                || (a.len() == 4 && all_digits(a) && is_short(b) && is_short(c))
        }
        _ => false,
    }
}

const LONG_MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The names that columns with a login ID go by, and those that stand beside them.
fn is_header(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "loginid",
        "userid",
        "username",
        "oldcallerid",
        "newcallerid",
        "allowedcallerid",
        "emailaddress",
        "emailid",
        "directoryid",
        "agentstatus",
    ];
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    NAMES.contains(&plain.as_str())
}

/// In brackets from end to end, or one of the words of templates.
fn is_remark(text: &str) -> bool {
    const WORDS: &[&str] = &["mandatory", "required", "optional", "pflichtfeld", "obligatoire", "obligatorio"];
    let bare = text.trim_matches(['*', '#', '!', ' ']);
    let bracketed = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')]
        .iter()
        .any(|(open, close)| bare.strip_prefix(*open).and_then(|inside| inside.strip_suffix(*close)).is_some());
    bracketed || is_one_of(bare, WORDS) || text.starts_with("e.g.") || text.starts_with('#')
}

fn is_total(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "total",
        "totals",
        "subtotal",
        "sub total",
        "grand total",
        "sum",
        "summe",
        "gesamt",
        "gesamtsumme",
        "totale",
        "total general",
        "total général",
        "итого",
        "合計",
        "总计",
        "end",
        "eof",
        "end of file",
        "end of report",
        "generated by",
        "page",
    ];
    let plain =
        fold(text.trim_matches(|c: char| matches!(c, '(' | ')' | '*' | '-' | ':' | '=' | '.') || c.is_whitespace()));
    if WORDS.contains(&&*plain) {
        return true;
    }
    let words: Vec<&str> = plain.split([' ', ':', '=']).filter(|word| !word.is_empty()).collect();
    match words[..] {
        ["total" | "totals" | "sum" | "count", .., last] => {
            all_digits(last) || matches!(last, "rows" | "records" | "users")
        }
        [count, "row" | "rows" | "record" | "records" | "row(s" | "rows(s", ..] => all_digits(count),
        _ => false,
    }
}

/// Cyrillic or Greek letters beside Latin ones, where one could stand for the other.
fn mixes_alphabets(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(|c| c.is_ascii_alphabetic())
        && text.chars().any(|c| matches!(c, '\u{370}'..='\u{3FF}' | '\u{400}'..='\u{52F}'))
        && !text::is_garbled(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::LoginId;

    fn suspect(text: &str) -> Option<Suspect> {
        LoginId::read(text).unwrap().suspect
    }

    #[test]
    fn what_a_spreadsheet_has_spoilt_is_suspect() {
        for (text, looks) in [
            ("9.18766E+11", Suspect::Rounded),
            ("9,18766E+11", Suspect::Rounded),
            ("1E+05", Suspect::Rounded),
            ("9187660000000000000", Suspect::Rounded),
            ("100234.0", Suspect::Decimal),
            ("100234,00", Suspect::Decimal),
            ("100,234", Suspect::Number),
            ("12.5", Suspect::Number),
            ("01-Mar", Suspect::Date),
            ("Mar-01", Suspect::Date),
            ("1-Mär", Suspect::Date),
            ("01.03.2026", Suspect::Date),
            ("3/1/2026", Suspect::Date),
            ("2026-03-01", Suspect::Date),
            ("2026-03-01 00:00:00", Suspect::Date),
            ("2026-03-01T00:00:00Z", Suspect::Date),
            ("12:30:00", Suspect::Date),
            ("TRUE", Suspect::Truth),
            ("NULL", Suspect::NoValue),
            ("-", Suspect::NoValue),
            ("=A1", Suspect::Formula),
            ("=TEXT(A1;\"0\")", Suspect::Formula),
            ("Login ID", Suspect::Header),
            ("(mandatory)", Suspect::Remark),
            ("required*", Suspect::Remark),
            ("# exported 2026", Suspect::Remark),
            ("Total", Suspect::Total),
            ("Grand Total", Suspect::Total),
            ("Total: 12", Suspect::Total),
            ("12 rows selected.", Suspect::Total),
            ("(1 row affected)", Suspect::Total),
            ("Ann <ann@example.com>", Suspect::NameAndAddress),
            ("user1; user2", Suspect::Several),
            ("\u{430}sha", Suspect::MixedAlphabets),
        ] {
            assert_eq!(suspect(text), Some(looks), "{text}");
        }
    }

    #[test]
    fn login_ids_that_people_have_are_not_suspect() {
        for text in [
            "user1",
            "00123",
            "918766123456",
            "ann.rao@example.com",
            "o'neil",
            "José.M",
            "иван",
            "10.0.0.1",
            "emp-2026",
            "may",
            "12e3",
            "march.hare",
            "front desk",
            "a",
            "7",
            "totally",
            "summer",
            "null.byte",
            "ACME\\ann",
            "user-01",
            "agent:7",
            "ravi_k",
            "1-2-3-4",
            "岡本",
        ] {
            assert_eq!(suspect(text), None, "{text}");
        }
    }
}
