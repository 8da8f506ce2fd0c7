//! A resource as it was sent.

use serde_json::{Map, Value};

use crate::{
    error::{ScimError, ScimType},
    filter::entry,
    names::{self, CORE_USER},
    path::Path,
    values::{active, as_list, flag, normalized, single},
};

/// Bytes of a resource that are kept at most: an item of the table has room for more, but each read of it costs by its size.
pub const MAX_BYTES: usize = 16 * 1024;

/// Attributes that mean something here. When a resource is too large, others go first.
const MEANT: [&str; 9] =
    ["userName", "externalId", "active", "displayName", "name", "emails", "phoneNumbers", "title", "userType"];

/// A resource without what the server says itself: `id`, `meta`, `groups`, `schemas`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document(pub(crate) Map<String, Value>);

impl Document {
    /// A resource as a client sends it whole. What the server alone says is left out, and so is a password: none is kept here.
    ///
    /// # Errors
    /// [`ScimType::InvalidSyntax`] for what is no object, [`ScimType::InvalidValue`] for a value that means something and can't be.
    pub fn sent(body: Value) -> Result<Self, ScimError> {
        let Value::Object(fields) = body else {
            return Err(ScimError::bad(ScimType::InvalidSyntax, "The body must be an object."));
        };
        let mut document = Self::default();
        document.assign_all(fields, false)?;
        Ok(document)
    }

