//! What is asked for: as a request in JSON, or as a file of pairs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{COLUMNS, NEW, OLD};
use crate::upload::{NOT_A_FILE_NAME, is_file_name};
use rollcall_model::{
    code::FileCode,
    user::{LoginId, Ref},
};
use rollcall_tabular::{FileFault, Reader, Row, RowShape, text};

/// Numbers that one rotation retires at most: each is a write of the inventory before any list is changed.
pub const MAX_NUMBERS: usize = 1_000;
/// Users that one rotation is limited to at most; past this it is for a department, a team or everybody.
pub const MAX_LOGINS: usize = 10_000;
/// Longest quarantine, in days: ten years.
pub const MAX_QUARANTINE_DAYS: u16 = 3_650;
/// Longest text that is read for a number, in characters: a provider's spelling has no more.
const MAX_WRITTEN: usize = 256;

/// The content of `inbox/{account}/rotate-caller-ids/{name}.json`. Numbers are written as in a file: in any spelling that
/// the account's inventory knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationRequest {
    /// The numbers to be retired.
    pub retire: Vec<String>,
    /// What takes their places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace_with: Option<Replacements>,
    /// Whose lists are meant; everybody's where nothing is said. The numbers then stay in service for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// The numbers rest for so many days, and are not retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine_days: Option<u16>,
    /// Users may be left without a number to dial from.
    #[serde(default)]
    pub allow_empty: bool,
    /// A replacement doesn't take over the department of the old number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_departments: bool,
    /// The job is to show what it would do, and to do it when it is told.
    #[serde(default)]
    pub preview: bool,
    /// The file that somebody has read the numbers from, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<OfFile>,
}

/// The file that the numbers of a request stand in: the job is called by it, and its rows name its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfFile {
    /// Its name.
    pub name: String,
    /// The line of each number that is retired, in the same order.
    pub lines: Vec<u64>,
}

/// What takes the places of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a list of numbers, as long as that of the old ones, or an object from old to new")]
pub enum Replacements {
    /// The first for the first, and so on: one for each.
    InOrder(Vec<String>),
    /// By the old number, written as in `retire`; those that aren't named are replaced by nothing.
    ByOld(BTreeMap<String, String>),
}

/// Whose lists are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// Those of the users of a department.
    Department(Ref),
    /// Those of the users of a team.
    Team(Ref),
    /// Those of these users.
    Logins(Vec<LoginId>),
}

/// Why a request can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct Fault {
    /// The field: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// A sentence for whoever asked.
    pub message: String,
}

/// A pair as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedPair {
    /// Where: the pointer to the old number in a request, or the line of a file.
    pub at: String,
    /// The old number.
    pub old: String,
    /// What takes its place; empty for nothing.
    pub new: String,
    /// The line of a file; 0 in a request that is of none.
    #[serde(default)]
    pub line: u64,
    /// The row can't be read column by column.
    #[serde(default)]
    pub misshapen: bool,
}

impl RotationRequest {
    /// The pairs, in order.
    ///
    /// # Errors
    /// [`Fault`] names the first field that holds what it can't.
    pub fn pairs(&self) -> Result<Vec<RequestedPair>, Fault> {
        self.check()?;
        let new = |at: usize, old: &String| match &self.replace_with {
            None => String::new(),
            Some(Replacements::InOrder(new)) => new[at].clone(),
            Some(Replacements::ByOld(new)) => new.get(old).cloned().unwrap_or_default(),
        };
        let place = |at: usize| match &self.file {
            Some(file) => format!("line {}", file.lines[at]),
            None => format!("/retire/{at}"),
        };
        let pairs = self.retire.iter().enumerate().map(|(at, old)| RequestedPair {
            at: place(at),
            line: self.file.as_ref().map_or(0, |file| file.lines[at]),
            new: new(at, old),
            old: old.clone(),
            misshapen: false,
        });
        Ok(pairs.collect())
    }

