//! What a run has found: printed as it comes, and kept as Markdown.

use std::{fmt::Write, fs, path::Path};

/// A run's figures.
#[derive(Default)]
pub(crate) struct Report {
    text: String,
    /// Whether the last thing was a figure: figures that follow each other are one table.
    in_figures: bool,
    missed: usize,
}

impl Report {
    /// Begins a section.
    pub(crate) fn section(&mut self, title: &str) {
        println!("\n{title}");
        self.break_off();
        let _ = writeln!(self.text, "## {title}\n");
    }

    /// A figure that has no target.
    pub(crate) fn figure(&mut self, what: &str, figure: f64, unit: &str) {
        self.row(what, figure, unit, "", "");
    }

    /// Says whether a target is met, and gives it. The figure is shown either way.
    pub(crate) fn target(&mut self, what: &str, figure: f64, limit: f64, unit: &str, higher_is_better: bool) -> bool {
        let met = if higher_is_better { figure >= limit } else { figure <= limit };
        let bound = if higher_is_better { "at least" } else { "at most" };
        self.missed += usize::from(!met);
        self.row(what, figure, unit, &format!("{bound} {limit}"), if met { "met" } else { "MISSED" });
        met
    }

    /// Figures side by side.
    pub(crate) fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        self.break_off();
        let header: Vec<String> = header.iter().map(ToString::to_string).collect();
        let all = || std::iter::once(&header).chain(rows);
        let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        for (at, row) in all().enumerate() {
            let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            println!("  {}", padded.join("  "));
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
            if at == 0 {
                let _ = writeln!(self.text, "|{}", "---:|".repeat(header.len()));
            }
        }
        self.text.push('\n');
    }

    /// A sentence about the figures.
    pub(crate) fn say(&mut self, sentence: &str) {
        println!("  {sentence}");
        self.break_off();
        let _ = writeln!(self.text, "{sentence}\n");
    }

    /// Why a target was missed.
    pub(crate) fn missed_because(&mut self, reason: &str) {
        self.say(&format!("*Why missed:* {reason}"));
    }

    /// A picture that lies beside the report.
    pub(crate) fn picture(&mut self, file: &str, alternative: &str) {
        self.break_off();
        let _ = writeln!(self.text, "![{alternative}]({file})\n");
    }

    /// How many targets were missed.
    pub(crate) fn missed(&self) -> usize {
        self.missed
    }

    /// Writes it, below an introduction.
    pub(crate) fn write(&self, file: &Path, introduction: &str) {
        let text = format!("{introduction}\n{}\n", self.text.trim_end());
        fs::write(file, text).expect("the report is written");
    }

    fn row(&mut self, what: &str, figure: f64, unit: &str, bound: &str, verdict: &str) {
        println!("  {what:<62} {figure:>12.2} {unit:<10} {bound} {verdict}");
        if !self.in_figures {
            self.text.push_str("| | | | target | |\n|---|---:|---|---|---|\n");
            self.in_figures = true;
        }
        let _ = writeln!(self.text, "| {what} | {figure:.2} | {unit} | {bound} | {verdict} |");
    }

    /// Ends a table of figures.
    fn break_off(&mut self) {
        if std::mem::take(&mut self.in_figures) {
            self.text.push('\n');
        }
    }
}
