//! The HTTP API of a template: who may call it, and which function answers where.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::{ACCOUNT_ID, PARTITION, Properties, REGION, Reader, text};
use crate::error::{Context, Result, StackError};
use crate::iam::matches;

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
pub enum Access {
    /// A token of this issuer.
    Token {
        authorizer: Authorizer,
        /// A token must have one of these; if there are none, any valid token will do.
        scopes: Vec<String>,
    },
    /// What this function lets in.
    Function(RequestAuthorizer),
}

impl Access {
    /// Whose tokens are taken, if tokens are.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        match self {
            Self::Token { authorizer, .. } => Some(authorizer),
            Self::Function(_) => None,
        }
    }

    /// The scopes one of which a token must have.
    pub fn scopes(&self) -> &[String] {
        match self {
            Self::Token { scopes, .. } => scopes,
            Self::Function(_) => &[],
        }
    }
}

/// A Lambda authorizer of the type REQUEST: a function that is shown the header `Authorization`, with payload format 2.0 and simple answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestAuthorizer {
    /// What the template calls it.
    pub name: String,
    /// The name of the function.
    pub function: String,
    /// How long what it has said of a header counts.
    pub ttl: Duration,
}

/// A JWT authorizer: whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    pub issuer: String,
    pub audiences: Vec<String>,
}

impl Api {
    /// Whose tokens its routes take, if any takes tokens. A template whose routes take those of several can't be run here.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        self.routes.iter().find_map(|route| route.access.as_ref().and_then(Access::authorizer))
    }

    /// Every scope that a route asks for.
    pub fn scopes(&self) -> BTreeSet<String> {
        let accesses = self.routes.iter().filter_map(|route| route.access.as_ref());
        accesses.flat_map(|access| access.scopes().iter().cloned()).collect()
    }
}

/// Where API Gateway looks for a token, unless told otherwise. Nothing else is run here.
const IDENTITY_SOURCE: &str = "$request.header.Authorization";
/// The version of events that functions get.
const PAYLOAD_VERSION: &str = "2.0";
/// Properties of an API that would change what it answers.
const NOT_RUN: [&str; 5] = ["CorsConfiguration", "DefinitionUri", "Domain", "RouteSettings", "StageVariables"];
/// How `OpenAPI` names what stands behind a route, and where the definition has those that several routes share.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-extensions-integrations.html>
const INTEGRATION: &str = "x-amazon-apigateway-integration";
const SHARED_INTEGRATIONS: &str = "x-amazon-apigateway-integrations";
/// Seconds that API Gateway keeps at most what an authorizer has said.
const MAX_TTL: u64 = 3_600;
/// A route for every method, in `OpenAPI`.
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
/// The service that asks a function in the API's name.
const SERVICE: &str = "apigateway.amazonaws.com";

impl Reader<'_> {
    /// The API as declared by its resource. Its routes are the operations of its `DefinitionBody`.
    pub(super) fn api(&self, id: &str, properties: &Properties) -> Result<Api> {
        if let Some(property) = NOT_RUN.iter().find(|property| !properties.raw[**property].is_null()) {
            return Err(StackError::new(format!("{property} can't be run on this machine")));
        }
        if text(&properties.get("StageName")?).is_some_and(|stage| stage != "$default") {
            return Err(StackError::new("a stage other than $default can't be run on this machine"));
        }
        let auth = properties.get("Auth")?;
        let definition = properties.get("DefinitionBody")?;
        let mut api = Api { id: self.evaluator.physical_name(id)?, routes: Vec::new() };
        for (path, operations) in definition["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let method = if method == ANY_METHOD { "ANY".to_owned() } else { method.to_uppercase() };
                let key = format!("{method} {path}");
                let function = self.target(&definition, operation).context(format!("the route {key}"))?;
                self.permits(&format!("{}/$default/{method}{path}", api.id), &function)
                    .context(format!("the route {key}"))?;
                let access = self.access(&api.id, operation, &auth).context(format!("the route {key}"))?;
                api.routes.push(Route { method, path: path.clone(), function, access });
            }
        }
        let authorizer = api.authorizer();
        let mut tokens = api.routes.iter().filter_map(|route| route.access.as_ref()?.authorizer());
        if tokens.any(|one| Some(one) != authorizer) {
            return Err(StackError::new("more than one issuer's tokens can't be taken on this machine"));
        }
        Ok(api)
    }

    /// The name of the function behind an operation.
    fn target(&self, definition: &Value, operation: &Value) -> Result<String> {
        let mut integration = &operation[INTEGRATION];
        if let Some(reference) = integration["$ref"].as_str() {
            let shared = reference.strip_prefix("#/components/").and_then(|path| path.split_once('/'));
            integration = match shared {
                Some((SHARED_INTEGRATIONS, name)) => &definition["components"][SHARED_INTEGRATIONS][name],
                _ => &Value::Null,
            };
        }
        if text(&integration["type"]).is_none_or(|kind| !kind.eq_ignore_ascii_case("aws_proxy")) {
            return Err(StackError::new("it needs an integration of type aws_proxy"));
        }
        if text(&integration["payloadFormatVersion"]).is_none_or(|version| version != PAYLOAD_VERSION) {
            return Err(StackError::new(format!("only payload format {PAYLOAD_VERSION} can be run on this machine")));
        }
        // arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{the function's ARN}/invocations
        let uri = text(&integration["uri"]).unwrap_or_default();
        let arn = uri.split_once("/functions/").and_then(|(_, rest)| rest.strip_suffix("/invocations"));
        let arn = arn.ok_or_else(|| StackError::new(format!("the uri {uri:?} names no function")))?;
        self.function_of(arn)
    }

    /// The name of the function with this ARN.
    fn function_of(&self, arn: &str) -> Result<String> {
        for (id, resource) in self.template["Resources"].as_object().into_iter().flatten() {
            if resource["Type"] == "AWS::Serverless::Function" && self.evaluator.arn(id)? == arn {
                return self.evaluator.physical_name(id);
            }
        }
        Err(StackError::new(format!("{arn:?} isn't a function of the template")))
    }

    /// Whether a permission of the template lets the API ask the function at this route, or for this authorizer: Lambda refuses it otherwise,
    /// and the caller gets a 500.
    fn permits(&self, place: &str, function: &str) -> Result<()> {
        let source = format!("arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT_ID}:{place}");
        for resource in self.template["Resources"].as_object().into_iter().flatten().map(|(_, resource)| resource) {
            if resource["Type"] != "AWS::Lambda::Permission" {
                continue;
            }
            let permission = Properties { evaluator: &self.evaluator, raw: &resource["Properties"] };
            let is =
                |name: &str, wanted: &str| Ok::<_, StackError>(text(&permission.get(name)?).as_deref() == Some(wanted));
            let asked = text(&permission.get("SourceArn")?);
            if is("Action", "lambda:InvokeFunction")?
                && is("Principal", SERVICE)?
                && is("FunctionName", function)?
                && asked.is_some_and(|pattern| matches(&pattern, &source))
            {
                return Ok(());
            }
        }
        Err(StackError::new(format!("no AWS::Lambda::Permission lets {SERVICE} invoke {function} for it")))
    }
}

