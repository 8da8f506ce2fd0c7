//! Imports and syncs that die at any point.

use directory_import::EntraDirectories;
use e2e::{CrashTest, Graph, Quirks, Stack, die_at_every_request};
use rollcall_bulk::{directory_import::sync_state::SyncState, job::Job, safety_threshold::Recent};
use rollcall_connectors::entra::Tenants;
use rollcall_engine::change_sync_state;
use rollcall_engine::kinds::BringUsers;
use rollcall_engine::world::Schedules;
use rollcall_model::{
    jobs::JobKind,
    user::{DirectoryId, LoginId, Profile, User, WebLogin},
};
use rollcall_storage::{connect::Aws, directory::Directory, secrets::Secrets};
use serde_json::json;
use std::sync::Arc;

/// Brings users of this tenant, which is the stack's account's.
async fn operation(stack: &Stack, graph: &Graph) -> BringUsers {
    Graph::connect(stack, &stack.account).await;
    let aws = Aws::local(stack.endpoints()).await;
    let secrets = Arc::new(Secrets::new(&aws));
    let table = Directory::new(&aws, stack.output("TableName"));
    let directories = EntraDirectories { secrets, tenants: Tenants::new(graph.endpoints()), table };
    BringUsers { directories: Arc::new(directories) }
}

/// New people of the tenant, with login names of this prefix.
fn add_users(graph: &Graph, prefix: &str, count: usize) -> Vec<String> {
    let ids = graph.add_users(count);
    for (number, id) in ids.iter().enumerate() {
        graph.change(id, |person| {
            person.user_principal_name = format!("{prefix}{number}@contoso.example");
            person.mail = None;
            person.account_enabled = true;
        });
    }
    ids
}

async fn user(stack: &Stack, prefix: &str, number: usize) -> User {
    stack.user(&format!("{prefix}{number}@contoso.example")).await.expect("the user is there")
}

/// Three people, and an ID that nobody has.
struct Importing(Graph);

impl CrashTest for Importing {
    type Operation = BringUsers;
    const KIND: JobKind = JobKind::DirectoryImport;

    async fn operation(&self, stack: &Stack) -> BringUsers {
        operation(stack, &self.0).await
    }

    async fn prepare(&self, _: &Stack, prefix: &str) -> String {
        let mut ids = add_users(&self.0, prefix, 3);
        ids.push("nobody".to_owned());
        json!({ "import": { "ids": ids } }).to_string()
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let counts = job.counts;
        assert_eq!((counts.applied, counts.failed, counts.rows()), (3, 1, 4), "{context}");
        assert_eq!(job.progress.users_created, 3, "{context}");
        for number in 0..3 {
            assert!(user(stack, prefix, number).await.directory_id.is_some(), "{context}");
        }
        let standing = stack.directory.sync_state(&stack.account).await.unwrap().expect(context).value;
        let last = standing.last_import.expect(context);
        assert_eq!((last.job, last.tally.users, last.tally.unknown_ids), (job.id.clone(), 3, 1), "{context}");
    }
}

/// One is renamed, one gets an address that is another's, one is deleted.
struct Syncing(Graph);

impl CrashTest for Syncing {
    type Operation = BringUsers;
    const KIND: JobKind = JobKind::DirectoryImport;

    async fn operation(&self, stack: &Stack) -> BringUsers {
        let mut taken = e2e::user("taken");
        taken.profile.email = Some("taken@example.com".parse().expect("an address"));
        stack.create_user(taken).await;
        operation(stack, &self.0).await
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        // Each sync blocks one user, and the syncs of a day count together: without this, the eleventh would be held. Each fails for one
        // user, too, for whom the next would ask again.
        let forget = |standing: &mut SyncState| {
            standing.deactivated = Recent::default();
            standing.ask_again.clear();
        };
        change_sync_state(&stack.directory, &stack.account, forget).await.expect("the standing is written");
        let ids = add_users(&self.0, prefix, 3);
        for (number, id) in ids.iter().enumerate() {
            let login = LoginId::parse(&format!("{prefix}{number}@contoso.example")).expect("a login ID");
            let mut user = User::new(login, Profile::named("Before").expect("a name"));
            user.directory_id = Some(DirectoryId::parse(id).expect("a directory ID"));
            stack.create_user(user).await;
        }
        self.0.change(&ids[0], |person| person.display_name = Some("After".to_owned()));
        self.0.change(&ids[1], |person| person.mail = Some("Taken@example.com".to_owned()));
        self.0.delete(&ids[2], true);
        json!({ "sync": {} }).to_string()
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let counts = job.counts;
        assert_eq!((counts.applied, counts.failed, counts.rows()), (2, 1, 3), "{context}");
        assert_eq!(user(stack, prefix, 0).await.profile.name.as_str(), "After", "{context}");
        assert_eq!(user(stack, prefix, 1).await.profile.name.as_str(), "Before", "{context}");
        assert_eq!(user(stack, prefix, 2).await.web_login, WebLogin::Blocked, "{context}");
        let standing = stack.directory.sync_state(&stack.account).await.unwrap().expect(context).value;
        let last = standing.last_sync.expect(context);
        assert_eq!((last.job, last.tally.deactivated), (job.id.clone(), 1), "{context}");
        assert!(standing.next.is_some(), "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_dies_before_and_after_every_request_and_ends_the_same() {
    die_at_every_request(&Importing(Graph::start(Quirks::default()).await), 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_dies_before_and_after_every_request_and_ends_the_same() {
    die_at_every_request(&Syncing(Graph::start(Quirks::default()).await), 20).await;
}
