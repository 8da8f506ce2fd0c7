//! A stack must not be deployed with a parameter that its functions refuse when they start: each pattern of the template is held against the reader
//! of the function's code.

use regex_lite::Regex;
use rollcall_model::country::Country;
use rollcall_remote::BaseUrl;
use serde_json::Value;

use super::{BUNDLED, yaml};

/// The pattern as CloudFormation goes by it: the whole value must match.
fn pattern(parameter: &str) -> Regex {
    let template: Value = yaml::parse(BUNDLED).expect("YAML");
    let pattern = template["Parameters"][parameter]["AllowedPattern"].as_str().expect("a pattern").to_owned();
    Regex::new(&format!("^(?:{pattern})$")).expect("a pattern")
}

/// Where systems are, and the issuer of tokens, which clients are told to trust.
const URLS: [&str; 6] = ["EntraLoginUrl", "GraphUrl", "JwtIssuer", "SmartfloUrl", "ZoomApiUrl", "ZoomLoginUrl"];

#[test]
fn an_address_that_a_function_would_refuse_is_refused_at_deployment() {
    let schemes = ["https://", "http://", "HTTPS://", "https:/", "ftp://", "", "https://user@", "https://u:p@"];
    let hosts = [
        "api.example.com",
        "127.0.0.1",
        "localhost",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "a b",
        "",
        "é.example",
        "[::1]",
    ];
    let ports = ["", ":8080", ":", ":x"];
    let paths = [
        "",
        "/",
        "/realms/one",
        "/ap-south-1_Abc",
        "/a%20b",
        "/?x=1",
        "?x",
        "#f",
        "/a#b",
        " ",
        "/a b",
        "\n",
        "/\\",
        "/@evil",
    ];
    for parameter in URLS {
        let pattern = pattern(parameter);
        let mut taken = 0;
        for scheme in schemes {
            for (host, port) in hosts.iter().flat_map(|host| ports.map(|port| (host, port))) {
                for path in paths {
                    let value = format!("{scheme}{host}{port}{path}");
                    if pattern.is_match(&value) {
                        taken += 1;
                        assert!(
                            value.parse::<BaseUrl>().is_ok(),
                            "{parameter} takes {value:?}, and the functions don't"
                        );
                        let safe = value.starts_with("https://") || *host == "127.0.0.1" || *host == "localhost";
                        assert!(safe, "{parameter} takes {value:?}: secrets and tokens would travel in the open");
                    }
                }
            }
        }
        assert!(taken > 20, "{parameter}");
        for usual in [
            "https://api.zoom.us",
            "https://login.microsoftonline.us/",
            "https://cognito-idp.ap-south-1.amazonaws.com/ap-south-1_Ab12",
            "https://id.example.com:8443/realms/calls",
            "http://127.0.0.1:40123",
            "http://localhost:3000/issuer",
        ] {
            assert!(pattern.is_match(usual) && usual.parse::<BaseUrl>().is_ok(), "{parameter}: {usual}");
        }
    }
}

#[test]
fn a_country_that_a_function_would_refuse_is_refused_at_deployment() {
    let pattern = pattern("DefaultCountry");
    for first in '!'..='~' {
        for second in '!'..='~' {
            let value = format!("{first}{second}");
            assert!(!pattern.is_match(&value) || value.parse::<Country>().is_ok(), "{value:?}");
        }
    }
    assert!(["", "I", "IND", "in"].iter().all(|value| !pattern.is_match(value)));
}

#[test]
fn a_number_that_functions_read_without_a_sign_has_a_least_value() {
    let template: Value = yaml::parse(BUNDLED).expect("YAML");
    for (name, parameter) in template["Parameters"].as_object().expect("parameters") {
        let bounded =
            parameter["AllowedValues"].is_array() || parameter["MinValue"].as_i64().is_some_and(|least| least >= 0);
        assert!(parameter["Type"] != "Number" || bounded, "{name} can be negative");
    }
}

#[test]
fn secrets_on_this_machine_are_named_as_its_stack_is() {
    assert_eq!(rollcall_platform::connect::LOCAL_STACK_NAME, super::STACK_NAME);
}
