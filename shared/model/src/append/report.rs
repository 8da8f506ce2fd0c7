//! What came of each row.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{LOGIN, Ledger, NUMBERS, Standing, ledger::Fate, written_numbers};
use crate::{
    code::{RowCode, Warning},
    csv_file::{Header, MAX_RECORD_BYTES, RESULT_COLUMNS, Row, RowShape, Writer},
    numbers::{NumberReader, Reading},
    user::{Policy, could_be_login, fold},
};

/// What came of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowStatus {
    /// Every number of it is on the user's list, and at least one was put there by this row.
    Applied,
    /// Some of its numbers are on the user's list, and some can't be.
    Partial,
    /// Every number of it was on the user's list already.
    Unchanged,
    /// Nothing of it could be done.
    Failed,
    /// The job ended before its turn.
    Unprocessed,
}

impl RowStatus {
    /// As it stands in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Partial => "partial",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Unprocessed => "unprocessed",
        }
    }
}

/// Rows by what came of them. Their sum is the number of rows, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// See [`RowStatus::Applied`].
    pub applied: u64,
    /// See [`RowStatus::Partial`].
    pub partial: u64,
    /// See [`RowStatus::Unchanged`].
    pub unchanged: u64,
    /// See [`RowStatus::Failed`].
    pub failed: u64,
    /// See [`RowStatus::Unprocessed`].
    pub unprocessed: u64,
}

impl Counts {
    /// Rows in all.
    pub fn rows(self) -> u64 {
        self.applied + self.partial + self.unchanged + self.failed + self.unprocessed
    }

    /// Rows of which something could not be done: those of the failed file.
    pub fn to_mend(self) -> u64 {
        self.partial + self.failed + self.unprocessed
    }

    fn add(&mut self, status: RowStatus) {
        *match status {
            RowStatus::Applied => &mut self.applied,
            RowStatus::Partial => &mut self.partial,
            RowStatus::Unchanged => &mut self.unchanged,
            RowStatus::Failed => &mut self.failed,
            RowStatus::Unprocessed => &mut self.unprocessed,
        } += 1;
    }
}

/// The two result files of a job, written as the file is read again.
pub struct Report {
    /// Every row.
    pub results: Writer,
    /// The rows of which something could not be done.
    pub failed: Writer,
    /// Rows so far.
    pub counts: Counts,
}

/// Remarks listed for one row at most: past this they would fill a spreadsheet's cell (32,767 characters).
const MAX_REMARKS: usize = 40;
/// Characters of a value repeated in a remark.
const MAX_SHOWN: usize = 80;

impl Report {
    /// A report on a file with this header.
    pub fn new(header: &Header) -> Self {
        let mut report = Self {
            results: Writer::new(header.delimiter),
            failed: Writer::new(header.delimiter),
            counts: Counts::default(),
        };
        for file in [&mut report.results, &mut report.failed] {
            file.record(header.names.iter().map(String::as_str).chain(RESULT_COLUMNS));
        }
        report
    }

    /// Judges one row and writes it.
    pub fn row(&mut self, row: &Row<'_>, reader: &mut NumberReader, ledger: &mut Ledger) -> RowStatus {
        let Judgement { status, remarks } = judge(row, reader, ledger);
        self.counts.add(status);
        let line = row.line.to_string();
        let more = remarks.len().saturating_sub(MAX_REMARKS);
        let remarks = &remarks[..remarks.len() - more];
        let join = |part: fn(&Remark) -> &str, by: &str| remarks.iter().map(part).collect::<Vec<_>>().join(by);
        let mut message = join(|remark| &remark.message, " ");
        if more > 0 {
            message.push_str(&format!(" And {more} more."));
        }
        let ours = [
            line.as_str(),
            status.as_str(),
            &join(|remark| remark.code, "; "),
            &join(|remark| &remark.field, "; "),
            &join(|remark| &remark.value, "; "),
            &message,
        ];
        let original = row.original();
        let cells = || original.iter().map(Cow::as_ref).chain(ours);
        self.results.record(cells());
        if matches!(status, RowStatus::Partial | RowStatus::Failed | RowStatus::Unprocessed) {
            self.failed.record(cells());
        }
        status
    }
}

struct Judgement {
    status: RowStatus,
    remarks: Vec<Remark>,
}

/// One thing to say of a row.
struct Remark {
    code: &'static str,
    field: String,
    value: String,
    message: String,
}

