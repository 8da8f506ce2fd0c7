//! Keeps spreadsheets from taking a cell for a formula (OWASP ASVS 5.3.10; OWASP "CSV Injection").
//!
//! An apostrophe is written before whatever a spreadsheet could take for the start of a formula; a spreadsheet shows such a cell as text.
//! Reading takes the apostrophe off again, so that writing and reading give the same values, whatever they are.
//!
//! - Every number in E.164 form is such a cell: its plus sign starts a formula.
//! - Spreadsheets pass over white space, invisible characters and quotes before the start, so these are passed over here too.
//! - A spreadsheet may cut the file at another delimiter than the one that it was written with: Excel goes by the list separator of the
//!   user's locale. Quotes don't help then, since a quote amid a cell is a character. So a formula may also start after a delimiter
//!   or a line end within the cell: `x;=1+1` is written as `x;'=1+1`.

use std::borrow::Cow;

/// What makes a spreadsheet calculate: the ASCII characters, and their full-width and small forms, which spreadsheets of East Asian locales
/// take for the same. The minus sign U+2212 is taken for a hyphen by some.
const FORMULA_STARTS: [char; 13] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−'];

/// What also makes a cell dangerous at its very beginning, by OWASP's list, whatever follows.
const CONTROL_STARTS: [char; 4] = ['\t', '\r', '\n', '\0'];

/// What may part cells or records for the one who reads the file. Text behind a NUL is a text of its own for some.
const SEPARATORS: [char; 12] =
    [',', ';', '|', '\t', '\n', '\r', '\0', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

/// The cell as it is written.
pub fn guard(value: &str) -> Cow<'_, str> {
    // Most cells are words and national digits.
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Cow::Borrowed(value);
    }
    rewrite(value, |apostrophes| apostrophes + 1)
}

/// The value of a cell that was written by [`guard`], or typed with an apostrophe for the same reason.
pub fn unguard(cell: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\'', cell.as_bytes()).is_none() {
        return Cow::Borrowed(cell);
    }
    rewrite(cell, |apostrophes| apostrophes.saturating_sub(1))
}

/// The text without an apostrophe before a formula at its very beginning.
pub(super) fn unguard_start(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(value) if starts_formula(value.trim_start_matches('\''), true) => value,
        _ => text,
    }
}

/// The text with `change` made to the number of apostrophes at each place where a formula starts.
fn rewrite(text: &str, change: impl Fn(usize) -> usize) -> Cow<'_, str> {
    let mut rewritten = String::new();
    let mut copied = 0;
    let blank = text.find(|c| !(c == '\'' || SEPARATORS.contains(&c) || is_passed_over(c))).unwrap_or(text.len());
    for place in places(text) {
        let bare = text[place..].trim_start_matches('\'');
        if starts_formula(bare, place <= blank) {
            let formula = text.len() - bare.len();
            let apostrophes = formula - place;
            rewritten.push_str(&text[copied..place]);
            rewritten.extend(std::iter::repeat_n('\'', change(apostrophes)));
            copied = formula;
        }
    }
    if copied == 0 && rewritten.is_empty() {
        return Cow::Borrowed(text);
    }
    rewritten.push_str(&text[copied..]);
    Cow::Owned(rewritten)
}

/// The offsets at which a cell may start for somebody: the beginning, and after each separator.
fn places(text: &str) -> impl Iterator<Item = usize> {
    let after = text.match_indices(SEPARATORS).map(|(at, separator)| at + separator.len());
    std::iter::once(0).chain(after)
}

/// Whether a formula starts here. What is passed over holds no separator: after each is a place of its own. `at_the_beginning` says that
/// nothing is seen before, so that reading, which trims a cell, finds the same.
fn starts_formula(text: &str, at_the_beginning: bool) -> bool {
    if text.starts_with(|c| matches!(c, '\t' | '\0') || at_the_beginning && CONTROL_STARTS.contains(&c)) {
        return true;
    }
    text.trim_start_matches(is_passed_over).starts_with(FORMULA_STARTS)
}

