//! SCIM 2.0, behind API Gateway: a company's directory, Entra ID or Okta, pushes its users in.
//!
//! Who asks and for which account comes from the key that `scim-authorizer` has verified, never from the request. What is sent is kept as
//! it was sent, and what it means for a user is written together with it, in one transaction.

mod answer;
mod caller;
mod groups;
mod leavers;
mod users;

use std::time::Instant;

use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt, Response, http::Method};
use rollcall_engine::telemetry::millis;
use rollcall_model::{country::Country, settings::Settings, user::User};
use rollcall_provisioning::Rules;
use rollcall_scim::{Document, Page, Projection, ScimError, discovery, list_response, search_request};
use rollcall_storage::{
    directory::{Directory, ScimErrorNote},
    mailer::Mailer,
};
use serde_json::Value;
use tracing::Instrument;

use answer::Answer;
use caller::Caller;

/// Bytes of a body at most.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// What every request works with.
pub struct Scim {
    /// The table.
    pub directory: Directory,
    /// Tells people when many have left.
    pub mailer: Mailer,
    /// The country of accounts that name none.
    pub country: Country,
    /// Mails that an account sends in a day.
    pub mails_a_day: u32,
}

/// A request, read.
struct Asked {
    method: Method,
    /// The path below `/scim/v2`, in parts.
    path: Vec<String>,
    query: String,
    if_match: Option<String>,
    if_none_match: Option<String>,
    body: Result<Value, ScimError>,
}

impl Scim {
    /// Answers a request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        let start = Instant::now();
        let lambda = request.lambda_context_ref().map(|context| context.request_id.clone());
        let caller = match Caller::of(&request) {
            Ok(caller) => caller,
            Err(error) => return Answer::from(error).into_response(),
        };
        let asked = Asked::of(request);
        let route = asked.route();
        let span = tracing::info_span!(
            "request",
            request.id = lambda,
            account = caller.account.as_str(),
            key = caller.key.as_str()
        );
        async {
            let answered = self.route(&caller, &asked).await;
            if let Err(error) = &answered {
                self.note(&caller, &asked, &route, error).await;
            }
            let answer = answered.unwrap_or_else(Answer::from);
            tracing::info!(
                route,
                status = answer.status,
                scim_type = answer.scim_type(),
                ms = millis(start.elapsed()),
                "answered"
            );
            answer.into_response()
        }
        .instrument(span)
        .await
    }

    async fn route(&self, caller: &Caller, asked: &Asked) -> Result<Answer, ScimError> {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let base = caller.base.as_str();
        let method = asked.method.as_str();
        match (path.as_slice(), method) {
            (["ServiceProviderConfig"], "GET") => Ok(Answer::ok(discovery::service_provider_config(base))),
            (["ResourceTypes"], "GET") => Ok(all(&discovery::resource_types(base))),
            (["ResourceTypes", id], "GET") => one(discovery::resource_types(base), id),
            (["Schemas"], "GET") => Ok(all(&discovery::schemas(base))),
            (["Schemas", id], "GET") => one(discovery::schemas(base), id),
            (["Users"], "GET") => self.list_users(caller, &asked.page()?).await,
            (["Users", ".search"], "POST") => self.list_users(caller, &asked.search()?).await,
            (["Users"], "POST") => self.create_user(caller, asked.body()?).await,
            (["Users", id], "GET") => self.get_user(caller, asked, id).await,
            (["Users", id], "PUT" | "PATCH") => self.change_user(caller, asked, id).await,
            (["Users", id], "DELETE") => self.delete_user(caller, asked, id).await,
            (["Groups"], "GET") => self.list_groups(caller, &asked.page()?).await,
            (["Groups", ".search"], "POST") => self.list_groups(caller, &asked.search()?).await,
            (["Groups"], "POST") => self.create_group(caller, asked.body()?).await,
            (["Groups", id], "GET") => self.get_group(caller, asked, id).await,
            (["Groups", id], "PUT" | "PATCH") => self.change_group(caller, asked, id).await,
            (["Groups", id], "DELETE") => self.delete_group(caller, asked, id).await,
            ([".search"], "POST") => self.search_all(caller, &asked.search()?).await,
            (["Bulk" | "Me", ..], _) => Err(ScimError::of(501, "This is not offered.")),
            (
                ["ServiceProviderConfig" | "ResourceTypes" | "Schemas" | "Users" | "Groups" | ".search"]
                | ["ResourceTypes" | "Schemas" | "Users" | "Groups", _],
                _,
            ) => Err(ScimError::of(405, format!("{method} is not offered here."))),
            _ => Err(ScimError::of(404, "There is no such thing here.")),
        }
    }

    /// Users and groups, one list after the other.
    async fn search_all(&self, caller: &Caller, page: &Page) -> Result<Answer, ScimError> {
        let (users, user_total) = self.users_of(caller, page).await?;
        let groups = Page {
            start: page.start.saturating_sub(user_total).max(1),
            count: page.count - users.len(),
            ..page.clone()
        };
        let (groups, group_total) = self.groups_of(caller, &groups).await?;
        let resources = [users, groups].concat();
        Ok(Answer::ok(list_response(user_total + group_total, page.start, &resources)))
    }

    /// What of the account decides what a document means for a user.
    async fn rules(
        &self,
        caller: &Caller,
        settings: &Settings,
        user: &User,
        document: &Document,
    ) -> Result<Rules, ScimError> {
        let told = Projection::of(document);
        let users = [(user, &told)];
        let rules = Rules::of(&self.directory, &caller.account, self.country, settings, &users);
        rules.await.map_err(|error| answer::failed(&error))
    }

    /// Notes what was refused of a change, for people to see. The answer doesn't wait for a table that can't be written: that is in the log.
    async fn note(&self, caller: &Caller, asked: &Asked, route: &str, error: &ScimError) {
        // Who asks for what isn't there, or for what isn't so any more, looks again: nothing is wrong with it.
        let is_passing = matches!(error.status, 404 | 405 | 412);
        if asked.method == Method::GET || route.ends_with(".search") || is_passing {
            return;
        }
        let note = ScimErrorNote {
            about: asked.about(),
            at: Timestamp::now(),
            route: route.to_owned(),
            status: error.status,
            scim_type: error.kind.map(|kind| kind.as_str().to_owned()),
            detail: error.detail.clone(),
            times: 1,
        };
        if let Err(error) = self.directory.note_scim_error(&caller.account, &note).await {
            tracing::error!(error = error.chain(), "what was refused could not be noted");
        }
    }
}

