//! Turns a file's bytes into UTF-8, as they come.

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};
use memchr::memchr;

use super::{Encoding, Of, dos::Page};
use crate::FileFault;
use crate::code::FileCode;

/// Turns a file's bytes into bytes of which ASCII is a subset and which should be UTF-8.
pub struct Decoding {
    named: Option<Encoding>,
    state: State,
    /// NUL bytes were left out.
    nuls: bool,
}

enum State {
    /// Too few bytes seen to say.
    Undecided(Vec<u8>),
    /// Taken as they are.
    Utf8(Utf8),
    /// UTF-16, or what was named or judged.
    Other(Box<Decoder>),
    /// A code page of DOS.
    Dos(Page),
}

/// Text that is taken as it is, and whether it is UTF-8 indeed.
#[derive(Default)]
struct Utf8 {
    /// The file says that it is UTF-8, by a mark or by the name that it was given.
    certain: bool,
    /// The beginning of a character whose end has not come yet.
    begun: Vec<u8>,
    /// Something is no UTF-8.
    broken: bool,
}

/// Bytes looked at before deciding. Enough for every mark at the start, and to see that UTF-16 without a mark has a NUL
/// at every other byte.
const ENOUGH: usize = 512;

impl Decoding {
    /// Nothing seen yet. `named` is the encoding of a file without a mark, where it is known.
    pub fn new(named: Option<Encoding>) -> Self {
        Self { named, state: State::Undecided(Vec::new()), nuls: false }
    }

    /// For text that is UTF-8.
    pub fn utf8() -> Self {
        Self { named: None, state: State::Utf8(Utf8 { certain: true, ..Utf8::default() }), nuls: false }
    }

    /// Whether the file must be judged: it has no mark and no name, and is not UTF-8.
    pub fn is_doubtful(&self) -> bool {
        matches!(&self.state, State::Utf8(utf8) if utf8.broken && !utf8.certain)
    }

    /// Whether NUL bytes were left out: a shell has appended UTF-16 to the file, or a disk has lost a part of it.
    pub fn had_nuls(&self) -> bool {
        self.nuls
    }

    /// Hands decoded bytes on, as soon as the encoding is known. `last` says that no bytes follow these.
    ///
    /// # Errors
    /// [`FileCode::EncodingUnsupported`] for what is not text, or text in UTF-32, with the line that shows it.
    pub fn decode(&mut self, bytes: &[u8], last: bool, mut deliver: impl FnMut(&[u8])) -> Result<(), FileFault> {
        if let State::Undecided(seen) = &mut self.state {
            seen.extend_from_slice(bytes);
            if seen.len() < ENOUGH && !last {
                return Ok(());
            }
            let seen = std::mem::take(seen);
            let (state, mark) = decide(&seen, self.named)?;
            self.state = state;
            self.pass(&seen[mark..], last, &mut deliver);
        } else {
            self.pass(bytes, last, &mut deliver);
        }
        Ok(())
    }

    fn pass(&mut self, bytes: &[u8], last: bool, deliver: &mut impl FnMut(&[u8])) {
        match &mut self.state {
            State::Other(decoder) => transcode(decoder, bytes, last, deliver),
            State::Dos(page) => {
                let text: String = bytes.iter().map(|&byte| page.char(byte)).collect();
                deliver(text.as_bytes());
            }
            State::Utf8(utf8) => {
                utf8.check(bytes, last);
                let mut rest = bytes;
                while let Some(nul) = memchr(0, rest) {
                    self.nuls = true;
                    deliver(&rest[..nul]);
                    rest = &rest[nul + 1..];
                }
                deliver(rest);
            }
            State::Undecided(_) => {}
        }
    }
}

impl Utf8 {
    /// Looks at bytes in large pieces: for plain ASCII that costs next to nothing.
    fn check(&mut self, bytes: &[u8], last: bool) {
        if self.broken || (self.begun.is_empty() && bytes.is_ascii()) {
            return;
        }
        let mut joined = std::mem::take(&mut self.begun);
        let bytes = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            &joined
        };
        if let Err(error) = std::str::from_utf8(bytes) {
            if error.error_len().is_none() && !last {
                self.begun = bytes[error.valid_up_to()..].to_vec();
            } else {
                self.broken = true;
            }
        }
    }
}

