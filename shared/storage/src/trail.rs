//! The audit trail in the bucket: an object for each batch of changes and account, a line for each change.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp, Unit};
use rollcall_model::{
    account::AccountId,
    audit::{AuditChange, AuditEntry, AuditFilter, AuditRange, CLOCKS_DIFFER, ObjectName, folder},
};
use serde::{Deserialize, Serialize};

use rollcall_engine::world::Bucket;

use crate::{StorageError, files::Files};

/// Where the reading of a trail goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailPlace {
    /// The object, below the account's folder.
    object: String,
    /// Lines of it that are done with; where the latest come first, that are still to come.
    lines: usize,
}

/// Objects that one page is read from at most, and their bytes: an answer is due in seconds.
const MOST_OBJECTS: usize = 64;
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Keys that one request lists.
const LISTED: usize = 1_000;
/// Objects read at a time.
const IN_FLIGHT: usize = 8;
const READING: &str = "reading the audit trail";

impl Files {
    /// Keeps changes of an account in its trail, as one object that is complete within `patience` or not at all.
    ///
    /// # Errors
    /// When the bucket can't be written, or not in time.
    pub async fn keep_changes(
        &self,
        account: &AccountId,
        changes: Vec<AuditChange>,
        patience: Duration,
    ) -> Result<usize, StorageError> {
        const OPERATION: &str = "keeping changes in the audit trail";
        let at = Timestamp::now();
        let at = at.round(Unit::Millisecond).map_err(|error| StorageError::unreadable(OPERATION, error))?;
        let entries: Vec<AuditEntry> = changes.into_iter().filter_map(|change| change.entry(at)).collect();
        let seconds = || entries.iter().map(|entry| entry.changed);
        let (Some(first), Some(last), Some(entry)) = (seconds().min(), seconds().max(), entries.first()) else {
            return Ok(0);
        };
        let object = ObjectName { at, first, last, id: entry.id.clone() };
        let mut lines = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut lines, entry).map_err(|error| StorageError::unreadable(OPERATION, error))?;
            lines.push(b'\n');
        }
        let key = format!("{}{}", folder(account), object.name());
        let put = self.put_once(&key, "application/jsonl", lines);
        tokio::time::timeout(patience, put).await.map_err(|error| StorageError::transient(OPERATION, error))??;
        Ok(entries.len())
    }

    /// Some entries of an account's trail, oldest first: at most `limit` after `after`, and where to go on if there may be
    /// more. A page is read from a bounded part of the trail, so it may be short or empty.
    ///
    /// A change that the stream told twice stands twice in the bucket, and is shown where it stands first.
    ///
    /// # Errors
    /// When the bucket can't be read, or what it holds can't.
    pub async fn trail(
        &self,
        account: &AccountId,
        range: AuditRange,
        filter: &AuditFilter,
        after: Option<&TrailPlace>,
        limit: usize,
    ) -> Result<(Vec<AuditEntry>, Option<TrailPlace>), StorageError> {
        let folder = folder(account);
        let (objects, more) = self.objects(&folder, range, after).await?;
        let Some(first) = objects.first() else { return Ok((Vec::new(), None)) };
        let told_before = self.told_before(&folder, &objects).await?;
        let before = told_before.len();
        let all = told_before.iter().chain(&objects);
        let reads: Vec<_> = all.map(|object| self.entries(&folder, object)).collect();
        let mut reads = stream::iter(reads).buffered(IN_FLIGHT).enumerate();
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        let mut done = after.cloned();
        while let Some((at, entries)) = reads.next().await {
            let entries = entries?;
            let Some(object) = at.checked_sub(before).map(|at| &objects[at]) else {
                seen.extend(entries.into_iter().map(|entry| entry.id));
                continue;
            };
            let skipped =
                after.filter(|place| object == first && place.object == *object).map_or(0, |place| place.lines);
            let mut lines = 0;
            for entry in entries {
                lines += 1;
                let is_new = seen.insert(entry.id.clone());
                if lines <= skipped || !is_new || !filter.takes(&entry) {
                    continue;
                }
                found.push(entry);
                if found.len() == limit {
                    return Ok((found, Some(TrailPlace { object: object.clone(), lines })));
                }
            }
            done = Some(TrailPlace { object: object.clone(), lines });
        }
        Ok((found, done.filter(|_| more)))
    }

    /// The same, the latest first. A place says how many lines of its object are still to come.
    ///
    /// # Errors
    /// As [`Self::trail`].
    pub async fn latest_of_trail(
        &self,
        account: &AccountId,
        range: AuditRange,
        filter: &AuditFilter,
        before: Option<&TrailPlace>,
        limit: usize,
    ) -> Result<(Vec<AuditEntry>, Option<TrailPlace>), StorageError> {
        let folder = folder(account);
        let (objects, more) = self.last_objects(&folder, range, before).await?;
        let Some(first) = objects.first() else { return Ok((Vec::new(), None)) };
        let told_before = self.told_before(&folder, &objects).await?;
        let reads: Vec<_> = told_before.iter().chain(&objects).map(|object| self.entries(&folder, object)).collect();
        let read: Vec<Vec<AuditEntry>> = stream::iter(reads).buffered(IN_FLIGHT).try_collect().await?;
        // From the oldest on, since a change is shown where it stands first.
        let (mut seen, mut new) = (HashSet::new(), Vec::new());
        for (at, entries) in read.into_iter().enumerate() {
            for (line, entry) in entries.into_iter().enumerate() {
                let object = at.checked_sub(told_before.len()).map(|at| &objects[at]);
                if let (true, Some(object)) = (seen.insert(entry.id.clone()), object) {
                    new.push((object, line, entry));
                }
            }
        }
        let is_left = |object: &str, line: usize| {
            before.is_none_or(|place| object < place.object.as_str() || object == place.object && line < place.lines)
        };
        let wanted = new.into_iter().rev();
        let mut wanted = wanted.filter(|(object, line, entry)| is_left(object, *line) && filter.takes(entry));
        let (mut found, mut last) = (Vec::new(), None);
        for (object, lines, entry) in wanted.by_ref().take(limit) {
            found.push(entry);
            last = Some(TrailPlace { object: object.clone(), lines });
        }
        let next = match wanted.next() {
            Some(_) => last,
            None => more.then(|| TrailPlace { object: first.clone(), lines: 0 }),
        };
        Ok((found, next))
    }

    /// The objects of a page of the latest, in order, and whether there are older ones.
    async fn last_objects(
        &self,
        folder: &str,
        range: AuditRange,
        before: Option<&TrailPlace>,
    ) -> Result<(Vec<String>, bool), StorageError> {
        // A bucket lists forwards alone. So a stretch before the end is listed, and a longer one while it holds too few.
        let mut stretch = SignedDuration::from_hours(1);
        let end = before.and_then(|place| ObjectName::parse(&place.object)).map_or(range.to, |name| name.at);
        let is_before = |object: &str| match before {
            Some(place) if place.lines == 0 => object < place.object.as_str(),
            Some(place) => object <= place.object.as_str(),
            None => *object < *ObjectName::beginning(range.to),
        };
        loop {
            let from = end.checked_sub(stretch).map_or(range.from, |from| from.max(range.from));
            let (mut listed, mut start) = (VecDeque::new(), ObjectName::beginning(from));
            loop {
                let page = self.list(folder, &start, LISTED).await?;
                let is_last = page.len() < LISTED || page.last().is_none_or(|(object, _)| !is_before(object));
                if let Some((last, _)) = page.last() {
                    start.clone_from(last);
                }
                listed.extend(page.into_iter().filter(|(object, _)| is_before(object)));
                listed.drain(..listed.len().saturating_sub(MOST_OBJECTS + 1));
                if is_last {
                    break;
                }
            }
            if listed.len() <= MOST_OBJECTS && from > range.from {
                stretch *= 4;
                continue;
            }
            let (mut objects, mut bytes) = (Vec::new(), 0);
            let mut more = false;
            while let Some((object, size)) = listed.pop_back() {
                bytes += size;
                more = objects.len() == MOST_OBJECTS || objects.len() >= 2 && bytes > MOST_BYTES;
                if more {
                    break;
                }
                objects.push(object);
            }
            objects.reverse();
            return Ok((objects, more));
        }
    }

    /// The objects of a page, and whether there are more.
    async fn objects(
        &self,
        folder: &str,
        range: AuditRange,
        after: Option<&TrailPlace>,
    ) -> Result<(Vec<String>, bool), StorageError> {
        let (from, to) = (ObjectName::beginning(range.from), ObjectName::beginning(range.to));
        // The object where the last page ended may have more lines, so the list begins before it.
        let start = after.map_or(from.as_str(), |place| place.object.trim_end_matches('l'));
        let listed = self.list(folder, start, MOST_OBJECTS + 1).await?;
        let mut bytes = 0;
        let (mut objects, mut more) = (Vec::new(), false);
        for (object, size) in listed.into_iter().filter(|(object, _)| *object < to) {
            bytes += size;
            // Two are always read, so that every page gets on.
            more = objects.len() == MOST_OBJECTS || objects.len() >= 2 && bytes > MOST_BYTES;
            if more {
                break;
            }
            objects.push(object);
        }
        Ok((objects, more))
    }

    /// Objects before those of a page that may tell some of the same changes.
    async fn told_before(&self, folder: &str, objects: &[String]) -> Result<Vec<String>, StorageError> {
        let names: Vec<ObjectName> = objects.iter().filter_map(|object| ObjectName::parse(object)).collect();
        let Some(earliest) = names.iter().map(|name| name.first).min() else { return Ok(Vec::new()) };
        let mut start = ObjectName::beginning(earliest - CLOCKS_DIFFER);
        let mut found = Vec::new();
        loop {
            let listed = self.list(folder, &start, LISTED).await?;
            let before = listed.iter().map(|(object, _)| object).take_while(|object| **object < objects[0]);
            let may_share = |object: &&String| {
                ObjectName::parse(object).is_some_and(|before| names.iter().any(|name| name.may_share(&before)))
            };
            found.extend(before.filter(may_share).cloned());
            match listed.last() {
                Some((last, _)) if listed.len() == LISTED && *last < objects[0] => start.clone_from(last),
                _ => return Ok(found),
            }
        }
    }

    async fn entries(&self, folder: &str, object: &str) -> Result<Vec<AuditEntry>, StorageError> {
        let bytes = self.get(&format!("{folder}{object}")).await?.unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).map_err(|error| StorageError::unreadable(READING, error)))
            .collect()
    }
}
