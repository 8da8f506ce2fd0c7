//! `rollcall mail`: the mails that would have been sent.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use jiff::Timestamp;

use crate::local::running;
use crate::output::{self, Cell, Column, Table, Tone, counted, visible};
use crate::{args::OutputFormat, stack_selector::hint, summary};
use local_stack::{Attachment, Mail, list_mails};

/// Stands for the mail that came last.
const LATEST: &str = "latest";
/// Characters of a mail's ID that a list shows: its time, and some of what tells mails of the same time apart.
const SHOWN_ID: usize = 18;
/// Lines of an attachment that are shown.
const SHOWN_LINES: usize = 6;
/// Bytes of an attachment that those lines are looked for in.
const SHOWN_BYTES: usize = 16 * 1024;

/// Options of `rollcall mail`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing leaves this machine: mails are kept as .eml files in the stack's directory.

Examples:
  rollcall mail
  rollcall mail latest
  rollcall mail latest --save .")]
pub struct ShowMail {
    /// The mail's ID, the beginning of it, or "latest"; without one, mails are listed
    id: Option<String>,
    /// Save its attachments in this directory; no file there is overwritten
    #[arg(long, value_name = "DIR", requires = "id")]
    save: Option<PathBuf>,
    #[command(flatten)]
    form: OutputFormat,
}

impl ShowMail {
    /// Lists them, or shows one.
    ///
    /// # Errors
    /// If no stack runs, there is no such mail, or an attachment can't be saved.
    pub fn run(self, dir: &Path) -> Result<ExitCode> {
        let mails = list_mails(&running(dir)?.mail_dir)?;
        match &self.id {
            None => self.list(&mails, dir)?,
            Some(id) => {
                let mail = find(&mails, id)?;
                if self.form.json {
                    output::print_json(mail)?;
                } else {
                    output::print(&show(mail, dir))?;
                }
                if let Some(dir) = &self.save {
                    mail.attachments.iter().try_for_each(|attachment| save(attachment, dir))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn list(&self, mails: &[Mail], dir: &Path) -> Result<()> {
        if self.form.json {
            return output::print_json(&mails);
        }
        if mails.is_empty() {
            return output::print("No mails have been sent.\n");
        }
        let mut table =
            Table::new([Column::text("Mail"), Column::number("Sent"), Column::text("To"), Column::text("Subject")]);
        for mail in mails {
            table.row([
                mail.id.get(..SHOWN_ID).unwrap_or(&mail.id).into(),
                Cell::from(age(mail)),
                mail.to.join(", ").into(),
                Cell::from(&mail.subject),
            ]);
        }
        let read = hint(dir, None, "mail latest");
        output::print(&format!("{}Read one with: {read}\n", table.render(output::columns(), 0)))
    }
}

fn age(mail: &Mail) -> String {
    let sent = mail.date.as_ref().and_then(|date| date.parse::<Timestamp>().ok());
    sent.map_or_else(String::new, |sent| format!("{} ago", output::span(summary::age(sent))))
}

fn find<'a>(mails: &'a [Mail], id: &str) -> Result<&'a Mail> {
    if id == LATEST {
        return mails.last().ok_or_else(|| anyhow!("no mails have been sent"));
    }
    let found: Vec<_> = mails.iter().filter(|mail| mail.id.starts_with(id)).collect();
    match found[..] {
        [mail] => Ok(mail),
        [] => Err(anyhow!("there is no mail {id}")),
        _ => Err(anyhow!("{} mails begin with {id}; write more of it", found.len())),
    }
}

fn show(mail: &Mail, dir: &Path) -> String {
    let mut text = job_email(mail);
    for attachment in &mail.attachments {
        let size = counted(attachment.bytes.len() as u64, "byte", "bytes");
        let _ = write!(text, "{}", output::heading(&format!("{} ({size})", visible(&attachment.name))));
        let start = &attachment.bytes[..attachment.bytes.len().min(SHOWN_BYTES)];
        let start = String::from_utf8_lossy(start);
        let mut lines = start.trim_start_matches('\u{feff}').lines();
        for line in lines.by_ref().take(SHOWN_LINES) {
            let _ = writeln!(text, "  {}", visible(line));
        }
        if lines.next().is_some() {
            let save = hint(dir, None, &format!("mail {} --save .", mail.id.get(..SHOWN_ID).unwrap_or(&mail.id)));
            let _ = writeln!(text, "  …\n\nSave it whole with: {save}");
        }
    }
    text
}

/// A mail without its attachments.
pub fn job_email(mail: &Mail) -> String {
    let mut text = String::new();
    for (label, value) in [("From", &mail.from), ("To", &mail.to.join(", ")), ("Subject", &mail.subject)] {
        let _ = writeln!(text, "{} {}", Tone::Faint.paint(&format!("{label:8}")), visible(value));
    }
    text.push('\n');
    for line in mail.text.trim_end().lines() {
        let _ = writeln!(text, "{}", visible(line));
    }
    text
}

fn save(attachment: &Attachment, dir: &Path) -> Result<()> {
    // The name comes from whoever wrote the mail, and must not lead elsewhere.
    let name = Path::new(&attachment.name).file_name().unwrap_or("unnamed".as_ref());
    let file = dir.join(name);
    let what = || format!("could not save {}", file.display());
    fs::create_dir_all(dir).context(what())?;
    File::create_new(&file).and_then(|mut open| open.write_all(&attachment.bytes)).context(what())?;
    eprintln!("Saved {}", file.display());
    Ok(())
}