fn all(resources: &[Value]) -> Answer {
    Answer::ok(list_response(resources.len(), 1, resources))
}

fn one(resources: Vec<Value>, id: &str) -> Result<Answer, ScimError> {
    let found =
        resources.into_iter().find(|one| one["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id)));
    found.map(Answer::ok).ok_or_else(|| ScimError::of(404, "There is no such thing here."))
}

impl Asked {
    fn of(request: Request) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let path = request.raw_http_path().split_once("/scim/v2").map_or("", |(_, path)| path);
        let path = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let (method, if_match, if_none_match) = (request.method().clone(), header("if-match"), header("if-none-match"));
        let body = match request.into_body() {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            _ => Vec::new(),
        };
        let body = if body.len() > MAX_BODY {
            Err(ScimError::of(413, format!("A body has {MAX_BODY} bytes at most.")))
        } else {
            let syntax = |_| ScimError::bad(rollcall_scim::ScimType::InvalidSyntax, "The body is not JSON.");
            serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body)).map_err(syntax)
        };
        Self { method, path, query, if_match, if_none_match, body }
    }

    /// Where it goes, without whom it is about.
    fn route(&self) -> String {
        let known = ["Users", "Groups", "ServiceProviderConfig", "ResourceTypes", "Schemas", "Bulk", "Me", ".search"];
        let parts = self.path.iter().map(|part| if known.contains(&part.as_str()) { part.as_str() } else { "{id}" });
        format!("{} /{}", self.method, parts.take(3).collect::<Vec<_>>().join("/"))
    }

    /// Whom it is about: by name, where one was sent, else by ID.
    fn about(&self) -> String {
        let name = |name: &str| self.body.as_ref().ok().and_then(|body| body.get(name)?.as_str());
        let id = self.path.get(1).map(|id| users::login_of(id).unwrap_or_else(|| id.clone()));
        id.or_else(|| name("userName").or_else(|| name("displayName")).map(str::to_owned)).unwrap_or_default()
    }

    fn body(&self) -> Result<Value, ScimError> {
        self.body.clone()
    }

    fn page(&self) -> Result<Page, ScimError> {
        let pairs: Vec<_> = form_urlencoded::parse(self.query.as_bytes()).collect();
        Page::of(pairs.iter().map(|(name, value)| (&**name, &**value)))
    }

    fn search(&self) -> Result<Page, ScimError> {
        let pairs = search_request(&self.body()?)?;
        Page::of(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}
