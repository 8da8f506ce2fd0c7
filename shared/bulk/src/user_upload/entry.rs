//! What one row says of its user.

use super::{
    AGENT_STATUS, BLOCKED, CALLING_AGENT, COLUMNS, DEFAULT_NUMBER, DEPARTMENT, DESIGNATION, DIRECTORY_ID, EMAIL,
    EXTENSION, FORMER_ID, LOGIN, NAME, PHONE, ROLE, TEAM,
};
use crate::{
    cells::{Cells, refused},
    report::Remark,
};
use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    country::Country,
    email::EmailAddress,
    inventory::InventoryNumber,
    numbers::NumberReader,
    spelling::{repair, undo_decimal},
    user::{AgentStatus, DirectoryId, GivenLogin, LoginId, Name, NotAName, Ref, Suspect, WebLogin},
};
use rollcall_tabular::Row;

/// What a row says of its user. `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserRow {
    /// The user's name.
    pub name: Option<Name>,
    /// Where calls to the user are forwarded.
    pub phone: Option<CallerId>,
    /// The user's address.
    pub email: Option<EmailAddress>,
    /// The user's designation.
    pub designation: Option<Name>,
    /// The department's ID or name.
    pub department: Option<Name>,
    /// The team's ID or name.
    pub team: Option<Name>,
    /// The role's ID or name.
    pub role: Option<Name>,
    /// Whether the user makes and takes calls.
    pub calling_agent: Option<bool>,
    /// Whether the agent may take calls.
    pub agent_status: Option<AgentStatus>,
    /// The login of the user's extension.
    pub extension: Option<Ref>,
    /// Whether the user may log in to the web application.
    pub web_login: Option<WebLogin>,
    /// Whom of the company's directory the user is.
    pub directory_id: Option<DirectoryId>,
    /// What the same person was called there before, if that has changed.
    pub former_id: Option<DirectoryId>,
    /// What the user's calls show where nothing else is said.
    pub default_number: Option<CallerId>,
}

macro_rules! each_field {
    ($with:ident: $($field:ident = $column:ident),*) => { $($with!($field, $column);)* };
    ($with:ident) => {
        each_field!($with: name = NAME, phone = PHONE, email = EMAIL, designation = DESIGNATION, department = DEPARTMENT, team = TEAM,
            role = ROLE, calling_agent = CALLING_AGENT, agent_status = AGENT_STATUS, extension = EXTENSION, web_login = BLOCKED,
            directory_id = DIRECTORY_ID, former_id = FORMER_ID, default_number = DEFAULT_NUMBER);
    };
}

impl UserRow {
    /// The first column of which both say something, and not the same.
    pub(super) fn contradiction(&self, other: &Self) -> Option<usize> {
        macro_rules! compare {
            ($field:ident, $column:ident) => {
                if self.$field.is_some() && other.$field.is_some() && self.$field != other.$field {
                    return Some($column);
                }
            };
        }
        each_field!(compare);
        None
    }

    /// Takes over what the other says and this one doesn't. Gives whether there was anything.
    pub(super) fn join(&mut self, other: Self) -> bool {
        let mut joined = false;
        macro_rules! take {
            ($field:ident, $column:ident) => {
                if self.$field.is_none() && other.$field.is_some() {
                    self.$field = other.$field;
                    joined = true;
                }
            };
        }
        each_field!(take);
        joined
    }
}

/// What a row says, and of whom.
pub(super) struct Said {
    pub login: LoginId,
    /// What the login ID looks like, if it may be none.
    pub suspect: Option<Suspect>,
    pub entry: UserRow,
    /// What was passed over or read in another way than it was written.
    pub warnings: Vec<Remark>,
}

/// Reads rows for one account.
pub struct UserRowReader {
    /// Reads the numbers that users dial from: the account's own.
    pub numbers: NumberReader,
    /// Reads the numbers that calls are forwarded to: any valid one.
    phones: NumberReader,
}

impl UserRowReader {
    /// A reader for the account that owns `inventory`.
    pub fn new(country: Country, inventory: &[InventoryNumber]) -> Self {
        Self { numbers: NumberReader::new(country, inventory), phones: NumberReader::of_any(country, &[]) }
    }

