//! What one row says of its user.

use super::{COLUMNS, DEPARTMENT, EMAIL, KEYS, LOGIN, NUMBERS, POLICY, USER_ID};
use crate::{
    append::{number_message, written_numbers},
    cells::Cells,
    report::{Judgement, Remark},
};
use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    email::EmailAddress,
    numbers::{NumberReader, Reading},
    phone_side::{DialPermission, PhoneUser, PhoneUserId},
    user::{LoginId, Policy, Ref},
};
use rollcall_tabular::Row;

/// In the cell of a list that is empty. An empty cell may have been forgotten, and would take away everything.
pub(super) const NO_NUMBERS: &str = "none";
/// In the cell of a policy that the phone system doesn't tell: the list in our own directory is in force.
pub(super) const DIRECTORY: &str = "directory";

/// The user of a row, or everything that is wrong with it.
pub(super) fn read(row: &Row<'_>, numbers: &mut NumberReader) -> Result<PhoneUser, Vec<Remark>> {
    if let Some(failed) = Judgement::of_shape(row) {
        return Err(failed.remarks);
    }
    let mut cells = Cells::of(row, &COLUMNS);
    let login = unspoilt(&mut cells, LOGIN).and_then(|()| cells.parsed(LOGIN, LoginId::parse));
    let given = unspoilt(&mut cells, USER_ID).and_then(|()| cells.parsed(USER_ID, PhoneUserId::parse));
    let id = given.or_else(|| login.as_ref().map(PhoneUserId::of_login));
    if id.is_none() && cells.errors.is_empty() {
        let message = "The cell is empty: it must hold the user's ID in the phone system, or the login ID.";
        cells.error(RowCode::LoginIdMissing, key(&cells), "", message);
    }
    let email = cells.parsed(EMAIL, EmailAddress::parse);
    let permission = permission(&mut cells, numbers);
    match id {
        Some(id) if cells.errors.is_empty() => Ok(PhoneUser { id, login, email, permission }),
        _ => Err(cells.errors),
    }
}

/// An ID that may have been spoilt would look like another user: the file is not taken.
fn unspoilt(cells: &mut Cells<'_>, column: usize) -> Option<()> {
    let suspect = cells
        .written(column)
        .and_then(|text| Some((LoginId::read(&text).ok()?.suspect.filter(|suspect| suspect.is_spoilt())?, text)));
    match suspect {
        Some((suspect, text)) => {
            cells.error(RowCode::LoginIdSuspect, column, &text, suspect.message());
            None
        }
        None => Some(()),
    }
}

/// The user of a row stands further up already.
pub(super) fn again(row: &Row<'_>, first: u64) -> Remark {
    let mut cells = Cells::of(row, &COLUMNS);
    let column = key(&cells);
    let value = cells.written(column).unwrap_or_default();
    cells.error(RowCode::LoginIdTaken, column, &value, format!("The row on line {first} is about the same user."));
    cells.errors.remove(0)
}

/// Which column tells whom the row is about, or should.
fn key(cells: &Cells<'_>) -> usize {
    let says = KEYS.into_iter().find(|column| cells.written(*column).is_some());
    says.or_else(|| KEYS.into_iter().find(|column| cells.has(*column))).unwrap_or(USER_ID)
}

/// What the row says of numbers; nothing, too, when it can't be read.
fn permission(cells: &mut Cells<'_>, numbers: &mut NumberReader) -> Option<DialPermission> {
    let department = cells.parsed(DEPARTMENT, Ref::parse);
    if cells.value(POLICY).is_none() {
        cells.error(RowCode::ValueInvalid, POLICY, "", "The cell is empty: it must hold the user's policy.");
    }
    match cells.parsed(POLICY, policy)?? {
        Policy::All => Some(DialPermission { department, ..DialPermission::all() }),
        Policy::Department if department.is_none() && cells.value(DEPARTMENT).is_none() => {
            let message = "The cell is empty: under this policy it must hold the user's department.";
            cells.error(RowCode::ValueInvalid, DEPARTMENT, "", message);
            None
        }
        Policy::Department => department.map(DialPermission::department),
        Policy::Custom => Some(DialPermission { department, ..DialPermission::custom(list(cells, numbers)) }),
    }
}

/// A policy by smrtPhone's words or ours; `None` where the directory's is in force.
fn policy(text: &str) -> Result<Option<Policy>, &'static str> {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match plain.as_str() {
        "all" | "allcallerid" | "allcallerids" => Ok(Some(Policy::All)),
        "department" | "departmentids" | "alldepartmentid" | "alldepartmentids" => Ok(Some(Policy::Department)),
        "custom" | "customcallerid" | "customcallerids" => Ok(Some(Policy::Custom)),
        DIRECTORY => Ok(None),
        _ => Err("write All caller IDs, All department IDs, Custom caller IDs or directory"),
    }
}

fn list(cells: &mut Cells<'_>, numbers: &mut NumberReader) -> Vec<CallerId> {
    let cell = cells.written(NUMBERS).unwrap_or_default();
    if cell.eq_ignore_ascii_case(NO_NUMBERS) {
        return Vec::new();
    }
    let mut list = Vec::new();
    let mut written = written_numbers(&cell).peekable();
    if written.peek().is_none() {
        let message = "The cell is empty: it must hold the user's caller IDs, or \"none\".";
        cells.error(RowCode::NumberMissing, NUMBERS, "", message);
    }
    for written in written {
        match numbers.read(written) {
            Reading::Number { number, .. } => list.push(number),
            Reading::Refused(code) => cells.error(code, NUMBERS, written, number_message(code, written)),
        }
    }
    list
}
