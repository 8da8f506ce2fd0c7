//! Where a value stands in a resource (RFC 7644, section 3.5.2): `userName`, `name.givenName`, `emails[type eq "work"].value`, each
//! behind the name of a schema or not.

use crate::{
    error::{ScimError, ScimType},
    filter::Filter,
    names::{self, CORE_GROUP, CORE_USER, ENTERPRISE},
};

/// A place.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The schema, where its attributes don't stand at the top.
    pub schema: Option<String>,
    /// The attribute; `None` for all of the schema.
    pub attribute: Option<String>,
    /// Which of its values.
    pub filter: Option<Filter>,
    /// A part of the value.
    pub sub: Option<String>,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// [`ScimType::InvalidPath`], or [`ScimType::InvalidFilter`] for what stands in brackets.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        let text = text.trim();
        let (schema, rest) = if names::is_urn(text) { schema_of(text) } else { (None, text) };
        let schema = schema.filter(|schema| !names::is_core(schema)).map(|schema| names::spelled_schema(&schema));
        if rest.is_empty() {
            return match schema {
                Some(_) => Ok(Self { schema, attribute: None, filter: None, sub: None }),
                None => Err(invalid(text)),
            };
        }
        let (before, filter, after) = match rest.split_once('[') {
            None => (rest, None, ""),
            Some((before, bracketed)) => {
                let end = end_of_brackets(bracketed).ok_or_else(|| invalid(text))?;
                (before, Some(Filter::parse(&bracketed[..end])?), &bracketed[end + 1..])
            }
        };
        let (attribute, sub) = match (&filter, before.split_once('.')) {
            (None, Some((attribute, sub))) => (attribute, Some(sub)),
            (_, None) => (before, after.strip_prefix('.')),
            (Some(_), Some(_)) => return Err(invalid(text)),
        };
        let ends_well = filter.is_none() || after.is_empty() || after.starts_with('.');
        if !ends_well || !is_name(attribute) || sub.is_some_and(|sub| !is_name(sub)) {
            return Err(invalid(text));
        }
        Ok(Self { schema, attribute: Some(names::spelled(attribute)), filter, sub: sub.map(names::spelled) })
    }

    /// Whether it is this attribute of the core schema, whole or in part.
    pub fn is(&self, attribute: &str) -> bool {
        self.schema.is_none() && self.attribute.as_deref() == Some(attribute)
    }
}

fn invalid(text: &str) -> ScimError {
    let shown: String = text.chars().take(100).collect();
    ScimError::bad(ScimType::InvalidPath, format!("{shown:?} is no path of an attribute."))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

/// The schema before an attribute. **Its own name has dots and colons**, so it is cut by what is known, and else at the last colon.
fn schema_of(text: &str) -> (Option<String>, &str) {
    for known in [CORE_USER, CORE_GROUP, ENTERPRISE] {
        let start = text.get(..known.len()).filter(|start| start.eq_ignore_ascii_case(known));
        if start.is_some() {
            let rest = &text[known.len()..];
            if rest.is_empty() {
                return (Some(known.to_owned()), rest);
            }
            if let Some(rest) = rest.strip_prefix([':', '.']) {
                return (Some(known.to_owned()), rest);
            }
        }
    }
    let head = text.split('[').next().unwrap_or_default();
    match head.rfind(':') {
        // `…:2.0:User` names a schema, and `…:2.0:User:badge` an attribute of it.
        Some(at) if text[at + 1..].starts_with(|c: char| c.is_ascii_lowercase()) => {
            (Some(text[..at].to_owned()), &text[at + 1..])
        }
        _ => (Some(text.to_owned()), ""),
    }
}

/// Where the brackets end: a bracket in a quoted value is none.
fn end_of_brackets(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let path = Path::parse(text).unwrap();
        let part = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let filter = path.filter.map_or(0, |filter| filter.terms.len());
        format!("{} {} {filter} {}", part(path.schema), part(path.attribute), part(path.sub))
    }

    #[test]
    fn every_form_of_a_path_is_read() {
        assert_eq!(shown("USERNAME"), "- userName 0 -");
        assert_eq!(shown("name.familyname"), "- name 0 familyName");
        assert_eq!(shown("emails[type eq \"work\"].value"), "- emails 1 value");
        assert_eq!(shown("members[value eq \"a]b\"]"), "- members 1 -");
        assert_eq!(shown("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName"), "- name 0 givenName");
        assert_eq!(
            shown("urn:IETF:params:scim:schemas:extension:enterprise:2.0:User:department"),
            format!("{ENTERPRISE} department 0 -")
        );
        assert_eq!(shown(&format!("{ENTERPRISE}:manager.value")), format!("{ENTERPRISE} manager 0 value"));
        assert_eq!(shown(ENTERPRISE), format!("{ENTERPRISE} - 0 -"));
        assert_eq!(shown("urn:acme:2.0:User:badge"), "urn:acme:2.0:User badge 0 -");
        assert_eq!(shown("urn:acme:2.0:User"), "urn:acme:2.0:User - 0 -");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            " ",
            "a b",
            "emails[type eq \"work\"",
            "a.b.c",
            "emails[type eq \"x\"]value",
            ".a",
            "a.",
            "[a eq 1]",
            CORE_USER,
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
