//! `rollcall`, as a person runs it.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::{Stack, binaries};

/// Runs a command, on a stack if one is given, and waits for its end.
pub fn rollcall(stack: Option<&Stack>, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(binaries().join("rollcall"));
    command.env_remove("CARGO").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(stack) = stack {
        command.env("ROLLCALL_DIR", stack.dir());
    }
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
