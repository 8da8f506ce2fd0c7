//! Cuts a stream of bytes into records, so that one broken record costs no other.

use memchr::{memchr, memchr2, memchr3};

/// Longest record in bytes. A list of 5,000 numbers takes 80 KB; past this a record is not a row but a file whose line
/// ends are gone, or a quote that is never closed.
pub const MAX_RECORD_BYTES: usize = 128 * 1024;

/// One record as it stands in the file, without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut<'a> {
    /// The record's bytes. Of one that is [`Shape::TooLong`], the beginning.
    pub bytes: &'a [u8],
    /// The physical line that the record starts on; the file's first is 1.
    pub line: u64,
    /// The offset of its first byte.
    pub offset: u64,
    /// What it looks like.
    pub shape: Shape,
}

/// What a record looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No quoted cell: the delimiters alone part the cells.
    Plain,
    /// At least one quoted cell, each properly closed.
    Quoted,
    /// A quote is opened and not closed before a delimiter or a line end. The record ends with the physical line on
    /// which that quote stands, so that the lines after it are read as what they are.
    Unbalanced,
    /// Longer than [`MAX_RECORD_BYTES`]. The rest of its line is passed over.
    TooLong,
}

/// Which bytes part cells. Before the header is understood it may be any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// Not known yet.
    Unknown,
    /// This one.
    Known(u8),
}

/// The delimiters that spreadsheets write.
pub const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

impl Delimiter {
    fn is(self, byte: u8) -> bool {
        match self {
            Self::Unknown => DELIMITERS.contains(&byte),
            Self::Known(delimiter) => byte == delimiter,
        }
    }
}

/// Cuts what is pushed into it. Memory stays within one push and one record.
pub struct Cutter {
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    offset: u64,
    ended: bool,
    /// The rest of a record that was too long is being passed over.
    skipping: bool,
    delimiter: Delimiter,
}

impl Cutter {
    /// A cutter for bytes that start at `offset`, on line `line`.
    pub fn new(offset: u64, line: u64, delimiter: Delimiter) -> Self {
        Self { buffer: Vec::new(), at: 0, line, offset, ended: false, skipping: false, delimiter }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// There are no more bytes: what is left is the last record.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The delimiter is understood now.
    pub fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = Delimiter::Known(delimiter);
    }

    /// The offset of the next record.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the next record is blank: nothing but blanks, delimiters and empty quotes. `None` when more bytes are
    /// needed, or none are left.
    pub fn next_is_blank(&mut self) -> Option<bool> {
        if self.skipping && !self.skip_line() {
            return None;
        }
        let rest = &self.buffer[self.at..];
        let first = *rest.first()?;
        if !self.is_blank(first) && !is_rule(first) && !matches!(first, b'"' | b'\n' | b'\r') {
            return Some(false);
        }
        let Measure { body, shape, .. } = measure(rest, self.ended, self.delimiter)?;
        let body = &rest[..body];
        Some(match shape {
            // A quote that opens nothing is a character.
            Shape::Plain => body.iter().all(|&byte| self.is_blank(byte)) || self.is_ruler(body),
            Shape::Quoted => self.is_blank_quoted(body),
            Shape::Unbalanced | Shape::TooLong => false,
        })
    }

