//! What a directory says, as rows of a file of users.

use super::{DirectoryUser, Phone};
use rollcall_model::{
    caller_id::CallerId,
    email::EmailAddress,
    user::{AgentStatus, DirectoryId, LoginId, Name, Ref},
};
use rollcall_tabular::Writer;

/// The columns of the file, by the names that an upload of users has. The last is for people alone, who find it in the
/// results.
pub const COLUMNS: [&str; 11] = [
    "Login ID",
    "Name",
    "Phone Number",
    "Email",
    "Designation",
    "Role",
    "Agent Status",
    "Block Web Login",
    "Directory ID",
    "Former Directory ID",
    "Remark",
];

/// What is to become of one user. What is `None` or false is an empty cell: it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// The user here. `None` when nobody can be named, and the row will say so.
    pub login: Option<LoginId>,
    /// The user's name.
    pub name: Option<Name>,
    /// Where calls to the user are forwarded.
    pub phone: Option<CallerId>,
    /// The user's address.
    pub email: Option<EmailAddress>,
    /// The user's designation.
    pub designation: Option<Name>,
    /// The user's role.
    pub role: Option<Ref>,
    /// The agent's status.
    pub agent_status: Option<AgentStatus>,
    /// The user may not log in any more. There is no row that lets a user in.
    pub block_web_login: bool,
    /// The user there.
    pub id: DirectoryId,
    /// What the same person was called there before.
    pub former_id: Option<DirectoryId>,
    /// What was left out.
    pub remark: Option<&'static str>,
}

const PHONE_UNREADABLE: &str = "The telephone can't be read and was left out.";
const NOBODY: &str = "The directory has nobody with this ID.";

impl ImportRow {
    /// A row that changes nothing yet.
    pub fn of(id: DirectoryId, login: Option<LoginId>) -> Self {
        Self {
            login,
            name: None,
            phone: None,
            email: None,
            designation: None,
            role: None,
            agent_status: None,
            block_web_login: false,
            id,
            former_id: None,
            remark: None,
        }
    }

    /// A row for an ID that was asked for and that nobody has. It will fail, and so be told.
    pub fn nobody(id: DirectoryId) -> Self {
        Self { remark: Some(NOBODY), ..Self::of(id, None) }
    }

    /// The import of a user: under the login ID that an earlier import gave, if there was one, and blocked if the
    /// directory lets the user not log in.
    pub fn import(user: DirectoryUser, linked: Option<LoginId>, role: Option<Ref>) -> Self {
        Self {
            login: Some(linked.unwrap_or(user.login)),
            name: Some(user.name),
            phone: user.phone.number(),
            email: user.email,
            designation: user.designation,
            role,
            agent_status: None,
            block_web_login: !user.enabled,
            id: user.id,
            former_id: None,
            remark: (user.phone == Phone::Unreadable).then_some(PHONE_UNREADABLE),
        }
    }

    /// Whether it changes what is known of the user.
    pub fn updates(&self) -> bool {
        self.name.is_some() || self.email.is_some() || self.phone.is_some() || self.designation.is_some()
    }

    /// Whether it keeps the user out.
    pub fn keeps_out(&self) -> bool {
        self.block_web_login || self.agent_status.is_some()
    }

    /// The cells, in the order of [`COLUMNS`].
    pub fn cells(&self) -> [String; 11] {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        [
            text(self.login.as_ref().map(LoginId::as_str)),
            text(self.name.as_ref().map(Name::as_str)),
            self.phone.map(|number| number.to_string()).unwrap_or_default(),
            text(self.email.as_ref().map(EmailAddress::as_str)),
            text(self.designation.as_ref().map(Name::as_str)),
            text(self.role.as_ref().map(Ref::as_str)),
            text(self.agent_status.map(AgentStatus::as_str)),
            text(self.block_web_login.then_some("Yes")),
            self.id.to_string(),
            text(self.former_id.as_ref().map(DirectoryId::as_str)),
            text(self.remark),
        ]
    }
}

/// The rows as a file.
pub fn write<'a>(rows: impl IntoIterator<Item = &'a ImportRow>) -> Vec<u8> {
    let mut csv = Writer::new(b',');
    csv.record(COLUMNS);
    for row in rows {
        csv.record(row.cells().each_ref().map(String::as_str));
    }
    csv.take()
}

#[cfg(test)]
mod tests {
    use super::*;
    fn asha(enabled: bool) -> DirectoryUser {
        DirectoryUser {
            id: DirectoryId::parse("id-1").unwrap(),
            login: LoginId::parse("asha@example.com").unwrap(),
            name: Name::parse("Asha Rao").unwrap(),
            email: None,
            phone: Phone::Number("+919876543210".parse().unwrap()),
            designation: Some(Name::parse("Agent, nights").unwrap()),
            enabled,
        }
    }

    #[test]
    fn an_import_says_what_the_directory_knows_and_leaves_the_rest_alone() {
        let cells = ImportRow::import(asha(true), None, Some(Ref::parse("agent").unwrap())).cells();
        let expected =
            ["asha@example.com", "Asha Rao", "+919876543210", "", "Agent, nights", "agent", "", "", "id-1", "", ""];
        assert_eq!(cells, expected);
    }

    #[test]
    fn who_is_disabled_there_is_blocked_here_and_who_is_linked_keeps_the_login_id() {
        let linked = LoginId::parse("asha.rao@example.com").unwrap();
        let cells = ImportRow::import(asha(false), Some(linked), None).cells();
        assert_eq!((cells[0].as_str(), cells[6].as_str(), cells[7].as_str()), ("asha.rao@example.com", "", "Yes"));
    }

    #[test]
    fn what_was_left_out_is_said() {
        let user = DirectoryUser { phone: Phone::Unreadable, ..asha(true) };
        let cells = ImportRow::import(user, None, None).cells();
        assert_eq!((cells[2].as_str(), cells[10].as_str()), ("", PHONE_UNREADABLE));
        let cells = ImportRow::nobody(DirectoryId::parse("id-2").unwrap()).cells();
        assert_eq!((cells[0].as_str(), cells[8].as_str(), cells[10].as_str()), ("", "id-2", NOBODY));
    }

    #[test]
    fn an_upload_of_users_knows_the_columns() {
        for column in &COLUMNS[..10] {
            assert!(crate::user_upload::COLUMNS.iter().any(|known| known.name == *column), "{column}");
        }
        let row = ImportRow::import(asha(true), None, None);
        let mut reader = rollcall_tabular::Reader::new(&crate::user_upload::COLUMNS);
        reader.push(&write([&row])).unwrap();
        reader.end().unwrap();
        let read = reader.next_row().unwrap().unwrap();
        assert_eq!(read.value(crate::user_upload::PHONE).as_deref(), Some("+919876543210"));
    }
}
