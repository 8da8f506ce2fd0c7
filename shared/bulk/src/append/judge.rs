//! What came of each row.

use super::{AppendLedger, LOGIN, LoginLookup, NUMBERS, ledger::NumberOutcome, numbers_cell, written_numbers};
use crate::{
    cells::{no_value, refused},
    deed::Deed,
    report::{Judgement, Remark, RowStatus},
};
use rollcall_model::{
    blank::{self, Blank},
    caller_id::CallerId,
    code::{RowCode, Warning},
    numbers::{NumberReader, Reading},
    tel_uri,
    user::{LoginId, Policy, fold, near::did_you_mean, plain_trim, read_login},
};
use rollcall_tabular::{Row, text::shown};

/// Judges one row of an append.
pub fn judge(row: &Row<'_>, reader: &mut NumberReader, ledger: &mut AppendLedger) -> Judgement {
    if let Some(failed) = Judgement::of_shape(row) {
        return failed;
    }
    let header = row.header();
    let login = row.cell(LOGIN).unwrap_or_default();
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let user = match who(&login, ledger) {
        Who::User(user, policy, read_as) => {
            if let Some(read) = read_as {
                let message = format!("\"{}\" was read as \"{}\".", shown(&login), shown(&read));
                warnings.push(Remark::warning(Warning::Normalized, header.name(LOGIN), &login, message));
            }
            Some((user, policy))
        }
        Who::Unprocessed => return Judgement::unprocessed(),
        Who::Refused(code, message) => {
            errors.push(Remark::error(code, header.name(LOGIN), &login, message));
            None
        }
    };
    let mut numbers = NumbersJudged::of(row, reader, ledger, user.map(|(user, _)| user));
    if numbers.written == 0 {
        let message = "The cell is empty: it must hold at least one number.";
        errors.push(Remark::error(RowCode::NumberMissing, header.name(NUMBERS), "", message));
    }
    errors.append(&mut numbers.errors);
    let status = match () {
        () if numbers.unprocessed > 0 => RowStatus::Unprocessed,
        () if errors.is_empty() && numbers.applied > 0 => RowStatus::Applied,
        () if errors.is_empty() => RowStatus::Unchanged,
        () if numbers.good > 0 => RowStatus::Partial,
        () => RowStatus::Failed,
    };
    if let (Some((_, policy)), 1..) = (user, numbers.applied) {
        numbers.warnings.extend(not_in_force(policy, header.name(LOGIN), &login));
    }
    errors.append(&mut warnings);
    errors.append(&mut numbers.warnings);
    Judgement { status, remarks: errors, deed: numbers.deed }
}

/// What came of the numbers of one row.
#[derive(Default)]
pub(crate) struct NumbersJudged {
    /// Numbers written, readable or not.
    pub written: usize,
    /// Numbers that are on the user's list now.
    pub good: usize,
    /// Those of them that this row put there.
    pub applied: usize,
    /// The same, as a deed.
    pub deed: Deed,
    /// Numbers whose turn didn't come.
    pub unprocessed: usize,
    /// Why numbers were refused.
    pub errors: Vec<Remark>,
    /// What is worth knowing.
    pub warnings: Vec<Remark>,
}

