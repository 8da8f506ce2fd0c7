//! What is asked of a directory import: an import, or a sync.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use rollcall_model::user::{DirectoryId, Ref};

/// The content of `inbox/{account}/directory-import/{name}.json`: `{"import": {…}}` or `{"sync": {…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportRequest {
    /// Users of the directory become users here.
    Import(Import),
    /// What has changed in the directory since the last time is brought here.
    Sync(Sync),
}

impl ImportRequest {
    /// Whether it shows what it would do, and does it when somebody says so.
    pub fn previews(&self) -> bool {
        match self {
            Self::Import(import) => import.preview,
            Self::Sync(sync) => sync.preview,
        }
    }

    /// As it is dropped into the inbox.
    #[expect(clippy::missing_panics_doc, reason = "texts and lists of texts can be written as JSON")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a request can be written as JSON")
    }
}

/// Which users are to be imported, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ImportGiven", into = "ImportGiven")]
pub struct Import {
    /// Which users.
    pub chosen: Chosen,
    /// The role that they get.
    pub role: Option<Ref>,
    /// A user here whose login ID one of them has, and whose own person the directory has no longer, becomes that one: somebody who was
    /// deleted there and has come back. Goes with IDs alone, so that somebody has looked at each.
    pub relink: bool,
    /// It shows what it would do, and does it when somebody says so.
    pub preview: bool,
}

/// How users of the directory are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// These, each once.
    Ids(Vec<DirectoryId>),
    /// Those whose name, address or login name begins so, as the directory searches.
    Search(String),
    /// Those that the directory's own filter takes. Entra ID:
    /// <https://learn.microsoft.com/graph/filter-query-parameter>.
    Filter(String),
}

/// A run that brings the directory's changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// A person has seen that the last run held itself, and means it.
    #[serde(default)]
    pub confirmed: bool,
    /// It shows what it would do, and does it when somebody says so.
    #[serde(default)]
    pub preview: bool,
}

/// IDs that one import takes at most: each is a request to the directory.
pub const MAX_IDS: usize = 1_000;
/// Longest search, in bytes: more than any name, and short enough for a URL.
pub const MAX_SEARCH: usize = 200;
/// Longest filter, in bytes: servers take URLs of some 8,000, and a byte may be written as three.
pub const MAX_FILTER: usize = 2_000;

/// The request chooses nobody, or can't be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnImport {
    /// Not one way to choose, but none or several.
    #[error("name the users by one of ids, search and filter")]
    NotOneChoice,
    /// No ID, or too many.
    #[error("an import takes 1 to {MAX_IDS} IDs; for more, use a filter")]
    Ids,
    /// An empty search, too long a one, or one with control characters.
    #[error("a search has 1 to {MAX_SEARCH} bytes and no control characters")]
    Search,
    /// People who have come back, and are not named one by one.
    #[error("relink goes with ids alone")]
    Relink,
    /// An empty filter, too long a one, or one with control characters.
    #[error("a filter has 1 to {MAX_FILTER} bytes and no control characters")]
    Filter,
}

/// An import as it stands in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<DirectoryId>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "search")]
    search: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "filter")]
    filter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Ref>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    relink: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    preview: bool,
}

impl TryFrom<ImportGiven> for Import {
    type Error = NotAnImport;

    fn try_from(given: ImportGiven) -> Result<Self, NotAnImport> {
        let chosen = match (given.ids, given.search, given.filter) {
            (Some(ids), None, None) => Chosen::ids(ids)?,
            (None, Some(search), None) => Chosen::search(&search)?,
            (None, None, Some(filter)) => Chosen::filter(&filter)?,
            _ => return Err(NotAnImport::NotOneChoice),
        };
        if given.relink && !matches!(chosen, Chosen::Ids(_)) {
            return Err(NotAnImport::Relink);
        }
        Ok(Self { chosen, role: given.role, relink: given.relink, preview: given.preview })
    }
}

impl From<Import> for ImportGiven {
    fn from(import: Import) -> Self {
        let (ids, search, filter) = match import.chosen {
            Chosen::Ids(ids) => (Some(ids), None, None),
            Chosen::Search(search) => (None, Some(search), None),
            Chosen::Filter(filter) => (None, None, Some(filter)),
        };
        Self { ids, search, filter, role: import.role, relink: import.relink, preview: import.preview }
    }
}

impl Chosen {
    /// Users by ID.
    ///
    /// # Errors
    /// [`NotAnImport::Ids`].
    pub fn ids(mut ids: Vec<DirectoryId>) -> Result<Self, NotAnImport> {
        let mut seen = std::collections::BTreeSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        if (1..=MAX_IDS).contains(&ids.len()) { Ok(Self::Ids(ids)) } else { Err(NotAnImport::Ids) }
    }

