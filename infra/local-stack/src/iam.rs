//! Who asks, and whether they may: every function signs with credentials of its own, and may do what its role in the
//! template allows. Who signs with the stack's own credentials owns everything and may do anything.
//!
//! A function that does here what its role doesn't allow is refused, as on AWS. What was granted, used and refused stands in
//! the file `access.log` of the stack's directory, so that a test can tell which permission nobody uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac::{self, HMAC_SHA256};

use super::data_dir::Credentials;
use super::error::{Context, Result};
use super::template::{ACCOUNT_ID, Function, PARTITION, Statement};

/// The file of the stack's directory.
const FILE: &str = "access.log";

/// Everybody who may ask for something.
pub(super) struct Access {
    owner: Credentials,
    /// By access key ID, which is the function's name.
    functions: BTreeMap<String, Role>,
    log: Mutex<Log>,
}

/// What a function signs with, and what it may do.
struct Role {
    credentials: Credentials,
    statements: Vec<Statement>,
}

/// Says each thing once.
struct Log {
    file: File,
    said: BTreeSet<String>,
}

/// What somebody wants to do.
#[derive(Clone, Copy)]
pub(super) struct AccessRequest<'a> {
    /// An action of IAM, such as `s3:GetObject`.
    pub(super) action: &'a str,
    /// The ARN of what it is done to.
    pub(super) resource: &'a str,
    /// What else conditions may ask about: keys of IAM and their values.
    pub(super) keys: &'a [(&'a str, &'a str)],
}

/// Nothing allows it. The text is AWS's.
#[derive(Debug, thiserror::Error)]
#[error(
    "User: arn:{PARTITION}:sts::{ACCOUNT_ID}:assumed-role/{function}/{function} is not authorized to perform: {action} on \
     resource: {resource} because no identity-based policy allows the {action} action"
)]
pub(super) struct Denied {
    function: String,
    action: String,
    resource: String,
}

impl Access {
    /// Gives every function its credentials. They are the same in each life of the stack, so that links that a function has
    /// signed stay good.
    ///
    /// # Errors
    /// If the log can't be written.
    pub(super) fn new(dir: &Path, owner: Credentials, functions: &[Function]) -> Result<Self> {
        let what = "could not write what functions may do";
        let key = hmac::Key::new(HMAC_SHA256, owner.secret_access_key.as_bytes());
        let role = |function: &Function| {
            let secret_access_key = hex::encode(hmac::sign(&key, function.name.as_bytes()).as_ref());
            let credentials = Credentials { access_key_id: function.name.clone(), secret_access_key };
            (function.name.clone(), Role { credentials, statements: function.statements.clone() })
        };
        let functions: BTreeMap<_, _> = functions.iter().map(role).collect();
        let log = Log { file: File::create(dir.join(FILE)).context(what)?, said: BTreeSet::new() };
        let access = Self { owner, functions, log: Mutex::new(log) };
        for (function, role) in &access.functions {
            for statement in &role.statements {
                for (action, resource) in
                    statement.actions.iter().flat_map(|action| statement.resources.iter().map(move |one| (action, one)))
                {
                    access.say("granted", function, action, resource);
                }
            }
        }
        Ok(access)
    }

    /// The credentials with this access key ID.
    pub(super) fn credentials(&self, key_id: &str) -> Option<&Credentials> {
        match self.functions.get(key_id) {
            Some(role) => Some(&role.credentials),
            None => Some(&self.owner).filter(|owner| owner.access_key_id == key_id),
        }
    }

    /// Whether this access key ID is a function's.
    pub(super) fn is_function(&self, key_id: &str) -> bool {
        self.functions.contains_key(key_id)
    }

    /// Everybody's credentials.
    pub(super) fn all_credentials(&self) -> impl Iterator<Item = &Credentials> {
        self.functions.values().map(|role| &role.credentials).chain([&self.owner])
    }

