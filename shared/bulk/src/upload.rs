//! Where a dropped file lies, and what that says of it.

use serde::{Deserialize, Serialize};

use crate::job::{Job, Stage};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    email::EmailAddress,
    jobs::{JobId, JobKind, ObjectVersion},
    permit::PermitId,
    user::Name,
};

/// A file dropped for a job: `inbox/{account}/{kind}/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxKey {
    /// Whose directory it is for.
    pub account: AccountId,
    /// What is to be done.
    pub kind: JobKind,
    /// The rest of the key: the file's name, as people know it.
    pub name: String,
}

/// The key is not one that a file for a job can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the key of an upload: inbox/{{account}}/{{kind}}/{{name}}")]
pub struct NotAnUpload;

impl InboxKey {
    /// Reads an object's key.
    ///
    /// # Errors
    /// [`NotAnUpload`] for keys elsewhere, for a bad account name, an unknown kind or no file name.
    pub fn from_key(key: &str) -> Result<Self, NotAnUpload> {
        let mut parts = key.splitn(4, '/');
        let (Some("inbox"), Some(account), Some(kind), Some(name)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAnUpload);
        };
        let account = account.parse().map_err(|_| NotAnUpload)?;
        let kind = JobKind::parse(kind).ok_or(NotAnUpload)?;
        // A key that ends with a slash is a folder that a console made.
        if name.is_empty() || name.ends_with('/') {
            return Err(NotAnUpload);
        }
        Ok(Self { account, kind, name: name.to_owned() })
    }

    /// The object's key.
    pub fn key(&self) -> String {
        format!("inbox/{}/{}/{}", self.account, self.kind.as_str(), self.name)
    }

    /// The name that people know the file by: without the folder that the API or a schedule has made for it. Folders of people's own
    /// belong to the name.
    pub fn shown_name(&self, asked_by: Option<&Actor>) -> &str {
        let Some((folder, name)) = self.name.split_once('/') else { return &self.name };
        let ours = match asked_by {
            Some(Actor::Bucket) => false,
            Some(Actor::Schedule) => folder == SCHEDULED,
            Some(Actor::Call(_) | Actor::Job(_)) | None => is_uuid(folder),
        };
        if ours { name } else { &self.name }
    }
}

/// The folder of an inbox where schedules drop their requests.
pub const SCHEDULED: &str = "scheduled";

/// Whether the API may have made a folder of this name (RFC 9562: 8-4-4-4-12 hexadecimal digits).
fn is_uuid(folder: &str) -> bool {
    let groups = folder.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]) && folder.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The name of a file without the folders that it lies in, as mails and lists call it: the API puts each file into a folder of
/// its own.
pub fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Longest name of a file, in bytes: a key has 1,024.
const MAX_FILE_NAME: usize = 200;

/// Whether a file can be called so in a request.
pub fn is_file_name(name: &str) -> bool {
    (1..=MAX_FILE_NAME).contains(&name.len())
        && ![".", ".."].contains(&name)
        && !name.contains('/')
        && !name.contains(char::is_control)
}

/// What is wrong with a name that isn't one.
pub const NOT_A_FILE_NAME: &str =
    "A file's name has 1 to 200 bytes, without slashes and control characters, and is not . or .. alone.";

/// What an upload says of its job, beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadOptions {
    /// Who gets the report, in place of the account's recipients.
    pub notify: Option<EmailAddress>,
    /// The upload names somebody, and can't be understood.
    pub notify_unreadable: bool,
    /// The role of users whose rows name none: its ID or its name.
    pub role: Option<Name>,
    /// The job is to show what it would do, and to do it when it is told.
    pub preview: bool,
    /// The encoding of the file, where it has no mark. It may be the name of none.
    pub encoding: Option<String>,
    /// What was agreed on about the upload.
    pub permit: Option<PermitId>,
    /// The names of what it says and nobody can read.
    pub unread: Vec<&'static str>,
}

