//! What came of each row.

use super::{LOGIN, Ledger, NUMBERS, Standing, ledger::Fate, written_numbers};
use crate::{
    caller_id::CallerId,
    code::{RowCode, Warning},
    csv_file::Row,
    numbers::{NumberReader, Reading},
    report::{Judgement, Remark, RowStatus, shown},
    user::{Policy, could_be_login, fold},
};

/// Judges one row of an append.
pub fn judge(row: &Row<'_>, reader: &mut NumberReader, ledger: &mut Ledger) -> Judgement {
    if let Some(failed) = Judgement::of_shape(row) {
        return failed;
    }
    let header = row.header();
    let login = row.value(LOGIN).unwrap_or_default();
    let mut errors = Vec::new();
    let user = match who(&login, ledger) {
        Who::User(user, policy) => Some((user, policy)),
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
    errors.append(&mut numbers.warnings);
    Judgement { status, remarks: errors }
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
    /// Numbers whose turn didn't come.
    pub unprocessed: usize,
    /// Why numbers were refused.
    pub errors: Vec<Remark>,
    /// What is worth knowing.
    pub warnings: Vec<Remark>,
}

impl NumbersJudged {
    /// Judges the numbers of a row for a user of the ledger; without one, only whether they can be read.
    pub(crate) fn of(row: &Row<'_>, reader: &mut NumberReader, ledger: &mut Ledger, user: Option<usize>) -> Self {
        let mut judged = Self::default();
        let field = row.header().name(NUMBERS);
        for cell in row.value(NUMBERS).into_iter().chain(row.surplus(NUMBERS)) {
            for written in written_numbers(&cell) {
                judged.written += 1;
                match reader.read(written) {
                    Reading::Refused(code) => {
                        judged.errors.push(Remark::error(code, field, written, number_message(code, written)));
                    }
                    Reading::Number { number, unusual } => {
                        let Some(user) = user else { continue };
                        if unusual {
                            let message = format!("\"{}\" was read as {number}.", shown(written));
                            judged.warnings.push(Remark::warning(Warning::Normalized, field, written, message));
                        }
                        judged.fate(ledger.claim(user, number), number, field, written);
                    }
                }
            }
        }
        judged
    }

    fn fate(&mut self, fate: Fate, number: CallerId, field: &str, written: &str) {
        let mut warn = |warning, message| self.warnings.push(Remark::warning(warning, field, written, message));
        match fate {
            Fate::Added => self.applied += 1,
            Fate::Claimed => {
                warn(Warning::DuplicateInFile, format!("{number} for this user stands further up in the file."));
            }
            Fate::Held => warn(Warning::AlreadyAllowed, format!("The user had {number} before.")),
            Fate::Over => {
                let message = format!("The user's list is full, so {number} was not added.");
                return self.errors.push(Remark::error(RowCode::ListLimit, field, written, message));
            }
            Fate::TakenBack => {
                let message = format!("{number} was retired while the job ran, so it was taken off the list again.");
                return self.errors.push(Remark::error(RowCode::NumberRetired, field, written, message));
            }
            Fate::Open => return self.unprocessed += 1,
        }
        self.good += 1;
    }
}

/// The warning for numbers that were added to a list which the user's policy passes over.
pub(crate) fn not_in_force(policy: Policy, field: &str, login: &str) -> Option<Remark> {
    let message =
        "The numbers were added to the user's list, but the user's policy is not custom, so the list is not in force.";
    (policy != Policy::Custom).then(|| Remark::warning(Warning::PolicyNotCustom, field, login, message))
}

enum Who {
    User(usize, Policy),
    Unprocessed,
    Refused(RowCode, String),
}

fn who(login: &str, ledger: &Ledger) -> Who {
    let refused = |code, message: &str| Who::Refused(code, message.to_owned());
    if login.is_empty() {
        return refused(RowCode::LoginIdMissing, "The cell is empty: it must hold a login ID.");
    }
    let known = if could_be_login(login) { ledger.standing(&fold(login)) } else { Some((0, Some(Standing::Nobody))) };
    match known {
        Some((user, Some(Standing::User(policy)))) => Who::User(user, policy),
        Some((_, Some(Standing::Nobody))) => Who::Refused(RowCode::UserNotFound, not_found(login)),
        Some((_, Some(Standing::EmailOnly))) => refused(
            RowCode::UserNotFound,
            "No user has this login ID. It is a user's e-mail address: write that user's login ID.",
        ),
        Some((_, Some(Standing::Ambiguous))) => refused(
            RowCode::UserAmbiguous,
            "It is the login ID of one user and the e-mail address of another, so nobody was chosen.",
        ),
        Some((_, None)) | None => Who::Unprocessed,
    }
}

fn not_found(login: &str) -> String {
    let spoiled = login.starts_with(|c: char| c.is_ascii_digit())
        && login.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | 'e' | 'E'))
        && !login.bytes().all(|byte| byte.is_ascii_digit());
    if spoiled {
        "No user has this login ID. A spreadsheet may have taken it for a number and rewritten it.".to_owned()
    } else {
        "No user of the account has this login ID.".to_owned()
    }
}

/// Why a written number was refused.
pub(crate) fn number_message(code: RowCode, written: &str) -> String {
    let written = shown(written);
    match code {
        RowCode::NumberScientific => format!(
            "\"{written}\" was rounded by a spreadsheet, so its last digits are lost. Format the column as text and write the number again."
        ),
        RowCode::NumberNotOwned => format!("\"{written}\" is not one of the account's numbers."),
        RowCode::NumberRetired => format!("\"{written}\" has been retired by the account."),
        _ => format!("\"{written}\" is not a telephone number."),
    }
}
