//! The HTTP API of a template.

use super::*;

#[test]
fn the_bundled_api_lets_nobody_in_without_a_scope() {
    let resources =
        resolve(BUNDLED, &overrides(&[("JwtIssuer", "https://i"), ("JwtAudience", "me")])).expect("a template");
    assert_eq!(resources.outputs["ApiUrl"], API);
    let function = resources.functions.iter().find(|one| one.binary == "users-api").expect("users-api");
    let api = resources.api.expect("an API");
    let authorizer = Authorizer { issuer: "https://i".to_owned(), audiences: vec!["me".to_owned()] };
    assert_eq!(api.authorizer(), Some(&authorizer));
    let of_keys = resources.functions.iter().find(|one| one.binary == "scim-authorizer").expect("scim-authorizer");
    let scim = resources.functions.iter().find(|one| one.binary == "scim-api").expect("scim-api");
    let console = resources.functions.iter().find(|one| one.binary == "console").expect("console");
    // Its role lets it do nothing, and what it serves is the same for everybody.
    let (open, closed): (Vec<_>, Vec<_>) = api.routes.iter().partition(|route| route.path.starts_with("/console"));
    let open: Vec<_> = open.iter().map(|route| (&*route.method, &*route.path, &route.function)).collect();
    assert_eq!(open, [("GET", "/console", &console.name), ("GET", "/console/{path+}", &console.name)]);
    for Route { method, path, function: target, access } in closed {
        if let Some(Access::Function(by_key)) = access {
            assert_eq!((path.as_str(), method.as_str(), target), ("/scim/v2/{proxy+}", "ANY", &scim.name));
            assert_eq!(by_key.function, of_keys.name);
            // A key that is taken back is dead within a minute.
            assert!(by_key.ttl.as_secs() <= 60, "{by_key:?}");
            continue;
        }
        assert!(path.starts_with("/v1/"), "{path}");
        assert_eq!(*target, function.name, "{method} {path}");
        let [scope] = access.as_ref().expect(path).scopes() else { panic!("{method} {path} has one scope") };
        // What a switch asks has a scope of its own: it reads nothing of anybody.
        let kind = if method == "GET" { ".read" } else { ".write" };
        let fits = scope.ends_with(kind) || (method == "GET" && scope.starts_with("rollcall/dial."));
        assert!(scope.starts_with("rollcall/") && fits, "{method} {path}: {scope}");
    }
}

/// An API with two routes, and the one permission that it needs.
pub(super) const ROUTES: &str = r##"
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Jwt
        Authorizers:
          Jwt: { AuthorizationScopes: [a], JwtConfiguration: { issuer: https://i, audience: [x, y] } }
      DefinitionBody:
        components:
          x-amazon-apigateway-integrations:
            Answer:
              type: aws_proxy
              payloadFormatVersion: "2.0"
              uri: !Sub arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Answer.Arn}/invocations
        paths:
          /default:
            get: { x-amazon-apigateway-integration: { $ref: "#/components/x-amazon-apigateway-integrations/Answer" } }
          /own:
            x-amazon-apigateway-any-method:
              security: [{ Jwt: [b] }]
              x-amazon-apigateway-integration: { $ref: "#/components/x-amazon-apigateway-integrations/Answer" }
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref Answer
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:aws:execute-api:us-east-1:${AWS::AccountId}:${Api}/*
  Answer:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: answer } }
"##;

#[test]
fn routes_are_the_operations_of_the_api_with_its_authorizer() {
    let text = ROUTES;
    let api = resolve(text, &[]).expect("a template").api.expect("an API");
    let line = |route: &Route| {
        let scopes = route.access.as_ref().map(|access| access.scopes().join(" "));
        let scopes = scopes.unwrap_or_else(|| "for all".to_owned());
        format!("{} {} {scopes} {}", route.method, route.path, route.function)
    };
    let mut routes: Vec<_> = api.routes.iter().map(line).collect();
    routes.sort();
    assert_eq!(routes, ["ANY /own b rollcall-Answer", "GET /default a rollcall-Answer"]);
    assert_eq!(api.scopes().into_iter().collect::<Vec<_>>(), ["a", "b"]);
    let open = resolve(&text.replacen("        DefaultAuthorizer: Jwt\n", "", 1), &[]).expect("a template");
    let open = open.api.expect("an API");
    assert!(open.routes.iter().any(|route| route.path == "/default" && route.access.is_none()));

    for (from, to, named) in [
        ("payloadFormatVersion: \"2.0\"", "payloadFormatVersion: \"1.0\"", "payload format"),
        ("type: aws_proxy", "type: http_proxy", "aws_proxy"),
        ("${Answer.Arn}/invocations", "elsewhere/invocations", "elsewhere"),
        ("integrations/Answer\"", "integrations/Nobody\"", "GET /default"),
        ("issuer: https://i, ", "", "issuer"),
        ("AuthorizationScopes: [a]", "IdentitySource: $request.header.X", "IdentitySource"),
        ("[{ Jwt: [b] }]", "[{ Other: [b] }]", "authorizer Other"),
        ("[{ Jwt: [b] }]", "[]", "one authorizer"),
        ("      Auth:\n", "      StageName: prod\n      Auth:\n", "stage"),
        ("      Auth:\n", "      CorsConfiguration: true\n      Auth:\n", "CorsConfiguration"),
        ("  Answer:\n    Type", "  Other: { Type: AWS::Serverless::HttpApi }\n  Answer:\n    Type", "second"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = resolve(&text.replacen(from, to, 1), &[]).expect_err(named);
        assert!(error.chain().contains(named), "{}", error.chain());
    }
}
