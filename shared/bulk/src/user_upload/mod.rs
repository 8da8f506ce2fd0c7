//! Users from a file: created and changed by login ID, many at once.
//!
//! As with an [`append`](mod@crate::append), the file is read twice. First it becomes a [`UserRequests`]: what is to be so of each
//! user. That, settled into a [`UploadLedger`], is held against the table user by user ([`UploadLedger::plan`], [`UploadLedger::record`]).
//! Then the file is read again, and each row is judged by the ledger ([`judge`]). A row's caller IDs are appended by the
//! append's own ledger, so a file of users never takes one away either.
//!
//! **A cell that is empty, or a column that isn't there, changes nothing.** So a file of two columns mends those two, and
//! a user list that was downloaded and dropped again changes nothing at all.

mod catalog;
mod entry;
mod job;
mod judge;
mod ledger;
mod plan;

pub(crate) use catalog::Referred;
pub use catalog::{Catalog, NewEntry, NewKind};
pub use entry::{UserRow, UserRowReader};
pub use job::UploadJob;
pub use judge::judge;
pub use ledger::{UploadLedger, UserRequests};
pub use plan::{Refusal, UserChange, UserNow, UserPlan};

#[cfg(test)]
mod tests;

use crate::append;
use rollcall_model::user::{AgentStatus, DirectoryId, User, WebLogin};
use rollcall_tabular::{Column, Header, Row, Writer};

// The first two are the append's, whose ledger takes the caller IDs.
pub(crate) const LOGIN: usize = append::LOGIN;
pub(crate) const NUMBERS: usize = append::NUMBERS;
pub(crate) const NAME: usize = 2;
pub(crate) const PHONE: usize = 3;
pub(crate) const EMAIL: usize = 4;
pub(crate) const DESIGNATION: usize = 5;
pub(crate) const DEPARTMENT: usize = 6;
pub(crate) const TEAM: usize = 7;
pub(crate) const ROLE: usize = 8;
pub(crate) const CALLING_AGENT: usize = 9;
pub(crate) const AGENT_STATUS: usize = 10;
pub(crate) const EXTENSION: usize = 11;
pub(crate) const BLOCKED: usize = 12;
pub(crate) const DIRECTORY_ID: usize = 13;
pub(crate) const FORMER_ID: usize = 14;
pub(crate) const DEFAULT_NUMBER: usize = 15;

/// The columns of a file of users, by the names that the Smartflo family gives them. All but the login ID may be absent.
pub static COLUMNS: [Column; 16] = [
    Column { required: true, ..column("Login ID", append::COLUMNS[LOGIN].aliases) },
    column("Allowed Caller ID", append::COLUMNS[NUMBERS].aliases),
    column("Name", &["name", "fullname", "displayname", "agentname"]),
    column("Phone Number", &["phonenumber", "phone", "mobile", "mobilenumber", "callforwardnumber", "followmenumber"]),
    column("Email", &["email", "emailid", "emailaddress", "mail"]),
    column("Designation", &["designation", "jobtitle"]),
    column("Department", &["department", "departmentid"]),
    column("Team", &["team", "teamid"]),
    column("Role", &["role", "userrole", "roleid"]),
    column("Calling Agent", &["callingagent"]),
    column("Agent Status", &["agentstatus"]),
    column("Assign Extension", &["assignextension", "extension", "agentextension"]),
    column("Block Web Login", &["blockweblogin"]),
    column("Directory ID", &["directoryid", "objectid"]),
    column("Former Directory ID", &["formerdirectoryid"]),
    column("Default Caller ID", &["defaultcallerid", "defaultnumber", "defaultdid"]),
];

