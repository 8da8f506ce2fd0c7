//! What must not be in any log: looked for in the logs of every stack that a test has started.

use std::{fs, path::Path};

/// How the tests' numbers and addresses begin or end, tokens, and the secrets of systems that are played.
const CANARIES: [&str; 8] = [
    "+9198765",
    "@example.com",
    "@contoso.example",
    "eyJhbGciOi",
    "Bearer ",
    "@acme.example",
    crate::Graph::CLIENT_SECRET,
    crate::Smartflo::PASSWORD,
];

/// Fails if the logs tell of people, or hold a secret.
pub(crate) fn look_for(logs: &Path) {
    for log in fs::read_dir(logs).into_iter().flatten().flatten() {
        let text = fs::read_to_string(log.path()).unwrap_or_default();
        for line in text.lines() {
            let found = CANARIES.iter().find(|canary| line.contains(**canary));
            assert!(found.is_none(), "{} has {found:?}: {line}", log.path().display());
        }
    }
}
