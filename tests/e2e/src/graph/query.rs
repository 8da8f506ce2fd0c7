//! What a request asks of the tenant's users.

use std::collections::HashMap;

use super::Person;

/// A query, checked as Graph checks it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Query {
    pub select: Option<String>,
    pub top: Option<usize>,
    pub count: bool,
    pub wanted: Wanted,
    pub skip_token: Option<String>,
    pub delta_token: Option<String>,
}

/// Which users are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Wanted {
    #[default]
    All,
    Search(Vec<(String, String)>),
    Filter(Filter),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    Enabled(bool),
    Is(String, String),
    StartsWith(String, String),
    EndsWith(String, String),
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub query: Query,
    pub offset: usize,
    /// Empty pages so far: the place after one is another than before.
    pub empty: usize,
    /// Of a delta: what has changed after this moment, and the moment at which it began.
    pub since: u64,
    pub began: u64,
    pub delta: bool,
    /// A search goes on with the header that it began with.
    pub advanced: bool,
}

impl Query {
    /// Reads a query.
    pub(super) fn read(query: &str, advanced: bool) -> Result<Self, &'static str> {
        const UNSUPPORTED: &str = "Request_UnsupportedQuery";
        let given: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut read = Self::default();
        for (name, value) in given {
            match name.as_str() {
                "$select" => read.select = Some(value),
                "$top" => {
                    let top = value.parse().ok().filter(|top| (1..=999).contains(top));
                    read.top = Some(top.ok_or("Request_BadRequest")?);
                }
                "$count" => read.count = value == "true",
                "$search" => read.wanted = Wanted::Search(search(&value).ok_or(UNSUPPORTED)?),
                "$filter" => read.wanted = Wanted::Filter(filter(&value).ok_or(UNSUPPORTED)?),
                "$skiptoken" => read.skip_token = Some(value),
                "$deltatoken" => read.delta_token = Some(value),
                _ => return Err(UNSUPPORTED),
            }
        }
        let needs_advanced = match &read.wanted {
            Wanted::Search(_) => !advanced,
            Wanted::Filter(Filter::EndsWith(..)) => !advanced || !read.count,
            _ => false,
        };
        if needs_advanced { Err(UNSUPPORTED) } else { Ok(read) }
    }

    pub(super) fn is_advanced(&self) -> bool {
        matches!(self.wanted, Wanted::Search(_) | Wanted::Filter(Filter::EndsWith(..)))
    }

    pub(super) fn takes(&self, person: &Person) -> bool {
        let starts = |property: &str, text: &str| {
            person.text(property).is_some_and(|value| value.to_lowercase().starts_with(&text.to_lowercase()))
        };
        match &self.wanted {
            Wanted::All => true,
            // Names are cut into words; other properties are compared from their beginning.
            Wanted::Search(clauses) => clauses.iter().any(|(property, text)| {
                let words = person.text(property).filter(|_| property == "displayName").unwrap_or_default();
                let text_of_word = |word: &str| word.to_lowercase().starts_with(&text.to_lowercase());
                words.split(' ').any(text_of_word) && !text.is_empty() || starts(property, text)
            }),
            Wanted::Filter(Filter::Enabled(enabled)) => person.account_enabled == *enabled,
            Wanted::Filter(Filter::Is(property, text)) => person.text(property) == Some(text),
            Wanted::Filter(Filter::StartsWith(property, text)) => starts(property, text),
            Wanted::Filter(Filter::EndsWith(property, text)) => {
                person.text(property).is_some_and(|value| value.ends_with(text))
            }
        }
    }
}

/// `"displayName:asha" OR "mail:asha"`, with quotes and backslashes escaped.
fn search(text: &str) -> Option<Vec<(String, String)>> {
    let mut clauses = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.strip_prefix('"')?;
        let mut clause = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (_, '\\') => clause.push(characters.next()?.1),
                (at, '"') => break at,
                (_, character) => clause.push(character),
            }
        };
        let (property, text) = clause.split_once(':')?;
        clauses.push((property.to_owned(), text.to_owned()));
        rest = &rest[end + 1..];
        if rest.is_empty() {
            return Some(clauses);
        }
        rest = rest.strip_prefix(" OR ")?;
    }
}

/// The few filters that tests use.
fn filter(text: &str) -> Option<Filter> {
    let quoted = |text: &str| Some(text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"));
    if let Some(value) = text.strip_prefix("accountEnabled eq ") {
        return value.parse().ok().map(Filter::Enabled);
    }
    if let Some((property, value)) = text.split_once(" eq ") {
        return Some(Filter::Is(property.to_owned(), quoted(value)?));
    }
    let (function, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let (property, value) = arguments.split_once(',')?;
    let (property, value) = (property.to_owned(), quoted(value)?);
    match function {
        "startswith" => Some(Filter::StartsWith(property, value)),
        "endswith" => Some(Filter::EndsWith(property, value)),
        _ => None,
    }
}