/// What a new object asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxEvent {
    /// A file was dropped for a job.
    Dropped(InboxKey),
    /// A person has decided that a job is to be executed: `decisions/{account}/{kind}/{job}/execute`. What is in the object is of no
    /// account.
    Execute {
        /// Whose job it is.
        account: AccountId,
        /// What it does.
        kind: JobKind,
        /// The job.
        job: JobId,
    },
    /// A job has stopped at its invocation's deadline, and goes on at once: `decisions/{account}/{kind}/{job}/continue/{attempt}`. It is an
    /// event of its own, so that a pause is no failed delivery. What is in the object is of no account.
    Continue {
        /// Whose job it is.
        account: AccountId,
        /// What it does.
        kind: JobKind,
        /// The job.
        job: JobId,
        /// The attempt that has stopped.
        attempt: u32,
    },
}

/// What the fifth part of a decision's key says is to be done with the job.
const EXECUTE: &str = "execute";
const CONTINUE: &str = "continue";

impl InboxEvent {
    /// Reads an object's key.
    ///
    /// # Errors
    /// [`NotAnUpload`] for any other key.
    pub fn from_key(key: &str) -> Result<Self, NotAnUpload> {
        let mut parts = key.split('/');
        if parts.next() != Some("decisions") {
            return InboxKey::from_key(key).map(Self::Dropped);
        }
        let mut part = || parts.next().ok_or(NotAnUpload);
        let account = part()?.parse().map_err(|_| NotAnUpload)?;
        let kind = JobKind::parse(part()?).ok_or(NotAnUpload)?;
        let job = JobId::parse(part()?).ok_or(NotAnUpload)?;
        match (part()?, parts.next(), parts.next()) {
            (EXECUTE, None, None) => Ok(Self::Execute { account, kind, job }),
            (CONTINUE, Some(attempt), None) => {
                Ok(Self::Continue { account, kind, job, attempt: attempt.parse().map_err(|_| NotAnUpload)? })
            }
            _ => Err(NotAnUpload),
        }
    }

    /// The kind of job that an object's key is about: its third part, and nothing else. `None` where that names no kind.
    ///
    /// A folder of somebody's own may be called like another kind (`inbox/acme/append-caller-ids/undo/x.csv`). EventBridge's
    /// wildcards cover slashes too, so the function of that kind is told of the file as well.
    pub fn kind_of(key: &str) -> Option<JobKind> {
        key.split('/').nth(2).and_then(JobKind::parse)
    }

    /// The job that it is about, as a new object of this version tells of it.
    pub fn job(&self, source: &ObjectVersion) -> JobId {
        match self {
            Self::Dropped(_) => JobId::of(source),
            Self::Execute { job, .. } | Self::Continue { job, .. } => job.clone(),
        }
    }

    /// The attempt whose pause has made the event; 0 where it is none of a pause.
    pub fn continues(&self) -> u32 {
        match self {
            Self::Continue { attempt, .. } => *attempt,
            Self::Dropped(_) | Self::Execute { .. } => 0,
        }
    }

    /// Whose job it is about.
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Dropped(upload) => &upload.account,
            Self::Execute { account, .. } | Self::Continue { account, .. } => account,
        }
    }

    /// The key of the object that has a job executed.
    pub fn execute_key(account: &AccountId, kind: JobKind, job: &JobId) -> String {
        format!("decisions/{account}/{}/{job}/{EXECUTE}", kind.as_str())
    }

    /// The key of the object that has a job go on which has stopped.
    pub fn continue_key(job: &Job) -> String {
        let InboxKey { account, kind, .. } = &job.upload;
        format!("decisions/{account}/{}/{}/{CONTINUE}/{}", kind.as_str(), job.id, job.attempts)
    }
}

/// Where a job keeps what it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultKeys {
    prefix: String,
    brought: &'static str,
}

impl ResultKeys {
    /// Those of this job, in this stage. What a preview has made stays when the job is executed; and what was brought for a job
    /// that held is not taken for what its execution has brought.
    pub fn of(account: &AccountId, job: &JobId, stage: Stage) -> Self {
        let (folder, brought) = match stage {
            Stage::Dropped => ("", "brought"),
            Stage::Preview => ("/preview", "brought"),
            Stage::Executed => ("", "executed"),
        };
        Self { prefix: format!("results/{account}/{job}{folder}"), brought }
    }

    /// Every row with what came of it.
    pub fn results(&self) -> String {
        format!("{}/results.csv", self.prefix)
    }

    /// The rows to mend.
    pub fn failed(&self) -> String {
        format!("{}/failed.csv", self.prefix)
    }

    /// The rows of a job that brings its own.
    pub fn generated_rows(&self) -> String {
        format!("{}/{}.csv", self.prefix, self.brought)
    }

