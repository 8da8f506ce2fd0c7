//! What an account has set for itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    country::{Country, NotACountry},
    email::EmailAddress,
    safety_threshold::SafetyThreshold,
    user::{Name, Ref, fold},
};

/// Numbers that one user's list takes at most, where the account's settings don't say. A DynamoDB item holds 400 KB,
/// some 34,000 numbers; an append becomes dearer than one item a number from some 135 on.
pub const DEFAULT_LIST_LIMIT: usize = 5_000;
/// The most that the limit of a list can be set to: what fits into an item beside a user's profile.
pub const MAX_LIST_LIMIT: usize = 30_000;
/// Addresses that a report can go to at once (SES: 50 recipients of one message).
pub const MAX_RECIPIENTS: usize = 50;
/// Addresses and domains that may be allowed beside: all settings are one item, which every job reads.
pub const MAX_REPORT_TO: usize = 200;
/// Names of subjects at most, for the same reason.
pub const MAX_NAMES: usize = 200;
/// Longest subject that is named, in characters: OpenID Connect gives a `sub` 255 (Core 1.0, section 2).
pub const MAX_SUBJECT: usize = 255;
/// Groups of the company's directory that set something: whether a user is in each is looked up with every change of one.
pub const MAX_SCIM_GROUPS: usize = 50;

/// An account's settings. An account that has set nothing has the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whose dialling rules read a number without a country code; `None`: those of the deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Who gets a job's report when the upload names nobody.
    pub recipients: Vec<EmailAddress>,
    /// Who else may get reports, where an upload names somebody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub report_to: Vec<ReportTo>,
    /// Numbers that one user's list takes at most.
    pub list_limit: usize,
    /// Where users may dial from what: mappings are resynced with it.
    pub phone_system: PhoneSystem,
    /// How much a resync or a sync that nobody watches may take away.
    pub safety_threshold: SafetyThreshold,
    /// The role of new users for whom none is given, by ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_role: Option<Ref>,
    /// Departments and teams that a file of users names and nobody has made are made, and not taken for slips.
    pub catalog_from_files: bool,
    /// What people are called whom tokens name by an ID (their `sub`), for those who read who did something.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Name>,
    /// Groups of the company's directory that set something of their members, where it pushes them in by SCIM. Of two that set the same, the
    /// first counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scim_groups: Vec<ScimGroupRule>,
    /// Roles that such a directory names are taken, where the account has them.
    pub scim_roles: bool,
    /// Groups whose members may not be yet what `scim_groups` has set of late. Written with the change itself, so that it is known wherever the
    /// work ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scim_groups_behind: Vec<Name>,
    /// Raised by every change through the API; 0 for settings that nobody has set.
    pub version: u64,
}

/// What a group of the company's directory sets of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScimGroupRule {
    /// The group, by its name there, in any case.
    pub group: Name,
    /// The role, by ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Ref>,
    /// The team, by ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Ref>,
    /// The department, by ID; and so, where the user's policy is that, the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Ref>,
}

/// A setting that can't be, by the name of its field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct BadSetting {
    /// The field.
    pub field: &'static str,
    /// Why, in a sentence.
    pub reason: String,
}

/// A phone system. Its credentials are a secret of the account by the same name.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumCount,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PhoneSystem {
    /// This directory itself.
    #[default]
    Builtin,
    /// The snapshot files that are dropped for the account.
    Snapshot,
    /// Smartflo, Acefone and Servetel.
    Smartflo,
    /// Zoom Phone.
    ZoomPhone,
}

impl PhoneSystem {
    /// Every phone system.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        [Self::Builtin, Self::Snapshot, Self::Smartflo, Self::ZoomPhone];

    /// Finds it by its name.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it takes a list of numbers for each of its users: then it is told what they may dial from.
    pub fn takes_lists(self) -> bool {
        match self {
            Self::Smartflo | Self::ZoomPhone => true,
            Self::Builtin | Self::Snapshot => false,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            country: None,
            recipients: Vec::new(),
            report_to: Vec::new(),
            list_limit: DEFAULT_LIST_LIMIT,
            phone_system: PhoneSystem::default(),
            safety_threshold: SafetyThreshold::default(),
            default_role: None,
            catalog_from_files: false,
            names: BTreeMap::new(),
            scim_groups: Vec::new(),
            scim_roles: false,
            scim_groups_behind: Vec::new(),
            version: 0,
        }
    }
}