    /// Whether who has this access key ID may have the wish. The key must have been verified.
    pub(super) fn check(&self, key_id: &str, wish: AccessRequest) -> std::result::Result<(), Denied> {
        let Some(role) = self.functions.get(key_id) else { return Ok(()) };
        for statement in &role.statements {
            let action = statement.actions.iter().find(|action| *action == wish.action);
            let resource = statement.resources.iter().find(|pattern| matches(pattern, wish.resource));
            if let (Some(action), Some(resource), true) = (action, resource, holds(&statement.conditions, wish.keys)) {
                self.say("used", key_id, action, resource);
                return Ok(());
            }
        }
        self.say("denied", key_id, wish.action, wish.resource);
        let AccessRequest { action, resource, .. } = wish;
        let denied = Denied { function: key_id.to_owned(), action: action.to_owned(), resource: resource.to_owned() };
        tracing::warn!("{denied}");
        Err(denied)
    }

    fn say(&self, what: &str, function: &str, action: &str, resource: &str) {
        let line = format!("{what} {function} {action} {resource}\n");
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.said.contains(&line) {
            return;
        }
        if let Err(error) = log.file.write_all(line.as_bytes()) {
            tracing::warn!(error = %error, "could not write what functions do");
        }
        log.said.insert(line);
    }
}

fn holds(conditions: &[(String, Vec<String>)], keys: &[(&str, &str)]) -> bool {
    conditions.iter().all(|(key, values)| {
        let given = keys.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
        given.is_some_and(|given| values.iter().any(|value| value == given))
    })
}

/// Whether a pattern covers a text: `*` stands for anything, `?` for one character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where the last star is, and how much of the text it covers so far.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, from));
            at += 1;
        } else if pattern.get(at).is_some_and(|one| *one == '?' || *one == text[from]) {
            at += 1;
            from += 1;
        } else if let Some((position, covered)) = &mut star {
            *covered += 1;
            (at, from) = (*position + 1, *covered);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_iam_says_they_cover() {
        for (pattern, text, covers) in [
            ("a", "a", true),
            ("a", "A", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*/entra-??????", "x/entra-abcdef", true),
            ("*/entra-??????", "x/entra-abcde", false),
            ("inbox/*/append/*", "inbox/acme/append/a/b.csv", true),
            ("inbox/*/append/*", "inbox/acme/users/b.csv", false),
            ("a*b*c", "a-b-b-c", true),
        ] {
            assert_eq!(matches(pattern, text), covers, "{pattern} {text}");
        }
    }

    #[test]
    fn a_function_may_do_what_one_statement_allows_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let statement = |action: &str, resource: &str, conditions: &[(&str, &str)]| Statement {
            actions: vec![action.to_owned()],
            resources: vec![resource.to_owned()],
            conditions: conditions.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect(),
        };
        let function = Function {
            name: "f".to_owned(),
            statements: vec![statement("s3:GetObject", "a/*", &[]), statement("ses:Send", "*", &[("from", "me")])],
            ..Function::default()
        };
        let owner = Credentials { access_key_id: "OWNER".to_owned(), secret_access_key: "s".to_owned() };
        let access = Access::new(dir.path(), owner, &[function]).expect("a log");
        let may = |key_id: &str, action: &str, resource: &str, keys: &[(&str, &str)]| {
            access.check(key_id, AccessRequest { action, resource, keys }).is_ok()
        };
        assert!(may("f", "s3:GetObject", "a/b", &[]));
        assert!(!may("f", "s3:GetObject", "b/b", &[]));
        assert!(!may("f", "s3:PutObject", "a/b", &[]));
        assert!(may("f", "ses:Send", "x", &[("from", "me")]));
        assert!(!may("f", "ses:Send", "x", &[("from", "you")]));
        assert!(!may("f", "ses:Send", "x", &[]));
        assert!(may("OWNER", "s3:DeleteBucket", "a", &[]));

        let (own, owners) =
            (access.credentials("f").expect("its own"), access.credentials("OWNER").expect("the owner's"));
        assert_ne!(own.secret_access_key, owners.secret_access_key);
        assert!(access.credentials("g").is_none());
        let log = std::fs::read_to_string(dir.path().join(FILE)).expect("the log");
        for line in ["granted f s3:GetObject a/*\n", "used f s3:GetObject a/*\n", "denied f s3:PutObject a/b\n"] {
            assert!(log.contains(line), "{line}{log}");
        }
    }
}
