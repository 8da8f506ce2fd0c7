//! `rollcall`: runs the product on this machine.

#![expect(unreachable_pub, reason = "a binary has no outside: `pub` marks what a module offers to the others")]

mod cli;
mod stack;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise. The engines would log every request that they refuse.
const LOGGED: &str = "warn,s3s=off,dynoxide=error";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    cli::Command::parse().run().await.unwrap_or_else(|error| {
        eprintln!("error: {}", error.chain());
        ExitCode::FAILURE
    })
}