    /// The next record, or `None` when more bytes are needed, or none are left.
    pub fn next_cut(&mut self) -> Option<Cut<'_>> {
        if self.skipping && !self.skip_line() {
            return None;
        }
        let (start, line, offset) = (self.at, self.line, self.offset);
        let Measure { body, whole, lines, shape } = measure(&self.buffer[start..], self.ended, self.delimiter)?;
        self.skipping = shape == Shape::TooLong;
        self.advance(whole, lines);
        Some(Cut { bytes: &self.buffer[start..start + body], line, offset, shape })
    }

    /// Control-Z ends files of DOS.
    fn is_blank(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t' | 0x1A) || self.delimiter.is(byte)
    }

    /// Whether a record is a line across a table, such as `-----+-----`.
    fn is_ruler(&self, record: &[u8]) -> bool {
        record.windows(3).any(|three| three == b"---")
            && record.iter().all(|&byte| self.is_blank(byte) || is_rule(byte))
    }

    /// Whether the cells of a record of [`Shape::Quoted`] hold nothing but blanks. Within a quoted cell a delimiter is a character, and so are
    /// two quotes, which stand for one.
    fn is_blank_quoted(&self, record: &[u8]) -> bool {
        let mut inside = false;
        let mut before = None;
        let mut bytes = record.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' if inside && bytes.peek() == Some(&b'"') => return false,
                b'"' if inside => inside = false,
                b'"' if before.is_none_or(|before| self.delimiter.is(before)) => inside = true,
                _ if inside && !matches!(byte, b' ' | b'\t') || !self.is_blank(byte) => return false,
                _ => {}
            }
            // A quote may open behind blanks.
            if byte != b' ' || inside {
                before = Some(byte);
            }
        }
        true
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.at += bytes;
        self.offset += bytes as u64;
        self.line += lines;
    }

    /// Passes over bytes up to the line's end. `false` when the end has not come yet.
    fn skip_line(&mut self) -> bool {
        let rest = &self.buffer[self.at..];
        match memchr2(b'\n', b'\r', rest) {
            None => {
                self.advance(rest.len(), 0);
                false
            }
            Some(at) => match line_end(rest, at, self.ended) {
                None => false,
                Some(length) => {
                    self.advance(at + length, 1);
                    self.skipping = false;
                    true
                }
            },
        }
    }
}

/// What lines across tables are drawn with.
fn is_rule(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'=' | b':' | b'|')
}

struct Measure {
    /// Bytes of the record.
    body: usize,
    /// Bytes with the line end.
    whole: usize,
    /// Line ends in the whole.
    lines: u64,
    shape: Shape,
}

/// How far the first record of `rest` reaches. `None` when more bytes are needed to say.
fn measure(rest: &[u8], ended: bool, delimiter: Delimiter) -> Option<Measure> {
    if rest.is_empty() {
        return None;
    }
    let window = &rest[..rest.len().min(MAX_RECORD_BYTES)];
    let full = window.len() == MAX_RECORD_BYTES;
    let mut from = 0;
    let mut quoted = None;
    loop {
        let Some(found) = memchr3(b'"', b'\n', b'\r', &window[from..]) else {
            let shape = match quoted {
                _ if full => Shape::TooLong,
                _ if !ended => return None,
                None => Shape::Plain,
                Some(_) => Shape::Quoted,
            };
            let lines = count_lines(window, quoted);
            return Some(Measure { body: window.len(), whole: window.len(), lines, shape });
        };
        let at = from + found;
        if window[at] != b'"' {
            let end = line_end(rest, at, ended)?;
            let shape = if quoted.is_some() { Shape::Quoted } else { Shape::Plain };
            return Some(Measure { body: at, whole: at + end, lines: count_lines(&window[..at], quoted) + 1, shape });
        }
        // A quote amid a cell is a character like any other.
        let before = window[..at].iter().rposition(|&byte| byte != b' ');
        let opens = before.is_none_or(|before| delimiter.is(window[before]) || matches!(window[before], b'\n' | b'\r'));
        let blanks = at > 0 && window[at - 1] == b' ';
        if !opens {
            from = at + 1;
            continue;
        }
        match close(window, at, ended || full, delimiter) {
            Closing::NeedMore => return None,
            Closing::At(next) => {
                quoted = Some(next);
                from = next;
            }
            // Behind a blank, it may be a character all the same.
            Closing::Never if blanks => from = at + 1,
            Closing::Never => return unbalanced(rest, at, ended),
        }
    }
}

enum Closing {
    /// The cell ends before this position: at a delimiter, a line end or the end of the file.
    At(usize),
    Never,
    NeedMore,
}