    /// Users by the beginning of a name.
    ///
    /// # Errors
    /// [`NotAnImport::Search`].
    pub fn search(search: &str) -> Result<Self, NotAnImport> {
        plain(search, MAX_SEARCH).map(Self::Search).ok_or(NotAnImport::Search)
    }

    /// Users by the directory's own filter.
    ///
    /// # Errors
    /// [`NotAnImport::Filter`].
    pub fn filter(filter: &str) -> Result<Self, NotAnImport> {
        plain(filter, MAX_FILTER).map(Self::Filter).ok_or(NotAnImport::Filter)
    }
}

/// Reads a search where it stands, so that what is wrong with it is told of it.
fn search<'de, D: Deserializer<'de>>(given: D) -> Result<Option<String>, D::Error> {
    checked(given, |text| Chosen::search(text).map(|_| ()))
}

fn filter<'de, D: Deserializer<'de>>(given: D) -> Result<Option<String>, D::Error> {
    checked(given, |text| Chosen::filter(text).map(|_| ()))
}

fn checked<'de, D: Deserializer<'de>>(
    given: D,
    check: impl Fn(&str) -> Result<(), NotAnImport>,
) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(given)?;
    if let Some(text) = &text {
        check(text).map_err(D::Error::custom)?;
    }
    Ok(text)
}

fn plain(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    let fits = (1..=longest).contains(&text.len()) && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(json: &str) -> Result<Import, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn users_are_chosen_in_one_way() {
        let chosen = import(r#"{"ids": ["A-1", "a-1", "b"], "role": "agent"}"#).unwrap();
        let ids = ["a-1", "b"].map(|id| DirectoryId::parse(id).unwrap()).to_vec();
        assert_eq!(
            chosen,
            Import {
                chosen: Chosen::Ids(ids),
                role: Some(Ref::parse("agent").unwrap()),
                relink: false,
                preview: false
            }
        );
        assert_eq!(import(r#"{"search": " asha "}"#).unwrap().chosen, Chosen::Search("asha".to_owned()));
        let filter = "department eq 'Sales'";
        let json = format!("{{\"filter\": \"{filter}\"}}");
        assert_eq!(import(&json).unwrap().chosen, Chosen::Filter(filter.to_owned()));
    }

    #[test]
    fn what_chooses_nobody_or_is_misspelt_is_refused() {
        let too_many = format!("{{\"ids\": {:?}}}", (0..=MAX_IDS).map(|id| id.to_string()).collect::<Vec<_>>());
        let too_long = format!("{{\"filter\": \"{}\"}}", "x".repeat(MAX_FILTER + 1));
        for (json, problem) in [
            ("{}", "one of ids, search and filter"),
            (r#"{"search": "a", "filter": "b"}"#, "one of ids, search and filter"),
            (r#"{"ids": []}"#, "1 to 1000 IDs"),
            (&too_many, "1 to 1000 IDs"),
            (r#"{"ids": ["../users"]}"#, "a directory ID"),
            (r#"{"search": "  "}"#, "a search has"),
            (r#"{"search": "a\nb"}"#, "a search has"),
            (r#"{"filter": ""}"#, "a filter has"),
            (&too_long, "a filter has"),
            (r#"{"search": "a", "relink": true}"#, "relink goes with ids"),
            (r#"{"search": "a", "rol": "agent"}"#, "unknown field `rol`"),
        ] {
            let error = import(json).expect_err(json);
            assert!(error.contains(problem), "{json}: {error}");
        }
    }

    #[test]
    fn a_request_reads_back() {
        for request in [
            ImportRequest::Import(Import {
                chosen: Chosen::search("asha").unwrap(),
                role: None,
                relink: false,
                preview: true,
            }),
            ImportRequest::Sync(Sync { confirmed: true, preview: false }),
            ImportRequest::Sync(Sync { confirmed: false, preview: true }),
            ImportRequest::Sync(Sync::default()),
        ] {
            assert_eq!(serde_json::from_slice::<ImportRequest>(&request.to_json()).unwrap(), request);
        }
        assert_eq!(
            serde_json::from_str::<ImportRequest>(r#"{"sync": {}}"#).unwrap(),
            ImportRequest::Sync(Sync::default())
        );
        assert!(serde_json::from_str::<ImportRequest>(r#"{"sync": {"confirm": true}}"#).is_err());
    }
}
