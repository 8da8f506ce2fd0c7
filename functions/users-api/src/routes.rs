//! The routes of the API: the one table of them. The router is made of it, and so is the check of each route's scope; tests hold
//! `infra/template.yaml` and `infra/openapi.yaml` against it.

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::Request,
    http::{Extensions, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use lambda_http::{RequestExt, request::RequestContext};
use rollcall_model::{code::ApiCode, scope::Scope};

use crate::{
    Api, audit, caller::Caller, catalog, entra, jobs, mappings, numbers, phone_system, problem::Problem, samples,
    scim_keys, settings, users,
};

/// A route of the API.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// The scope that a token needs. Jobs may need another one besides: [`rollcall_model::scope`] has the table.
    pub scope: Scope,
    handler: fn(MethodFilter) -> MethodRouter<Arc<Api>>,
}

macro_rules! routes {
    ($($method:ident $path:literal $scope:ident $handler:path;)*) => {
        &[$(Route {
            method: Method::$method,
            path: $path,
            scope: Scope::$scope,
            handler: |method| on(method, $handler),
        }),*]
    };
}

/// Every route of the API.
pub const ROUTES: &[Route] = routes! {
    GET    "/v1/users"                             UsersRead      users::list::list;
    POST   "/v1/users"                             UsersWrite     users::create::create;
    GET    "/v1/users.csv"                         UsersRead      users::download::users;
    GET    "/v1/users/{login}"                     UsersRead      users::one::get;
    PATCH  "/v1/users/{login}"                     UsersWrite     users::patch::patch;
    DELETE "/v1/users/{login}"                     UsersWrite     users::delete::delete;
    POST   "/v1/users/jobs"                        UsersWrite     users::jobs::ask;
    POST   "/v1/users/{login}/actions/{action}"    UsersWrite     users::act::act;
    GET    "/v1/users/{login}/caller-ids"          UsersRead      users::caller_ids::list;
    POST   "/v1/users/{login}/caller-ids"          UsersWrite     users::caller_ids::append;
    GET    "/v1/users/{login}/caller-ids/{number}" DialCheck      users::dial::check;
    GET    "/v1/users/{login}/choices"             DialChoose     users::dial::choices;
    DELETE "/v1/users/{login}/caller-ids/{number}" UsersWrite     users::caller_ids::remove;
    PUT    "/v1/users/{login}/caller-id-policy"    UsersWrite     users::policy::put;
    GET    "/v1/user-counts"                       UsersRead      users::counts::get;
    GET    "/v1/agents"                            UsersRead      users::list::agents;
    GET    "/v1/agents.csv"                        UsersRead      users::download::agents;
    GET    "/v1/extensions"                        UsersRead      users::list::extensions;
    GET    "/v1/extensions/{extension}/caller-ids/{number}" DialCheck users::dial::check_extension;
    GET    "/v1/extensions/{extension}/choices"    DialChoose     users::dial::choices_of_extension;

    GET    "/v1/roles"                             UsersRead      catalog::roles;
    PUT    "/v1/roles/{id}"                        UsersWrite     catalog::put_role;
    DELETE "/v1/roles/{id}"                        UsersWrite     catalog::delete_role;
    GET    "/v1/departments"                       UsersRead      catalog::departments;
    PUT    "/v1/departments/{id}"                  UsersWrite     catalog::put_department;
    DELETE "/v1/departments/{id}"                  UsersWrite     catalog::delete_department;
    GET    "/v1/teams"                             UsersRead      catalog::teams;
    PUT    "/v1/teams/{id}"                        UsersWrite     catalog::put_team;
    DELETE "/v1/teams/{id}"                        UsersWrite     catalog::delete_team;
    GET    "/v1/teams/{id}/members"                UsersRead      users::list::members;

    GET    "/v1/numbers"                           NumbersRead    numbers::list::list;
    POST   "/v1/numbers"                           NumbersWrite   numbers::add::add;
    GET    "/v1/numbers.csv"                       NumbersRead    numbers::download::numbers;
    POST   "/v1/numbers/rotations"                 NumbersWrite   numbers::rotate::ask;
    GET    "/v1/numbers/summary"                  NumbersRead    numbers::summary::get;
    GET    "/v1/numbers/{number}"                  NumbersRead    numbers::one::get;
    PATCH  "/v1/numbers/{number}"                  NumbersWrite   numbers::one::patch;
    GET    "/v1/numbers/{number}/users"            NumbersRead    numbers::holders::list;

    GET    "/v1/jobs"                              JobsRead       jobs::list::list;
    POST   "/v1/jobs"                              JobsWrite      jobs::create::create;
    GET    "/v1/jobs/{id}"                         JobsRead       jobs::one::get;
    GET    "/v1/jobs/{id}/results"                 JobsRead       jobs::one::results;
    GET    "/v1/jobs/{id}/failures"                JobsRead       jobs::one::failures;
    POST   "/v1/jobs/{id}/execute"                 JobsWrite      jobs::decide::execute;
    POST   "/v1/jobs/{id}/discard"                 JobsWrite      jobs::decide::discard;
    POST   "/v1/jobs/{id}/undo"                    JobsWrite      jobs::decide::undo;
    GET    "/v1/samples/{name}"                    JobsRead       samples::get;

    GET    "/v1/mappings"                          MappingsRead   mappings::list::list;
    GET    "/v1/mappings/resync"                   MappingsRead   mappings::resync::get;
    POST   "/v1/mappings/resync"                   MappingsWrite  mappings::resync::ask;
    GET    "/v1/mappings/{crm_user}"               MappingsRead   mappings::one::get;
    PUT    "/v1/mappings/{crm_user}"               MappingsWrite  mappings::put::put;
    DELETE "/v1/mappings/{crm_user}"               MappingsWrite  mappings::one::delete;
    GET    "/v1/mappings/{crm_user}/caller-ids"    MappingsRead   mappings::caller_ids::list;
    GET    "/v1/mappings/{crm_user}/caller-ids/{number}/explanation" MappingsRead mappings::explanation::get;
    GET    "/v1/phone-system"                      MappingsRead   phone_system::get;
    PUT    "/v1/phone-system"                      MappingsWrite  phone_system::put;
    POST   "/v1/phone-system/push"                 UsersWrite     phone_system::ask;
    PUT    "/v1/phone-system/verified"             MappingsWrite  phone_system::verify;

    GET    "/v1/directory"                         DirectoryRead  entra::one::get;
    GET    "/v1/directory/users"                   DirectoryRead  entra::users::list;
    POST   "/v1/directory/import"                  DirectoryWrite entra::ask::import;
    POST   "/v1/directory/sync"                    DirectoryWrite entra::ask::sync;

    GET    "/v1/directory/scim-keys"               DirectoryRead  scim_keys::list;
    POST   "/v1/directory/scim-keys"               DirectoryWrite scim_keys::create;
    DELETE "/v1/directory/scim-keys/{id}"          DirectoryWrite scim_keys::delete;

    GET    "/v1/audit"                             AuditRead      audit::list;
    GET    "/v1/settings"                          SettingsRead   settings::get;
    PATCH  "/v1/settings"                          SettingsWrite  settings::patch;
};