/// Where the quoted cell that opens at `open` ends. `whole` says that nothing will follow `window`.
fn close(window: &[u8], open: usize, whole: bool, delimiter: Delimiter) -> Closing {
    let mut from = open + 1;
    loop {
        let Some(found) = memchr(b'"', &window[from..]) else {
            return if whole { Closing::Never } else { Closing::NeedMore };
        };
        let after = from + found + 1;
        if window.get(after) == Some(&b'"') {
            from = after + 1;
            continue;
        }
        let blanks = window[after..].iter().take_while(|&&byte| byte == b' ').count();
        return match window.get(after + blanks) {
            None if whole => Closing::At(after + blanks),
            None => Closing::NeedMore,
            Some(&byte) if matches!(byte, b'\n' | b'\r') || delimiter.is(byte) => Closing::At(after + blanks),
            Some(_) => Closing::Never,
        };
    }
}

/// The record of an unbalanced quote at `open`: everything up to the end of the quote's own line.
fn unbalanced(rest: &[u8], open: usize, ended: bool) -> Option<Measure> {
    let Some(found) = memchr2(b'\n', b'\r', &rest[open..]) else {
        let body = rest.len().min(MAX_RECORD_BYTES);
        let lines = count_lines(&rest[..body], Some(open));
        return match () {
            () if rest.len() >= MAX_RECORD_BYTES => Some(Measure { body, whole: body, lines, shape: Shape::TooLong }),
            () if ended => Some(Measure { body, whole: body, lines, shape: Shape::Unbalanced }),
            () => None,
        };
    };
    let at = open + found;
    let end = line_end(rest, at, ended)?;
    let lines = count_lines(&rest[..at], Some(open)) + 1;
    if at > MAX_RECORD_BYTES {
        let lines = count_lines(&rest[..MAX_RECORD_BYTES], Some(open));
        return Some(Measure { body: MAX_RECORD_BYTES, whole: MAX_RECORD_BYTES, lines, shape: Shape::TooLong });
    }
    Some(Measure { body: at, whole: at + end, lines, shape: Shape::Unbalanced })
}

/// The length of the line end at `at`: LF, CR LF, or a lone CR. `None` when a CR is the last byte that is here.
fn line_end(bytes: &[u8], at: usize, ended: bool) -> Option<usize> {
    match (bytes[at], bytes.get(at + 1)) {
        (b'\r', Some(b'\n')) => Some(2),
        (b'\r', None) if !ended => None,
        _ => Some(1),
    }
}

