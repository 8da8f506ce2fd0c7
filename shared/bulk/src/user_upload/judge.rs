//! What came of each row.

use super::{
    COLUMNS, Catalog, DEPARTMENT, LOGIN, Refusal, TEAM, UploadLedger, UserRow, UserRowReader, entry::Said,
    ledger::UserOutcome,
};
use crate::{
    append::{NumbersJudged, not_in_force},
    report::{Judgement, Remark, RowStatus},
};
use rollcall_model::{
    code::{RowCode, Warning},
    user::fold,
};
use rollcall_tabular::Row;

/// Judges one row of a file of users.
pub fn judge(row: &Row<'_>, reader: &mut UserRowReader, ledger: &mut UploadLedger, catalog: &Catalog) -> Judgement {
    if let Some(failed) = Judgement::of_shape(row) {
        return failed;
    }
    let Said { login, entry, mut warnings, .. } = match reader.read(row) {
        Ok(read) => read,
        Err(mut errors) => {
            // Everything that is wrong is told at once.
            errors.append(&mut NumbersJudged::of(row, &mut reader.numbers, &mut ledger.numbers, None).errors);
            return Judgement::new(RowStatus::Failed, errors);
        }
    };
    let name = |column: usize| row.header().name(column);
    for (column, cell) in [(DEPARTMENT, &entry.department), (TEAM, &entry.team)] {
        warnings.extend(catalog.remark(column, name(column), cell.as_ref()));
    }
    let Some(user) = ledger.user(&fold(login.as_str())) else { return Judgement::unprocessed() };
    let asked = ledger.asked(user);
    if let Some(column) = asked.entry.contradiction(&entry) {
        let message =
            format!("The rows from line {} on have this login ID, with another {}.", asked.line, COLUMNS[column].name);
        return Judgement::failed(Remark::error(RowCode::LoginIdTaken, name(LOGIN), login.as_str(), message));
    }
    let first = asked.line == row.line || asked.more.contains(&row.line);
    let refused = |refusal: &Refusal| {
        let value = row.value(refusal.column).unwrap_or_default();
        // The role may be that of the upload, and the name may have no column.
        let field = match name(refusal.column) {
            "" => COLUMNS[refusal.column].name,
            name => name,
        };
        Remark::error(refusal.code, field, &value, &*refusal.message)
    };
    let written = match ledger.fate(user) {
        None => return Judgement::unprocessed(),
        Some(UserOutcome::KeptOut(refusal)) => {
            let said = "The user is kept out as the row says; nothing else of it was done.";
            let mut remarks: Vec<Remark> = refusal.each().map(refused).collect();
            remarks[0].message = format!("{said} {}", remarks[0].message);
            remarks.append(&mut NumbersJudged::of(row, &mut reader.numbers, &mut ledger.numbers, None).errors);
            remarks.append(&mut warnings);
            let deed = ledger.deed(user).into();
            return Judgement { status: RowStatus::Partial, remarks, deed };
        }
        Some(UserOutcome::Refused(refusal)) => {
            let mut remarks: Vec<Remark> = refusal.each().map(refused).collect();
            remarks.append(&mut NumbersJudged::of(row, &mut reader.numbers, &mut ledger.numbers, None).errors);
            remarks.append(&mut warnings);
            return Judgement::new(RowStatus::Failed, remarks);
        }
        Some(UserOutcome::Written) => first,
        Some(UserOutcome::Same) => false,
    };
    let mut numbers = NumbersJudged::of(row, &mut reader.numbers, &mut ledger.numbers, Some(user));
    let mut deed = numbers.deed;
    if written {
        deed.user = ledger.deed(user);
    }
    let status = match () {
        () if numbers.unprocessed > 0 => RowStatus::Unprocessed,
        () if numbers.errors.is_empty() && (written || numbers.applied > 0) => RowStatus::Applied,
        () if numbers.errors.is_empty() => RowStatus::Unchanged,
        () if written || numbers.good > 0 => RowStatus::Partial,
        () => RowStatus::Failed,
    };
    let mut remarks = numbers.errors;
    // A row that says nothing but more numbers repeats nothing.
    if !first && (numbers.applied == 0 || entry != UserRow::default()) {
        let message = "What the row says stands further up in the file.";
        remarks.push(Remark::warning(Warning::DuplicateInFile, name(LOGIN), login.as_str(), message));
    }
    if let (Some(policy), 1..) = (ledger.numbers.policy(user), numbers.applied) {
        remarks.extend(not_in_force(policy, name(LOGIN), login.as_str()));
    }
    remarks.append(&mut warnings);
    remarks.append(&mut numbers.warnings);
    Judgement { status, remarks, deed }
}
