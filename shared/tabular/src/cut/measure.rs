//! How far a record reaches.

use memchr::{memchr, memchr2, memchr3};

use super::{Delimiter, MAX_RECORD_BYTES, Shape};

pub(super) struct Measure {
    /// Bytes of the record.
    pub(super) body: usize,
    /// Bytes with the line end.
    pub(super) whole: usize,
    /// Line ends in the whole.
    pub(super) lines: u64,
    /// What it looks like.
    pub(super) shape: Shape,
}

/// How far the first record of `rest` reaches. `None` when more bytes are needed to say.
pub(super) fn measure(rest: &[u8], ended: bool, delimiter: Delimiter) -> Option<Measure> {
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
pub(super) fn line_end(bytes: &[u8], at: usize, ended: bool) -> Option<usize> {
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