impl Settings {
    /// Refuses what would only show later: in a mail that nobody gets, in numbers that nobody can read. Whether there is the role, the
    /// catalogue knows.
    ///
    /// # Errors
    /// The first setting that can't be.
    pub fn check(&self) -> Result<(), BadSetting> {
        let bad = |field, reason: String| Err(BadSetting { field, reason });
        if let Some(country) = self.country.filter(|country| !country.has_numbering_plan()) {
            return bad("country", format!("{country} has no dialling rules: {NotACountry}."));
        }
        if self.recipients.len() > MAX_RECIPIENTS {
            return bad("recipients", format!("A report goes to {MAX_RECIPIENTS} addresses at most."));
        }
        for (place, address) in self.recipients.iter().enumerate() {
            if !address.takes_reports() {
                return bad("recipients", format!("The mail service can't reach {address}: it takes ASCII alone."));
            }
            if self.recipients[..place].iter().any(|other| other.folded() == address.folded()) {
                return bad("recipients", format!("{address} stands twice."));
            }
        }
        if self.report_to.len() > MAX_REPORT_TO {
            return bad("report_to", format!("It holds {MAX_REPORT_TO} addresses and domains at most."));
        }
        if !(1..=MAX_LIST_LIMIT).contains(&self.list_limit) {
            return bad(
                "list_limit",
                format!("A list takes 1 to {MAX_LIST_LIMIT} numbers: an item of the table has 400 KB."),
            );
        }
        if self.names.len() > MAX_NAMES {
            return bad("names", format!("It holds {MAX_NAMES} names at most."));
        }
        if self.names.keys().any(|subject| !(1..=MAX_SUBJECT).contains(&subject.chars().count())) {
            return bad("names", format!("A token's subject has 1 to {MAX_SUBJECT} characters."));
        }
        if self.scim_groups.len() > MAX_SCIM_GROUPS {
            return bad("scim_groups", format!("It holds {MAX_SCIM_GROUPS} groups at most."));
        }
        for (place, rule) in self.scim_groups.iter().enumerate() {
            let same = |other: &ScimGroupRule| fold(other.group.as_str()) == fold(rule.group.as_str());
            if self.scim_groups[..place].iter().any(same) {
                return bad("scim_groups", format!("{} stands twice.", rule.group));
            }
        }
        let (shares, counts) = (SafetyThreshold::PERCENT, SafetyThreshold::AT_LEAST);
        if !shares.contains(&self.safety_threshold.percent) {
            return bad("safety_threshold/percent", format!("It is {} to {} percent.", shares.start(), shares.end()));
        }
        if !counts.contains(&self.safety_threshold.at_least) {
            return bad("safety_threshold/at_least", format!("It is {} to {}.", counts.start(), counts.end()));
        }
        Ok(())
    }

    /// The groups whose members may be something else by these settings than by those before: of rules that came, went or were changed, and of
    /// all, if rules changed places. Those that were behind before still are.
    pub fn behind(&self, before: &Self) -> Vec<Name> {
        let (old, new) = (&before.scim_groups, &self.scim_groups);
        let have_moved = !new.iter().filter(|rule| old.contains(rule)).eq(old.iter().filter(|rule| new.contains(rule)));
        let changed = new.iter().chain(old).filter(|rule| have_moved || !(new.contains(rule) && old.contains(rule)));
        let mut groups = before.scim_groups_behind.clone();
        for rule in changed {
            if !groups.iter().any(|known| fold(known.as_str()) == fold(rule.group.as_str())) {
                groups.push(rule.group.clone());
            }
        }
        groups
    }

    /// Whether a report may go to this address: one of the recipients, or one that the account has allowed. Reports hold names and
    /// numbers of the account, and are sent in the stack's name, so whoever drops a file doesn't choose freely who gets one.
    pub fn allows_report_to(&self, address: &EmailAddress) -> bool {
        let same = |other: &EmailAddress| other.folded() == address.folded();
        self.recipients.iter().any(same)
            || self.report_to.iter().any(|allowed| match allowed {
                ReportTo::Address(other) => same(other),
                ReportTo::Domain(domain) => address.domain().eq_ignore_ascii_case(domain),
            })
    }
}

/// An address that reports may go to, or a domain: `ann@example.com`, `example.com`. A domain doesn't stand for those below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReportTo {
    /// This address.
    Address(EmailAddress),
    /// Every address of this domain, in lower case.
    Domain(String),
}

/// The text is neither an address nor a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither an e-mail address nor a domain such as example.com")]
pub struct NotReportTo;

impl ReportTo {
    /// Takes the text without the padding around it.
    ///
    /// # Errors
    /// [`NotReportTo`].
    pub fn parse(given: &str) -> Result<Self, NotReportTo> {
        if given.contains('@') {
            return EmailAddress::parse(given).map(Self::Address).map_err(|_| NotReportTo);
        }
        // A domain is what can stand behind the @ of an address, of two labels at least: a whole top-level domain is nobody's.
        let address = EmailAddress::parse(&format!("x@{}", given.trim())).map_err(|_| NotReportTo)?;
        let domain = address.domain();
        let labels = domain.split('.');
        if labels.clone().count() < 2 || labels.clone().any(str::is_empty) || !domain.is_ascii() {
            return Err(NotReportTo);
        }
        Ok(Self::Domain(domain.to_ascii_lowercase()))
    }