/// Line ends inside a record: only a quoted cell can hold any.
fn count_lines(record: &[u8], quoted: Option<usize>) -> u64 {
    if quoted.is_none() {
        return 0;
    }
    let mut lines = 0;
    let mut from = 0;
    while let Some(found) = memchr2(b'\n', b'\r', &record[from..]) {
        let at = from + found;
        lines += 1;
        from = at + if record[at] == b'\r' && record.get(at + 1) == Some(&b'\n') { 2 } else { 1 };
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts `text`, pushed in pieces of `piece` bytes: the pieces must never matter.
    fn cut_in(text: &[u8], piece: usize) -> Vec<(String, u64, Shape)> {
        let mut cutter = Cutter::new(0, 1, Delimiter::Known(b','));
        let mut cuts = Vec::new();
        let mut drain = |cutter: &mut Cutter| {
            while let Some(cut) = cutter.next_cut() {
                assert_eq!(&text[usize::try_from(cut.offset).unwrap()..][..cut.bytes.len()], cut.bytes);
                cuts.push((String::from_utf8_lossy(cut.bytes).into_owned(), cut.line, cut.shape));
            }
        };
        for bytes in text.chunks(piece) {
            cutter.push(bytes);
            drain(&mut cutter);
        }
        cutter.end();
        drain(&mut cutter);
        cuts
    }

    fn cut(text: &str) -> Vec<(String, u64, Shape)> {
        let whole = cut_in(text.as_bytes(), usize::MAX);
        for piece in 1..=text.len().clamp(1, 12) {
            assert_eq!(cut_in(text.as_bytes(), piece), whole, "in pieces of {piece}");
        }
        whole
    }

    fn row(text: &str, line: u64, shape: Shape) -> (String, u64, Shape) {
        (text.to_owned(), line, shape)
    }

    #[test]
    fn every_line_end_counts_once() {
        assert_eq!(
            cut("a,1\nb,2\r\nc,3\rd,4\n\ne,5"),
            [
                row("a,1", 1, Shape::Plain),
                row("b,2", 2, Shape::Plain),
                row("c,3", 3, Shape::Plain),
                row("d,4", 4, Shape::Plain),
                row("", 5, Shape::Plain),
                row("e,5", 6, Shape::Plain),
            ]
        );
    }

    #[test]
    fn a_quoted_newline_is_part_of_its_record_and_lines_stay_physical() {
        assert_eq!(
            cut("a,\"1\n2\r\n3\"\nb,\"x \"\"y\"\"\" ,2\n\"\",\"\""),
            [
                row("a,\"1\n2\r\n3\"", 1, Shape::Quoted),
                row("b,\"x \"\"y\"\"\" ,2", 4, Shape::Quoted),
                row("\"\",\"\"", 5, Shape::Quoted)
            ]
        );
    }

    #[test]
    fn a_quote_amid_a_cell_is_a_character() {
        assert_eq!(cut("5\" pipe,1\nb,2"), [row("5\" pipe,1", 1, Shape::Plain), row("b,2", 2, Shape::Plain)]);
    }

    #[test]
    fn an_unbalanced_quote_costs_its_own_row_alone() {
        for broken in ["a,\"1", "\"a,1", "\"a\"x,1", "\"a\nb\",\"1"] {
            let lines = 1 + broken.matches('\n').count() as u64;
            for rest in ["b,2\nc,3", "b,\"2\"\nc,\"3;4\"", "\"b\",\"2\"\n\"c\",3", "b,\"\"\nc,3"] {
                let text = format!("{broken}\n{rest}\n");
                let cuts = cut(&text);
                assert_eq!(cuts[0], row(broken, 1, Shape::Unbalanced), "{text}");
                let others: Vec<_> = cuts[1..].iter().map(|cut| cut.0.as_str()).collect();
                assert_eq!(others, rest.split('\n').collect::<Vec<_>>(), "{text}");
                assert_eq!(cuts[1].1, 1 + lines, "{text}");
            }
        }
    }

    #[test]
    fn an_unbalanced_quote_at_the_very_end() {
        assert_eq!(cut("a,1\nb,\"2"), [row("a,1", 1, Shape::Plain), row("b,\"2", 2, Shape::Unbalanced)]);
    }

    #[test]
    fn an_endless_quote_or_line_ends_at_the_limit() {
        for open in ["", "\"", "a,\"x\" y"] {
            let long = format!("{open}{}\nb,2\n", "x".repeat(3 * MAX_RECORD_BYTES));
            for piece in [1 << 10, 1 << 16, 1 << 20] {
                let cuts = cut_in(long.as_bytes(), piece);
                assert_eq!(cuts.len(), 2);
                assert_eq!((cuts[0].1, cuts[0].2), (1, Shape::TooLong));
                assert_eq!(cuts[1], row("b,2", 2, Shape::Plain));
            }
        }
    }

    #[test]
    fn a_quote_that_spans_too_many_lines_costs_one_line() {
        let text = format!("a,\"1\n{}", "b,2\n".repeat(MAX_RECORD_BYTES / 2));
        let cuts = cut_in(text.as_bytes(), 1 << 16);
        assert_eq!(cuts[0], row("a,\"1", 1, Shape::Unbalanced));
        assert_eq!(cuts.len(), 1 + MAX_RECORD_BYTES / 2);
    }
}