impl NumbersJudged {
    /// Judges the numbers of a row for a user of the ledger; without one, only whether they can be read.
    pub(crate) fn of(row: &Row<'_>, reader: &mut NumberReader, ledger: &mut AppendLedger, user: Option<usize>) -> Self {
        let mut judged = Self::default();
        let field = row.header().name(NUMBERS);
        if let Some(cell) = numbers_cell(row) {
            for written in written_numbers(&cell) {
                judged.written += 1;
                match reader.read(written) {
                    Reading::Refused(_) if blank::of(written) == Some(Blank::Placeholder) => {
                        judged.written -= 1;
                        judged.warnings.push(Remark::warning(Warning::NoValue, field, written, no_value(written)));
                    }
                    Reading::Refused(code) => {
                        let (code, message) = refused(written).unwrap_or_else(|| (code, number_message(code, written)));
                        judged.errors.push(Remark::error(code, field, written, message));
                    }
                    Reading::Number { number, unusual } => {
                        let Some(user) = user else { continue };
                        if unusual {
                            let mut message = format!("\"{}\" was read as {number}.", shown(written));
                            if tel_uri::has_extension(written) {
                                message.push_str(" An extension is no part of a caller ID, so it was left out.");
                            }
                            judged.warnings.push(Remark::warning(Warning::Normalized, field, written, message));
                        }
                        judged.fate(ledger.claim(user, number), number, field, written);
                    }
                }
            }
        }
        judged.elsewhere(row, reader);
        judged
    }

    /// A cell right of the numbers that holds nothing but one more: it may be one that a program has parted from them.
    fn elsewhere(&mut self, row: &Row<'_>, reader: &mut NumberReader) {
        let Some((column, cell)) = row.beside(NUMBERS).filter(|(column, _)| !is_for_phones(column)) else { return };
        if let Reading::Number { number, .. } = reader.read(&cell) {
            let message = format!(
                "{number} stands in the column \"{}\", which is not read. If it belongs to the numbers, put quotes around them.",
                shown(column)
            );
            self.warnings.push(Remark::warning(Warning::NumberElsewhere, column, &cell, message));
        }
    }

    fn fate(&mut self, fate: NumberOutcome, number: CallerId, field: &str, written: &str) {
        let mut warn = |warning, message| self.warnings.push(Remark::warning(warning, field, written, message));
        match fate {
            NumberOutcome::Added => {
                self.applied += 1;
                self.deed.add(number);
            }
            NumberOutcome::ReportedEarlier => {
                warn(Warning::DuplicateInFile, format!("{number} for this user stands further up in the file."));
            }
            NumberOutcome::AlreadyPresent => warn(Warning::AlreadyAllowed, format!("The user had {number} before.")),
            NumberOutcome::LimitReached => {
                let message = format!("The user's list is full, so {number} was not added.");
                return self.errors.push(Remark::error(RowCode::ListLimit, field, written, message));
            }
            NumberOutcome::Retracted => {
                let message = format!("{number} was retired while the job ran, so it was taken off the list again.");
                return self.errors.push(Remark::error(RowCode::NumberRetired, field, written, message));
            }
            NumberOutcome::Pending => return self.unprocessed += 1,
        }
        self.good += 1;
    }
}

