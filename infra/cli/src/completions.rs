//! `rollcall completions` and `rollcall man`: what shells and `man` read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::output;

/// Options of `rollcall completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall completions bash > ~/.local/share/bash-completion/completions/rollcall
  rollcall completions zsh > ~/.zfunc/_rollcall
  rollcall completions fish > ~/.config/fish/completions/rollcall.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints them.
    ///
    /// # Errors
    /// If they can't be printed.
    pub fn run(&self, mut command: Command) -> Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "rollcall", &mut script);
        output::print_more(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Options of `rollcall man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rollcall man ~/.local/share/man/man1")]
pub struct ManPages {
    /// The directory to write to, which is made if it isn't there
    directory: PathBuf,
}

impl ManPages {
    /// Writes a page for each command.
    ///
    /// # Errors
    /// If the directory can't be written.
    pub fn run(&self, mut command: Command) -> Result<ExitCode> {
        fs::create_dir_all(&self.directory).context(format!("could not make {}", self.directory.display()))?;
        command.build();
        write(&command, &self.directory)?;
        eprintln!("The pages are in {}; read the first with: man rollcall", self.directory.display());
        Ok(ExitCode::SUCCESS)
    }
}

fn write(command: &Command, directory: &Path) -> Result<()> {
    // Of a command below another, the whole name: rollcall-users-add.
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    Man::new(command.clone()).title(name.to_uppercase()).render(&mut page).context("could not make a page")?;
    let file = directory.join(format!("{name}.1"));
    fs::write(&file, page).context(format!("could not write {}", file.display()))?;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        write(below, directory)?;
    }
    Ok(())
}
