//! `rollcall`, as a person runs it.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::{Stack, binaries};

/// Runs a command, on a stack if one is given, and waits for its end.
pub fn rollcall(stack: Option<&Stack>, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = command(arguments);
    command.env_remove("CARGO");
    if let Some(stack) = stack {
        command.env("ROLLCALL_DIR", stack.dir());
    }
    run(command, input)
}

/// Runs a command in an environment that has this and nothing else, and waits for its end.
pub fn rollcall_in(environment: &[(&str, &str)], arguments: &[&str], input: &[u8]) -> Output {
    let mut command = command(arguments);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).envs(environment.iter().copied());
    run(command, input)
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries().join("rollcall"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.spawn().expect("rollcall starts");
    // A command that needs no input may have ended before it is written.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("rollcall ends")
}

/// What a command printed under `--json`.
pub fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