/// What spreadsheets, or who cuts a file up for them, pass over before the start of a formula: white space, control characters, what
/// Unicode calls ignorable, and quotes.
fn is_passed_over(c: char) -> bool {
    if SEPARATORS.contains(&c) {
        return false;
    }
    c == '"'
        || c.is_whitespace()
        || c.is_control()
        || crate::text::is_padding(c)
        // Default_Ignorable_Code_Point of Unicode 16, and the blank Braille pattern.
        || matches!(c,
            '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{206A}'..='\u{206F}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Column, Reader, RowShape, Writer, cut::DELIMITERS, read::row::clean};

    #[test]
    fn formulas_become_text_and_read_back() {
        for value in [
            "=1+1",
            "+919876543210",
            "-5",
            "@x",
            "\tx",
            "\rx",
            "\nx",
            "\0",
            "'=1",
            "''+9",
            "\n=1+1",
            "＝1+1",
            "＋1",
            "－1",
            "＠SUM(1)",
            " =1+1",
            "\u{a0}=1",
            "\u{200b}=1",
            "\u{2060}\u{ad}=1",
            "\u{1}=1",
            "\"=1",
            " '=1",
        ] {
            let written = guard(value);
            assert!(written.starts_with('\'') || value == " '=1", "{value:?} is written as {written:?}");
            assert_eq!(unguard(&written), value);
        }
        for value in
            ["'name", "O'Neil", "", "'", "ann@x.example", "12 Main St,\r\nDelhi", "Sales - north; east", "a\n\nb"]
        {
            assert_eq!(guard(value), value);
            assert_eq!(unguard(value), value);
        }
        assert_eq!(unguard("'+919876543210"), "+919876543210");
    }

    #[test]
    fn a_formula_after_a_delimiter_of_another_locale_becomes_text_and_reads_back() {
        for (value, written) in [
            ("x;=1+1;", "x;'=1+1;"),
            ("x; \u{a0}=1", "x;' \u{a0}=1"),
            ("x;'=1", "x;''=1"),
            ("x|＝1\n@y", "x|'＝1\n'@y"),
            ("x;\"=1\"", "x;'\"=1\""),
            ("x;\t=1", "x;'\t'=1"),
            ("+911;+912", "'+911;'+912"),
            ("x\r\n=1", "x\r\n'=1"),
        ] {
            assert_eq!(guard(value), written);
            assert_eq!(unguard(written), value);
        }
    }

    /// Whether a spreadsheet would calculate what it finds in this cell. Told by other means than ours: by a list of what is seen.
    fn is_formula(cell: &str) -> bool {
        let seen = |c: char| c.is_ascii_graphic() && c != '"' || "＝＋－＠é".contains(c);
        let first = cell.chars().find(|&c| seen(c));
        first.is_some_and(|c| "=+-@＝＋－＠".contains(c))
    }

    static THREE: [Column; 3] = [
        Column { name: "A", aliases: &["a"], required: true, takes_surplus: false },
        Column { name: "B", aliases: &["b"], required: true, takes_surplus: false },
        Column { name: "C", aliases: &["c"], required: true, takes_surplus: false },
    ];

    /// Cells of what is dangerous, and of what stands around it.
    fn cell() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "=1", "+91", "-", "@", "＝", "＋", "－", "＠", "'", "''", "\"", "\"\"", ";", ",", "\t", "|", " ", "\u{a0}",
            "\u{200b}", "\u{feff}", "\u{2060}", "\u{1}", "\n", "\r", "\r\n", "\0", "\u{b}", "\u{2028}", "x", "é",
        ]);
        prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn no_cell_is_a_formula_however_the_file_is_cut_and_all_read_back(
            rows in prop::collection::vec(prop::array::uniform3(cell()), 1..4), written_with in prop::sample::select(DELIMITERS.to_vec()),
        ) {
            // A row of blanks is passed over, and one with NULs may be no text.
            let rows: Vec<[String; 3]> =
                rows.into_iter().map(|[a, b, c]| [format!("x{}", a.replace('\0', "")), b.replace('\0', ""), c.replace('\0', "")]).collect();
            // A whole file cut by quotes and without; a line of it also where the line ends part cells before quotes do.
            for shift in 0..3 {
                let mut rows: Vec<Vec<&str>> = rows.iter().map(|row| (0..3).map(|at| row[(at + shift) % 3].as_str()).collect()).collect();
                for row in &mut rows {
                    // A byte-order mark that begins a record is passed over, as where files are put one behind the other.
                    row[0] = row[0].trim_start_matches('\u{feff}');
                }
                let mut writer = Writer::new(written_with);
                writer.record(["A", "B", "C"]);
                for row in &rows {
                    writer.record(row.iter().copied());
                }
                let file = writer.take();
                for cut_with in DELIMITERS {
                    let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(cut_with).from_reader(&*file);
                    for record in csv.records() {
                        for cell in &record.unwrap() {
                            prop_assert!(!is_formula(cell), "{cell:?} in {:?}", String::from_utf8_lossy(&file));
                        }
                    }
                    let text = String::from_utf8(file.clone()).unwrap();
                    for cell in text.split(['\n', '\r', char::from(cut_with)]) {
                        prop_assert!(!is_formula(cell), "{cell:?} in {text:?}");
                    }
                }
                let mut reader = Reader::new(&THREE);
                reader.push(&file).unwrap();
                reader.end().unwrap();
                let blank = |cell: &&str| cell.chars().all(|c| matches!(c, ' ' | '\t'));
                for row in rows.iter().filter(|row| !row.iter().all(blank)) {
                    let read = reader.next_row().unwrap().unwrap();
                    prop_assert_eq!(read.shape, RowShape::Sound);
                    prop_assert_eq!(&read.original(), row);
                }
                prop_assert!(!matches!(reader.next_row(), Ok(Some(_))));
            }
        }

        #[test]
        fn a_value_is_the_same_once_a_report_has_repeated_it(cell in cell()) {
            let original = unguard(&cell);
            prop_assert_eq!(clean(guard(&original)), clean(Cow::Borrowed(&cell)));
            let written = guard(&cell);
            prop_assert_eq!(&*unguard(&written), &*cell);
        }
    }
}
