//! What Graph and the token endpoint answer, as JSON.

use rollcall_bulk::directory_import::{
    DirectoryUser, Phone,
    sync::{ChangedFacts, DirectoryChange},
};
use rollcall_model::{
    email::EmailAddress,
    numbers::NumberReader,
    user::{DirectoryId, LoginId, Name},
};
use serde::{Deserialize, de::IgnoredAny};

/// A user's properties that are asked for. Without being asked, Graph leaves `accountEnabled` out.
pub(super) const SELECT: &str =
    "id,displayName,userPrincipalName,mail,businessPhones,mobilePhone,jobTitle,accountEnabled";

/// A part of a list.
#[derive(Deserialize)]
pub(super) struct Page {
    pub value: Vec<User>,
    #[serde(rename = "@odata.nextLink")]
    pub next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub delta_link: Option<String>,
}

/// A user. In a delta, a property that was never set is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub id: DirectoryId,
    display_name: Option<String>,
    #[serde(rename = "userPrincipalName")]
    login_name: Option<String>,
    mail: Option<String>,
    business_phones: Option<Vec<Option<String>>>,
    mobile_phone: Option<String>,
    job_title: Option<String>,
    account_enabled: Option<bool>,
    /// Deleted. The reason says whether the user can be restored, which makes no difference here: who is, comes as a
    /// change.
    #[serde(rename = "@removed")]
    removed: Option<IgnoredAny>,
}

impl User {
    /// The user, whole.
    ///
    /// # Errors
    /// The property that is missing or holds what it can't.
    pub(super) fn whole(self, numbers: &mut NumberReader) -> Result<DirectoryUser, &'static str> {
        let login = self.login_name.as_deref().and_then(|name| LoginId::parse(name).ok());
        let login = login.ok_or("userPrincipalName")?;
        let enabled = self.account_enabled.ok_or("accountEnabled")?;
        let (id, facts) = (self.id.clone(), self.facts(numbers));
        let name = facts.name.or_else(|| Name::parse(login.as_str()).ok()).ok_or("displayName")?;
        Ok(DirectoryUser {
            id,
            login,
            name,
            email: facts.email,
            phone: facts.phone,
            designation: facts.designation,
            enabled,
        })
    }

    /// What a delta says of the user.
    pub(super) fn change(self, numbers: &mut NumberReader) -> DirectoryChange {
        if self.removed.is_some() { DirectoryChange::Removed } else { DirectoryChange::Is(self.facts(numbers)) }
    }

    fn facts(self, numbers: &mut NumberReader) -> ChangedFacts {
        let name = |text: Option<String>| text.and_then(|text| Name::parse(&text).ok());
        // Who has no mailbox has no mail; the login name has the form of an address.
        let addresses = [self.mail, self.login_name];
        let business = self.business_phones.iter().flatten().flatten().map(String::as_str);
        ChangedFacts {
            phone: Phone::read(business.chain(self.mobile_phone.as_deref()), numbers),
            name: name(self.display_name),
            email: addresses.into_iter().flatten().find_map(|text| EmailAddress::parse(&text).ok()),
            designation: name(self.job_title),
            enabled: self.account_enabled,
        }
    }
}

/// Graph's error.
#[derive(Deserialize)]
pub(super) struct Refusal {
    pub error: RefusalCode,
}

#[derive(Deserialize)]
pub(super) struct RefusalCode {
    pub code: String,
}
