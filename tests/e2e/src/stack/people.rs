//! Users, numbers and settings, past the API.

use jiff::Timestamp;
use rollcall_engine::world::{Catalogs, TableUsage, Users};
use rollcall_model::{
    audit::Actor,
    catalog::{CatalogEntry, CatalogKind},
    email::EmailAddress,
    inventory::{InventoryNumber, NumberFacts},
    settings::Settings,
    user::{LoginId, Name, Profile, Ref, User},
};
use rollcall_storage::directory::WriteOutcome;

use super::{Stack, TIMEOUT};

impl Stack {
    /// Users `user1` to `user{count}`, without numbers.
    pub async fn create_users(&self, count: usize) {
        let users: Vec<User> = (1..=count).map(|number| user(&format!("user{number}"))).collect();
        assert_eq!(self.directory.create_users(&self.account, &users).await.expect("users are created"), count);
    }

    /// One user.
    pub async fn create_user(&self, user: User) {
        self.directory.create_users(&self.account, &[user]).await.expect("the user is created");
    }

    /// Somebody changes a user.
    pub async fn update_user(&self, before: &User, after: &User) {
        let updated = self.directory.update_user(&self.account, before, after, &somebody()).await;
        assert_eq!(updated.expect("the user is changed"), WriteOutcome::Written);
    }

    /// Somebody deletes a user.
    pub async fn delete_user(&self, user: &User) {
        let deleted = self.directory.delete_user(&self.account, user, &somebody()).await;
        assert_eq!(deleted.expect("the user is deleted"), WriteOutcome::Written);
    }

    /// Numbers of the inventory, in service.
    pub async fn own(&self, numbers: &[&str]) {
        let at = Timestamp::now();
        let number = |text: &&str| {
            InventoryNumber::new(text.parse().expect("a number in E.164 form"), NumberFacts::default(), at)
        };
        let numbers: Vec<_> = numbers.iter().map(number).collect();
        self.directory.put_numbers(&self.account, &numbers).await.expect("numbers are written");
    }

    /// Departments or teams, each called by its ID.
    pub async fn entries(&self, kind: CatalogKind, ids: &[&str]) {
        for id in ids {
            let entry = CatalogEntry { id: Ref::parse(id).expect("an ID"), name: Name::parse(id).expect("a name") };
            self.directory.put_entry(&self.account, kind, &entry, None).await.expect("the catalogue is written");
        }
    }

    /// Who gets reports.
    pub async fn recipients(&self, addresses: &[&str]) {
        let recipients = addresses.iter().map(|address| EmailAddress::parse(address).expect("an address")).collect();
        let settings = Settings { recipients, ..Settings::default() };
        self.directory.put_settings(&self.account, &settings).await.expect("settings are written");
    }

    /// A user, by folded login ID.
    pub async fn user(&self, login: &str) -> Option<User> {
        self.directory.user(&self.account, login).await.expect("the user is read")
    }

    /// A user's list, in order; `None` when there is no such user.
    pub async fn list(&self, login: &str) -> Option<Vec<String>> {
        let until = tokio::time::Instant::now() + TIMEOUT;
        let mut found = self
            .directory
            .find_users(&self.account, &[login], until, &mut TableUsage::default())
            .await
            .expect("the user is read");
        found.remove(login).map(|user| user.caller_ids.iter().map(ToString::to_string).collect())
    }
}

/// Who changes things past the API, where a test doesn't care.
pub fn somebody() -> Actor {
    Actor::Call("somebody".to_owned())
}

/// A user under the custom policy, without numbers.
pub fn user(login: &str) -> User {
    let profile = Profile::named(&format!("The {login}")).expect("a name");
    User::new(LoginId::parse(login).expect("a login ID"), profile)
}