/// The decoding, and the length of the byte order mark.
fn decide(start: &[u8], named: Option<Encoding>) -> Result<(State, usize), FileFault> {
    let other =
        |encoding: &'static encoding_rs::Encoding| State::Other(Box::new(encoding.new_decoder_without_bom_handling()));
    let utf8 = |certain| State::Utf8(Utf8 { certain, ..Utf8::default() });
    // A mark that tells the format is the start of line 1.
    let unsupported = |what: &str| unsupported(1, what);
    match start {
        [0xEF, 0xBB, 0xBF, ..] => Ok((utf8(true), 3)),
        // The same, read as Windows-1252 and saved as UTF-8.
        [0xC3, 0xAF, 0xC2, 0xBB, 0xC2, 0xBF, ..] => Ok((utf8(true), 6)),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => unsupported("The file is in UTF-32"),
        [0xFF, 0xFE, ..] => Ok((other(UTF_16LE), 2)),
        [0xFE, 0xFF, ..] => Ok((other(UTF_16BE), 2)),
        [b'P', b'K', 3, 4, ..] => unsupported("The file is a workbook (.xlsx, .ods) or a ZIP archive, not CSV text"),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => unsupported("The file is an Excel workbook (.xls), not CSV text"),
        [0x1F, 0x8B, ..] => unsupported("The file is compressed with gzip"),
        [b'%', b'P', b'D', b'F', ..] => unsupported("The file is a PDF document, not CSV text"),
        _ => match named {
            Some(Encoding(Of::Web(web))) if web == encoding_rs::UTF_8 => Ok((utf8(true), 0)),
            Some(Encoding(Of::Web(web))) => Ok((other(web), 0)),
            Some(Encoding(Of::Dos(page))) => Ok((State::Dos(page), 0)),
            None => {
                without_a_mark(&start[..start.len().min(ENOUGH)]).map(|utf16| (utf16.map_or(utf8(false), other), 0))
            }
        },
    }
}

/// UTF-16 of one order or the other, if the head of a file looks like that.
fn without_a_mark(head: &[u8]) -> Result<Option<&'static encoding_rs::Encoding>, FileFault> {
    let nuls = |odd: usize| head.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (nuls(0), nuls(1));
    // Latin text in UTF-16 has a NUL in every other byte, and a header is Latin text. Other letters may bring a NUL on the other
    // side now and then.
    let mostly = |these: usize, others: usize| these * 8 > head.len() && these > others * 8;
    match (even, odd) {
        // A few are left out.
        (even, odd) if (even + odd) * 8 <= head.len() => Ok(None),
        (even, odd) if mostly(odd, even) => Ok(Some(UTF_16LE)),
        (even, odd) if mostly(even, odd) => Ok(Some(UTF_16BE)),
        _ => {
            let before = head.iter().take_while(|&&byte| byte != 0);
            let line = 1 + before.filter(|&&byte| byte == b'\n').count() as u64;
            unsupported(line, "The file holds NUL bytes, so it is not text")
        }
    }
}

fn unsupported<T>(line: u64, what: &str) -> Result<T, FileFault> {
    let message = format!("{what}. Save it as CSV (UTF-8), Unicode Text or plain CSV, and upload that.");
    Err(FileFault { code: FileCode::EncodingUnsupported, line: Some(line), message })
}

fn transcode(decoder: &mut Decoder, bytes: &[u8], last: bool, deliver: &mut impl FnMut(&[u8])) {
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
        let mut decoding = Decoding::new(None);
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
    fn a_name_is_believed_where_there_is_no_mark() {
        let named = |label: &str, bytes: &[u8], piece: usize| {
            let mut decoding = Decoding::new(label.parse().ok());
            let mut out = Vec::new();
            for chunk in bytes.chunks(piece) {
                decoding.decode(chunk, false, |bytes| out.extend_from_slice(bytes)).unwrap();
            }
            decoding.decode(&[], true, |bytes| out.extend_from_slice(bytes)).unwrap();
            String::from_utf8(out).unwrap()
        };
        for piece in [1, 2, 1000] {
            assert_eq!(named("cp850", b"Jos\x82", piece), "José");
            assert_eq!(named("macintosh", b"Jos\x8e", piece), "José");
            assert_eq!(named("shift_jis", b"\x8d\xb2\x93\xa1", piece), "佐藤");
            assert_eq!(named("cp850", "\u{feff}José".as_bytes(), piece), "José");
        }
    }

    #[test]
    fn whether_a_file_is_utf8_is_seen_across_the_pieces_that_it_comes_in() {
        for (bytes, broken) in [("a,José नाम 😀".as_bytes(), false), (b"a,Jos\xe9,b", true), (b"a\xe0\xa4", true)]
        {
            for piece in 1..6 {
                let mut decoding = Decoding::new(None);
                for chunk in bytes.chunks(piece) {
                    decoding.decode(chunk, false, |_| {}).unwrap();
                }
                decoding.decode(&[], true, |_| {}).unwrap();
                assert_eq!(decoding.is_doubtful(), broken, "{bytes:?}");
            }
        }
        let mut marked = Decoding::new(None);
        marked.decode(b"\xEF\xBB\xBFJos\xe9", true, |_| {}).unwrap();
        assert!(!marked.is_doubtful());
    }

    #[test]
    fn nuls_that_a_shell_has_appended_are_left_out() {
        let mut file = "Login ID,Numbers\n".repeat(40).into_bytes();
        file.extend("user1,98\n".encode_utf16().flat_map(u16::to_le_bytes));
        assert!(decode(&file, 7).unwrap().ends_with("Numbers\nuser1,98\n"));
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
        let line = |bytes: &[u8]| Decoding::new(None).decode(bytes, true, |_| {}).unwrap_err().line;
        assert_eq!(line(b"\x1f\x8b\x08\nrest"), Some(1));
        assert_eq!(line(b"Login ID\n\0\0\0\0\0\0\0"), Some(2));
    }
}
