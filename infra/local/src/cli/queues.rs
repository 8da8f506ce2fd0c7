//! `rollcall queues`: what waits, and what could not be worked on.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::connect::running;
use super::output::{self, Column, Table, count, counted};
use super::{Form, hint};
use crate::stack::{Depth, Error, Queues, Result};

/// Options of `rollcall queues`.
#[derive(Debug, Args)]
#[command(after_help = "\
A message in flight is being worked on, or was by somebody who died; it comes back when its visibility timeout is over.

Examples:
  rollcall queues
  rollcall queues --redrive rollcall-BulkAppendDeadLetters")]
pub struct ShowQueues {
    /// Send the dead letters of this queue back to where they came from
    #[arg(long, value_name = "NAME")]
    redrive: Option<String>,
    #[command(flatten)]
    form: Form,
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
    /// Shows them, or sends dead letters back.
    ///
    /// # Errors
    /// If no stack runs, or there is no such queue.
    pub fn run(self, dir: &Path) -> Result<ExitCode> {
        running(dir)?;
        let queues = Queues::open(dir)?;
        let depths = queues.depths()?;
        if let Some(name) = &self.redrive {
            if depths.iter().all(|(queue, _)| queue != name) {
                let names: Vec<_> = depths.iter().map(|(queue, _)| queue.as_str()).collect();
                return Err(Error::new(format!("there is no queue {name}; there are {}", names.join(", "))));
            }
            let redriven = queues.redrive(name)?;
            if self.form.json {
                output::print_json(&Redriven { redriven })?;
            } else {
                let letters = counted(redriven as u64, "dead letter", "dead letters");
                let look = hint(dir, None, "jobs");
                output::print(&format!("Sent {letters} back. See what comes of it with: {look}\n"))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if self.form.json {
            let lines: Vec<_> = depths.into_iter().map(|(name, depth)| Line { name, depth }).collect();
            output::print_json(&lines)?;
            return Ok(ExitCode::SUCCESS);
        }
        let columns = [Column::text("Queue"), Column::number("Waiting"), Column::number("In flight")];
        let mut table = Table::new(columns);
        for (name, depth) in depths {
            table.row([name.into(), count(depth.waiting).into(), count(depth.in_flight).into()]);
        }
        output::print(&table.render(output::columns(), 0))?;
        Ok(ExitCode::SUCCESS)
    }
}
