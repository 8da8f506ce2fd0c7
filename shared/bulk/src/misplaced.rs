//! A file that lies where no job takes it: in a folder of the inbox that is no kind's, or below an account's name in the wrong case.
//!
//! **Such a file ends as one job that has failed**, and the account's recipients are told where it was probably meant to lie. Nothing of
//! it is read.

use crate::{job_email::plain_name, upload::InboxKey};
use rollcall_model::{account::AccountId, code::FileCode, jobs::JobKind};
use rollcall_tabular::FileFault;

/// A file of an account that no job takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// What was probably meant. Where a folder is like no kind's, it is an append: the job that says so needs a kind.
    pub upload: InboxKey,
    /// Why nothing comes of it.
    pub fault: FileFault,
}

impl Misplaced {
    /// Reads the key of an object that is no upload. `None` where it lies in no account's inbox, so that there is nobody to be told.
    pub fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.splitn(4, '/');
        let ("inbox", written) = (parts.next()?, parts.next()?) else { return None };
        let account = AccountId::parse(&written.trim().to_lowercase()).ok()?;
        let (folder, name) = match (parts.next()?, parts.next()) {
            (folder, Some(name)) => (Some(folder), name),
            (name, None) => (None, name),
        };
        let likely = folder.and_then(likely_kind);
        let upload = InboxKey {
            account,
            kind: likely.unwrap_or(JobKind::AppendCallerIds),
            name: name.trim_matches('/').to_owned(),
        };
        let place = [Some(written), folder].into_iter().flatten().map(|part| format!("{}/", plain_name(part)));
        let message = format!(
            "The file lies in inbox/{}, and no job takes files from there. {}",
            place.collect::<String>(),
            meant(&upload.account, likely)
        );
        Some(Self { upload, fault: FileFault { code: FileCode::FolderUnknown, line: None, message } })
    }
}

/// What to do: where the file was to lie.
fn meant(account: &AccountId, likely: Option<JobKind>) -> String {
    if let Some(kind) = likely {
        return format!("Did you mean inbox/{account}/{}/? Put it there.", kind.as_str());
    }
    let folders = JobKind::ALL.map(JobKind::as_str);
    let (last, others) = folders.split_last().expect("there are kinds");
    format!("The folders of inbox/{account}/ are {} and {last}. Put it into the right one.", others.join(", "))
}

/// The kind that a folder was probably meant for: the one whose name is nearly this, or that alone has most of its words.
fn likely_kind(folder: &str) -> Option<JobKind> {
    /// A letter too many and one too few.
    const MOST_EDITS: usize = 2;
    let folder = folder.to_lowercase();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let squeezed = letters(&folder);
    let distance = |kind: &JobKind| edits(&squeezed, &letters(kind.as_str()));
    if let Some(kind) = JobKind::ALL.into_iter().min_by_key(distance).filter(|kind| distance(kind) <= MOST_EDITS) {
        return Some(kind);
    }
    let words = || folder.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let shared = |kind: JobKind| kind.as_str().split('-').filter(|known| words().any(|word| same(word, known))).count();
    let most = JobKind::ALL.into_iter().map(shared).max().filter(|&most| most > 0)?;
    let mut best = JobKind::ALL.into_iter().filter(|&kind| shared(kind) == most);
    best.next().filter(|_| best.next().is_none())
}

/// Whether two words are forms of one: `rotate` and `rotation`, `user` and `users`.
fn same(word: &str, known: &str) -> bool {
    const LEAST: usize = 4;
    let common = word.chars().zip(known.chars()).take_while(|(one, other)| one == other).count();
    common > LEAST || (word.len().min(known.len()) >= LEAST && edits(word, known) <= 1)
}

/// How many letters are put in, taken away, replaced or changed over with the next to make one text of the other.
fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (at, job_email) in one.iter().enumerate() {
        let mut row = vec![at + 1];
        for (to, wanted) in other.iter().enumerate() {
            let replaced = rows[at][to] + usize::from(job_email != wanted);
            let mut fewest = replaced.min(rows[at][to + 1] + 1).min(row[to] + 1);
            if at > 0 && to > 0 && *job_email == other[to - 1] && one[at - 1] == *wanted {
                fewest = fewest.min(rows[at - 1][to - 1] + 1);
            }
            row.push(fewest);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_nearly_a_kinds_names_it() {
        for (folder, kind) in [
            ("append-caller-id", JobKind::AppendCallerIds),
            ("Append-Caller-IDs", JobKind::AppendCallerIds),
            ("append_caller_ids", JobKind::AppendCallerIds),
            ("apend-caller-ids", JobKind::AppendCallerIds),
            ("append-caller-ids ", JobKind::AppendCallerIds),
            ("append", JobKind::AppendCallerIds),
            ("upload-user", JobKind::UploadUsers),
            ("users", JobKind::UploadUsers),
            ("users-2026", JobKind::UploadUsers),
            ("rotation", JobKind::RotateCallerIds),
            ("numbers", JobKind::UploadNumbers),
            ("snapshots", JobKind::PhoneSnapshot),
            ("udno", JobKind::Undo),
        ] {
            assert_eq!(likely_kind(folder), Some(kind), "{folder}");
        }
        for folder in ["caller-ids", "photos", "2026", "", "x", "नंबर"] {
            assert_eq!(likely_kind(folder), None, "{folder}");
        }
    }

    #[test]
    fn a_misplaced_file_says_where_it_was_meant_to_lie() {
        let of = |key: &str| Misplaced::from_key(key).map(|found| (found.upload, found.fault.message));
        let (upload, message) = of("inbox/acme/append-caller-id/2026/x.csv").unwrap();
        assert_eq!((upload.account.as_str(), upload.name.as_str()), ("acme", "2026/x.csv"));
        assert!(message.contains("inbox/acme/append-caller-id/,"), "{message}");
        assert!(message.contains("Did you mean inbox/acme/append-caller-ids/?"), "{message}");
        let (upload, message) = of("inbox/Acme/upload-users/x.csv").unwrap();
        assert_eq!((upload.account.as_str(), upload.kind), ("acme", JobKind::UploadUsers));
        assert!(message.contains("Did you mean inbox/acme/upload-users/?"), "{message}");
        let (upload, message) = of("inbox/acme/x.csv").unwrap();
        assert_eq!(upload.name, "x.csv");
        for kind in JobKind::ALL {
            assert!(message.contains(kind.as_str()), "{message}");
        }
    }

    #[test]
    fn where_no_account_is_named_there_is_nobody_to_be_told() {
        for key in
            ["inbox", "inbox/x.csv", "inbox/AC#ME/append-caller-ids/x.csv", "inbox//append-caller-ids/x", "x/acme/y/z"]
        {
            assert_eq!(Misplaced::from_key(key), None, "{key}");
        }
    }
}