fn judge(row: &Row<'_>, reader: &mut NumberReader, ledger: &mut Ledger) -> Judgement {
    let header = row.header();
    if row.shape != RowShape::Sound {
        return Judgement { status: RowStatus::Failed, remarks: vec![misshapen(row)] };
    }
    let mut remarks = Vec::new();
    let login = row.value(LOGIN).unwrap_or_default();
    let user = match who(&login, ledger) {
        Who::User(user, policy) => Some((user, policy)),
        Who::Unprocessed => return Judgement { status: RowStatus::Unprocessed, remarks },
        Who::Refused(code, message) => {
            remarks.push(Remark::new(code.as_str(), header.name(LOGIN), &login, message));
            None
        }
    };

    let (mut good, mut applied, mut unprocessed) = (0, 0, 0);
    let mut warnings = Vec::new();
    let field = header.name(NUMBERS);
    let mut written_any = false;
    for cell in row.value(NUMBERS).into_iter().chain(row.surplus(NUMBERS)) {
        for written in written_numbers(&cell) {
            written_any = true;
            let (number, unusual) = match reader.read(written) {
                Reading::Number { number, unusual } => (number, unusual),
                Reading::Refused(code) => {
                    remarks.push(Remark::new(code.as_str(), field, written, number_message(code, written)));
                    continue;
                }
            };
            let Some((user, _)) = user else { continue };
            let mut warn = |warning: Warning, message| {
                warnings.push(Remark::new(warning.as_str(), field, written, message));
            };
            if unusual {
                warn(Warning::Normalized, format!("\"{}\" was read as {number}.", shown(written)));
            }
            match ledger.claim(user, number) {
                Fate::Added => {
                    good += 1;
                    applied += 1;
                }
                Fate::Claimed => {
                    good += 1;
                    warn(Warning::DuplicateInFile, format!("{number} for this user stands further up in the file."));
                }
                Fate::Held => {
                    good += 1;
                    warn(Warning::AlreadyAllowed, format!("The user had {number} before."));
                }
                Fate::Over => {
                    let message = format!("The user's list is full, so {number} was not added.");
                    remarks.push(Remark::new(RowCode::ListLimit.as_str(), field, written, message));
                }
                Fate::Open => unprocessed += 1,
            }
        }
    }
    if !written_any {
        let message = "The cell is empty: it must hold at least one number.".to_owned();
        remarks.push(Remark::new(RowCode::NumberMissing.as_str(), field, "", message));
    }

    let status = match () {
        () if unprocessed > 0 => RowStatus::Unprocessed,
        () if remarks.is_empty() && applied > 0 => RowStatus::Applied,
        () if remarks.is_empty() => RowStatus::Unchanged,
        () if good > 0 => RowStatus::Partial,
        () => RowStatus::Failed,
    };
    if let (Some((_, policy)), 1..) = (user, applied)
        && policy != Policy::Custom
    {
        let message = "The numbers were added to the user's list, but the user's policy is not custom, so the list is not in force.";
        warnings.push(Remark::new(Warning::PolicyNotCustom.as_str(), header.name(LOGIN), &login, message.to_owned()));
    }
    remarks.append(&mut warnings);
    Judgement { status, remarks }
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

fn misshapen(row: &Row<'_>) -> Remark {
    let (code, message) = match row.shape {
        RowShape::Unbalanced => {
            (RowCode::MalformedCsv, "A quote is opened and not closed. Close it, or take it away.".to_owned())
        }
        RowShape::TooLong => (RowCode::MalformedCsv, format!("The row is longer than {MAX_RECORD_BYTES} bytes.")),
        RowShape::TooFewCells => (
            RowCode::ColumnCount,
            format!(
                "The row ends before the columns \"{}\" and \"{}\".",
                row.header().name(LOGIN),
                row.header().name(NUMBERS)
            ),
        ),
        RowShape::TooManyCells | RowShape::Sound => (
            RowCode::ColumnCount,
            "The row has more cells than the header has columns. Separate numbers with a semicolon.".to_owned(),
        ),
    };
    Remark::new(code.as_str(), "", "", message)
}

fn number_message(code: RowCode, written: &str) -> String {
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

fn shown(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(MAX_SHOWN) {
        None => Cow::Borrowed(value),
        Some((end, _)) => Cow::Owned(format!("{}…", &value[..end])),
    }
}

impl Remark {
    fn new(code: &'static str, field: &str, value: &str, message: String) -> Self {
        Self { code, field: crate::text::trim(field).to_owned(), value: shown(value).into_owned(), message }
    }
}
