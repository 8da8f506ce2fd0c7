//! `rollcall up`: runs the stack until it is told to stop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::open_console::how_to_get_in;
use crate::output::{pairs, print};
use crate::resume::resume;
use crate::stack_selector::hint;
use local_stack::{Manifest, Options, Ports, Stack};

/// The product's template, as the command was built with it.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// Options of `rollcall up`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall up
  rollcall up --ephemeral --parameter DefaultCountry=GB")]
pub struct Up {
    /// Keep nothing: use a directory that is gone afterwards, in place of --dir
    #[arg(long)]
    ephemeral: bool,
    /// Value of a parameter of the template; can be given several times
    #[arg(long = "parameter", value_name = "KEY=VALUE", value_parser = key_value)]
    parameters: Vec<(String, String)>,
    /// A template to use instead of the built-in one
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Port of DynamoDB; any that is free by default
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    dynamodb_port: u16,
    /// Port of S3
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    s3_port: u16,
    /// Port of SES
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    ses_port: u16,
    /// Port of Secrets Manager
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    secrets_manager_port: u16,
    /// Port of the API
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    api_port: u16,
}

impl Up {
    /// Starts the stack, says where it is and waits for Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// If the stack can't be started.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        // Before the stack starts, so that no signal ends the process half-way.
        let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for Ctrl-C")?;
        let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;

        let template = match &self.template {
            Some(file) => std::fs::read_to_string(file).context(format!("could not read {}", file.display()))?,
            None => TEMPLATE.to_owned(),
        };
        let stack = Stack::start(Options {
            dir: (!self.ephemeral).then(|| dir.to_owned()),
            template,
            parameters: self.parameters,
            ports: Ports {
                dynamodb: self.dynamodb_port,
                s3: self.s3_port,
                ses: self.ses_port,
                secrets_manager: self.secrets_manager_port,
                api: self.api_port,
            },
            echo: true,
            login_hint: how_to_get_in(dir),
        })
        .await?;
        // The mails lie right in the stack's directory, wherever that is.
        let used = stack.manifest().mail_dir.parent().filter(|_| self.ephemeral).unwrap_or(dir);
        introduce(stack.manifest(), used)?;
        for line in resume(&stack).await? {
            print(&format!("{line}\n"))?;
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let depths = stack.queues().depths().unwrap_or_default();
        let at_work = depths.iter().any(|(_, depth)| depth.in_flight > 0);
        let goes_on = if at_work && !self.ephemeral {
            " What is being worked on goes on when the stack is started again."
        } else {
            ""
        };
        print(&format!("Stopping.{goes_on}\n"))?;
        stack.shutdown().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Says where the stack is and what to try next. Its other outputs are of use to nobody but a program.
fn introduce(manifest: &Manifest, dir: &Path) -> Result<()> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let mut lines = vec![("Data", dir.display().to_string())];
    lines.extend(manifest.endpoints.api.clone().map(|api| ("API", api)));
    lines.push(("Mails", manifest.mail_dir.display().to_string()));
    lines.push(("Logs", manifest.log_dir.display().to_string()));
    let mut next = vec![("An account to try things on, in another terminal", hint(&dir, None, "seed"))];
    if let Some(api) = &manifest.endpoints.api {
        let token = hint(&dir, None, "token");
        let ask = format!("curl -H \"Authorization: Bearer $({token})\" {api}/v1/users");
        next.push(("All of it in a browser", hint(&dir, None, "console")));
        next.push(("Ask the API about it", ask));
    }
    let mut text = format!("Rollcall is up. Ctrl-C stops it.\n\n{}\n", pairs(&lines));
    for (what, command) in next {
        text.push_str(&format!("{what}:\n  {command}\n"));
    }
    text.push('\n');
    print(&text)
}

fn key_value(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write it as KEY=VALUE".to_owned()),
    }
}
