//! The file that the demo drops: rows of every kind, good and bad, each with what must come of it.

use rollcall_bulk::append::COLUMNS;
use rollcall_bulk::report::RowStatus;
use rollcall_model::code::{RowCode, Warning};

/// The file's name.
pub const NAME: &str = "october-numbers.csv";

/// Numbers that a list takes in the demo, so that one is full.
pub const LIST_LIMIT: usize = 6;

/// Users who show what the file does.
pub const SHOWN_USERS: [&str; 5] = ["user1", "user2", "user5", "user6", "user9"];

/// A row, why it is in the file, and what must come of it.
pub struct DemoRow {
    pub text: &'static str,
    pub about: &'static str,
    pub status: RowStatus,
    pub errors: &'static [RowCode],
    pub warnings: &'static [Warning],
}

const fn good(text: &'static str, about: &'static str, status: RowStatus, warnings: &'static [Warning]) -> DemoRow {
    DemoRow { text, about, status, errors: &[], warnings }
}

const fn bad(text: &'static str, about: &'static str, errors: &'static [RowCode]) -> DemoRow {
    DemoRow { text, about, status: RowStatus::Failed, errors, warnings: &[] }
}

const READ: Warning = Warning::Normalized;

/// The rows, in order. Numbers end in their place in the account's pool.
pub const ROWS: [DemoRow; 35] = [
    good("user1,987654321", "Smartflo's sample: nine digits", RowStatus::Applied, &[]),
    good("user2,987654321; 987654320", "two numbers in a cell", RowStatus::Applied, &[]),
    good("USER3,+919876500003", "login in another case", RowStatus::Applied, &[]),
    good("user4,9876500001;9876500002;", "semicolon left at the end", RowStatus::Applied, &[]),
    good("user11,\"9876500001;\n9876500002\"", "line break in a cell", RowStatus::Applied, &[]),
    good(r#"user7,"'+919876500001;=""9876500002""""#, "how spreadsheets keep text", RowStatus::Applied, &[READ]),
    good("user7,9876500003.0", "what they make of numbers", RowStatus::Applied, &[READ]),
    good("user8,+91 98765-00001;(098765) 00002", "what people write", RowStatus::Applied, &[READ, READ]),
    good("user8,98.765.00003;00919876500004", "what people elsewhere write", RowStatus::Applied, &[READ, READ]),
    good("user9,९८७६५००००१;٩٨٧٦٥٠٠٠٠٢", "digits of other scripts", RowStatus::Applied, &[READ, READ]),
    good("user9,＋９１９８７６５００００３", "full-width digits", RowStatus::Applied, &[READ]),
    good("user9,98765\u{a0}00004;98765\u{200b}00005", "characters that nobody sees", RowStatus::Applied, &[READ, READ]),
    good("user5,9876500004", "policy: department", RowStatus::Applied, &[Warning::PolicyNotCustom]),
    good("user10,9876500001", "policy: all", RowStatus::Applied, &[Warning::PolicyNotCustom]),
    good("user2,9876500001", "already on the list", RowStatus::Unchanged, &[Warning::AlreadyAllowed]),
    good("user1,987654321", "the first row again", RowStatus::Unchanged, &[Warning::DuplicateInFile]),
    DemoRow {
        text: "user4,9876500004;9.8765E+09;1234567890",
        about: "one good number, two bad ones",
        status: RowStatus::Partial,
        errors: &[RowCode::NumberScientific, RowCode::NumberNotOwned],
        warnings: &[],
    },
    bad("user3,9.87654321E8", "Excel took it for a quantity", &[RowCode::NumberScientific]),
    bad("user3,call Asha", "not a number", &[RowCode::NumberInvalid]),
    bad("user3,#N/A", "the error of a formula", &[RowCode::SpreadsheetError]),
    bad("user3,JosÃ©", "letters of another encoding", &[RowCode::TextUnreadable]),
    bad("user3,9000000001", "somebody else's number", &[RowCode::NumberNotOwned]),
    bad("user3,9811122233", "a number that was retired", &[RowCode::NumberRetired]),
    bad("user3,", "no number", &[RowCode::NumberMissing]),
    bad(",9876500001", "no login", &[RowCode::LoginIdMissing]),
    bad("user99,9876500001", "nobody's login", &[RowCode::UserNotFound]),
    bad("asha.rao@example.com,9876500001", "an e-mail address", &[RowCode::UserNotFound]),
    bad("desk@example.com,9876500001", "one's login, another's address", &[RowCode::UserAmbiguous]),
    bad("user6,9876500007", "the list is full", &[RowCode::ListLimit]),
    bad("user3", "too few cells", &[RowCode::ColumnCount]),
    bad("user3,9876500001,9876500002", "commas between numbers", &[RowCode::ColumnCount]),
    bad("user3,\"9876500001", "a quote that is not closed", &[RowCode::MalformedCsv]),
    good("Login ID,Allowed Caller ID", "the header again", RowStatus::Unchanged, &[Warning::HeaderRepeated]),
    good("user3,9876500004;NULL", "what databases write for nothing", RowStatus::Applied, &[Warning::NoValue]),
    good("user12,9876500001", "what follows is still read", RowStatus::Applied, &[]),
];

/// A row that a spreadsheet has left behind. It counts for nothing.
pub const BLANK: &str = ",";

/// The line end that spreadsheets write.
const LINE_END: &str = "\r\n";

/// The file.
pub fn contents() -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let header = names.join(",");
    let rows = ROWS.iter().map(|row| row.text);
    std::iter::once(header.as_str()).chain(rows).chain([BLANK]).flat_map(|row| [row, LINE_END]).collect()
}

