//! Tables for people.

use std::fmt::Write as _;

use console::{Term, measure_text_width};

use super::{Tone, pairs, visible};

/// What parts the columns of a table.
pub const GAP: &str = "  ";

/// One cell of a table.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell that means something.
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: visible(text.as_ref()), tone }
    }
}

impl Cell {
    /// Its text, as it is shown.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    name: &'static str,
    right: bool,
    most: usize,
}

impl Column {
    /// As wide as its widest cell.
    pub fn text(name: &'static str) -> Self {
        Self { name, right: false, most: usize::MAX }
    }

    /// Of numbers, which stand to the right.
    pub fn number(name: &'static str) -> Self {
        Self { name, right: true, most: usize::MAX }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Not wider than this. What is longer goes on below.
    pub fn within(self, most: usize) -> Self {
        Self { most, ..self }
    }
}

/// A table.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// How wide the columns of pages are, once the first page has told.
    widths: Option<Vec<usize>>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<Cell>,
    note: Option<Cell>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new(), widths: None }
    }

    /// Adds a row, with a cell for each column.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        let cells = cells.into();
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(Row { cells, note: None });
    }

    /// Puts a note under the last row, from the second column to the end of the line.
    pub fn note(&mut self, note: impl Into<Cell>) {
        if let Some(row) = self.rows.last_mut() {
            row.note = Some(note.into());
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table, no wider than `width`: wide columns go on below. Where even that won't do, each row stands by itself, a line for each cell.
    pub fn render(&self, width: usize, indent: usize) -> String {
        match self.widths(width.saturating_sub(indent)) {
            Some(widths) => self.headed(&widths, indent) + &self.body(&widths, width, indent),
            None => self.one_by_one(),
        }
    }

    /// The rows as the next page of a table, with the heading on the first; the next ones stand under them. They are forgotten then.
    pub fn page(&mut self, width: usize) -> String {
        let first = self.widths.is_none();
        let widths = self.widths.take().or_else(|| self.widths(width));
        let text = match &widths {
            Some(widths) if first => self.headed(widths, 0) + &self.body(widths, width, 0),
            Some(widths) => self.body(widths, width, 0),
            None => self.one_by_one(),
        };
        self.widths = widths;
        self.rows.clear();
        text
    }

    fn one_by_one(&self) -> String {
        let row = |row: &Row| {
            let cells = self.columns.iter().zip(&row.cells).filter(|(_, cell)| !cell.text.is_empty());
            let cells: Vec<_> = cells.map(|(column, cell)| (column.name, cell.text.clone())).collect();
            let note = row.note.as_ref().map(|note| format!("{}\n", note.text)).unwrap_or_default();
            pairs(&cells) + &note
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    fn headed(&self, widths: &[usize], indent: usize) -> String {
        let mut text = String::new();
        let names: Vec<Cell> = self.columns.iter().map(|column| Cell::toned(column.name, Tone::Faint)).collect();
        self.render_cells(&names, widths, indent, &mut text);
        text
    }

    fn body(&self, widths: &[usize], width: usize, indent: usize) -> String {
        let mut text = String::new();
        let start = indent + widths.first().map_or(0, |width| width + GAP.len());
        for Row { cells, note } in &self.rows {
            self.render_cells(cells, widths, indent, &mut text);
            for line in note.iter().flat_map(|note| wrap(&note.text, width.saturating_sub(start))) {
                let _ = writeln!(text, "{:start$}{}", "", Tone::Faint.paint(&line));
            }
        }
        text
    }

    fn render_cells(&self, cells: &[Cell], widths: &[usize], indent: usize, text: &mut String) {
        let wrapped: Vec<_> = cells.iter().zip(widths).map(|(cell, &width)| wrap(&cell.text, width)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..height {
            // Spaces that are owed: none are written at a line's end.
            let mut owed = indent;
            for (index, column) in self.columns.iter().enumerate() {
                let piece = wrapped[index].get(at).map_or("", String::as_str);
                let space = widths[index].saturating_sub(measure_text_width(piece));
                let (before, after) = if column.right { (space, 0) } else { (0, space) };
                owed += before;
                if !piece.is_empty() {
                    let _ = write!(text, "{:owed$}{}", "", cells[index].tone.paint(piece));
                    owed = 0;
                }
                owed += after + GAP.len();
            }
            text.push('\n');
        }
    }

    /// How wide each column is, all together within `width`. What is widest gives way first, as far as its words stay whole. `None` where a
    /// terminal is too narrow even so; a pipe has no width.
    fn widths(&self, width: usize) -> Option<Vec<usize>> {
        let of_cells = |index: usize, column: &Column, measure: fn(&str) -> usize| {
            let cells = self.rows.iter().map(|row| measure(&row.cells[index].text));
            cells.chain([measure(column.name)]).max().unwrap_or(0).min(column.most)
        };
        let all = || self.columns.iter().enumerate();
        let mut widths: Vec<usize> = all().map(|(index, column)| of_cells(index, column, measure_text_width)).collect();
        let least = all().map(
            |(index, column)| {
                if column.right { widths[index] } else { of_cells(index, column, longest_word) }
            },
        );
        let least: Vec<usize> = least.collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            let wide = widths.iter_mut().zip(&least).filter(|(width, least)| **width > **least);
            match wide.max_by_key(|(width, _)| **width) {
                Some((widest, _)) => *widest -= 1,
                None if Term::stdout().is_term() => return None,
                None => break,
            }
        }
        Some(widths)
    }
}

fn longest_word(text: &str) -> usize {
    text.split_inclusive([' ', ';']).map(|word| measure_text_width(word.trim_end())).max().unwrap_or(0)
}

/// The text in lines no wider than `width`, broken between words where that is possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive([' ', ';']) {
        let mut word_width = measure_text_width(word.trim_end());
        if used > 0 && used + word_width > width {
            lines.push(String::new());
            used = 0;
        }
        if word_width <= width {
            push(&mut lines, word);
            used += measure_text_width(word);
            continue;
        }
        for c in word.chars() {
            word_width = measure_text_width(c.encode_utf8(&mut [0; 4]));
            if used + word_width > width {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, c.encode_utf8(&mut [0; 4]));
            used += word_width;
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_and_no_line_ends_in_spaces() {
        let mut table = Table::new([Column::text("Login ID"), Column::number("Rows"), Column::text("Said")]);
        table.row(["user1".into(), "1,000".into(), "".into()]);
        table.row(["नाम".into(), "7".into(), "two words more".into()]);
        assert_eq!(
            table.render(40, 1),
            concat!(" Login ID   Rows  Said\n", " user1     1,000\n", " नाम           7  two words more\n",)
        );
    }

    #[test]
    fn what_is_too_long_goes_on_below() {
        let mut table = Table::new([Column::text("Number").within(10), Column::text("Message")]);
        table.row(["9876500001;9876500002".into(), "It is not one of ours.".into()]);
        assert_eq!(
            table.render(28, 0),
            concat!("Number      Message\n", "9876500001  It is not one of\n", ";           ours.\n", "9876500002\n",)
        );
    }

    #[test]
    fn a_note_stands_under_its_row() {
        let mut table = Table::new([Column::number("Line"), Column::text("Login ID")]);
        table.row(["2".into(), "user1".into()]);
        table.note("No such user is known.");
        table.row(["13".into(), "user2".into()]);
        assert_eq!(
            table.render(20, 0),
            concat!("Line  Login ID\n", "   2  user1\n", "      No such user\n", "      is known.\n", "  13  user2\n",)
        );
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a;b; c", 4), ["a;b;", "c"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
