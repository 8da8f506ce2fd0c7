//! Which stack is meant.

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::Args;
use rollcall_model::account::AccountId;

use crate::args::DEFAULT_ACCOUNT;

/// Where a stack keeps its data, unless somebody says otherwise.
const DEFAULT_DIR: &str = ".rollcall";
/// The variable that says otherwise.
const DIR_VARIABLE: &str = "ROLLCALL_DIR";

/// What these options stand under in a help.
const HEADING: &str = "Which stack";

/// The stack on this machine, or one on AWS.
#[derive(Debug, Clone, Args)]
pub struct StackSelector {
    /// Directory of the stack on this machine
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_DIR, env = DIR_VARIABLE, help_heading = HEADING)]
    dir: PathBuf,
    /// A stack on AWS, by its name in CloudFormation, in place of the one on this machine
    #[arg(long, global = true, value_name = "NAME", help_heading = HEADING)]
    stack: Option<String>,
}

impl StackSelector {
    /// The stack that is on this machine if nobody says otherwise.
    pub fn usual() -> Self {
        Self { dir: usual_dir(), stack: None }
    }

    /// The name of the stack on AWS; `None` for the one on this machine.
    pub fn stack(&self) -> Option<&str> {
        self.stack.as_deref()
    }

    /// The directory of the stack on this machine.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of the stack on this machine, for a command that is for no other.
    ///
    /// # Errors
    /// If one on AWS is meant.
    pub fn here(&self, command: &str) -> Result<&Path> {
        match self.stack {
            None => Ok(&self.dir),
            Some(_) => Err(anyhow!("`{command}` is for the stack on this machine; it doesn't go with --stack")),
        }
    }

    /// A command line to copy, for the same stack and account. On AWS the account is that of the token.
    pub fn hint(&self, account: &AccountId, rest: &str) -> String {
        match &self.stack {
            None => hint(&self.dir, Some(account), rest),
            Some(stack) => format!("{} --stack {} {rest}", program(), quoted(stack)),
        }
    }
}

/// A command line to copy: this program as it was called, for the stack in this directory and the same account.
pub fn hint(dir: &Path, account: Option<&AccountId>, rest: &str) -> String {
    let mut line = program();
    if dir != usual_dir() {
        let _ = write!(line, " --dir {}", quoted(&dir.display().to_string()));
    }
    line.push(' ');
    line.push_str(rest);
    if let Some(account) = account.filter(|account| account.as_str() != DEFAULT_ACCOUNT) {
        let _ = write!(line, " --account {account}");
    }
    line
}

fn usual_dir() -> PathBuf {
    env::var_os(DIR_VARIABLE).map_or_else(|| PathBuf::from(DEFAULT_DIR), PathBuf::from)
}

/// This program as it was called, from where it was called.
fn program() -> String {
    let called = env::args_os().next().map_or_else(|| PathBuf::from("rollcall"), PathBuf::from);
    let here = env::current_dir().unwrap_or_default();
    let short = called.strip_prefix(here).unwrap_or(&called);
    quoted(&short.display().to_string())
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte) || !byte.is_ascii();
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::command::Command;

    /// The texts that the program's sources give for hints, each with whether the account is named after it.
    fn hints() -> Vec<(String, bool)> {
        let mut hints = Vec::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("stack_selector.rs") {
                    hints.extend(hints_of(&fs::read_to_string(path).unwrap()));
                }
            }
        }
        hints
    }

    fn hints_of(source: &str) -> Vec<(String, bool)> {
        let mut hints = Vec::new();
        for call in ["hint(", "hint_here(", "hint_of_stack("] {
            for (at, _) in source.match_indices(call) {
                if source[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
                    || source[..at].ends_with("fn ")
                {
                    continue;
                }
                let arguments = in_parentheses(&source[at + call.len()..]);
                let Some(text) = arguments.split('"').nth(1) else { continue };
                let named = call != "hint_of_stack(" && !arguments.split('"').next().unwrap().contains("None");
                // What is put into the text is a job, or a mail.
                let text: Vec<&str> = text.split(['{', '}']).collect();
                let text = if text.len() == 1 { text.concat() } else { [text[0], &"0".repeat(32), text[2]].concat() };
                hints.push((text, named));
            }
        }
        hints
    }

    /// A text up to the parenthesis that closes one before it.
    fn in_parentheses(text: &str) -> &str {
        let mut depth = 1;
        let end = text.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        &text[..end.unwrap_or(text.len())]
    }

    #[test]
    fn every_hint_is_a_command_line_that_the_program_takes() {
        let hints = hints();
        assert!(hints.len() > 15, "{hints:?}");
        for (text, named) in hints {
            let account = if named { &["--account", "c01"][..] } else { &[] };
            let words =
                ["rollcall", "--dir", "a dir"].into_iter().chain(text.split(' ')).chain(account.iter().copied());
            let parsed = Command::try_parse_from(words);
            assert!(parsed.is_ok(), "{text} (account named: {named}): {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn what_a_shell_would_part_or_replace_is_quoted() {
        for (word, expected) in [
            ("/tmp/märz/.rollcall", "/tmp/märz/.rollcall"),
            ("/tmp/my files", "'/tmp/my files'"),
            ("/tmp/o'clock", r"'/tmp/o'\''clock'"),
            ("/tmp/$HOME", "'/tmp/$HOME'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