impl Reader<'_> {
    /// Who may call an operation: as its `security` says, else by the API's default authorizer, else anybody.
    fn access(&self, api: &str, operation: &Value, api_auth: &Value) -> Result<Option<Access>> {
        let named = match operation["security"].as_array().map(Vec::as_slice) {
            None => text(&api_auth["DefaultAuthorizer"]).map(|name| (name, None)),
            Some([Value::Object(one)]) if one.len() == 1 => {
                one.iter().next().map(|(name, scopes)| (name.clone(), Some(texts(scopes))))
            }
            Some(_) => return Err(StackError::new("its security must name one authorizer")),
        };
        let Some((name, scopes)) = named else { return Ok(None) };
        let authorizer = &api_auth["Authorizers"][&name];
        let found = if authorizer["FunctionArn"].is_null() {
            token_access(authorizer, scopes)
        } else {
            self.request_authorizer(api, &name, authorizer).map(Access::Function)
        };
        found.context(format!("the authorizer {name}")).map(Some)
    }

    /// A function that says who is let in.
    /// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-lambdaauthorizer.html>
    fn request_authorizer(&self, api: &str, name: &str, authorizer: &Value) -> Result<RequestAuthorizer> {
        let is = |property: &str, wanted: &str| text(&authorizer[property]).as_deref() == Some(wanted);
        if !is("AuthorizerPayloadFormatVersion", PAYLOAD_VERSION) || !is("EnableSimpleResponses", "true") {
            return Err(StackError::new("only payload format 2.0 with simple responses can be run on this machine"));
        }
        let identity = &authorizer["Identity"];
        if texts(&identity["Headers"]) != ["Authorization"] {
            return Err(StackError::new("only the identity header Authorization can be run on this machine"));
        }
        // Without it, nothing is kept.
        let seconds = text(&identity["ReauthorizeEvery"]).map_or(Ok(0), |seconds| seconds.parse());
        let seconds = seconds.ok().filter(|seconds| *seconds <= MAX_TTL);
        let seconds = seconds.ok_or_else(|| StackError::new(format!("ReauthorizeEvery is 0 to {MAX_TTL} seconds")))?;
        let function = self.function_of(&text(&authorizer["FunctionArn"]).unwrap_or_default())?;
        self.permits(&format!("{api}/authorizers/{name}"), &function)?;
        Ok(RequestAuthorizer { name: name.to_owned(), function, ttl: Duration::from_secs(seconds) })
    }
}

fn token_access(authorizer: &Value, scopes: Option<Vec<String>>) -> Result<Access> {
    let jwt = &authorizer["JwtConfiguration"];
    let issuer = text(&jwt["issuer"]).ok_or_else(|| StackError::new("it needs a JwtConfiguration with an issuer"))?;
    if text(&authorizer["IdentitySource"]).is_some_and(|source| source != IDENTITY_SOURCE) {
        return Err(StackError::new(format!("only the IdentitySource {IDENTITY_SOURCE} can be run on this machine")));
    }
    let scopes = scopes.unwrap_or_else(|| texts(&authorizer["AuthorizationScopes"]));
    Ok(Access::Token { authorizer: Authorizer { issuer, audiences: texts(&jwt["audience"]) }, scopes })
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(text).collect()
}
