//! `rollcall sample`: files to start from.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use rollcall_bulk::{append, number_upload, rotation, user_upload};

use crate::output;

/// Options of `rollcall sample`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rollcall sample append-caller-ids -o numbers.csv")]
pub struct Sample {
    /// What the file is for
    kind: SampleKind,
    /// Where to write it; standard output by default
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Files of which there is a sample.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SampleKind {
    /// Caller IDs to append to users' lists
    AppendCallerIds,
    /// Caller IDs to retire, and what replaces them
    RotateCallerIds,
    /// Users to create and change
    Users,
    /// Numbers to add and change
    Numbers,
}

impl Sample {
    /// Writes it.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn run(self) -> Result<ExitCode> {
        let sample = match self.kind {
            SampleKind::AppendCallerIds => append::sample(),
            SampleKind::RotateCallerIds => rotation::sample(),
            SampleKind::Users => user_upload::sample(),
            SampleKind::Numbers => number_upload::sample(),
        };
        match self.output {
            Some(file) => fs::write(&file, sample).context(format!("could not write {}", file.display()))?,
            None => output::print(&String::from_utf8_lossy(&sample))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
