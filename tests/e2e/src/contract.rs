//! The contract, `infra/openapi.yaml`, and whether an answer keeps it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use axum::http::{Method, StatusCode};
use jsonschema::{Draft, Registry, Validator};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};

use crate::Reply;

/// The contract, read.
pub struct Contract {
    /// All of it.
    pub document: Value,
    /// Its routes.
    pub operations: Vec<Operation>,
    /// What checks values, by the pointer of the schema.
    validators: HashMap<String, Validator>,
}

/// A route of the contract.
pub struct Operation {
    /// Its name.
    pub id: String,
    /// Its method.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: String,
    /// The scope that a token needs.
    pub scope: String,
    /// What it takes in path, query and headers.
    pub parameters: Vec<Value>,
    /// Pointer of its body's schema, if it takes one.
    pub body: Option<String>,
    /// The body of its example, if it takes one.
    pub example: Option<Value>,
    /// Pointers of its responses, by status.
    responses: BTreeMap<String, String>,
}

/// What the document is called where a schema refers to a part of it.
const NAME: &str = "urn:rollcall:contract";

/// The contract.
pub fn contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| Contract::new(yaml(include_str!("../../../infra/openapi.yaml"))))
}

impl Contract {
    /// What an operation answers with a status.
    pub fn response(&self, operation: &Operation, status: StatusCode) -> Option<&Value> {
        self.document.pointer(operation.responses.get(status.as_str())?)
    }