    /// As it stands in settings.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Address(address) => address.as_str(),
            Self::Domain(domain) => domain,
        }
    }
}

impl std::str::FromStr for ReportTo {
    type Err = NotReportTo;

    fn from_str(text: &str) -> Result<Self, NotReportTo> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ReportTo {
    type Error = NotReportTo;

    fn try_from(text: String) -> Result<Self, NotReportTo> {
        Self::parse(&text)
    }
}

impl From<ReportTo> for String {
    fn from(allowed: ReportTo) -> Self {
        allowed.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_only_show_later_is_refused_by_name() {
        let bad = |json: &str| {
            let settings: Settings = serde_json::from_str(json).expect("settings");
            settings.check().map_err(|bad| bad.field)
        };
        assert_eq!(Settings::default().check(), Ok(()));
        assert_eq!(bad(r#"{"country": "GB", "list_limit": 30000, "recipients": ["a@b.example"]}"#), Ok(()));
        for (json, field) in [
            (r#"{"country": "XX"}"#, "country"),
            (r#"{"recipients": ["a@b.example", "A@B.example"]}"#, "recipients"),
            (r#"{"recipients": ["जॉन@b.example"]}"#, "recipients"),
            (r#"{"list_limit": 0}"#, "list_limit"),
            (r#"{"list_limit": 30001}"#, "list_limit"),
            (r#"{"safety_threshold": {"percent": 0, "at_least": 1}}"#, "safety_threshold/percent"),
            (r#"{"safety_threshold": {"percent": 100, "at_least": 1}}"#, "safety_threshold/percent"),
            (r#"{"safety_threshold": {"percent": 1, "at_least": 0}}"#, "safety_threshold/at_least"),
        ] {
            assert_eq!(bad(json), Err(field), "{json}");
        }
        let many: Vec<String> = (0..=MAX_RECIPIENTS).map(|n| format!("\"a{n}@b.example\"")).collect();
        assert_eq!(bad(&format!(r#"{{"recipients": [{}]}}"#, many.join(","))), Err("recipients"));
    }

    #[test]
    fn the_groups_that_a_change_is_about_are_behind_and_no_others() {
        let of = |rules: &[(&str, &str)]| Settings {
            scim_groups: rules
                .iter()
                .map(|(group, team)| ScimGroupRule {
                    group: Name::parse(group).unwrap(),
                    role: None,
                    team: Some(Ref::parse(team).unwrap()),
                    department: None,
                })
                .collect(),
            ..Settings::default()
        };
        let behind = |before: &Settings, after: &[(&str, &str)]| {
            let mut names: Vec<_> = of(after).behind(before).iter().map(ToString::to_string).collect();
            names.sort();
            names.join(" ")
        };
        let before = of(&[("A", "x"), ("B", "x")]);
        assert_eq!(behind(&before, &[("A", "x"), ("B", "x")]), "");
        assert_eq!(behind(&before, &[("A", "x"), ("B", "x"), ("C", "x")]), "C");
        assert_eq!(behind(&before, &[("C", "x"), ("A", "x"), ("B", "x")]), "C");
        assert_eq!(behind(&before, &[("A", "y"), ("B", "x")]), "A");
        assert_eq!(behind(&before, &[("B", "x")]), "A");
        assert_eq!(behind(&before, &[("B", "x"), ("A", "x")]), "A B");
        let late = Settings { scim_groups_behind: vec![Name::parse("a").unwrap()], ..before };
        assert_eq!(behind(&late, &[("A", "y")]), "B a");
    }

    #[test]
    fn reports_go_to_recipients_and_to_whom_the_account_allows_and_to_nobody_else() {
        let settings: Settings = serde_json::from_str(
            r#"{"recipients": ["ops@acme.example"], "report_to": ["ann@other.example", "Acme.Test"]}"#,
        )
        .unwrap();
        let allows = |address: &str| settings.allows_report_to(&EmailAddress::parse(address).unwrap());
        for address in ["ops@acme.example", "OPS@ACME.example", "ann@other.example", "x@acme.test", "y@ACME.TEST"] {
            assert!(allows(address), "{address}");
        }
        for address in
            ["eve@acme.example", "bob@other.example", "x@sub.acme.test", "x@notacme.test", "x@acme.test.evil"]
        {
            assert!(!allows(address), "{address}");
        }
        assert!(!Settings::default().allows_report_to(&EmailAddress::parse("a@b.example").unwrap()));
        for text in ["", "test", "*.acme.test", "acme..test", "@acme.test", "a b.test", "acme.test, x.test"] {
            assert_eq!(ReportTo::parse(text), Err(NotReportTo), "{text}");
        }
    }
}
