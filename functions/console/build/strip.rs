//! Takes out of scripts and styles what a browser doesn't need: comments, and how lines are indented. **Nothing else is changed**, so what is
//! served reads line by line as it was written.

/// What a place in a script is part of.
enum Part {
    /// Code, with so many braces open: at the first one too many a template goes on.
    Code(usize),
    /// A template; one of `html`, in which htm ignores how lines are indented.
    Template { is_html: bool },
}

/// A script without comments and indentation.
pub fn script(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = vec![Part::Code(0)];
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let taken = match parts.last_mut() {
            Some(Part::Template { is_html }) => match next {
                '\\' => copy(&mut out, rest, 2),
                '`' => {
                    parts.pop();
                    copy(&mut out, rest, 1)
                }
                '$' if rest.starts_with("${") => {
                    parts.push(Part::Code(0));
                    copy(&mut out, rest, 2)
                }
                '\n' if *is_html => end_line(&mut out, rest),
                _ => copy(&mut out, rest, 1),
            },
            Some(Part::Code(braces)) => match next {
                '\n' => end_line(&mut out, rest),
                '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                '/' if rest.starts_with("/*") => comment(&mut out, rest),
                '/' => {
                    let bytes = regular_expression(&out, rest).unwrap_or(1);
                    copy_bytes(&mut out, rest, bytes)
                }
                '"' | '\'' => copy_bytes(&mut out, rest, quoted(rest, next)),
                '`' => {
                    parts.push(Part::Template { is_html: ends_with_word(&out, "html") });
                    copy(&mut out, rest, 1)
                }
                '{' => {
                    *braces += 1;
                    copy(&mut out, rest, 1)
                }
                '}' if *braces == 0 => {
                    parts.pop();
                    copy(&mut out, rest, 1)
                }
                '}' => {
                    *braces -= 1;
                    copy(&mut out, rest, 1)
                }
                _ => copy(&mut out, rest, 1),
            },
            None => copy(&mut out, rest, rest.len()),
        };
        rest = &rest[taken..];
    }
    out
}

/// A style without comments and indentation.
pub fn style(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\n' => end_line(&mut out, rest),
            '/' if rest.starts_with("/*") => comment(&mut out, rest),
            '"' | '\'' => copy_bytes(&mut out, rest, quoted(rest, next)),
            _ => copy(&mut out, rest, 1),
        };
        rest = &rest[taken..];
    }
    out
}

/// Copies characters; how many bytes they have.
fn copy(out: &mut String, rest: &str, characters: usize) -> usize {
    let bytes = rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at);
    copy_bytes(out, rest, bytes)
}

fn copy_bytes(out: &mut String, rest: &str, bytes: usize) -> usize {
    out.push_str(&rest[..bytes]);
    bytes
}

/// Ends a line, and passes over empty lines and the indentation of the next.
fn end_line(out: &mut String, rest: &str) -> usize {
    out.truncate(out.trim_end_matches([' ', '\t']).len());
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len()
}

/// Passes over a comment. What it parts stays apart, and lines that it ends are ended.
fn comment(out: &mut String, rest: &str) -> usize {
    let bytes = rest.find("*/").map_or(rest.len(), |at| at + 2);
    if rest[..bytes].contains('\n') {
        end_line(out, "\n");
    } else if !out.ends_with([' ', '\n']) {
        out.push(' ');
    }
    bytes
}

/// The bytes of a text in quotes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, next) in rest.char_indices().skip(1) {
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if next == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The bytes of a regular expression, where one may stand and ends on the line; else it is a division.
fn regular_expression(before: &str, rest: &str) -> Option<usize> {
    let before = before.trim_end();
    let may_stand = before
        .ends_with(['(', ',', '=', ':', '[', '!', '&', '|', '?', '{', '}', ';', '>', '+', '-', '*', '%', '<'])
        || before.is_empty()
        || ["return", "typeof", "case"].iter().any(|word| ends_with_word(before, word));
    let (mut escaped, mut in_class) = (false, false);
    for (at, next) in rest.char_indices().skip(1).filter(|_| may_stand) {
        match next {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let before = text.strip_suffix(word);
    before.is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.')))
}