    fn new(document: Value) -> Self {
        let operations = operations(&document);
        let registry = Registry::new().draft(Draft::Draft202012).add(NAME, document.clone()).expect("a name");
        let registry = registry.prepare().expect("what is referred to is there");
        let options =
            jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).with_registry(&registry);
        let bodies = operations.iter().filter_map(|operation| operation.body.clone());
        let responses = operations.iter().flat_map(|operation| operation.responses.values());
        let schemas = responses.flat_map(|pointer| {
            let response = &document.pointer(pointer).expect("a response");
            let schemas = |part: &str| -> Vec<String> {
                let names = response[part].as_object().into_iter().flatten().map(|(name, _)| name);
                names.map(|name| format!("{pointer}/{part}/{}", escaped(name))).collect()
            };
            let headers = schemas("headers").into_iter().map(|pointer| resolved(&document, pointer));
            headers.chain(schemas("content")).map(|part| format!("{part}/schema")).collect::<Vec<_>>()
        });
        let validators = bodies.chain(schemas).map(|pointer| {
            let place = pointer.replace('{', "%7B").replace('}', "%7D");
            let schema = json!({ "$ref": format!("{NAME}#{place}") });
            let validator = options.build(&schema).unwrap_or_else(|error| panic!("{pointer}: {error}"));
            (pointer, validator)
        });
        let validators = validators.collect();
        Self { document, operations, validators }
    }

    /// The schema at a pointer, with references followed and without the choice of null; and its own pointer.
    pub fn schema(&self, pointer: &str) -> Option<(String, &Value)> {
        self.document.pointer(pointer)?;
        let pointer = resolved(&self.document, pointer.to_owned());
        let schema = self.document.pointer(&pointer)?;
        // Beside properties of its own, a schema's choices only say which of them go together.
        let choices = schema["oneOf"].as_array().filter(|_| schema["properties"].is_null());
        match choices.and_then(|choices| choices.iter().position(|one| one["type"] != "null")) {
            Some(choice) => self.schema(&format!("{pointer}/oneOf/{choice}")),
            None => Some((pointer, schema)),
        }
    }

    /// What is wrong with a value, by the schema at a pointer.
    pub fn faults(&self, schema: &str, value: &Value) -> Option<String> {
        let validator = self.validators.get(schema).unwrap_or_else(|| panic!("no schema at {schema}"));
        let faults: Vec<_> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        (!faults.is_empty()).then(|| faults.join("\n"))
    }

    /// The route that a request takes.
    pub fn operation(&self, method: &Method, path: &str) -> Option<&Operation> {
        let path = path.split('?').next().unwrap_or_default();
        let taking = self.operations.iter().filter(|operation| operation.method == *method && operation.takes(path));
        taking.min_by_key(|operation| operation.path.matches('{').count())
    }

    /// Holds an answer against the contract: its status, its headers, its type and its body.
    ///
    /// # Errors
    /// What the contract doesn't say. It says nothing of what is no route.
    pub fn check(&self, method: &Method, path: &str, reply: &Reply) -> Result<(), String> {
        let Some(operation) = self.operation(method, path) else { return Ok(()) };
        let status = reply.status;
        let trouble = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        let pointer = operation.responses.get(status.as_str());
        let pointer = pointer.or_else(|| operation.responses.get("default").filter(|_| trouble));
        let pointer = pointer.ok_or_else(|| format!("{operation:?} answers with {status}: {}", reply.text()))?;
        let wrong = |what: String| Err(format!("{operation:?}, {status}: {what}\n{:.2000}", reply.text()));
        let response = &self.document.pointer(pointer).expect("a response");
        for (name, _) in response["headers"].as_object().into_iter().flatten() {
            let place = resolved(&self.document, format!("{pointer}/headers/{}", escaped(name)));
            match reply.headers.get(name) {
                Some(value) => {
                    let value = json!(value.to_str().map_err(|error| format!("{name}: {error}"))?);
                    if let Some(faults) = self.faults(&format!("{place}/schema"), &value) {
                        return wrong(format!("the header {name}: {faults}"));
                    }
                }
                None if self.document.pointer(&format!("{place}/required")) == Some(&Value::Bool(true)) => {
                    return wrong(format!("no header {name}"));
                }
                None => {}
            }
        }
        let Some(content) = response["content"].as_object() else {
            return if reply.body.is_empty() { Ok(()) } else { wrong("a body".to_owned()) };
        };
        let kind = reply.header("content-type").split(';').next().unwrap_or_default().trim().to_owned();
        if !content.contains_key(&kind) {
            return wrong(format!("the type {kind}"));
        }
        let body = if kind.ends_with("json") {
            serde_json::from_slice(&reply.body).map_err(|error| format!("{operation:?}: {error}"))?
        } else {
            json!(reply.text())
        };
        match self.faults(&format!("{pointer}/content/{}/schema", escaped(&kind)), &body) {
            Some(faults) => wrong(faults),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Operation {
    /// Whether a path is one of this route's.
    fn takes(&self, path: &str) -> bool {
        let (ours, theirs) = (self.path.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours.zip(theirs).all(|(ours, theirs)| ours == theirs || ours.starts_with('{') && !theirs.is_empty())
    }

    /// Whether the contract gives it an answer of this status by itself.
    pub fn answers(&self, status: StatusCode) -> bool {
        self.responses.contains_key(status.as_str())
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let resolve = |value: Value| match value["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).expect("what is referred to").clone(),
        None => value,
    };
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods").iter().filter(|(name, _)| *name != "parameters") {
            let pointer = format!("/paths/{}/{method}", escaped(path));
            let parameters = list(&item["parameters"]).into_iter().chain(list(&operation["parameters"]));
            let body = operation.get("requestBody").map(|body| &body["content"]["application/json"]);
            let responses = operation["responses"].as_object().expect("responses").keys();
            operations.push(Operation {
                id: operation["operationId"].as_str().expect("an ID").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                scope: operation["security"][0]["jwt"][0].as_str().expect("a scope").to_owned(),
                parameters: parameters.map(resolve).collect(),
                body: body
                    .map(|_| resolved(document, format!("{pointer}/requestBody/content/application~1json/schema"))),
                example: body.map(|body| body["example"].clone()),
                responses: responses
                    .map(|status| {
                        (status.clone(), resolved(document, format!("{pointer}/responses/{}", escaped(status))))
                    })
                    .collect(),
            });
        }
    }
    operations
}

/// The pointer of what a part of the document is, or refers to.
fn resolved(document: &Value, pointer: String) -> String {
    match document.pointer(&pointer).expect("a part of the document")["$ref"].as_str() {
        Some(place) => resolved(document, place.trim_start_matches('#').to_owned()),
        None => pointer,
    }
}

/// A name as a part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// One YAML document, as the JSON that it stands for.
pub fn yaml(text: &str) -> Value {
    fn value(node: &Yaml) -> Value {
        match node {
            Yaml::Value(Scalar::Null) => Value::Null,
            Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
            Yaml::Value(Scalar::Integer(number)) => json!(number),
            Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
            Yaml::Value(Scalar::String(text)) => json!(text),
            Yaml::Sequence(items) => items.iter().map(value).collect(),
            Yaml::Mapping(entries) => {
                entries.iter().map(|(key, entry)| (key.as_str().expect("a key").to_owned(), value(entry))).collect()
            }
            Yaml::Tagged(_, inner) => value(inner),
            Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => panic!("a YAML value that can't be read"),
        }
    }
    let [document] = &*Yaml::load_from_str(text).expect("YAML") else { panic!("not one document") };
    value(document)
}