    /// What a sound row says, and of whom; or everything that is wrong with it.
    pub(super) fn read(&mut self, row: &Row<'_>) -> Result<Said, Vec<Remark>> {
        let mut cells = Cells::of(row, &COLUMNS);
        let login = login(row, &mut cells);
        let entry = UserRow {
            name: cells.parsed(NAME, Name::parse),
            phone: phone(&mut cells, &mut self.phones),
            email: cells.identifier(EMAIL, EmailAddress::parse, EmailAddress::as_str),
            designation: cells.parsed(DESIGNATION, Name::parse),
            department: cells.identifier(DEPARTMENT, reference, Name::as_str),
            team: cells.identifier(TEAM, reference, Name::as_str),
            role: cells.identifier(ROLE, reference, Name::as_str),
            calling_agent: cells.parsed(CALLING_AGENT, yes_or_no),
            agent_status: cells.parsed(AGENT_STATUS, agent_status),
            extension: cells.identifier(EXTENSION, extension, Ref::as_str),
            web_login: cells
                .parsed(BLOCKED, yes_or_no)
                .map(|yes| if yes { WebLogin::Blocked } else { WebLogin::Active }),
            directory_id: cells.parsed(DIRECTORY_ID, DirectoryId::parse),
            former_id: cells.parsed(FORMER_ID, DirectoryId::parse),
            default_number: default_number(&mut cells, &mut self.numbers),
        };
        match login {
            Some(login) if cells.errors.is_empty() => {
                Ok(Said { suspect: login.suspect, login: login.login, entry, warnings: cells.warnings })
            }
            _ => {
                cells.errors.append(&mut cells.warnings);
                Err(cells.errors)
            }
        }
    }
}

fn login(row: &Row<'_>, cells: &mut Cells<'_>) -> Option<GivenLogin> {
    let cell = row.cell(LOGIN).unwrap_or_default();
    if rollcall_tabular::text::trim(&cell).is_empty() {
        let message = "The cell is empty: it must hold a login ID.";
        cells.error(RowCode::LoginIdMissing, LOGIN, "", message);
        return None;
    }
    if let Some((code, message)) = refused(&cell) {
        cells.error(code, LOGIN, &cell, message);
        return None;
    }
    match LoginId::read(&cell) {
        Ok(given) => {
            if given.repaired {
                cells.normalized(LOGIN, &cell, given.login.as_str());
            }
            Some(given)
        }
        Err(error) => {
            cells.error(RowCode::ValueInvalid, LOGIN, &cell, format!("The cell can't be read: {error}."));
            None
        }
    }
}

/// The ID or the name of a department, a team or a role. An ID that is new is stored as it is read here.
fn reference(text: &str) -> Result<Name, NotAName> {
    Name::parse(&repair(text))
}

/// The login of an extension: most are numbers, which a spreadsheet may have given decimals.
fn extension(text: &str) -> Result<Ref, NotAName> {
    Ref::parse(undo_decimal(text).unwrap_or(text))
}

fn phone(cells: &mut Cells<'_>, phones: &mut NumberReader) -> Option<CallerId> {
    let written = cells.value(PHONE)?;
    cells.number(PHONE, &written, phones)
}

/// One of the account's numbers in any spelling. What is in E.164 form is taken as it is, since a download has also what has been retired since.
fn default_number(cells: &mut Cells<'_>, numbers: &mut NumberReader) -> Option<CallerId> {
    let written = cells.value(DEFAULT_NUMBER)?;
    written.parse().ok().or_else(|| cells.number(DEFAULT_NUMBER, &written, numbers))
}

fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" => Ok(true),
        "no" | "n" | "false" | "0" => Ok(false),
        _ => Err("write Yes or No"),
    }
}

fn agent_status(text: &str) -> Result<AgentStatus, &'static str> {
    let known = [AgentStatus::Enabled, AgentStatus::Disabled, AgentStatus::Blocked];
    let text = text.to_lowercase();
    known.into_iter().find(|status| status.as_str() == text).ok_or("write enabled, disabled or blocked")
}
