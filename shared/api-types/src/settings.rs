//! What an account has set for itself.

use rollcall_model::{
    country::Country,
    email::EmailAddress,
    object,
    safety_threshold::SafetyThreshold,
    settings::{PhoneSystem, ReportTo, ScimGroupRule, Settings},
    user::{Name, Ref},
};
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What may be set. What isn't said is as by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsFields {
    /// Whose dialling rules read a number without a country code; `None`: those of the deployment.
    pub country: Option<Country>,
    /// Who gets a job's report when the upload names nobody.
    pub recipients: Vec<EmailAddress>,
    /// Who else may get reports, where an upload names somebody: addresses, and domains.
    pub report_to: Vec<ReportTo>,
    /// Numbers that one user's list takes at most.
    pub list_limit: usize,
    /// Where users may dial from what.
    pub phone_system: PhoneSystem,
    /// How much a resync or a sync that nobody watches may take away.
    #[serde(deserialize_with = "object::required")]
    pub safety_threshold: SafetyThreshold,
    /// The role of new users for whom none is given, by ID.
    pub default_role: Option<Ref>,
    /// Departments and teams that a file of users names and nobody has made are made.
    pub catalog_from_files: bool,
    /// What people are called whom tokens name by an ID, by that.
    pub names: BTreeMap<String, Name>,
    /// Groups of a directory that pushes users in, and what each sets of its members.
    pub scim_groups: Vec<ScimGroupRule>,
    /// Roles that such a directory names are taken.
    pub scim_roles: bool,
}

/// The settings, as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// What may be set.
    #[serde(flatten)]
    pub fields: SettingsFields,
    /// Groups whose members may not be yet what `scim_groups` has set of late. A change of the settings, also of nothing, goes on with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scim_groups_behind: Vec<Name>,
    /// Raised by every change. It is the entity tag.
    pub version: u64,
}

impl Default for SettingsFields {
    fn default() -> Self {
        SettingsView::from(Settings::default()).fields
    }
}

impl From<Settings> for SettingsView {
    fn from(settings: Settings) -> Self {
        let Settings {
            country,
            recipients,
            report_to,
            list_limit,
            phone_system,
            safety_threshold,
            default_role,
            catalog_from_files,
            names,
            scim_groups,
            scim_roles,
            scim_groups_behind,
            version,
        } = settings;
        let fields = SettingsFields {
            country,
            recipients,
            report_to,
            list_limit,
            phone_system,
            safety_threshold,
            default_role,
            catalog_from_files,
            names,
            scim_groups,
            scim_roles,
        };
        Self { fields, scim_groups_behind, version }
    }
}

impl SettingsFields {
    /// These settings in the place of others, of the same version.
    #[must_use]
    pub fn in_place_of(self, before: &Settings) -> Settings {
        let Self {
            country,
            recipients,
            report_to,
            list_limit,
            phone_system,
            safety_threshold,
            default_role,
            catalog_from_files,
            names,
            scim_groups,
            scim_roles,
        } = self;
        Settings {
            country,
            recipients,
            report_to,
            list_limit,
            phone_system,
            safety_threshold,
            default_role,
            catalog_from_files,
            names,
            scim_groups,
            scim_roles,
            scim_groups_behind: before.scim_groups_behind.clone(),
            version: before.version,
        }
    }
}
