//! What people read: tables, colours, progress, and text that can't harm their terminal.

mod table;

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use console::{Style, Term, measure_text_width};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;

use table::GAP;
pub use table::{Cell, Column, Table, wrap};

/// Columns that are filled where no terminal says how wide it is.
const USUAL_COLUMNS: usize = 100;
/// Columns that are filled at least.
const LEAST_COLUMNS: usize = 30;
/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(80);

/// Writes to standard output. Whoever reads it may have seen enough and gone: that is no error.
///
/// # Errors
/// If it can't be written.
pub fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("could not print"),
        _ => Ok(()),
    }
}

/// Writes to standard output what more may follow. `false` when whoever reads it has seen enough and gone.
///
/// # Errors
/// If it can't be written for another reason.
pub fn print_more(bytes: &[u8]) -> Result<bool> {
    match io::stdout().lock().write_all(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("could not print"),
    }
}

/// A value as JSON, for people and programs.
///
/// # Errors
/// If it can't be.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).context("could not write JSON")
}

/// Writes JSON to standard output.
///
/// # Errors
/// If it can't be written.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    print(&(json(value)? + "\n"))
}

/// A progress bar on standard error, for people alone.
pub fn progress(wanted: bool) -> ProgressBar {
    let target =
        if wanted && io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    bar.enable_steady_tick(TICK);
    bar
}

/// How many columns there are to fill.
pub fn columns() -> usize {
    let terminal = Term::stdout();
    if !terminal.is_term() {
        return USUAL_COLUMNS;
    }
    let (_, columns) = terminal.size();
    usize::from(columns).max(LEAST_COLUMNS)
}

/// What a piece of text means, and so its colour. Meaning never hangs on colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Doubtful,
}

impl Tone {
    /// The text in the tone's colour, on a terminal that wants colours.
    pub fn paint(self, text: &str) -> String {
        let style = match self {
            Self::Plain => return text.to_owned(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dim(),
            Self::Good => Style::new().green(),
            Self::Bad => Style::new().red(),
            Self::Doubtful => Style::new().yellow(),
        };
        style.apply_to(text).to_string()
    }
}

/// What there is to know of one thing, each by its name.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let start = pairs.iter().map(|(name, _)| measure_text_width(name)).max().unwrap_or(0) + GAP.len();
    let mut text = String::new();
    for (name, value) in pairs {
        for (nth, line) in wrap(&visible(value), columns().saturating_sub(start)).iter().enumerate() {
            let name = if nth == 0 { *name } else { "" };
            let _ = writeln!(text, "{}{line}", Tone::Faint.paint(&format!("{name:start$}")));
        }
    }
    text
}

/// A heading, with air above it.
pub fn heading(text: &str) -> String {
    format!("\n{}\n", Tone::Strong.paint(text))
}

/// The text on one line, with nothing in it that a terminal would obey, or that can't be seen.
pub fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn visible_char(c: char) -> char {
    match c {
        '\n' => '⏎',
        // Unicode's pictures of the control characters stand in the characters' own order.
        '\0'..='\u{1F}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('·'),
        '\u{A0}' => '␣',
        '\u{7F}'..='\u{9F}'
        | '\u{AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}' => '·',
        c => c,
    }
}

/// A number with its thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things by name.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A time span, as exact as people care.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => format!("{} ms", span.as_millis()),
        1..10 => format!("{:.1} s", span.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        assert_eq!(visible("a\u{1b}[31mb\r\n\tc\u{a0}d\u{200b}\u{202e}"), "a␛[31mb␍⏎␉c␣d··");
    }

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(span(Duration::from_millis(250)), "250 ms");
        assert_eq!(span(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(span(Duration::from_secs(200)), "3 min");
        assert_eq!(span(Duration::from_secs(200_000)), "2 days");
    }
}
