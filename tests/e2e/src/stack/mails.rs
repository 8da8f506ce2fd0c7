//! Mails that a stack has caught.

use std::{fs, path::PathBuf};

use mail_parser::{MessageParser, MimeHeaders};

use super::Stack;

/// A mail that the stack has caught.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Who it went to.
    pub to: Vec<String>,
    /// The names of its headers, in order.
    pub headers: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Its attachments: name and content.
    pub attachments: Vec<(String, Vec<u8>)>,
}

impl Stack {
    /// Every mail that was caught, in order.
    pub fn mails(&self) -> Vec<Mail> {
        let dir = self.manifest["mail_dir"].as_str().expect("the stack has a mail directory");
        let entries = fs::read_dir(dir).expect("the mail directory is read");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files.iter().map(|file| read_mail(&fs::read(file).expect("the mail is read"))).collect()
    }
}

fn read_mail(bytes: &[u8]) -> Mail {
    let message = MessageParser::default().parse(bytes).expect("a mail");
    let addresses =
        message.to().map(|to| to.iter().filter_map(|address| address.address()).map(str::to_owned).collect());
    Mail {
        to: addresses.unwrap_or_default(),
        headers: message.headers_raw().map(|(name, _)| name.to_ascii_lowercase()).collect(),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        attachments: message
            .attachments()
            .map(|part| (part.attachment_name().unwrap_or_default().to_owned(), part.contents().to_vec()))
            .collect(),
    }
}