    /// What such a job needs to know of its rows later.
    pub fn checkpoint(&self) -> String {
        format!("{}/{}.json", self.prefix, self.brought)
    }

    /// What came of each row in a preview, for its execution to compare.
    pub fn outcomes(&self) -> String {
        format!("{}/outcomes.bin", self.prefix)
    }

    /// Which undos of the job were begun.
    pub fn undos(&self) -> String {
        format!("{}/undos.json", self.prefix)
    }

    /// Numbers of the inventory as they were before a rotation.
    pub fn numbers(&self) -> String {
        format!("{}/numbers.json", self.prefix)
    }

    /// What the job does to one batch of users, in the order of the file.
    pub fn changes(&self, batch: usize) -> String {
        format!("{}/changes/{batch:06}.json", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_whose_file_it_is_and_what_for() {
        let upload = InboxKey::from_key("inbox/acme/append-caller-ids/2026/märz numbers.csv").unwrap();
        assert_eq!((upload.account.as_str(), upload.name.as_str()), ("acme", "2026/märz numbers.csv"));
        assert_eq!(InboxKey::from_key(&upload.key()).unwrap(), upload);
    }

    #[test]
    fn a_shown_name_has_no_folder_of_ours_and_every_folder_of_theirs() {
        let of = |name: &str| InboxKey::from_key(&format!("inbox/acme/append-caller-ids/{name}")).unwrap();
        let shown = |name: &str, asked_by: Option<Actor>| of(name).shown_name(asked_by.as_ref()).to_owned();
        let uuid = "0b6cfd8a-4a2f-4c51-9a47-2b7c3a0b5d11/may.csv";
        let call = Some(Actor::Call("ann".to_owned()));
        assert_eq!(shown(uuid, call.clone()), "may.csv");
        assert_eq!(shown(uuid, None), "may.csv");
        assert_eq!(shown(uuid, Some(Actor::Bucket)), uuid);
        assert_eq!(shown("scheduled/x.json", Some(Actor::Schedule)), "x.json");
        for asked_by in [None, call, Some(Actor::Bucket)] {
            assert_eq!(shown("2026/märz/x.csv", asked_by.clone()), "2026/märz/x.csv");
            assert_eq!(shown("x.csv", asked_by.clone()), "x.csv");
            assert_eq!(shown("scheduled/x.json", asked_by), "scheduled/x.json");
        }
    }

    #[test]
    fn other_keys_are_no_uploads() {
        for key in [
            "",
            "inbox",
            "inbox/acme/append-caller-ids/",
            "inbox/acme/append-caller-ids",
            "inbox/acme/other/x.csv",
            "inbox/AC#ME/append-caller-ids/x.csv",
            "results/acme/append-caller-ids/x.csv",
            "inbox/acme/append-caller-ids/folder/",
            "/inbox/acme/append-caller-ids/x.csv",
        ] {
            assert_eq!(InboxKey::from_key(key), Err(NotAnUpload), "{key}");
        }
    }

    #[test]
    fn a_decision_names_the_job_and_its_function() {
        let (account, kind) = ("acme".parse().unwrap(), JobKind::UploadUsers);
        let job = JobId::parse("0123456789abcdef0123456789abcdef").unwrap();
        let key = InboxEvent::execute_key(&account, kind, &job);
        let goes_on = format!("decisions/acme/upload-users/{job}/continue/3");
        for key in [&key, &goes_on] {
            for other in ["/x", "x"] {
                assert_eq!(InboxEvent::from_key(&format!("{key}{other}")), Err(NotAnUpload));
            }
        }
        assert_eq!(InboxEvent::from_key(goes_on.trim_end_matches("/3")), Err(NotAnUpload));
        let (executed, continued) = (InboxEvent::from_key(&key), InboxEvent::from_key(&goes_on));
        assert_eq!(executed, Ok(InboxEvent::Execute { account: account.clone(), kind, job: job.clone() }));
        assert_eq!(continued, Ok(InboxEvent::Continue { account, kind, job, attempt: 3 }));
        let dropped = "inbox/acme/upload-users/execute";
        assert_eq!(InboxEvent::from_key(dropped).ok(), InboxKey::from_key(dropped).ok().map(InboxEvent::Dropped));
    }
}
