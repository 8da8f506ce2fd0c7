//! `rollcall why`: why a CRM user sees a number, or doesn't.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use rollcall_model::mapping::{CrmUserId, Explanation};

use crate::client::{StackClient, found};
use crate::output::{self, Tone, visible};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall why`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0 says that the CRM user sees the number, 1 that it doesn't.

Examples:
  rollcall why 0057F000001 +919876500001
  rollcall why 0057F000001 \"98765 00001\" --json")]
pub struct Why {
    /// What the CRM calls the user
    #[arg(value_parser = CrmUserId::parse)]
    crm_user: CrmUserId,
    /// The number, as it may stand in a file
    number: String,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

impl Why {
    /// Explains.
    ///
    /// # Errors
    /// If the stack can't be asked, or what was typed is no number.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let path = ["v1", "mappings", self.crm_user.as_str(), "caller-ids", &self.number, "explanation"];
        let no_number = || anyhow!("{} is not a telephone number", visible(&self.number));
        let explanation: Explanation = found(stack.api.get(&path, &[]).await)?.ok_or_else(no_number)?;
        if self.form.json {
            output::print_json(&explanation)?;
        } else {
            output::print(&describe(&explanation, &self.crm_user))?;
        }
        Ok(if explanation.visible { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn describe(explanation: &Explanation, crm_user: &CrmUserId) -> String {
    let sees = if explanation.visible { "sees" } else { "does not see" };
    let mut text = format!("{} {} {}.\n", visible(crm_user.as_str()), Tone::Strong.paint(sees), explanation.number);
    for step in &explanation.chain {
        let mark = if step.holds { Tone::Good.paint("✓") } else { Tone::Bad.paint("✗") };
        let _ = writeln!(text, "  {mark} {:10} {}", step.link.as_str(), visible(&step.detail));
    }
    if let Some(mend) = &explanation.mend {
        let _ = writeln!(text, "What mends it: {mend}");
    }
    text
}
