//! What happened in the world, in order: every write with who made it, and what jobs have looked at.

use std::fmt;

use rollcall_bulk::job::Stage;
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    jobs::JobId,
    mapping::{CrmUserId, Mapping},
};

use crate::{
    State,
    state::{Person, sort},
};

/// Who does something.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A person, by the API or beside it.
    #[default]
    Person,
    /// The schedule's round.
    Schedule,
    /// A job.
    Job(JobId),
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who did it.
    pub by: By,
    /// What it was.
    pub what: What,
}

/// What happened. Of a write, how the item was before and after; `None` where there was, or is, none.
#[derive(Clone, Debug)]
pub enum What {
    /// A user was written, or the list.
    User {
        /// The folded login ID.
        login: String,
        /// As it was.
        before: Option<Box<Person>>,
        /// As it is.
        after: Option<Box<Person>>,
    },
    /// A number of the inventory was written.
    Number {
        /// As it was.
        before: Option<Box<InventoryNumber>>,
        /// As it is.
        after: Box<InventoryNumber>,
    },
    /// A mapping was written.
    Mapping {
        /// Whose it is.
        crm_user: CrmUserId,
        /// As it was.
        before: Option<Box<Mapping>>,
        /// As it is.
        after: Option<Box<Mapping>>,
    },
    /// A job was taken up, by one attempt.
    TookUp(Stage),
    /// Somebody has read the user with this folded login ID, or found nobody.
    SawUser(String),
    /// Somebody has read the inventory.
    SawInventory,
    /// Somebody has read people of the company's directory.
    SawDirectory,
}

impl Entry {
    /// The stage that a job was taken up in.
    pub fn stage(&self) -> Option<Stage> {
        match self.what {
            What::TookUp(stage) => Some(stage),
            _ => None,
        }
    }
}

/// In a line, for people.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        let list = |person: &Option<Box<Person>>| match person {
            Some(person) => {
                let list: Vec<String> = person.user.caller_ids.iter().map(|n| short(&n.to_string())).collect();
                format!("[{}] {}", list.join(" "), person.user.policy.as_str())
            }
            None => "nobody".to_owned(),
        };
        let number = |item: &InventoryNumber| {
            let reserved = if item.reserved_by.is_some() { " reserved" } else { "" };
            format!("{}{reserved}", item.facts.state.as_str())
        };
        match &self.by {
            By::Job(job) => write!(f, "{:.6}: ", job.as_str())?,
            by => write!(f, "{by:?}: ")?,
        }
        match &self.what {
            What::User { login, before, after } => write!(f, "{login} {} -> {}", list(before), list(after)),
            What::Number { before, after } => {
                let before = before.as_ref().map(|item| number(item)).unwrap_or_default();
                write!(f, "number {} {before} -> {}", short(&after.number.to_string()), number(after))
            }
            What::Mapping { crm_user, after, .. } => {
                let permission = after.as_ref().and_then(|after| after.permission.clone());
                write!(f, "mapping {} -> {permission:?}", crm_user.as_str())
            }
            seen => write!(f, "{seen:?}"),
        }
    }
}

impl State {
    pub(crate) fn note(&mut self, what: What) {
        self.log.push(Entry { by: self.by.clone(), what });
    }

    /// Writes a user, or deletes it, and notes it.
    pub(crate) fn put_user(&mut self, login: &str, person: Option<Person>) {
        let before = self.users.remove(login);
        let after = person.map(|mut person| {
            sort(&mut person.user.caller_ids);
            person
        });
        if let Some(after) = &after {
            self.users.insert(login.to_owned(), after.clone());
        }
        let (before, after) = (before.map(Box::new), after.map(Box::new));
        self.note(What::User { login: login.to_owned(), before, after });
    }

    /// Changes a list, and nothing else of its user. Whether there is such a user.
    pub(crate) fn change_list(&mut self, login: &str, change: impl FnOnce(&mut Vec<CallerId>)) -> bool {
        let Some(mut person) = self.users.get(login).cloned() else { return false };
        change(&mut person.user.caller_ids);
        self.put_user(login, Some(person));
        true
    }

    /// Writes a number, and notes it.
    pub fn put_number(&mut self, number: &InventoryNumber) {
        let before = self.numbers.insert(number.number, number.clone()).map(Box::new);
        self.note(What::Number { before, after: Box::new(number.clone()) });
    }

    /// Writes a mapping, or deletes it, and notes it.
    pub(crate) fn put_mapping(&mut self, crm_user: &CrmUserId, mapping: Option<Mapping>, job: Option<JobId>) {
        let before = self.mappings.remove(crm_user).map(|(mapping, _)| Box::new(mapping));
        let after = mapping.clone().map(Box::new);
        if let Some(mapping) = mapping {
            self.mappings.insert(crm_user.clone(), (mapping, job));
        }
        self.note(What::Mapping { crm_user: crm_user.clone(), before, after });
    }
}
