//! `rollcall settings`: what the account has set for itself.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use rollcall_api_types::SettingsView;
use rollcall_model::country::Country;
use rollcall_model::email::EmailAddress;
use rollcall_model::settings::{PhoneSystem, ReportTo, ScimGroupRule};
use rollcall_model::user::{Name, Ref};
use serde_json::{Map, Value, json};

use crate::client::StackClient;
use crate::output::{self, count, counted};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall settings`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without an option the settings are shown. A list that is given replaces the one before: give --recipient once for each address.

Examples:
  rollcall settings
  rollcall settings --recipient ops@example.com --recipient night-shift@example.com
  rollcall settings --country GB --default-role agent
  rollcall settings --threshold-percent 10 --threshold-at-least 25
  rollcall settings --reset report-to --reset list-limit")]
pub struct ChangeSettings {
    /// Who gets reports where an upload names nobody
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse)]
    recipient: Vec<EmailAddress>,
    /// Who else may get reports: an address, or a domain for each of its addresses
    #[arg(long, value_name = "ADDRESS|DOMAIN", value_parser = ReportTo::parse)]
    report_to: Vec<ReportTo>,
    /// Whose dialling rules read numbers without a country code: IN, US, GB
    #[arg(long, value_name = "CODE")]
    country: Option<Country>,
    /// Numbers that one user's list takes at most
    #[arg(long, value_name = "N")]
    list_limit: Option<usize>,
    /// A resync or a sync is on hold when it would take more than this share away, in percent, …
    #[arg(long, value_name = "N")]
    threshold_percent: Option<u8>,
    /// … and from so many at least
    #[arg(long, value_name = "N")]
    threshold_at_least: Option<u32>,
    /// The role of new users for whom none is given, by its ID
    #[arg(long, value_name = "ID", value_parser = Ref::parse)]
    default_role: Option<Ref>,
    /// Whether files of users make departments and teams that nobody has made: true or false
    #[arg(long, value_name = "YES")]
    catalog_from_files: Option<bool>,
    /// What somebody is called whom tokens name by an ID, as ID=NAME; without a name, it is forgotten
    #[arg(long, value_name = "ID=NAME", value_parser = subject)]
    name: Vec<(String, Option<Name>)>,
    /// What a group of a directory that pushes users in sets of its members: NAME=department:ID,team:ID,role:ID; all groups that set something
    #[arg(long, value_name = "RULE", value_parser = scim_group)]
    scim_group: Vec<ScimGroupRule>,
    /// Whether roles that such a directory names are taken: true or false
    #[arg(long, value_name = "YES")]
    scim_roles: Option<bool>,
    /// builtin, snapshot, smartflo or zoom-phone
    #[arg(long, value_name = "NAME", value_parser = phone_system)]
    phone_system: Option<PhoneSystem>,
    /// Bring the default of a setting back
    #[arg(long, value_name = "SETTING")]
    reset: Vec<Setting>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

/// A setting by its option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Setting {
    Recipient,
    ReportTo,
    Country,
    ListLimit,
    Threshold,
    DefaultRole,
    CatalogFromFiles,
    Name,
    ScimGroup,
    ScimRoles,
    PhoneSystem,
}

impl Setting {
    /// Its name in the API.
    fn field(self) -> &'static str {
        match self {
            Self::Recipient => "recipients",
            Self::ReportTo => "report_to",
            Self::Country => "country",
            Self::ListLimit => "list_limit",
            Self::Threshold => "safety_threshold",
            Self::DefaultRole => "default_role",
            Self::CatalogFromFiles => "catalog_from_files",
            Self::Name => "names",
            Self::ScimGroup => "scim_groups",
            Self::ScimRoles => "scim_roles",
            Self::PhoneSystem => "phone_system",
        }
    }
}

impl ChangeSettings {
    /// Shows or changes them.
    ///
    /// # Errors
    /// If the stack can't be asked, or doesn't take one.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        const PATH: [&str; 2] = ["v1", "settings"];
        let patch = self.patch();
        let stack = StackClient::open(place, &self.whose).await?;
        let mut settings: SettingsView =
            if patch.is_empty() { stack.api.get(&PATH, &[]).await } else { stack.api.patch(&PATH, &patch).await }?;
        while !patch.is_empty() && !settings.scim_groups_behind.is_empty() {
            eprintln!("Going on with the members of {} …", behind(&settings));
            settings = stack.api.patch(&PATH, &Map::new()).await?;
        }
        if self.form.json {
            output::print_json(&settings)?;
        } else {
            output::print(&shown(&settings))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is asked for, as a merge patch (RFC 7396).
    fn patch(&self) -> Map<String, Value> {
        let mut patch: Map<String, Value> =
            self.reset.iter().map(|setting| (setting.field().to_owned(), Value::Null)).collect();
        let mut set = |setting: Setting, value: Value| drop(patch.insert(setting.field().to_owned(), value));
        if !self.recipient.is_empty() {
            set(Setting::Recipient, json!(self.recipient));
        }
        if !self.report_to.is_empty() {
            set(Setting::ReportTo, json!(self.report_to));
        }
        if let Some(country) = self.country {
            set(Setting::Country, json!(country));
        }
        if let Some(limit) = self.list_limit {
            set(Setting::ListLimit, json!(limit));
        }
        let parts = [("percent", self.threshold_percent.map(u32::from)), ("at_least", self.threshold_at_least)];
        let parts: Map<String, Value> =
            parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
        if !parts.is_empty() {
            set(Setting::Threshold, parts.into());
        }
        if let Some(role) = &self.default_role {
            set(Setting::DefaultRole, json!(role));
        }
        if let Some(welcome) = self.catalog_from_files {
            set(Setting::CatalogFromFiles, json!(welcome));
        }
        if !self.name.is_empty() {
            set(Setting::Name, self.name.iter().map(|(subject, name)| (subject.clone(), json!(name))).collect());
        }
        if !self.scim_group.is_empty() {
            set(Setting::ScimGroup, json!(self.scim_group));
        }
        if let Some(taken) = self.scim_roles {
            set(Setting::ScimRoles, json!(taken));
        }
        if let Some(system) = self.phone_system {
            set(Setting::PhoneSystem, json!(system));
        }
        patch
    }
}

fn shown(settings: &SettingsView) -> String {
    let fields = &settings.fields;
    let list = |texts: Vec<&str>, none: &str| if texts.is_empty() { none.to_owned() } else { texts.join(", ") };
    let recipients = fields.recipients.iter().map(EmailAddress::as_str).collect();
    let report_to = fields.report_to.iter().map(ReportTo::as_str).collect();
    let threshold = fields.safety_threshold;
    let names = fields.names.iter();
    let names: Vec<String> =
        names.map(|(subject, name)| output::visible(&format!("{subject} is {}", name.as_str()))).collect();
    let groups: Vec<String> = fields.scim_groups.iter().map(group_shown).collect();
    let mut pairs = vec![
        ("Recipients", list(recipients, "nobody: no report is mailed unless an upload names somebody")),
        ("Report to", list(report_to, "nobody else")),
        ("Country", fields.country.map_or("that of the deployment".to_owned(), |country| country.to_string())),
        ("List limit", counted(fields.list_limit as u64, "number", "numbers")),
        ("Threshold", format!("{} %, and {} at least", threshold.percent, count(u64::from(threshold.at_least)))),
        ("Default role", fields.default_role.as_ref().map_or("none".to_owned(), ToString::to_string)),
        ("New departments", if fields.catalog_from_files { "made by files" } else { "not made by files" }.to_owned()),
        ("Names", list(names.iter().map(String::as_str).collect(), "none")),
        ("Groups set", list(groups.iter().map(String::as_str).collect(), "nothing")),
        ("Roles by SCIM", if fields.scim_roles { "taken" } else { "not taken" }.to_owned()),
        ("Phone system", fields.phone_system.as_str().to_owned()),
    ];
    if !settings.scim_groups_behind.is_empty() {
        pairs.push(("Not done yet", format!("members of {}; goes on with {}", behind(settings), go_on(settings))));
    }
    output::pairs(&pairs)
}

/// The command that goes on with them: it sets what is set already.
pub fn go_on(settings: &SettingsView) -> String {
    let rules = settings.fields.scim_groups.iter();
    let rules: Vec<_> =
        rules.map(|rule| format!("--scim-group '{}'", group_shown(rule).replace('\'', "'\\''"))).collect();
    if rules.is_empty() { "settings --reset scim-group".to_owned() } else { format!("settings {}", rules.join(" ")) }
}

/// Groups whose members may not be yet what was set of late.
pub fn behind(settings: &SettingsView) -> String {
    let names = settings.scim_groups_behind.iter().map(|name| output::visible(name.as_str()));
    names.collect::<Vec<_>>().join(", ")
}

/// Somebody's ID in tokens, and name.
fn subject(text: &str) -> Result<(String, Option<Name>)> {
    let (subject, name) = text.split_once('=').ok_or_else(|| anyhow!("write ID=NAME"))?;
    let name = if name.is_empty() { None } else { Some(Name::parse(name).map_err(|error| anyhow!("{error}"))?) };
    Ok((subject.to_owned(), name))
}

/// A rule as it is written: `Sales=department:sales,role:agent`. A name may hold the sign.
fn scim_group(text: &str) -> Result<ScimGroupRule> {
    let wanted = || anyhow!("write it so: Sales=department:sales,team:north,role:agent");
    let (group, parts) = text.rsplit_once('=').ok_or_else(wanted)?;
    let mut rule = ScimGroupRule { group: Name::parse(group)?, role: None, team: None, department: None };
    for part in parts.split(',') {
        let (what, id) = part.split_once(':').ok_or_else(wanted)?;
        let place = match what.trim() {
            "role" => &mut rule.role,
            "team" => &mut rule.team,
            "department" => &mut rule.department,
            _ => return Err(wanted()),
        };
        *place = Some(Ref::parse(id)?);
    }
    Ok(rule)
}

fn group_shown(rule: &ScimGroupRule) -> String {
    let parts = [("department", &rule.department), ("team", &rule.team), ("role", &rule.role)];
    let parts = parts.into_iter().filter_map(|(what, id)| Some(format!("{what}:{}", id.as_ref()?)));
    format!("{}={}", output::visible(rule.group.as_str()), parts.collect::<Vec<_>>().join(","))
}

/// A phone system by its name.
///
/// # Errors
/// With the names that there are.
pub fn phone_system(name: &str) -> Result<PhoneSystem> {
    let names: Vec<_> = PhoneSystem::ALL.iter().map(|known| known.as_str()).collect();
    PhoneSystem::parse(name).ok_or_else(|| anyhow!("there are {}", names.join(", ")))
}
