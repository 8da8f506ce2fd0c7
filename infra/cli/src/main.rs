//! `rollcall`: runs the product on this machine.

#![expect(unreachable_pub, reason = "a binary has no outside: `pub` marks what a module offers to the others")]

mod api;
mod append;
mod args;
mod audit;
mod catalog;
mod check;
mod client;
mod cloudformation;
mod command;
mod completions;
mod confirm;
mod demo;
mod demo_account;
mod demo_file;
mod directory;
mod doctor;
mod edge;
mod exit;
mod follow;
mod generate;
mod help;
mod interrupt;
mod job;
mod jobs;
mod list;
mod local;
mod mail;
mod map;
mod mappings;
mod names;
mod numbers;
mod open_console;
mod output;
mod phone_system;
mod push;
mod queues;
mod result_rows;
mod resume;
mod resync;
mod rotate;
mod sample;
mod schedules;
mod seed;
mod settings;
mod split_mix;
mod stack_selector;
mod status;
mod summary;
mod token;
mod undo;
mod up;
mod upload;
mod upload_file;
mod users;
mod when;
mod why;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::FromArgMatches;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise. The engines would log every request that they refuse.
/// What the SDK says of credentials that it doesn't find is said in our own words.
const LOGGED: &str = "warn,s3s=off,dynoxide=error,aws_config=off";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let matches = help::command().get_matches();
    let command = command::Command::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    command.run().await.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