    /// As it is dropped into the inbox.
    #[expect(clippy::missing_panics_doc, reason = "texts, lists and maps of texts can be written as JSON")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a request can be written as JSON")
    }

    fn check(&self) -> Result<(), Fault> {
        let fault = |pointer: &str, message: String| Err(Fault { pointer: pointer.to_owned(), message });
        if !(1..=MAX_NUMBERS).contains(&self.retire.len()) {
            return fault("/retire", format!("A rotation retires 1 to {MAX_NUMBERS} numbers."));
        }
        let written = self.retire.iter().enumerate().map(|(at, old)| (format!("/retire/{at}"), old));
        let replacements: Vec<(String, &String)> = match &self.replace_with {
            None => Vec::new(),
            Some(Replacements::InOrder(new)) if new.len() != self.retire.len() => {
                let message = format!(
                    "A list of replacements has one for each number that is retired: {}, and not {}. Write an object from old \
                     to new where some have none.",
                    self.retire.len(),
                    new.len()
                );
                return fault("/replace_with", message);
            }
            Some(Replacements::InOrder(new)) => {
                new.iter().enumerate().map(|(at, new)| (format!("/replace_with/{at}"), new)).collect()
            }
            Some(Replacements::ByOld(new)) => {
                new.iter().map(|(old, new)| (format!("/replace_with/{}", escaped(old)), new)).collect()
            }
        };
        for (pointer, written) in written.chain(replacements) {
            if text::trim(written).is_empty() || written.chars().count() > MAX_WRITTEN {
                return fault(&pointer, format!("A number is written with 1 to {MAX_WRITTEN} characters."));
            }
        }
        if let Some(Replacements::ByOld(new)) = &self.replace_with
            && let Some(old) = new.keys().find(|old| !self.retire.contains(old))
        {
            let message = "It is not among the numbers that are retired, as they are written there.";
            return fault(&format!("/replace_with/{}", escaped(old)), message.to_owned());
        }
        if let Some(Only::Logins(logins)) = &self.only
            && !(1..=MAX_LOGINS).contains(&logins.len())
        {
            return fault("/only/logins", format!("A rotation is limited to 1 to {MAX_LOGINS} users."));
        }
        if let Some(file) = &self.file {
            if !is_file_name(&file.name) {
                return fault("/file/name", NOT_A_FILE_NAME.to_owned());
            }
            if file.lines.len() != self.retire.len() {
                return fault("/file/lines", "It has one line for each number that is retired.".to_owned());
            }
        }
        if self.quarantine_days.is_some_and(|days| !(1..=MAX_QUARANTINE_DAYS).contains(&days)) {
            return fault("/quarantine_days", format!("A quarantine has 1 to {MAX_QUARANTINE_DAYS} days."));
        }
        Ok(())
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The pairs of a file, in order.
///
/// # Errors
/// [`FileFault`] when the file can't be read, or has more rows than a rotation takes.
pub fn read_file(bytes: &[u8]) -> Result<Vec<RequestedPair>, FileFault> {
    // Numbers are all that counts of it, so a wrong guess at its letters does no harm.
    let (mut reader, _) = Reader::of_file(&COLUMNS, bytes)?;
    let mut pairs = Vec::new();
    while let Some(row) = reader.next_row()? {
        if row.shape == RowShape::Header {
            continue;
        }
        if pairs.len() == MAX_NUMBERS {
            let message = format!("The file has more than {MAX_NUMBERS} rows. Cut it into parts.");
            return Err(FileFault { code: FileCode::TooManyRows, line: None, message });
        }
        pairs.push(asked(&row));
    }
    Ok(pairs)
}

fn asked(row: &Row<'_>) -> RequestedPair {
    let misshapen = row.shape != RowShape::Sound;
    let cell = |column| row.value(column).filter(|_| !misshapen).map(std::borrow::Cow::into_owned).unwrap_or_default();
    RequestedPair { at: format!("line {}", row.line), line: row.line, old: cell(OLD), new: cell(NEW), misshapen }
}
