//! `rollcall queues`: what waits, and what could not be worked on.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::local::running;
use crate::output::{self, Cell, Column, Table, count, counted};
use crate::{args::OutputFormat, stack_selector::hint, summary};
use local_stack::{Depth, Message, Queues};

/// Options of `rollcall queues`.
#[derive(Debug, Args)]
#[command(after_help = "\
A message in flight is being worked on, or was by somebody who died; it comes back when its visibility timeout is over.

Examples:
  rollcall queues
  rollcall queues rollcall-BulkAppendDeadLetters
  rollcall queues --redrive rollcall-BulkAppendDeadLetters")]
pub struct ShowQueues {
    /// A queue whose messages to show; without one, queues are listed
    queue: Option<String>,
    /// Send the dead letters of this queue back to where they came from
    #[arg(long, value_name = "QUEUE", conflicts_with = "queue")]
    redrive: Option<String>,
    #[command(flatten)]
    form: OutputFormat,
}

#[derive(Serialize)]
struct Line {
    name: String,
    #[serde(flatten)]
    depth: Depth,
}

#[derive(Serialize)]
struct Redriven {
    redriven: usize,
}

impl ShowQueues {
    /// Shows queues or messages, or sends dead letters back.
    ///
    /// # Errors
    /// If no stack runs, or there is no such queue.
    pub fn run(self, dir: &Path) -> Result<ExitCode> {
        running(dir)?;
        let queues = Queues::open(dir)?;
        let depths = queues.depths()?;
        if let Some(name) = self.queue.as_ref().or(self.redrive.as_ref())
            && depths.iter().all(|(queue, _)| queue != name)
        {
            let names: Vec<_> = depths.iter().map(|(queue, _)| queue.as_str()).collect();
            bail!("there is no queue {name}; there are {}", names.join(", "));
        }
        match (&self.queue, &self.redrive) {
            (Some(name), _) => self.messages(&queues.peek(name)?)?,
            (None, Some(name)) => self.redriven(queues.redrive(name)?, dir)?,
            (None, None) => self.depths(depths)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn redriven(&self, redriven: usize, dir: &Path) -> Result<()> {
        if self.form.json {
            return output::print_json(&Redriven { redriven });
        }
        let letters = counted(redriven as u64, "dead letter", "dead letters");
        let look = hint(dir, None, "jobs");
        output::print(&format!("Sent {letters} back. See what comes of it with: {look}\n"))
    }

    fn messages(&self, messages: &[Message]) -> Result<()> {
        if self.form.json {
            return output::print_json(&messages);
        }
        let columns = [Column::number("Sent"), Column::number("Received"), Column::text("Message")];
        let mut table = Table::new(columns);
        for message in messages {
            let sent = Timestamp::from_millisecond(message.sent).unwrap_or_default();
            table.row([
                format!("{} ago", output::span(summary::age(sent))).into(),
                counted(message.receives.into(), "time", "times").into(),
                Cell::from(about(&message.body)),
            ]);
        }
        if table.is_empty() {
            return output::print("No message is in it.\n");
        }
        output::print(&table.render(output::columns(), 0))
    }

    fn depths(&self, depths: Vec<(String, Depth)>) -> Result<()> {
        if self.form.json {
            let lines: Vec<_> = depths.into_iter().map(|(name, depth)| Line { name, depth }).collect();
            return output::print_json(&lines);
        }
        let columns = [Column::text("Queue"), Column::number("Waiting"), Column::number("In flight")];
        let mut table = Table::new(columns);
        for (name, depth) in depths {
            table.row([name.into(), count(depth.waiting).into(), count(depth.in_flight).into()]);
        }
        output::print(&table.render(output::columns(), 0))
    }
}

/// The object that a message announces, or else the message itself.
fn about(body: &str) -> String {
    let event: Option<Value> = serde_json::from_str(body).ok();
    let key = event.as_ref().and_then(|event| event.pointer("/detail/object/key")).and_then(Value::as_str);
    key.unwrap_or(body).to_owned()
}