/// The handlers by method and path.
pub(crate) fn router() -> Router<Arc<Api>> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let method = MethodFilter::try_from(route.method.clone()).expect("a method of HTTP");
        router.route(route.path, (route.handler)(method))
    })
}

/// Refuses a token without the scope of the route. The gateway has checked it by the template, so this speaks up where the two differ.
pub(crate) async fn check_scope(request: Request, next: Next) -> Response {
    match require_scope(request.extensions()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn require_scope(extensions: &Extensions) -> Result<(), Problem> {
    // What the table doesn't have is answered by the router.
    let Some(Route { scope, .. }) = taken(extensions) else { return Ok(()) };
    if Caller::of(extensions)?.has(*scope) {
        return Ok(());
    }
    let detail = format!("The token lacks the scope {}, which this route needs.", scope.as_str());
    Err(Problem::new(StatusCode::FORBIDDEN, ApiCode::ScopeMissing, detail))
}

/// The route that the gateway has taken.
fn taken(extensions: &Extensions) -> Option<&'static Route> {
    let Some(RequestContext::ApiGatewayV2(context)) = extensions.request_context_ref() else { return None };
    let (method, path) = context.route_key.as_deref()?.split_once(' ')?;
    ROUTES.iter().find(|route| route.method == method && route.path == path)
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn request(route: &Route, scopes: &str) -> Extensions {
        let event = json!({
            "version": "2.0",
            "rawPath": "/",
            "headers": {},
            "isBase64Encoded": false,
            "requestContext": {
                "routeKey": format!("{route:?}"),
                "timeEpoch": 0,
                "authorizer": { "jwt": { "claims": { "custom:account": "acme", "scope": scopes } } },
                "http": { "method": route.method.as_str(), "path": "/" },
            },
        });
        lambda_http::request::from_str(&event.to_string()).expect("an event of the gateway").into_parts().0.extensions
    }

    #[test]
    fn a_route_takes_a_token_with_its_own_scope_and_no_other() {
        let scopes: BTreeSet<&str> = ROUTES.iter().map(|route| route.scope.as_str()).collect();
        for route in ROUTES {
            let own = route.scope.as_str();
            let others: Vec<&str> = scopes.iter().copied().filter(|scope| *scope != own).collect();
            assert!(require_scope(&request(route, own)).is_ok(), "{route:?}");
            assert!(require_scope(&request(route, &others.join(" "))).is_err(), "{route:?}");
        }
    }
}
