//! The HTTP API of a template: who may call it, and which function answers where.

use std::collections::BTreeSet;

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
const NOT_RUN: [&str; 5] = ["CorsConfiguration", "DefinitionUri", "Domain", "RouteSettings", "StageVariables"];
/// How `OpenAPI` names what stands behind a route, and where the definition has those that several routes share.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-extensions-integrations.html>
const INTEGRATION: &str = "x-amazon-apigateway-integration";
const SHARED_INTEGRATIONS: &str = "x-amazon-apigateway-integrations";
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
                self.permits(&api.id, &method, path, &function).context(format!("the route {key}"))?;
                let access = access(operation, &auth).context(format!("the route {key}"))?;
                api.routes.push(Route { method, path: path.clone(), function, access });
            }
        }
        let authorizer = api.authorizer();
        if api.routes.iter().filter_map(|route| route.access.as_ref()).any(|one| Some(&one.authorizer) != authorizer) {
            return Err(StackError::new("more than one authorizer can't be run on this machine"));
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
        for (id, resource) in self.template["Resources"].as_object().into_iter().flatten() {
            if resource["Type"] == "AWS::Serverless::Function" && self.evaluator.arn(id)? == arn {
                return self.evaluator.physical_name(id);
            }
        }
        Err(StackError::new(format!("{arn:?} isn't a function of the template")))
    }

    /// Whether a permission of the template lets the API ask the function at this route: Lambda refuses it otherwise, and the
    /// caller gets a 500.
    fn permits(&self, api: &str, method: &str, path: &str, function: &str) -> Result<()> {
        let source = format!("arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT_ID}:{api}/$default/{method}{path}");
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

/// Who may call an operation: as its `security` says, else by the API's default authorizer, else anybody.
fn access(operation: &Value, api_auth: &Value) -> Result<Option<Access>> {
    let named = match operation["security"].as_array().map(Vec::as_slice) {
        None => text(&api_auth["DefaultAuthorizer"]).map(|name| (name, None)),
        Some([Value::Object(one)]) if one.len() == 1 => {
            one.iter().next().map(|(name, scopes)| (name.clone(), Some(texts(scopes))))
        }
        Some(_) => return Err(StackError::new("its security must name one authorizer")),
    };
    let Some((name, scopes)) = named else { return Ok(None) };
    let authorizer = &api_auth["Authorizers"][&name];
    let found = || -> Result<Access> {
        let jwt = &authorizer["JwtConfiguration"];
        let issuer =
            text(&jwt["issuer"]).ok_or_else(|| StackError::new("it needs a JwtConfiguration with an issuer"))?;
        if text(&authorizer["IdentitySource"]).is_some_and(|source| source != IDENTITY_SOURCE) {
            return Err(StackError::new(format!(
                "only the IdentitySource {IDENTITY_SOURCE} can be run on this machine"
            )));
        }
        let scopes = scopes.unwrap_or_else(|| texts(&authorizer["AuthorizationScopes"]));
        Ok(Access { authorizer: Authorizer { issuer, audiences: texts(&jwt["audience"]) }, scopes })
    };
    found().context(format!("the authorizer {name}")).map(Some)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(text).collect()
}
