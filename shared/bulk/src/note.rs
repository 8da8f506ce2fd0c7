//! What there is to say of a file as a whole. **What was not understood is told.**

use serde::{Deserialize, Serialize};

use rollcall_model::{caller_id::CallerId, code::FileWarning};
use rollcall_tabular::{ReaderNote, text};

/// One thing to say of a file, of which nothing failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The stable code.
    pub code: FileWarning,
    /// The physical line, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// A sentence for the person who made the file.
    pub message: String,
}

/// Names of columns, or numbers, that are told at most: a file may have thousands.
const MAX_NAMES: usize = 20;
/// Characters of a name that are told.
const MAX_SHOWN: usize = 40;

impl From<ReaderNote> for Note {
    fn from(note: ReaderNote) -> Self {
        match note {
            ReaderNote::NulBytes => {
                let message = "The file holds NUL bytes, which were left out: part of it may be in UTF-16, as a shell appends it.";
                Self::of(FileWarning::NulBytes, message.to_owned())
            }
            ReaderNote::LinePassedOver { line, text } => {
                let message = format!("The line above the header was passed over: \"{text}\".");
                Self { line: Some(line), ..Self::of(FileWarning::LinesPassedOver, message) }
            }
        }
    }
}

impl Note {
    fn of(code: FileWarning, message: String) -> Self {
        Self { code, line: None, message }
    }

    /// Columns of these names were passed over; `None` where there are none.
    pub fn columns_ignored(names: &[String]) -> Option<Self> {
        if names.is_empty() {
            return None;
        }
        let told = listed(names, |name| shown(name));
        let message = format!("These columns were not understood, and were passed over: {told}.");
        Some(Self::of(FileWarning::ColumnsIgnored, message))
    }

    /// The upload says nothing of its users but caller IDs, and gives them a role.
    pub fn meant_append() -> Self {
        let message = "The file names no more than login IDs and caller IDs, and the upload gives a role to every user of it. Did you \
                       mean an append (rollcall append, append-caller-ids)?";
        Self::of(FileWarning::MeantAppend, message.to_owned())
    }

    /// Beside the numbers of so many rows, from this line on, stands another that was not read.
    pub fn numbers_elsewhere(rows: u64, line: u64) -> Self {
        let rows = if rows == 1 { "one row".to_owned() } else { format!("{rows} rows") };
        let message = format!(
            "In {rows}, the first of which is line {line}, a number stands beside the numbers, in a column that is not read. If it belongs to \
             them, put quotes around the numbers: a program may have parted them."
        );
        Self { line: Some(line), ..Self::of(FileWarning::NumbersElsewhere, message) }
    }

    /// A run that nobody watches would be put on hold over what this preview shows.
    pub fn safety_threshold(reason: &str) -> Self {
        Self::of(FileWarning::SafetyThreshold, format!("{reason} Without a preview it would be put on hold."))
    }

    /// All that the rows ask for holds already.
    pub fn nothing_changed() -> Self {
        let message = "Nobody is changed by this file: all that its rows ask for held before.";
        Self::of(FileWarning::NothingChanged, message.to_owned())
    }

    /// A rotation has left these numbers as somebody else has set them meanwhile; `None` where there are none.
    pub fn numbers_not_retired(numbers: &[CallerId]) -> Option<Self> {
        if numbers.is_empty() {
            return None;
        }
        let told = listed(numbers, ToString::to_string);
        let message = format!(
            "Somebody changed the state of these numbers, or released them, while the rotation ran. It leaves them as they were set then, and \
             does not retire them: {told}."
        );
        Some(Self::of(FileWarning::NumbersNotRetired, message))
    }

    /// Metadata of these names can't be read; `None` where all can.
    pub fn metadata_unreadable(names: &[&str]) -> Option<Self> {
        let told = names.iter().map(|name| what_it_takes(name)).collect::<Vec<_>>().join(" ");
        (!names.is_empty()).then(|| Self::of(FileWarning::MetadataUnreadable, told))
    }
}

fn what_it_takes(name: &str) -> String {
    let takes = match name {
        "preview" => "true or false; the job was taken for a preview, which changes nothing",
        _ => "a value that it can have; it was passed over",
    };
    format!("The metadata \"{name}\" of the upload can't be read: it takes {takes}.")
}

/// The first of these, in words, and how many more there are.
fn listed<T>(all: &[T], shown: impl Fn(&T) -> String) -> String {
    let (first, more) = all.split_at(all.len().min(MAX_NAMES));
    let mut told = first.iter().map(shown).collect::<Vec<_>>().join(", ");
    if !more.is_empty() {
        told.push_str(&format!(" and {} more", more.len()));
    }
    told
}

/// A name as a message shows it: never so long that it hides the message.
fn shown(name: &str) -> String {
    let name: String = text::trim(name).chars().filter(|c| !c.is_control()).collect();
    let long = name.chars().count() > MAX_SHOWN;
    let kept: String = name.chars().take(if long { MAX_SHOWN - 1 } else { MAX_SHOWN }).collect();
    format!("\"{kept}{}\"", if long { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_and_long_names_are_told_in_few_words() {
        let names: Vec<String> = (0..25).map(|at| format!("{at} {}", "x".repeat(100))).collect();
        let told = Note::columns_ignored(&names).unwrap().message;
        assert!(told.contains("and 5 more") && told.chars().count() < 1_000, "{told}");
        assert_eq!(Note::columns_ignored(&[]), None);
    }
}
