//! What a file's cells refer to: roles, departments and teams.

use serde::{Deserialize, Serialize};

use super::{COLUMNS, DEPARTMENT, ROLE, TEAM};
use crate::report::Remark;
use rollcall_model::{
    catalog::{CatalogEntry, CatalogKind},
    code::Warning,
    user::{
        Name, Ref, fold,
        near::{closest, did_you_mean},
    },
};

/// The account's catalogue, and what becomes of names that it hasn't.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The account's roles.
    pub roles: Vec<CatalogEntry>,
    /// The account's departments.
    pub departments: Vec<CatalogEntry>,
    /// The account's teams.
    pub teams: Vec<CatalogEntry>,
    /// The role that was chosen for the upload: it is for users whose rows name none.
    pub role: Option<Name>,
    /// The role of new users for whom neither a row nor the upload names one.
    pub default_role: Option<Ref>,
    /// Departments and teams that nobody has made are made. Otherwise they are slips, and change nothing.
    pub welcomes_new: bool,
}

/// A department or a team that a file makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEntry {
    /// Which of both.
    pub kind: NewKind,
    /// What comes into the catalogue.
    pub entry: CatalogEntry,
}

/// What a file can make. **Never a role**: it decides what users may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewKind {
    /// A department.
    Department,
    /// A team.
    Team,
}

impl From<NewKind> for CatalogKind {
    fn from(kind: NewKind) -> Self {
        match kind {
            NewKind::Department => Self::Department,
            NewKind::Team => Self::Team,
        }
    }
}

/// What a cell refers to.
pub(crate) enum Referred {
    /// The one of this ID.
    Known(Ref),
    /// One that is made of it.
    New(NewEntry),
    /// Several have this name.
    Several,
    /// Nobody has made it. With what it is like, if that is near.
    Unknown(Option<String>),
}

impl Catalog {
    /// What the cell of a column refers to: an ID, or a name that only one has, in any case.
    pub(super) fn refer(&self, column: usize, cell: &str) -> Referred {
        let known = match column {
            ROLE => &self.roles,
            DEPARTMENT => &self.departments,
            _ => &self.teams,
        };
        if let Some(entry) = known.iter().find(|entry| entry.id.as_str() == cell) {
            return Referred::Known(entry.id.clone());
        }
        let written = fold(cell);
        let is = |entry: &&CatalogEntry| fold(entry.id.as_str()) == written || fold(entry.name.as_str()) == written;
        let mut found = known.iter().filter(is);
        match (found.next(), found.next()) {
            (Some(entry), None) => return Referred::Known(entry.id.clone()),
            (Some(_), Some(_)) => return Referred::Several,
            (None, _) => {}
        }
        let kind = match column {
            DEPARTMENT => Some(NewKind::Department),
            TEAM => Some(NewKind::Team),
            _ => None,
        };
        let new = kind.filter(|_| self.welcomes_new).and_then(|kind| new_entry(kind, cell, known));
        new.map_or_else(
            || {
                let names = known.iter().flat_map(|entry| [entry.name.as_str(), entry.id.as_str()]);
                Referred::Unknown(closest(cell, names).map(str::to_owned))
            },
            Referred::New,
        )
    }

    /// What somebody means who names a department.
    pub(crate) fn department(&self, cell: &str) -> Referred {
        self.refer(DEPARTMENT, cell)
    }

    /// What there is to say of it.
    pub(crate) fn remark_department(&self, field: &str, cell: Option<&Name>) -> Option<Remark> {
        self.remark(DEPARTMENT, field, cell)
    }

    /// What there is to say of a cell that names a department or a team: that it is none, or that it is made.
    pub(super) fn remark(&self, column: usize, field: &str, cell: Option<&Name>) -> Option<Remark> {
        let cell = cell?.as_str();
        let (unknown, new) = match column {
            DEPARTMENT => (Warning::DepartmentUnknown, Warning::DepartmentNew),
            _ => (Warning::TeamUnknown, Warning::TeamNew),
        };
        let what = COLUMNS[column].name.to_lowercase();
        match self.refer(column, cell) {
            Referred::Known(_) | Referred::Several => None,
            Referred::New(NewEntry { entry, .. }) => {
                let message = format!("The {what} is new: it is made with the ID \"{}\".", entry.id);
                Some(Remark::warning(new, field, cell, message))
            }
            Referred::Unknown(near) => {
                let near: Vec<String> = near.into_iter().collect();
                let message = format!(
                    "The account has no {what} of this ID or name, so the {what} is left as it is.{}",
                    did_you_mean(&near)
                );
                Some(Remark::warning(unknown, field, cell, message))
            }
        }
    }
}

/// The entry that a name makes, under an ID that is made of it where it can't be one itself; `None` where another has that ID.
fn new_entry(kind: NewKind, cell: &str, known: &[CatalogEntry]) -> Option<NewEntry> {
    let id = Ref::parse(cell).or_else(|_| {
        let words = cell.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        Ref::parse(&fold(&words.collect::<Vec<_>>().join("-")))
    });
    let id = id.ok().filter(|id| known.iter().all(|entry| fold(entry.id.as_str()) != fold(id.as_str())))?;
    let name = Name::parse(cell).ok()?;
    Some(NewEntry { kind, entry: CatalogEntry { id, name } })
}