/// Whether a column is one of other numbers, by its name.
fn is_for_phones(name: &str) -> bool {
    const WORDS: [&str; 6] = ["phone", "mobile", "cell", "contact", "whatsapp", "tel"];
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// The warning for numbers that were added to a list which the user's policy passes over.
pub(crate) fn not_in_force(policy: Policy, field: &str, login: &str) -> Option<Remark> {
    let message =
        "The numbers were added to the user's list, but the user's policy is not custom, so the list is not in force.";
    (policy != Policy::Custom).then(|| Remark::warning(Warning::PolicyNotCustom, field, login, message))
}

enum Who {
    /// A user, and how the login ID was read, where it was repaired.
    User(usize, Policy, Option<String>),
    Unprocessed,
    Refused(RowCode, String),
}

fn who(cell: &str, ledger: &AppendLedger) -> Who {
    let refuse = |code, message: &str| Who::Refused(code, message.to_owned());
    if let Some((code, message)) = refused(cell) {
        return Who::Refused(code, message);
    }
    let login = match read_login(cell) {
        Ok(login) => login,
        Err(_) if rollcall_tabular::text::trim(cell).is_empty() => {
            return refuse(RowCode::LoginIdMissing, "The cell is empty: it must hold a login ID.");
        }
        Err(error) => return Who::Refused(RowCode::UserNotFound, format!("No user has this login ID: {error}.")),
    };
    match ledger.standing(&fold(&login)) {
        Some((user, Some(LoginLookup::User(policy)))) => {
            let repaired = login != plain_trim(cell);
            Who::User(user, policy, repaired.then(|| login.into_owned()))
        }
        Some((user, Some(LoginLookup::Nobody))) => {
            Who::Refused(RowCode::UserNotFound, not_found(cell, ledger.near(user)))
        }
        Some((_, Some(LoginLookup::EmailOnly))) => refuse(
            RowCode::UserNotFound,
            "No user has this login ID. It is a user's e-mail address: write that user's login ID.",
        ),
        Some((_, Some(LoginLookup::Ambiguous))) => refuse(
            RowCode::UserAmbiguous,
            "It is the login ID of one user and the e-mail address of another, so nobody was chosen.",
        ),
        Some((_, Some(LoginLookup::LeftOut(why)))) => refuse(why.code(), why.message()),
        Some((_, None)) | None => Who::Unprocessed,
    }
}

/// What is said of a login ID that nobody has: how it was read, if in another way, what it looks like, and who may have been meant.
fn not_found(cell: &str, near: &[String]) -> String {
    let mut message = "No user of the account has this login ID.".to_owned();
    let Ok(given) = LoginId::read(cell) else { return message };
    if given.repaired {
        message.push_str(&format!(" It was read as \"{}\".", shown(given.login.as_str())));
    }
    message.push_str(&did_you_mean(near));
    if let Some(suspect) = given.suspect {
        message.push(' ');
        message.push_str(suspect.message());
    }
    message
}

/// Why a number that stands in a list was refused.
pub(crate) fn number_message(code: RowCode, written: &str) -> String {
    refusal(code, written, "separate them with a semicolon (;)")
}

/// The same of a cell that takes one number.
pub(crate) fn one_number_message(code: RowCode, written: &str) -> String {
    refusal(code, written, "this column takes one")
}

/// Why a written number was refused; `several` says what to do about more than one.
fn refusal(code: RowCode, written: &str, several: &str) -> String {
    let written = shown(written);
    match code {
        RowCode::NumberScientific => format!(
            "\"{written}\" was rounded by a spreadsheet, so its last digits are lost. Format the column as text and write the number again."
        ),
        RowCode::NumberNotOwned => format!("\"{written}\" is not one of the account's numbers."),
        RowCode::NumberRetired => format!("\"{written}\" has been retired by the account."),
        _ => format!("\"{written}\" is not a telephone number.{}", hint(&written, several)),
    }
}

/// What something that is no telephone number looks like, and what to do.
fn hint(written: &str, several: &str) -> String {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    // Fewer digits are a group of a number.
    let numbers = |parts: &mut dyn Iterator<Item = &str>| parts.filter(|part| digits(part) >= 7).count();
    let marks = |c: char| {
        matches!(c, ',' | ';' | '/' | '|' | '\n' | '\r' | '&' | '、' | '，' | '；' | ':' | '[' | ']')
            || c.is_alphabetic()
    };
    let lower = written.to_lowercase();
    let known = match () {
        () if tel_uri::has_extension(written) => {
            " It is a link to somebody behind a number (ext or isub): write the number that is meant, in full."
        }
        () if tel_uri::is_one(written) && written.contains(';') => {
            " It is a link to a number that is valid in one network alone: write the number with its country code."
        }
        () if numbers(&mut written.split(marks)) > 1 || numbers(&mut written.split_whitespace()) > 1 => {
            return format!(" It looks like several numbers: {several}.");
        }
        () if written.starts_with(['=', '{']) => " It looks like a formula of a spreadsheet: write its result.",
        () if lower.contains("ext") || lower.contains('x') && digits(written) >= 7 => {
            " It looks like a number with an extension: write the number alone."
        }
        () if written.contains(',') && digits(written) >= 7 => {
            " It looks like a number whose digits a spreadsheet has grouped: format the column as text."
        }
        () => "",
    };
    known.to_owned()
}