impl DemoRow {
    /// Physical lines that it stands on.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Its codes as a report has them.
    pub fn codes(&self) -> String {
        let errors = self.errors.iter().map(|code| code.as_str());
        let warnings = self.warnings.iter().map(|code| code.as_str());
        errors.chain(warnings).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_row_is_in_it() {
        // Those that only a file of users, a resync, a rotation, an execution or an undo can have.
        let others = [
            RowCode::LoginIdTaken,
            RowCode::LoginIdSuspect,
            RowCode::EmailTaken,
            RowCode::ExtensionInUse,
            RowCode::DirectoryIdTaken,
            RowCode::RoleUnknown,
            RowCode::NameMissing,
            RowCode::ValueInvalid,
            RowCode::DefaultNotAllowed,
            RowCode::NumberInRotation,
            RowCode::DuplicateNumber,
            RowCode::ReplacementUnusable,
            RowCode::ListWouldBeEmpty,
            RowCode::ChangedSince,
            RowCode::PhoneUserRefused,
            RowCode::PhoneUserAmbiguous,
            RowCode::PhoneNumberMissing,
            // And what only a table that is full of something can say.
            RowCode::NotStorable,
            RowCode::VersionConflict,
        ];
        for code in RowCode::ALL.iter().filter(|code| !others.contains(code)) {
            assert!(ROWS.iter().any(|row| row.errors.contains(code)), "{code}");
        }
        let others = [
            // Of a file with columns beside the numbers.
            Warning::NumberElsewhere,
            Warning::Unmapped,
            Warning::Ambiguous,
            Warning::Orphaned,
            Warning::PhoneUserMissing,
            Warning::ForeignNumbers,
            Warning::DialledByPolicy,
            Warning::LeftWithoutNumber,
            Warning::NumberNotAssigned,
            Warning::DiffersFromPreview,
            Warning::ChangedSince,
            // Of a file of users.
            Warning::DepartmentUnknown,
            Warning::DepartmentNew,
            Warning::TeamUnknown,
            Warning::TeamNew,
        ];
        for warning in Warning::ALL.iter().filter(|warning| !others.contains(warning)) {
            assert!(ROWS.iter().any(|row| row.warnings.contains(warning)), "{warning}");
        }
    }
}
