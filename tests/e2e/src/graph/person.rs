//! A user of the tenant.

use serde_json::{Map, Value, json};

/// A user of the tenant, as Graph knows them.
#[derive(Clone, Debug)]
pub struct Person {
    /// The object ID.
    pub id: String,
    /// The name.
    pub display_name: Option<String>,
    /// The login name.
    pub user_principal_name: String,
    /// The address.
    pub mail: Option<String>,
    /// Telephones, as somebody typed them.
    pub business_phones: Vec<String>,
    /// Another telephone.
    pub mobile_phone: Option<String>,
    /// The job.
    pub job_title: Option<String>,
    /// May log in.
    pub account_enabled: bool,
    /// Deleted: `changed` while it can be undone, then `deleted`.
    pub deleted: Option<&'static str>,
    pub(super) hidden: bool,
    pub(super) hired: u64,
    pub(super) changed: u64,
}

impl Person {
    /// A person as they come: one of five has no mailbox, one of eleven no name, one of thirteen is disabled, and
    /// telephones are what people type.
    pub(super) fn numbered(number: usize) -> Self {
        let name = format!("person{number}");
        let (business_phones, mobile_phone) = match number % 4 {
            0 => (vec![format!("+91 98765 {number:05}")], None),
            1 => (vec!["ask at the desk, ext. 12".to_owned()], None),
            2 => (vec!["n/a".to_owned()], Some(format!("(0)98765-{number:05}"))),
            _ => (Vec::new(), None),
        };
        Self {
            id: format!("{number:08x}-0000-4000-8000-{number:012x}"),
            display_name: (!number.is_multiple_of(11)).then(|| format!("Person {number} Rao")),
            user_principal_name: format!("{name}@contoso.onmicrosoft.com"),
            mail: (!number.is_multiple_of(5)).then(|| format!("{name}@contoso.example")),
            business_phones,
            mobile_phone,
            job_title: number.is_multiple_of(2).then(|| "Agent, nights".to_owned()),
            account_enabled: !number.is_multiple_of(13),
            deleted: None,
            hidden: false,
            hired: 0,
            changed: 0,
        }
    }

    /// The properties that were asked for; without a word, those that Graph gives by itself.
    pub(super) fn select(&self, select: Option<&str>) -> Value {
        const BY_ITSELF: &str = "id,displayName,userPrincipalName,mail,businessPhones,mobilePhone,jobTitle";
        let whole = json!({
            "id": self.id,
            "displayName": self.display_name,
            "userPrincipalName": self.user_principal_name,
            "mail": self.mail,
            "businessPhones": self.business_phones,
            "mobilePhone": self.mobile_phone,
            "jobTitle": self.job_title,
            "accountEnabled": self.account_enabled,
        });
        let properties = select.unwrap_or(BY_ITSELF).split(',').map(|name| (name.to_owned(), whole[name].clone()));
        Value::Object(properties.collect())
    }

    /// What a delta says of the person: what was never set isn't there.
    pub(super) fn delta(&self, select: Option<&str>) -> Value {
        if let Some(reason) = self.deleted {
            return json!({ "id": self.id, "@removed": { "reason": reason } });
        }
        let Value::Object(properties) = self.select(select) else { unreachable!("a person is an object") };
        let never_set = |value: &Value| value.is_null() && self.hired == self.changed;
        Value::Object(properties.into_iter().filter(|(_, value)| !never_set(value)).collect::<Map<_, _>>())
    }

    /// A property that is text, for searches and filters.
    pub(super) fn text(&self, property: &str) -> Option<&str> {
        match property {
            "displayName" => self.display_name.as_deref(),
            "mail" => self.mail.as_deref(),
            "userPrincipalName" => Some(&self.user_principal_name),
            "jobTitle" => self.job_title.as_deref(),
            _ => None,
        }
    }
}