const fn column(name: &'static str, aliases: &'static [&'static str]) -> Column {
    // Surplus cells can't be told from a row that has slipped, so they are nobody's numbers here.
    Column { name, aliases, required: false, takes_surplus: false }
}

/// The columns of a download, in their order: those of an upload, but for the caller IDs, which have a list of their own,
/// and for the directory's ID.
const DOWNLOADED: [usize; 13] = [
    NAME,
    PHONE,
    EMAIL,
    LOGIN,
    DESIGNATION,
    DEPARTMENT,
    TEAM,
    ROLE,
    CALLING_AGENT,
    AGENT_STATUS,
    EXTENSION,
    BLOCKED,
    DEFAULT_NUMBER,
];

/// The columns of the sample, in the order of the Smartflo family's own; behind them those that it lacks.
const SAMPLED: [usize; 13] = [
    NAME,
    PHONE,
    EMAIL,
    LOGIN,
    DESIGNATION,
    DEPARTMENT,
    TEAM,
    NUMBERS,
    CALLING_AGENT,
    EXTENSION,
    BLOCKED,
    ROLE,
    AGENT_STATUS,
];

const YES: &str = "Yes";
const NO: &str = "No";

/// A file to start from. It is written by the columns that the reader knows.
pub fn sample() -> Vec<u8> {
    let mut writer = Writer::new(b',');
    writer.record(SAMPLED.map(|column| COLUMNS[column].name));
    writer.record([
        "Meera Nair",
        "+919812345678",
        "meera.nair@example.com",
        "meera.nair",
        "Team Lead",
        "sales",
        "north",
        "987654321; 987654320",
        YES,
        "2001",
        NO,
        "",
        AgentStatus::Enabled.as_str(),
    ]);
    writer.record(["Sunil Joshi", "", "", "sunil.joshi", "", "sales", "", "", NO, "", YES, "", ""]);
    writer.take()
}

/// Whether a file says nothing of its users but their caller IDs.
pub fn says_only_numbers(header: &Header) -> bool {
    header.has_only(&[LOGIN, NUMBERS])
}

/// Whom of the company's directory a row is about, if it says so.
pub fn directory_id(row: &Row<'_>) -> Option<DirectoryId> {
    row.value(DIRECTORY_ID).and_then(|cell| DirectoryId::parse(&cell).ok())
}

/// Writes the header of a download.
pub fn write_header(csv: &mut Writer) {
    csv.record(DOWNLOADED.map(|column| COLUMNS[column].name));
}

/// Writes a user as a row of a download. Dropped again as it is, it changes nothing.
pub fn write_user(csv: &mut Writer, user: &User) {
    let cells = DOWNLOADED.map(|column| cell(user, column));
    csv.record(cells.iter().map(String::as_str));
}

fn cell(user: &User, column: usize) -> String {
    let profile = &user.profile;
    let yes_or_no = |yes: bool| Some(if yes { YES } else { NO }.to_owned());
    let text = match column {
        LOGIN => Some(user.login.to_string()),
        NAME => Some(profile.name.as_str().to_owned()),
        PHONE => profile.call_forward_number.map(|number| number.to_string()),
        EMAIL => profile.email.as_ref().map(ToString::to_string),
        DESIGNATION => profile.designation.as_ref().map(|name| name.as_str().to_owned()),
        DEPARTMENT => profile.department.as_ref().map(|id| id.as_str().to_owned()),
        TEAM => profile.team.as_ref().map(|id| id.as_str().to_owned()),
        ROLE => profile.role.as_ref().map(|id| id.as_str().to_owned()),
        CALLING_AGENT => yes_or_no(profile.calling_agent),
        AGENT_STATUS => Some(user.agent_status.as_str().to_owned()),
        EXTENSION => profile.extension.as_ref().map(|extension| extension.login.as_str().to_owned()),
        DEFAULT_NUMBER => profile.default_caller_id.map(|number| number.to_string()),
        BLOCKED => yes_or_no(user.web_login == WebLogin::Blocked),
        DIRECTORY_ID => user.directory_id.as_ref().map(|id| id.as_str().to_owned()),
        _ => None,
    };
    text.unwrap_or_default()
}
