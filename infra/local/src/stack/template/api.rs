//! The HTTP API of a template: who may call it, and which function answers where.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Properties, Reader, text};
use crate::stack::error::{Context, Error, Result};

/// An HTTP API of API Gateway.
#[derive(Debug)]
pub struct Api {
    /// Its ID.
    pub id: String,
    pub routes: Vec<Route>,
}

/// A route of an HTTP API.
#[derive(Debug, Clone)]
pub struct Route {
    /// An HTTP method, or `ANY`.
    pub method: String,
    /// A path such as `/v1/users/{login}`.
    pub path: String,
    /// The name of the function that answers.
    pub function: String,
    /// Who may call it. Without one, anybody.
    pub access: Option<Access>,
}

/// What a caller must show at a route.
#[derive(Debug, Clone)]
pub struct Access {
    pub authorizer: Authorizer,
    /// A token must have one of these; if there are none, any valid token will do.
    pub scopes: Vec<String>,
}

/// A JWT authorizer: whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    pub issuer: String,
    pub audiences: Vec<String>,
}

impl Api {
    /// The authorizer of its routes, if any has one. A template whose routes have several can't be run here.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        self.routes.iter().find_map(|route| route.access.as_ref()).map(|access| &access.authorizer)
    }

    /// Every scope that a route asks for.
    pub fn scopes(&self) -> BTreeSet<String> {
        let accesses = self.routes.iter().filter_map(|route| route.access.as_ref());
        accesses.flat_map(|access| access.scopes.iter().cloned()).collect()
    }
}

/// Where API Gateway looks for a token, unless told otherwise. Nothing else is run here.
const IDENTITY_SOURCE: &str = "$request.header.Authorization";
/// The version of events that functions get.
const PAYLOAD_VERSION: &str = "2.0";
/// Properties of an API that would change what it answers.
const NOT_RUN: [&str; 6] =
    ["CorsConfiguration", "DefinitionBody", "DefinitionUri", "Domain", "RouteSettings", "StageVariables"];
/// The name under which a route refuses its API's default authorizer.
const NOBODY: &str = "NONE";

impl Reader<'_> {
    /// The API as declared by its resource. Its routes are the functions' events.
    pub(super) fn api(&self, id: &str, properties: &Properties) -> Result<Api> {
        if let Some(property) = NOT_RUN.iter().find(|property| !properties.raw[**property].is_null()) {
            return Err(Error::new(format!("{property} can't be run on this machine")));
        }
        if text(&properties.get("StageName")?).is_some_and(|stage| stage != "$default") {
            return Err(Error::new("a stage other than $default can't be run on this machine"));
        }
        let mut api = Api { id: self.evaluator.physical_name(id)?, routes: Vec::new() };
        let auth = properties.get("Auth")?;
        for (function_id, resource) in self.template["Resources"].as_object().unwrap_or(&Map::new()) {
            for (name, event) in resource["Properties"]["Events"].as_object().unwrap_or(&Map::new()) {
                let event_of = || format!("the event {name} of {function_id}");
                if event["Type"] == "HttpApi" {
                    let properties = Properties { evaluator: &self.evaluator, raw: &event["Properties"] };
                    if text(&properties.get("ApiId").context(event_of())?).as_deref() == Some(&api.id) {
                        let function = self.evaluator.physical_name(function_id)?;
                        api.routes.push(route(function, &properties, &auth).context(event_of())?);
                    }
                }
            }
        }
        let authorizer = api.authorizer();
        if api.routes.iter().filter_map(|route| route.access.as_ref()).any(|one| Some(&one.authorizer) != authorizer) {
            return Err(Error::new("more than one authorizer can't be run on this machine"));
        }
        Ok(api)
    }
}

fn route(function: String, properties: &Properties, api_auth: &Value) -> Result<Route> {
    let needed = |name: &str| {
        let lacking = || Error::new(format!("a route needs {name} on this machine"));
        text(&properties.get(name)?).ok_or_else(lacking)
    };
    if text(&properties.get("PayloadFormatVersion")?).is_some_and(|version| version != PAYLOAD_VERSION) {
        return Err(Error::new(format!("only payload format {PAYLOAD_VERSION} can be run on this machine")));
    }
    let auth = properties.get("Auth")?;
    let authorizer = text(&auth["Authorizer"]).or_else(|| text(&api_auth["DefaultAuthorizer"]));
    let access = match authorizer.filter(|name| name != NOBODY) {
        None => None,
        Some(name) => Some(access(&api_auth["Authorizers"][&name], &auth).context(format!("the authorizer {name}"))?),
    };
    Ok(Route { method: needed("Method")?.to_uppercase(), path: needed("Path")?, function, access })
}

fn access(authorizer: &Value, route_auth: &Value) -> Result<Access> {
    let jwt = &authorizer["JwtConfiguration"];
    let issuer = text(&jwt["issuer"]).ok_or_else(|| Error::new("it needs a JwtConfiguration with an issuer"))?;
    if text(&authorizer["IdentitySource"]).is_some_and(|source| source != IDENTITY_SOURCE) {
        return Err(Error::new(format!("only the IdentitySource {IDENTITY_SOURCE} can be run on this machine")));
    }
    let scopes = &route_auth["AuthorizationScopes"];
    let scopes = if scopes.is_null() { &authorizer["AuthorizationScopes"] } else { scopes };
    Ok(Access { authorizer: Authorizer { issuer, audiences: texts(&jwt["audience"]) }, scopes: texts(scopes) })
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(text).collect()
}
