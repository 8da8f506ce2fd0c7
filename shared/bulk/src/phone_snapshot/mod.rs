//! A phone side from a file, for phone systems that can't be asked: smrtPhone, whose export somebody drops, and whatever a script can
//! write.
//!
//! The file is CSV, one user a row, or JSON, a [`PhoneSide`] as it is kept. **It is taken whole or not at all**: a row that can't be read
//! would look like a user who is gone, and a number that can't be read like one that was taken away.

mod in_force;
mod row;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use self::in_force::{Dropped, InForce};

use serde::{Deserialize, Serialize};

use crate::{
    append,
    report::{MAX_REMARKS, Remark},
};
use rollcall_model::{
    code::FileCode, country::Country, inventory::InventoryNumber, numbers::NumberReader, phone_side::PhoneSide,
};
use rollcall_tabular::{Column, FileFault, Reader, RowShape};

const USER_ID: usize = 0;
const LOGIN: usize = 1;
const EMAIL: usize = 2;
const POLICY: usize = 3;
const DEPARTMENT: usize = 4;
const NUMBERS: usize = 5;
/// What tells whom a row is about: the first of them that says something.
const KEYS: [usize; 2] = [USER_ID, LOGIN];

/// The columns of a file. One of the first two must be there; the policy must be said, or nobody could tell what a list means.
pub static COLUMNS: [Column; 6] = [
    column("User ID", &["userid", "id", "phoneuserid", "smrtphoneuserid"]),
    column("Login ID", &["loginid", "login", "username"]),
    column("Email", &["email", "emailid", "emailaddress", "mail", "useremail"]),
    Column {
        required: true,
        ..column("Policy", &["policy", "calleridpolicy", "availableuserids", "availablecallerids"])
    },
    column("Department", &["department", "departmentid"]),
    column("Allowed Caller ID", append::COLUMNS[append::NUMBERS].aliases),
];

const fn column(name: &'static str, aliases: &'static [&'static str]) -> Column {
    // Surplus cells can't be told from a row that has slipped.
    Column { name, aliases, required: false, takes_surplus: false }
}

/// Why a file is no phone side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// The first of them, in the order of the file: 40 at most.
    pub first: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A [`FileCode`] or a [`RowCode`](rollcall_model::code::RowCode).
    pub code: String,
    /// The physical line, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column as the file names it, or the place in the JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A sentence for the person who made the file. It may repeat what stands there, so it is not for the log.
    pub message: String,
}

/// Reads a file. Numbers are read in the spellings of the account's inventory too; **whose a number is, and whether it is in service, is
/// not asked here**: phone systems keep numbers in their lists that the account has retired.
///
/// # Errors
/// [`Problems`], whatever is wrong: nothing of such a file counts.
pub fn read(file: &[u8], country: Country, inventory: &[InventoryNumber]) -> Result<PhoneSide, Problems> {
    let start = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    // No header of a CSV file begins so.
    if start.trim_ascii_start().starts_with(b"{") {
        return read_json(start).map_err(|problem| Problems { first: vec![problem], more: 0 });
    }
    let mut reader = NumberReader::of_any(country, inventory);
    let mut problems = Problems::default();
    match read_csv(file, &mut reader, &mut problems) {
        Ok(side) if problems.first.is_empty() => Ok(side),
        Ok(_) => Err(problems),
        Err(fault) => {
            problems.add(fault.into());
            Err(problems)
        }
    }
}

fn read_json(file: &[u8]) -> Result<PhoneSide, Problem> {
    let malformed = |error: &serde_json::Error, field: Option<String>, message: String| Problem {
        code: FileCode::MalformedJson.to_string(),
        line: u64::try_from(error.line()).ok().filter(|line| *line > 0),
        field,
        message,
    };
    let mut json = serde_json::Deserializer::from_slice(file);
    let side: PhoneSide = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = Some(error.path().to_string()).filter(|path| path != ".");
        let error = error.into_inner();
        let message = format!("It can't be read: {error}.");
        malformed(&error, field, message)
    })?;
    json.end().map_err(|error| malformed(&error, None, "Something follows the JSON.".to_owned()))?;
    Ok(side)
}

fn read_csv(file: &[u8], numbers: &mut NumberReader, problems: &mut Problems) -> Result<PhoneSide, FileFault> {
    let (mut reader, safe) = Reader::of_file(&COLUMNS, file)?;
    let mut users = Vec::new();
    let mut lines = HashMap::new();
    while let Some(row) = reader.next_row()? {
        if row.shape == RowShape::Header {
            continue;
        }
        if KEYS.iter().all(|column| row.header().place(*column).is_none()) {
            let message = "The first row must name the column \"User ID\" or \"Login ID\".".to_owned();
            return Err(FileFault { code: FileCode::HeaderMissing, line: None, message });
        }
        let remarks = match row::read(&row, numbers) {
            Err(remarks) => remarks,
            Ok(user) => match lines.insert(user.id.clone(), row.line) {
                None => {
                    users.push(user);
                    continue;
                }
                Some(first) => vec![row::again(&row, first)],
            },
        };
        for remark in remarks {
            problems.add(Problem::of_row(row.line, remark));
        }
    }
    let side = PhoneSide { users };
    if !safe && side.has_letters_past_ascii() {
        let message = "The file's encoding isn't certain, so its IDs can't be read. Save it as CSV UTF-8.".to_owned();
        return Err(FileFault { code: FileCode::EncodingUnsupported, line: None, message });
    }
    Ok(side)
}

impl Problems {
    fn add(&mut self, problem: Problem) {
        if self.first.len() < MAX_REMARKS {
            self.first.push(problem);
        } else {
            self.more += 1;
        }
    }
}

impl Problem {
    fn of_row(line: u64, remark: Remark) -> Self {
        let field = Some(remark.field).filter(|field| !field.is_empty());
        Self { code: remark.code.to_owned(), line: Some(line), field, message: remark.message }
    }
}

impl From<FileFault> for Problem {
    fn from(fault: FileFault) -> Self {
        Self { code: fault.code.to_string(), line: fault.line, field: None, message: fault.message }
    }
}
