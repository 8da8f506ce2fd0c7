//! Which attributes are shown (RFC 7644, section 3.9).

use serde_json::{Map, Value};

use crate::path::Path;

/// What is always shown.
const ALWAYS: [&str; 3] = ["schemas", "id", "meta"];

/// Attributes that a client asks for, or wants to be spared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    only: Vec<Path>,
    without: Vec<Path>,
}

impl Selection {
    /// Of `attributes` and `excludedAttributes`. What can't be read is no attribute, and is asked for in vain.
    pub fn of(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let paths = |text: Option<&str>| {
            text.unwrap_or_default().split(',').filter_map(|path| Path::parse(path).ok()).collect::<Vec<_>>()
        };
        Self { only: paths(attributes), without: paths(excluded) }
    }

    /// Whether an attribute at the top is shown at all.
    pub fn shows(&self, attribute: &str) -> bool {
        let named = |paths: &[Path]| paths.iter().any(|path| path.is(attribute) && path.sub.is_none());
        !named(&self.without) && (self.only.is_empty() || self.only.iter().any(|path| path.is(attribute)))
    }

    /// Whether an attribute is asked for by name.
    pub fn asks(&self, attribute: &str) -> bool {
        self.only.iter().any(|path| path.is(attribute))
    }

    /// A resource with what is asked for.
    pub fn apply(&self, resource: Value) -> Value {
        let Value::Object(mut fields) = resource else { return resource };
        if !self.only.is_empty() {
            let mut shown = Map::new();
            for name in ALWAYS {
                if let Some(value) = fields.get(name) {
                    shown.insert(name.to_owned(), value.clone());
                }
            }
            for path in &self.only {
                copy(&fields, &mut shown, path);
            }
            fields = shown;
        }
        for path in self.without.iter().filter(|path| !ALWAYS.iter().any(|name| path.is(name))) {
            remove(&mut fields, path);
        }
        fields.into()
    }
}

fn copy(from: &Map<String, Value>, to: &mut Map<String, Value>, path: &Path) {
    let Some((schema, rest)) = within(path) else {
        return part(from, to, path.attribute.as_deref(), path.sub.as_deref());
    };
    let Some((key, fields)) = from.iter().find(|(key, _)| key.eq_ignore_ascii_case(schema)) else { return };
    let Some(fields) = fields.as_object() else { return };
    let inner = to.entry(key.clone()).or_insert_with(|| Map::new().into());
    let Some(inner) = inner.as_object_mut() else { return };
    match rest {
        None => inner.extend(fields.clone()),
        Some(attribute) => part(fields, inner, Some(attribute), path.sub.as_deref()),
    }
}

fn within(path: &Path) -> Option<(&str, Option<&str>)> {
    path.schema.as_deref().map(|schema| (schema, path.attribute.as_deref()))
}

fn part(from: &Map<String, Value>, to: &mut Map<String, Value>, attribute: Option<&str>, sub: Option<&str>) {
    let Some(attribute) = attribute else { return };
    let Some((key, value)) = from.iter().find(|(key, _)| key.eq_ignore_ascii_case(attribute)) else { return };
    let Some(sub) = sub else {
        to.insert(key.clone(), value.clone());
        return;
    };
    let only = |fields: &Map<String, Value>| -> Map<String, Value> {
        fields
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(sub))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    match (value, to.get_mut(key)) {
        (Value::Object(fields), Some(Value::Object(there))) => there.extend(only(fields)),
        (Value::Object(fields), _) => {
            to.insert(key.clone(), only(fields).into());
        }
        (Value::Array(values), Some(Value::Array(there))) if there.len() == values.len() => {
            for (there, value) in there.iter_mut().zip(values) {
                if let (Some(there), Some(value)) = (there.as_object_mut(), value.as_object()) {
                    there.extend(only(value));
                }
            }
        }
        (Value::Array(values), _) => {
            let values = values.iter().filter_map(Value::as_object).map(|fields| Value::from(only(fields)));
            to.insert(key.clone(), values.collect());
        }
        _ => {}
    }
}

fn remove(fields: &mut Map<String, Value>, path: &Path) {
    if let Some((schema, rest)) = within(path) {
        if rest.is_none() {
            return fields.retain(|key, _| !key.eq_ignore_ascii_case(schema));
        }
        let inner = fields.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(schema));
        if let Some(inner) = inner.and_then(|(_, inner)| inner.as_object_mut()) {
            remove(inner, &Path { schema: None, ..path.clone() });
        }
        return;
    }
    let Some(attribute) = &path.attribute else { return };
    let Some(sub) = &path.sub else { return fields.retain(|key, _| !key.eq_ignore_ascii_case(attribute)) };
    let Some((_, value)) = fields.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(attribute)) else { return };
    let values = match value {
        Value::Array(values) => values.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for fields in values.iter_mut().filter_map(Value::as_object_mut) {
        fields.retain(|key, _| !key.eq_ignore_ascii_case(sub));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_asked_for_is_shown_and_what_is_not_wanted_is_not() {
        let user = json!({
            "schemas": ["x"], "id": "1", "meta": {}, "userName": "u", "name": { "givenName": "a", "familyName": "b" },
            "emails": [{ "value": "v", "type": "work" }],
        });
        let of = |only: Option<&str>, without: Option<&str>| Selection::of(only, without).apply(user.clone());
        assert_eq!(of(None, None), user);
        assert_eq!(of(Some("USERNAME"), None), json!({ "schemas": ["x"], "id": "1", "meta": {}, "userName": "u" }));
        assert_eq!(of(Some("name.givenName, name.familyName"), None)["name"], user["name"]);
        assert_eq!(of(Some("emails.value"), None)["emails"], json!([{ "value": "v" }]));
        let less = of(None, Some("id,emails,name.familyName"));
        assert_eq!(
            less,
            json!({ "schemas": ["x"], "id": "1", "meta": {}, "userName": "u", "name": { "givenName": "a" } })
        );
        let members = Selection::of(None, Some("members"));
        assert!(!members.shows("members") && members.shows("displayName"));
        assert!(!Selection::of(Some("id"), None).shows("members"));
    }
}