    /// A document as it was kept.
    pub fn kept(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Its attributes.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Its attributes.
    pub fn into_fields(self) -> Map<String, Value> {
        self.0
    }

    /// A text at the top.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Whether the user may be here, if the document says so.
    pub fn active(&self) -> Option<bool> {
        self.0.get("active").and_then(Value::as_bool)
    }

    /// Says whether the user may be here.
    pub fn set_active(&mut self, active: bool) {
        self.0.insert("active".to_owned(), active.into());
    }

    /// The schemas that its attributes are of, `core` first.
    pub fn schemas(&self, core: &str) -> Vec<String> {
        let others = self.0.keys().filter(|key| names::is_urn(key)).cloned();
        [core.to_owned()].into_iter().chain(others).collect()
    }

    /// Takes what must be right before it is kept: there is a name to find the user by, texts are texts, and it isn't too large.
    /// Attributes without a meaning here are left out, the largest first, where all have no room: **they refuse nobody**.
    ///
    /// # Errors
    /// [`ScimType::InvalidValue`].
    pub fn checked(mut self, name: &str) -> Result<Self, ScimError> {
        let bad = |detail: String| ScimError::bad(ScimType::InvalidValue, detail);
        if self.text(name).is_none_or(|text| text.trim().is_empty()) {
            return Err(bad(format!("{name} must be a text, and must not be empty.")));
        }
        match self.0.get("externalId") {
            Some(Value::Number(number)) => {
                let number = number.to_string();
                self.0.insert("externalId".to_owned(), number.into());
            }
            None | Some(Value::String(_)) => {}
            Some(_) => return Err(bad("externalId must be a text.".to_owned())),
        }
        while size(&self.0) > MAX_BYTES {
            let meant = |key: &String| MEANT.contains(&key.as_str()) || key == names::ENTERPRISE;
            let largest = self.0.iter().filter(|(key, _)| !meant(key)).max_by_key(|(_, value)| value.to_string().len());
            let Some(largest) = largest.map(|(key, _)| key.clone()) else {
                return Err(bad(format!("The resource has more than {MAX_BYTES} bytes.")));
            };
            self.0.remove(&largest);
        }
        Ok(self)
    }

    /// Each field as if it were its own change: so a name behind its schema, or with dots, stands where it belongs.
    pub(crate) fn assign_all(&mut self, fields: Map<String, Value>, is_add: bool) -> Result<(), ScimError> {
        for (name, value) in fields {
            let spelled = names::spelled(&name);
            if names::is_read_only(&spelled) {
                continue;
            }
            match (Path::parse(&name), value) {
                // All of a schema.
                (Ok(Path { attribute: None, schema: Some(schema), .. }), Value::Object(fields)) => {
                    for (name, value) in attributes(fields) {
                        if let Ok(path) = Path::parse(&name) {
                            self.set(&Path { schema: Some(schema.clone()), ..path }, value, is_add)?;
                        }
                    }
                }
                (Ok(path), value) => self.set(&path, value, is_add)?,
                (Err(_), Value::Object(fields)) if name.eq_ignore_ascii_case(CORE_USER) => {
                    self.assign_all(fields, is_add)?;
                }
                // No name of an attribute. It means nothing, and refuses nobody.
                (Err(_), _) => {}
            }
        }
        Ok(())
    }

    /// The attributes of a schema, which are made where there are none.
    fn of_schema(&mut self, schema: Option<&str>) -> &mut Map<String, Value> {
        let Some(schema) = schema else { return &mut self.0 };
        let key = self.0.keys().find(|key| key.eq_ignore_ascii_case(schema)).cloned();
        let fields = self.0.entry(key.unwrap_or_else(|| schema.to_owned())).or_insert_with(|| Map::new().into());
        if !fields.is_object() {
            *fields = Map::new().into();
        }
        fields.as_object_mut().expect("it has just been made one")
    }

    /// Sets a value. `add` and `replace` differ for attributes with several values alone.
    pub(crate) fn set(&mut self, path: &Path, value: Value, is_add: bool) -> Result<(), ScimError> {
        let Some(attribute) = &path.attribute else {
            return match value {
                Value::Object(fields) => attributes(fields).try_for_each(|(name, value)| match Path::parse(&name) {
                    Ok(inner) => self.set(&Path { schema: path.schema.clone(), ..inner }, value, is_add),
                    Err(_) => Ok(()),
                }),
                _ => Err(ScimError::bad(ScimType::InvalidValue, "A schema's value must be an object.")),
            };
        };
        if path.schema.is_none() && attribute == "password" {
            return Ok(());
        }
        let value = if path.schema.is_none() && attribute == "active" { active(&value)? } else { normalized(value) };
        let is_active = path.schema.is_none() && attribute == "active";
        let fields = self.of_schema(path.schema.as_deref());
        let key = key_of(fields, attribute);
        if is_active && path.filter.is_none() {
            // Who doesn't say changes nothing.
            if !value.is_null() {
                fields.insert(key, value);
            }
        } else if let Some(filter) = &path.filter {
            set_chosen(fields, &key, filter, path.sub.as_deref(), &value);
        } else if let Some(sub) = &path.sub {
            set_part(fields, &key, sub, value);
        } else {
            set_whole(fields, &key, value, is_add);
        }
        self.tidy();
        Ok(())
    }

    /// Takes a value away; `values` says which, where the client names them so.
    pub(crate) fn remove(&mut self, path: &Path, values: Option<Value>) {
        let Some(attribute) = &path.attribute else {
            if let Some(schema) = &path.schema {
                self.0.retain(|key, _| !key.eq_ignore_ascii_case(schema));
            }
            return;
        };
        let fields = self.of_schema(path.schema.as_deref());
        let key = key_of(fields, attribute);
        let Some(found) = fields.get_mut(&key) else { return self.tidy() };
        match (found, &path.filter, &path.sub, values) {
            (Value::Array(elements), Some(filter), None, _) => {
                elements.retain(|element| !element.as_object().is_some_and(|element| filter.takes(element, &lower)));
            }
            (Value::Array(elements), filter, Some(sub), _) => {
                for element in elements.iter_mut().filter_map(Value::as_object_mut) {
                    if filter.as_ref().is_none_or(|filter| filter.takes(element, &lower)) {
                        let part = key_of(element, sub);
                        element.remove(&part);
                    }
                }
                elements.retain(|element| !element.as_object().is_some_and(says_nothing));
            }
            (Value::Array(elements), None, None, Some(values)) => {
                let values = as_list(normalized(values));
                elements.retain(|element| !values.iter().any(|value| names_same(element, value)));
            }
            (Value::Object(parts), None, Some(sub), _) => {
                let part = key_of(parts, sub);
                parts.remove(&part);
            }
            (_, None, None, _) => {
                fields.remove(&key);
            }
            // What isn't there can't be taken away.
            _ => {}
        }
        self.tidy();
    }

    /// Nothing empty is kept: it says no more than what isn't there.
    fn tidy(&mut self) {
        let is_empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(values) => values.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        self.0.retain(|_, value| !is_empty(value));
    }
}

fn size(fields: &Map<String, Value>) -> usize {
    fields.iter().map(|(key, value)| key.len() + value.to_string().len() + 6).sum()
}

pub(crate) fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// The key as it stands there, in any case.
fn key_of(fields: &Map<String, Value>, name: &str) -> String {
    fields.keys().find(|key| key.eq_ignore_ascii_case(name)).map_or(name, String::as_str).to_owned()
}

fn set_whole(fields: &mut Map<String, Value>, key: &str, value: Value, is_add: bool) {
    if names::holds_several(key) || (value.is_array() && fields.get(key).is_some_and(Value::is_array)) {
        let new = as_list(value);
        let mut all = match fields.remove(key) {
            Some(Value::Array(there)) if is_add => there,
            Some(there @ (Value::Object(_) | Value::String(_))) if is_add => vec![there],
            _ => Vec::new(),
        };
        let new: Vec<Value> = new.into_iter().filter(|value| !all.contains(value)).collect();
        if new.iter().any(is_primary) {
            all.iter_mut().for_each(no_longer_primary);
        }
        all.extend(new);
        fields.insert(key.to_owned(), all.into());
        return;
    }
    let value = match value {
        // The one value of an attribute that has one, as older clients write it.
        Value::Array(values)
            if only_value(&values).is_some() && fields.get(key).is_none_or(|there| !there.is_array()) =>
        {
            only_value(&values).cloned().unwrap_or_default()
        }
        value => value,
    };
    match (fields.get_mut(key), value) {
        (Some(Value::Object(there)), Value::Object(parts)) => there.extend(parts),
        (_, value) => put(fields, key, value),
    }
}

/// What of a schema's object are its attributes: some clients name the schema in it once more.
fn attributes(fields: Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    fields.into_iter().filter(|(name, _)| !names::is_read_only(&names::spelled(name)))
}

/// The value of a list of one that is nothing but a value.
fn only_value(values: &[Value]) -> Option<&Value> {
    match values {
        [Value::Object(element)] if element.len() == 1 => element.get("value"),
        _ => None,
    }
}

fn set_part(fields: &mut Map<String, Value>, key: &str, sub: &str, value: Value) {
    let part = |value: Value| if sub == "primary" { flag(value) } else { single(value) };
    match fields.get_mut(key) {
        Some(Value::Array(elements)) => {
            for element in elements.iter_mut().filter_map(Value::as_object_mut) {
                put(element, sub, part(value.clone()));
            }
        }
        Some(Value::Object(parts)) => put(parts, sub, part(value)),
        there => {
            // A plain value is the part of that name: `manager` and `manager.value` are the same.
            let plain = there.map(Value::take).filter(|there| !there.is_null());
            let mut parts = Map::from_iter(plain.map(|plain| ("value".to_owned(), plain)));
            put(&mut parts, sub, part(value));
            let whole: Value = parts.into();
            let whole = if names::holds_several(key) { vec![whole].into() } else { whole };
            fields.insert(key.to_owned(), whole);
        }
    }
}

/// Sets values that a filter chooses. **Where it chooses none, one is made as the filter wants it**: Entra ID sets an address so that
/// was never there.
fn set_chosen(fields: &mut Map<String, Value>, key: &str, filter: &crate::Filter, sub: Option<&str>, value: &Value) {
    let mut elements = as_list(fields.remove(key).unwrap_or_default());
    let mut chosen: Vec<usize> = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        if element.as_object().is_some_and(|element| filter.takes(element, &lower)) {
            chosen.push(at);
        }
    }
    if chosen.is_empty() && !value.is_null() {
        chosen.push(elements.len());
        elements.push(filter.element().into());
    }
    let mut first_is_primary = None;
    for at in chosen {
        let Some(element) = elements[at].as_object_mut() else { continue };
        match (sub, value.clone()) {
            (Some(sub), value) => put(element, sub, if sub == "primary" { flag(value) } else { single(value) }),
            (None, Value::Object(parts)) => element.extend(parts),
            (None, value) => put(element, "value", single(value)),
        }
        if is_primary(&elements[at]) && first_is_primary.is_none() {
            first_is_primary = Some(at);
        }
    }
    if let Some(primary) = first_is_primary {
        elements
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| *at != primary)
            .for_each(|(_, other)| no_longer_primary(other));
    }
    elements.retain(|element| !element.as_object().is_some_and(says_nothing));
    fields.insert(key.to_owned(), elements.into());
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Value) {
    let key = key_of(fields, name);
    if value.is_null() {
        fields.remove(&key);
    } else {
        fields.insert(key, value);
    }
}

/// Whether of an element nothing is left but what tells it from others.
fn says_nothing(element: &Map<String, Value>) -> bool {
    element.keys().all(|key| matches!(key.as_str(), "type" | "primary" | "display"))
}

fn is_primary(element: &Value) -> bool {
    element["primary"] == Value::Bool(true)
}

fn no_longer_primary(element: &mut Value) {
    if is_primary(element) {
        element["primary"] = false.into();
    }
}

/// Whether a value that a client names is this element: by its `value`, or whole.
fn names_same(element: &Value, named: &Value) -> bool {
    let value = |value: &Value| match value {
        Value::Object(parts) => entry(parts, "value").cloned(),
        plain => Some(plain.clone()),
    };
    match (value(element), value(named)) {
        (Some(one), Some(other)) => one == other,
        _ => element == named,
    }
}
