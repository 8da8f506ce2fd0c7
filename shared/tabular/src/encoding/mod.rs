//! The encoding of a file's text: named, marked, or judged.
//!
//! It is decided once for a file. A mark at the start counts for more than a name, a name for more than a
//! [judgement](judge).

mod decode;
mod dos;
mod judge;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub(super) use decode::Decoding;
pub use judge::{Judge, Judged};

use dos::Page;

/// An encoding that files are read in.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Encoding(Of);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// One of the Encoding Standard (<https://encoding.spec.whatwg.org>).
    Web(&'static encoding_rs::Encoding),
    /// A code page of DOS, which consoles and old programs still write.
    Dos(Page),
}

/// The text names no encoding that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an encoding: write one such as utf-8, windows-1252, shift_jis, gbk, macintosh or cp850")]
pub struct NotAnEncoding;

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(Of::Web(encoding_rs::UTF_8));
    /// What spreadsheets of western Europe and America save without asking.
    pub const WINDOWS_1252: Self = Self(Of::Web(encoding_rs::WINDOWS_1252));

    /// Its name in lower case.
    pub fn name(self) -> String {
        match self.0 {
            Of::Web(encoding) => encoding.name().to_ascii_lowercase(),
            Of::Dos(page) => page.name().to_owned(),
        }
    }
}

impl FromStr for Encoding {
    type Err = NotAnEncoding;

    /// Understands the labels of the Encoding Standard, and the numbers of Windows' code pages.
    fn from_str(label: &str) -> Result<Self, NotAnEncoding> {
        let label = label.trim().to_ascii_lowercase();
        let number = label.trim_start_matches(|c: char| !c.is_ascii_digit());
        let before = &label[..label.len() - number.len()];
        let page = matches!(
            before,
            "" | "cp" | "cp-" | "ibm" | "ibm-" | "dos-" | "ms" | "windows-" | "windows" | "win" | "win-"
        );
        if page && let Some(encoding) = by_number(number) {
            return Ok(encoding);
        }
        let label = match label.as_str() {
            "ansi" | "latin1" | "latin-1" => "windows-1252",
            "macroman" | "mac-roman" | "mac_roman" => "macintosh",
            "shift-jis" => "shift_jis",
            "utf-8-sig" | "utf8-sig" | "utf-8-bom" | "utf8mb4" => "utf-8",
            label => label,
        };
        let encoding = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        encoding.map(|encoding| Self(Of::Web(encoding))).ok_or(NotAnEncoding)
    }
}

/// By the number of a code page of Windows
/// (<https://learn.microsoft.com/en-us/windows/win32/intl/code-page-identifiers>).
fn by_number(number: &str) -> Option<Encoding> {
    let web = |encoding| Some(Encoding(Of::Web(encoding)));
    match number {
        "437" => Some(Encoding(Of::Dos(Page::Cp437))),
        "850" | "858" => Some(Encoding(Of::Dos(Page::Cp850))),
        "932" => web(encoding_rs::SHIFT_JIS),
        "936" => web(encoding_rs::GBK),
        "949" => web(encoding_rs::EUC_KR),
        "950" => web(encoding_rs::BIG5),
        "874" => web(encoding_rs::WINDOWS_874),
        "866" => web(encoding_rs::IBM866),
        "1200" => web(encoding_rs::UTF_16LE),
        "1201" => web(encoding_rs::UTF_16BE),
        "10000" => web(encoding_rs::MACINTOSH),
        "65001" => web(encoding_rs::UTF_8),
        number if number.len() == 4 => {
            let label = format!("windows-{number}");
            encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()).and_then(web)
        }
        _ => None,
    }
}

impl TryFrom<String> for Encoding {
    type Error = NotAnEncoding;

    fn try_from(label: String) -> Result<Self, NotAnEncoding> {
        label.parse()
    }
}

impl From<Encoding> for String {
    fn from(encoding: Encoding) -> Self {
        encoding.name()
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_go_by_the_names_that_people_know() {
        for (label, name) in [
            ("UTF-8", "utf-8"),
            ("utf8", "utf-8"),
            ("latin1", "windows-1252"),
            ("ANSI", "windows-1252"),
            ("cp1252", "windows-1252"),
            ("1251", "windows-1251"),
            ("Shift_JIS", "shift_jis"),
            ("cp932", "shift_jis"),
            ("936", "gbk"),
            ("macroman", "macintosh"),
            ("cp850", "cp850"),
            ("IBM437", "cp437"),
            ("utf-16le", "utf-16le"),
            ("koi8-r", "koi8-r"),
        ] {
            let encoding: Encoding = label.parse().expect(label);
            assert_eq!(encoding.name(), name, "{label}");
            assert_eq!(encoding.name().parse(), Ok(encoding), "{label}");
        }
        for label in ["", "klingon", "cp0", "cp99999", "replacement"] {
            assert_eq!(label.parse::<Encoding>(), Err(NotAnEncoding), "{label}");
        }
    }
}
