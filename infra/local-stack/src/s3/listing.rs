//! The index of objects and of their versions, read a page at a time, in the order of their keys' bytes.

use rusqlite::{OptionalExtension, Transaction, params};

use super::objects::{COLUMNS, Version};

/// What is asked for.
pub(super) struct Query<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    /// Keys that share the text up to its next occurrence come as one entry.
    pub(super) delimiter: Option<&'a str>,
    /// Every version and delete marker, or only what a plain read finds.
    pub(super) all_versions: bool,
    /// Entries on a page.
    pub(super) max: usize,
}

/// Where a page starts: at this key, with the versions older than this one.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) key: String,
    pub(super) before: i64,
}

/// A page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) versions: Vec<Version>,
    pub(super) common_prefixes: Vec<String>,
    /// Where the next page starts, if there is one.
    pub(super) next: Option<Start>,
}

impl Start {
    pub(super) fn at(key: impl Into<String>) -> Self {
        Self { key: key.into(), before: i64::MAX }
    }

    /// The smallest key after this one.
    pub(super) fn after(key: &str) -> Self {
        Self::at(format!("{key}\0"))
    }
}

/// Reads a page from the index.
pub(super) fn page(tx: &Transaction, query: &Query, mut start: Start) -> rusqlite::Result<Page> {
    let kind = if query.all_versions { "" } else { "AND latest AND content IS NOT NULL" };
    let mut next = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM objects
         WHERE bucket = ?1 AND key >= ?2 AND (key > ?2 OR id < ?3) {kind}
         ORDER BY key, id DESC LIMIT 1"
    ))?;
    if start.key.as_str() < query.prefix {
        start = Start::at(query.prefix);
    }
    let mut page = Page::default();
    loop {
        let found = next
            .query_row(params![query.bucket, start.key, start.before], Version::from_row)
            .optional()?
            .filter(|version| version.key.starts_with(query.prefix));
        let Some(version) = found else {
            return Ok(page);
        };
        if page.versions.len() + page.common_prefixes.len() >= query.max {
            page.next = Some(start);
            return Ok(page);
        }
        match common_prefix(&version.key, query) {
            Some(common) => {
                let after = first_past(common);
                page.common_prefixes.push(common.to_owned());
                match after {
                    Some(key) => start = Start::at(key),
                    None => return Ok(page),
                }
            }
            None if query.all_versions => {
                start = Start { key: version.key.clone(), before: version.sequence };
                page.versions.push(version);
            }
            None => {
                start = Start::after(&version.key);
                page.versions.push(version);
            }
        }
    }
}

fn common_prefix<'a>(key: &'a str, query: &Query) -> Option<&'a str> {
    let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let at = key[query.prefix.len()..].find(delimiter)?;
    Some(&key[..query.prefix.len() + at + delimiter.len()])
}

/// The smallest text greater than every text that starts with `prefix`, if there is one. The order of UTF-8's bytes is the
/// order of its characters, so it is the prefix with its last character raised by one.
fn first_past(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        if let Some(raised) = (last..=char::MAX).nth(1) {
            characters.push(raised);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_past_is_the_next_text_without_the_prefix() {
        assert_eq!(first_past("a/").as_deref(), Some("a0"));
        assert_eq!(first_past("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
        assert_eq!(first_past("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(first_past("\u{10FFFF}"), None);
        assert_eq!(first_past(""), None);
    }
}
