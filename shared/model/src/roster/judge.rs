//! What came of each row.

use super::{COLUMNS, LOGIN, Ledger, RosterReader, entry::Said, ledger::Fate};
use crate::{
    append::{NumbersJudged, not_in_force},
    code::{RowCode, Warning},
    csv_file::Row,
    report::{Judgement, Remark, RowStatus},
    user::fold,
};

/// Judges one row of a file of users.
pub fn judge(row: &Row<'_>, reader: &mut RosterReader, ledger: &mut Ledger) -> Judgement {
    if let Some(failed) = Judgement::of_shape(row) {
        return failed;
    }
    let Said { login, entry, mut warnings, .. } = match reader.read(row) {
        Ok(read) => read,
        Err(errors) => return Judgement { status: RowStatus::Failed, remarks: errors },
    };
    let name = |column: usize| row.header().name(column);
    let Some(user) = ledger.user(&fold(login.as_str())) else { return Judgement::unprocessed() };
    let asked = ledger.asked(user);
    if asked.entry != entry {
        let message = format!("The row on line {} has this login ID, with other values.", asked.line);
        return Judgement::failed(Remark::error(RowCode::LoginIdTaken, name(LOGIN), login.as_str(), message));
    }
    let first = asked.line == row.line;
    let written = match ledger.fate(user) {
        None => return Judgement::unprocessed(),
        Some(Fate::Refused(refusal)) => {
            let value = row.value(refusal.column).unwrap_or_default();
            // The role may be that of the upload, and the name may have no column.
            let field = match name(refusal.column) {
                "" => COLUMNS[refusal.column].name,
                name => name,
            };
            let refused = Remark::error(refusal.code, field, &value, &*refusal.message);
            let remarks = std::iter::once(refused).chain(warnings).collect();
            return Judgement { status: RowStatus::Failed, remarks };
        }
        Some(Fate::Written) => first,
        Some(Fate::Same) => false,
    };
    let mut numbers = NumbersJudged::of(row, &mut reader.numbers, &mut ledger.numbers, Some(user));
    let status = match () {
        () if numbers.unprocessed > 0 => RowStatus::Unprocessed,
        () if numbers.errors.is_empty() && (written || numbers.applied > 0) => RowStatus::Applied,
        () if numbers.errors.is_empty() => RowStatus::Unchanged,
        () if written || numbers.good > 0 => RowStatus::Partial,
        () => RowStatus::Failed,
    };
    let mut remarks = numbers.errors;
    if !first {
        let message = "The same row stands further up in the file.";
        remarks.push(Remark::warning(Warning::DuplicateInFile, name(LOGIN), login.as_str(), message));
    }
    if let (Some(policy), 1..) = (ledger.numbers.policy(user), numbers.applied) {
        remarks.extend(not_in_force(policy, name(LOGIN), login.as_str()));
    }
    remarks.append(&mut warnings);
    remarks.append(&mut numbers.warnings);
    Judgement { status, remarks }
}
