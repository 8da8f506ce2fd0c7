//! What the account has set for itself.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::Response,
};
use rollcall_api_types::{SettingsFields, SettingsView};
use rollcall_engine::world::{Accounts, Catalogs};
use rollcall_model::{catalog::CatalogKind, settings::Settings};
use rollcall_provisioning::follow_groups;
use serde_json::{Value, to_value};
use tokio::time::{Duration, Instant};

use crate::{
    Api, Shared,
    body::{self, Body},
    caller::Caller,
    merge_patch,
    preconditions::{check_match, tag, tagged},
    problem::Problem,
};

/// `GET /v1/settings`
pub(crate) async fn get(State(api): Shared, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let settings = api.directory.settings(&caller.account).await?;
    Ok(tagged(&headers, &tag(settings.version), &SettingsView::from(settings)))
}

/// `PATCH /v1/settings`: a JSON merge patch. Null brings a setting's default back.
pub(crate) async fn patch(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    Body(patch): Body<Value>,
) -> Result<([(HeaderName, String); 1], Json<SettingsView>), Problem> {
    let settings = change(&api, &caller, &headers, |before| {
        let mut fields = to_value(SettingsView::from(before).fields).expect("settings can be written as JSON");
        merge_patch::merge(&mut fields, patch.clone());
        body::read(fields)
    })
    .await?;
    Ok(([(header::ETAG, tag(settings.version))], Json(settings.into())))
}

/// Changes settings. Where the request names no version, a change in between is no harm: the edit is made of what is there now.
pub(crate) async fn change(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    edit: impl Fn(Settings) -> Result<SettingsFields, Problem>,
) -> Result<Settings, Problem> {
    /// Changes in between that one request survives.
    const TRIES: usize = 4;
    for _ in 0..TRIES {
        let before = api.directory.settings(&caller.account).await?;
        check_match(headers, &tag(before.version))?;
        let after = edit(before.clone())?.in_place_of(&before);
        if after == before {
            return follow(api, caller, before).await;
        }
        check(api, caller, &before, &after).await?;
        let after = Settings { version: before.version + 1, scim_groups_behind: after.behind(&before), ..after };
        if api.directory.change_settings(&caller.account, before.version, &after, &caller.actor()).await? {
            return follow(api, caller, after).await;
        }
    }
    Err(Problem::changed())
}

/// Has members of groups that are behind be what the settings make of them, as many as a request has time for. **Where it ends before, the
/// settings say of which groups**: the next change goes on with them.
async fn follow(api: &Api, caller: &Caller, settings: Settings) -> Result<Settings, Problem> {
    /// A request has 29 seconds.
    const LONGEST: Duration = Duration::from_secs(15);
    if settings.scim_groups_behind.is_empty() {
        return Ok(settings);
    }
    let (directory, account, by) = (&api.directory, &caller.account, &caller.actor());
    let behind = &settings.scim_groups_behind;
    let left = follow_groups(directory, account, api.country, behind, by, Instant::now() + LONGEST).await?;
    if left == *behind {
        return Ok(settings);
    }
    let after = Settings { scim_groups_behind: left, version: settings.version + 1, ..settings.clone() };
    // Who has changed the settings meanwhile goes on with all of them.
    Ok(if directory.change_settings(account, settings.version, &after, by).await? { after } else { settings })
}

async fn check(api: &Api, caller: &Caller, before: &Settings, after: &Settings) -> Result<(), Problem> {
    after.check().map_err(|bad| Problem::field(format!("/{}", bad.field), bad.reason))?;
    if after.scim_groups != before.scim_groups {
        let kinds = [CatalogKind::Role, CatalogKind::Team, CatalogKind::Department];
        for (kind, what) in kinds.into_iter().zip(["role", "team", "department"]) {
            let there = api.directory.catalog(&caller.account, kind).await?;
            for (place, rule) in after.scim_groups.iter().enumerate() {
                let named = match kind {
                    CatalogKind::Role => &rule.role,
                    CatalogKind::Team => &rule.team,
                    CatalogKind::Department => &rule.department,
                };
                if named.as_ref().is_some_and(|id| !there.iter().any(|entry| entry.id == *id)) {
                    let detail = format!("The account has no {what} of this ID.");
                    return Err(Problem::field(format!("/scim_groups/{place}/{what}"), detail));
                }
            }
        }
    }
    match &after.default_role {
        Some(role) if after.default_role != before.default_role => {
            let roles = api.directory.catalog(&caller.account, CatalogKind::Role).await?;
            if roles.iter().any(|entry| entry.id == *role) {
                return Ok(());
            }
            Err(Problem::field("/default_role", "The account has no role of this ID."))
        }
        _ => Ok(()),
    }
}
