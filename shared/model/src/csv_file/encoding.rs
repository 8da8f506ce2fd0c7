//! What a file's first bytes say about its encoding.

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};

use super::FileFault;
use crate::code::FileCode;

/// Turns a file's bytes into bytes of which ASCII is a subset: UTF-8 as it is (and Windows-1252, which is told apart
/// cell by cell), UTF-16 transcoded.
pub enum Decoding {
    /// Too few bytes seen to say.
    Undecided(Vec<u8>),
    /// Taken as they are.
    AsciiSuperset,
    /// What spreadsheets call "Unicode Text".
    Utf16(Box<Decoder>),
}

/// Bytes looked at before deciding. Enough for every mark at the start, and to see that UTF-16 without a mark has a NUL
/// at every other byte.
const ENOUGH: usize = 512;

impl Decoding {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::Undecided(Vec::new())
    }

    /// Hands decoded bytes on, as soon as the encoding is known. `last` says that no bytes follow these.
    ///
    /// # Errors
    /// [`FileCode::EncodingUnsupported`] for what is not text, or text in UTF-32, with the line that shows it.
    pub fn decode(&mut self, bytes: &[u8], last: bool, mut deliver: impl FnMut(&[u8])) -> Result<(), FileFault> {
        match self {
            Self::AsciiSuperset => deliver(bytes),
            Self::Utf16(decoder) => transcode(decoder, bytes, last, deliver),
            Self::Undecided(seen) => {
                seen.extend_from_slice(bytes);
                if seen.len() < ENOUGH && !last {
                    return Ok(());
                }
                let seen = std::mem::take(seen);
                let (mut decided, mark) = decide(&seen)?;
                if let Self::Utf16(decoder) = &mut decided {
                    transcode(decoder, &seen[mark..], last, deliver);
                } else {
                    deliver(&seen[mark..]);
                }
                *self = decided;
            }
        }
        Ok(())
    }
}

/// The decoding, and the length of the byte order mark.
fn decide(start: &[u8]) -> Result<(Decoding, usize), FileFault> {
    let utf16 = |encoding: &'static encoding_rs::Encoding| {
        Decoding::Utf16(Box::new(encoding.new_decoder_without_bom_handling()))
    };
    let unsupported_at = |line: u64, what: &str| {
        let message = format!("{what}. Save it as CSV (UTF-8), Unicode Text or plain CSV, and upload that.");
        Err(FileFault { code: FileCode::EncodingUnsupported, line: Some(line), message })
    };
    // A mark that tells the format is the start of line 1.
    let unsupported = |what: &str| unsupported_at(1, what);
    match start {
        [0xEF, 0xBB, 0xBF, ..] => Ok((Decoding::AsciiSuperset, 3)),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => unsupported("The file is in UTF-32"),
        [0xFF, 0xFE, ..] => Ok((utf16(UTF_16LE), 2)),
        [0xFE, 0xFF, ..] => Ok((utf16(UTF_16BE), 2)),
        [b'P', b'K', 3, 4, ..] => unsupported("The file is a workbook (.xlsx, .ods) or a ZIP archive, not CSV text"),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => unsupported("The file is an Excel workbook (.xls), not CSV text"),
        [0x1F, 0x8B, ..] => unsupported("The file is compressed with gzip"),
        [b'%', b'P', b'D', b'F', ..] => unsupported("The file is a PDF document, not CSV text"),
        _ => {
            let head = &start[..start.len().min(ENOUGH)];
            let nuls = |odd: usize| head.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
            let (even, odd) = (nuls(0), nuls(1));
            // Latin text in UTF-16 has a NUL in every other byte, and a header is Latin text. Other letters may bring a
            // NUL on the other side now and then.
            let mostly = |these: usize, others: usize| these * 8 > head.len() && these > others * 8;
            match (even, odd) {
                // A stray one costs its row.
                (even, odd) if (even + odd) * 8 <= head.len() => Ok((Decoding::AsciiSuperset, 0)),
                (even, odd) if mostly(odd, even) => Ok((utf16(UTF_16LE), 0)),
                (even, odd) if mostly(even, odd) => Ok((utf16(UTF_16BE), 0)),
                _ => {
                    let before = head.iter().take_while(|&&byte| byte != 0);
                    let line = 1 + before.filter(|&&byte| byte == b'\n').count() as u64;
                    unsupported_at(line, "The file holds NUL bytes, so it is not text")
                }
            }
        }
    }
}

fn transcode(decoder: &mut Decoder, bytes: &[u8], last: bool, mut deliver: impl FnMut(&[u8])) {
    let mut text = String::new();
    if let Some(room) = decoder.max_utf8_buffer_length(bytes.len()) {
        text.reserve(room);
    }
    // The text has room for the worst case, so that one call takes all.
    let _ = decoder.decode_to_string(bytes, &mut text, last);
    deliver(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], piece: usize) -> Result<String, FileCode> {
        let mut decoding = Decoding::new();
        let mut out = Vec::new();
        for chunk in bytes.chunks(piece) {
            decoding.decode(chunk, false, |bytes| out.extend_from_slice(bytes)).map_err(|fault| fault.code)?;
        }
        decoding.decode(&[], true, |bytes| out.extend_from_slice(bytes)).map_err(|fault| fault.code)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn utf8_with_and_without_a_mark() {
        assert_eq!(decode("\u{feff}Login ID,é".as_bytes(), 2).unwrap(), "Login ID,é");
        assert_eq!(decode("Login ID,é".as_bytes(), 3).unwrap(), "Login ID,é");
        assert_eq!(decode(b"", 1).unwrap(), "");
    }

    #[test]
    fn utf16_of_both_orders_with_and_without_a_mark() {
        let text = "Login ID\tAllowed Caller ID\r\nउपयोगकर्ता😀\t9876543210\r\n";
        for marked in [true, false] {
            let units: Vec<u16> = marked.then_some(0xFEFF).into_iter().chain(text.encode_utf16()).collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for piece in [1, 3, 1000] {
                assert_eq!(decode(&little, piece).unwrap(), text);
                assert_eq!(decode(&big, piece).unwrap(), text);
            }
        }
    }

    #[test]
    fn encoding_unsupported() {
        for bytes in [
            b"PK\x03\x04rest".as_slice(),
            b"\xd0\xcf\x11\xe0rest",
            b"\x1f\x8b\x08rest",
            b"%PDF-1.7",
            b"\xff\xfe\0\0a\0\0\0",
            b"\0\0\xfe\xff\0\0\0a",
            b"Login\0\0ID",
            b"\0\0\0\0",
        ] {
            assert_eq!(decode(bytes, 3), Err(FileCode::EncodingUnsupported), "{bytes:?}");
        }
    }

    #[test]
    fn the_line_that_shows_that_it_is_not_text() {
        let line = |bytes: &[u8]| Decoding::new().decode(bytes, true, |_| {}).unwrap_err().line;
        assert_eq!(line(b"\x1f\x8b\x08\nrest"), Some(1));
        assert_eq!(line(b"Login ID\n\0\0\0\0\0\0\0"), Some(2));
    }
}
