//! What people do meanwhile.

use jiff::ToSpan;
use rollcall_bulk::directory_import::DirectoryUser;
use rollcall_model::{
    caller_id::CallerId,
    inventory::{NumberFacts, NumberState, utc_day},
    mapping::{CrmUserId, GivenMapping, Mapping},
    phone_side::PhoneUserId,
    user::{DirectoryId, LoginId, Name, Policy, Profile, Ref, User},
};

use crate::{State, log::By, state::Person};

/// What a person does by the API, or the company's directory by itself: in one write.
#[derive(Clone, Debug)]
pub enum Edit {
    /// A number is taken off a list.
    TakeOff(String, CallerId),
    /// A number is put on a list, if lists take it and there is room.
    Add(String, CallerId),
    /// A user is created.
    Create(String),
    /// A user is deleted.
    Delete(String),
    /// A user is deleted, and somebody else gets the login ID.
    Recreate(String),
    /// A user gets another name.
    Rename(String, String),
    /// A user gets another policy.
    Policy(String, Policy),
    /// A number comes to another state, if it can.
    Number(CallerId, NumberState),
    /// A number gets another label: its record is written, and its state stays.
    Label(CallerId, Ref),
    /// A number comes into a department, or out of it.
    Department(CallerId, Option<Ref>),
    /// Somebody says whom of the phone system a CRM user is, or leaves it to the resync.
    Choose(CrmUserId, Option<String>),
    /// A CRM user is mapped by this login ID, if there is no mapping of it.
    Map(CrmUserId, String),
    /// A mapping is deleted.
    Unmap(CrmUserId),
    /// A mapping is deleted, and made anew.
    Remap(CrmUserId, String),
    /// The company's directory has this person so.
    Person(Box<DirectoryUser>),
    /// The company's directory has this person no longer.
    Gone(DirectoryId),
}

impl State {
    /// Does it.
    pub fn edit(&mut self, edit: &Edit) {
        self.by = By::Person;
        match edit {
            Edit::TakeOff(login, number) => {
                self.change_list(login, |list| list.retain(|listed| listed != number));
            }
            Edit::Add(login, number) => {
                let (limit, taken) = (self.settings.list_limit, self.numbers[number].is_assignable());
                self.change_list(login, |list| {
                    if taken && !list.contains(number) && list.len() < limit {
                        list.push(*number);
                    }
                });
            }
            Edit::Create(login) => self.create(login),
            Edit::Delete(login) => {
                if self.users.contains_key(login) {
                    self.put_user(login, None);
                }
            }
            Edit::Recreate(login) => {
                self.edit(&Edit::Delete(login.clone()));
                // No two things happen in one microsecond.
                self.now += 1;
                self.create(login);
            }
            Edit::Rename(login, name) => {
                self.change_user(login, |user| user.profile.name = Name::parse(name).expect("a name"));
            }
            Edit::Policy(login, policy) => self.change_user(login, |user| user.policy = *policy),
            Edit::Number(number, state) => {
                let day = utc_day(self.time()).saturating_add(1.day());
                let resting_until = (*state == NumberState::Resting).then_some(day);
                self.change_facts(*number, |facts| (facts.state, facts.resting_until) = (*state, resting_until));
            }
            Edit::Label(number, label) => self.change_facts(*number, |facts| facts.labels = vec![label.clone()]),
            Edit::Department(number, department) => {
                self.change_facts(*number, |facts| facts.department.clone_from(department));
            }
            Edit::Choose(crm_user, chosen) => {
                let Some((before, _)) = self.mappings.get(crm_user) else { return };
                let phone_user = chosen.as_ref().map(|login| PhoneUserId::parse(login).expect("a phone user"));
                let after = before.with(GivenMapping { phone_user, ..before.given.clone() });
                self.put_mapping(crm_user, Some(after), None);
            }
            Edit::Map(crm_user, login) => {
                if !self.mappings.contains_key(crm_user) {
                    let login = Some(LoginId::parse(login).expect("a login ID"));
                    let given = GivenMapping { login, ..GivenMapping::default() };
                    self.put_mapping(crm_user, Some(Mapping::new(crm_user.clone(), given, self.time())), None);
                }
            }
            Edit::Unmap(crm_user) => {
                if self.mappings.contains_key(crm_user) {
                    self.put_mapping(crm_user, None, None);
                }
            }
            Edit::Remap(crm_user, login) => {
                self.edit(&Edit::Unmap(crm_user.clone()));
                self.now += 1;
                self.edit(&Edit::Map(crm_user.clone(), login.clone()));
            }
            Edit::Person(person) => {
                self.changes.push(person.id.clone());
                self.people.insert(person.id.clone(), (**person).clone());
            }
            Edit::Gone(id) => {
                self.people.remove(id);
                self.changes.push(id.clone());
            }
        }
    }

    fn create(&mut self, login: &str) {
        if !self.users.contains_key(login) {
            let profile = Profile::named(&format!("The {login}")).expect("a name");
            let user = User::created(LoginId::parse(login).expect("a login ID"), profile, self.time());
            let born = self.next_birth();
            self.put_user(login, Some(Person { user, born, written_by: None }));
        }
    }

    fn change_user(&mut self, login: &str, change: impl FnOnce(&mut User)) {
        let Some(mut person) = self.users.get(login).cloned() else { return };
        let before = person.user.clone();
        change(&mut person.user);
        person.user = person.user.revised(&before, self.time());
        self.put_user(login, Some(person));
    }

    fn change_facts(&mut self, number: CallerId, change: impl FnOnce(&mut NumberFacts)) {
        let Some(now) = self.numbers.get(&number) else { return };
        let mut facts = now.facts.clone();
        change(&mut facts);
        if let Ok(after) = now.change(facts, self.time())
            && after != *now
        {
            self.put_number(&after);
        }
    }
}
