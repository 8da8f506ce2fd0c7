//! What an upload says of its job in the metadata of its object.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use rollcall_bulk::upload::UploadOptions;
use rollcall_model::{email::EmailAddress, permit::PermitId, user::Name};

/// What the header of a metadata key begins with.
pub(super) const META: &str = "x-amz-meta-";
/// The metadata key of an upload that names who gets its report.
const NOTIFY: &str = "notify";
/// The one that names the role of its users, percent-encoded: metadata travels in headers, which take ASCII alone.
const ROLE: &str = "role";
/// The one that, with the value `true`, has the job show what it would do.
const PREVIEW: &str = "preview";
/// Metadata that names the encoding of a file without a mark.
const ENCODING: &str = "encoding";
/// The one that names what was agreed on about the upload.
const PERMIT: &str = "permit";

/// What a header's value can't hold, or changes its meaning by being encoded.
const UNSAFE: &AsciiSet = &CONTROLS.add(b'%');

pub(super) fn metadata(options: &UploadOptions) -> Option<HashMap<String, String>> {
    let notify = options.notify.as_ref().map(|address| (NOTIFY.to_owned(), address.to_string()));
    let role =
        options.role.as_ref().map(|role| (ROLE.to_owned(), utf8_percent_encode(role.as_str(), UNSAFE).to_string()));
    let preview = options.preview.then(|| (PREVIEW.to_owned(), "true".to_owned()));
    let permit = options.permit.as_ref().map(|permit| (PERMIT.to_owned(), permit.as_str().to_owned()));
    let encoding = options.encoding.as_ref().map(|encoding| (ENCODING.to_owned(), encoding.clone()));
    let metadata: HashMap<_, _> = encoding.into_iter().chain(notify).chain(role).chain(preview).chain(permit).collect();
    (!metadata.is_empty()).then_some(metadata)
}

/// What the metadata of an object say. What can't be read of them is named; **a preview that can't be read is one**, since it changes
/// nothing.
pub(super) fn options(metadata: &HashMap<String, String>, kept_back: bool) -> UploadOptions {
    let said = |key: &str| metadata.get(key);
    let notify = said(NOTIFY).map(|text| EmailAddress::parse_mailbox(text));
    let notify = notify.map(|read| read.ok().filter(EmailAddress::takes_reports));
    let role = said(ROLE).filter(|role| !role.trim().is_empty());
    let role = role.map(|role| Name::parse(&percent_decode_str(role).decode_utf8_lossy()).ok());
    let preview =
        said(PREVIEW).map(|preview| preview.trim().to_ascii_lowercase()).filter(|preview| !preview.is_empty());
    let preview = preview.map(|preview| match preview.as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    });
    let unread = [(ROLE, role == Some(None)), (PREVIEW, preview == Some(None))];
    UploadOptions {
        notify_unreadable: notify.as_ref().map_or(kept_back, Option::is_none),
        notify: notify.flatten(),
        permit: said(PERMIT).and_then(|permit| PermitId::parse(permit)),
        preview: preview.is_some_and(|preview| preview.unwrap_or(true)),
        encoding: said(ENCODING).cloned(),
        role: role.flatten(),
        unread: unread.into_iter().filter(|(_, unread)| *unread).map(|(name, _)| name).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_cannot_be_read_are_named_and_an_unreadable_preview_changes_nothing() {
        let of = |said: &[(&str, &str)]| {
            let metadata = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let UploadOptions { role, preview, unread, .. } = options(&metadata, false);
            (role.is_some(), preview, unread)
        };
        assert_eq!(of(&[("role", "Team%20Lead")]), (true, false, vec![]));
        for (preview, expected) in [("true", true), ("True", true), ("yes", true), ("false", false), ("", false)] {
            assert_eq!(of(&[("preview", preview)]), (false, expected, vec![]), "{preview}");
        }
        assert_eq!(of(&[("preview", "please")]), (false, true, vec!["preview"]));
    }
}
