//! The processes of functions, to be looked for and killed.

use std::{
    fs,
    process::{Command, Stdio},
};

use super::Stack;

impl Stack {
    /// The process that is the stack.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processes of the bulk append that run now.
    pub fn function_pids(&self) -> Vec<u32> {
        self.pids_of("bulk-append")
    }

    /// Processes of a function that run now.
    pub fn pids_of(&self, function: &str) -> Vec<u32> {
        // The name, in parentheses, and the state; one that has died is a Z until somebody asks how (proc(5)).
        let runs = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.split_once(&format!("({function}) ")).is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
        };
        descendants(self.child.id()).into_iter().filter(runs).collect()
    }

    /// Kills every process of the bulk append that runs now, as a crash would.
    pub fn kill_functions(&self) -> usize {
        self.kill_all("bulk-append")
    }

    /// Kills every process of a function that runs now.
    pub fn kill_all(&self, function: &str) -> usize {
        let pids = self.pids_of(function);
        for pid in &pids {
            kill("-KILL", *pid);
        }
        pids.len()
    }
}

fn children(parent: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

fn descendants(ancestor: u32) -> Vec<u32> {
    let children = children(ancestor);
    children.iter().flat_map(|&child| [vec![child], descendants(child)].concat()).collect()
}

pub(super) fn kill(signal: &str, pid: u32) {
    let _ = Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status();
}
