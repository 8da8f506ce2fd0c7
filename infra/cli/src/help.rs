//! The help of `rollcall` itself: its commands in groups, wrapped to the terminal.

use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use crate::output;

/// The commands by what people come for, in the order of a day.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Users and numbers",
        &[
            "append",
            "upload",
            "users",
            "numbers",
            "rotate",
            "departments",
            "teams",
            "roles",
            "settings",
            "check",
            "sample",
        ],
    ),
    ("Jobs", &["jobs", "job", "undo", "audit"]),
    (
        "CRM, phone system and directory",
        &["why", "mappings", "map", "unmap", "resync", "phone-system", "push", "edge", "directory"],
    ),
    ("Whether all is well", &["status", "doctor"]),
    (
        "This machine",
        &[
            "demo",
            "up",
            "seed",
            "console",
            "generate",
            "mail",
            "queues",
            "schedules",
            "token",
            "completions",
            "man",
            "help",
        ],
    ),
];

/// Columns that the text of a help fills at most: longer lines are hard to follow.
const MOST_COLUMNS: usize = 100;

/// The command line with its help in groups.
pub fn command() -> Command {
    let mut command = crate::command::Command::command().max_term_width(MOST_COLUMNS);
    // What `help` is called is known once it is there.
    command.build();
    let groups = grouped(&command, output::columns().min(MOST_COLUMNS));
    let template =
        format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{groups}\nOptions:\n{{options}}{{after-help}}");
    crate::command::Command::command().max_term_width(MOST_COLUMNS).help_template(StyledStr::from(template))
}

fn grouped(command: &Command, width: usize) -> String {
    let names = GROUPS.iter().flat_map(|(_, names)| names.iter());
    let start = names.map(|name| name.len()).max().unwrap_or(0) + 4;
    let mut text = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(text, "\n{group}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
            for (nth, line) in output::wrap(&about.unwrap_or_default(), width.saturating_sub(start)).iter().enumerate()
            {
                let name = if nth == 0 { format!("  {name}") } else { String::new() };
                let _ = writeln!(text, "{name:start$}{line}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut command = crate::command::Command::command();
        command.build();
        let known: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(grouped.iter().copied().collect::<BTreeSet<_>>(), known);
        assert_eq!(grouped.len(), known.len(), "one stands twice");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_word_is_parted() {
        let mut command = crate::command::Command::command();
        command.build();
        for width in [40, 80, 100] {
            let text = super::grouped(&command, width);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
        }
        assert!(super::grouped(&command, 40).contains("  append"), "a name stands whole");
    }
}
