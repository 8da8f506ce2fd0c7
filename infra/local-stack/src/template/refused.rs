//! A stack must not be deployed with a parameter that its functions refuse when they start: each pattern of the template is held against the reader
//! of the function's code.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;
use rollcall_connectors::BaseUrl;
use rollcall_model::country::Country;
use rollcall_model::email::EmailAddress;
use serde_json::Value;

use super::{BUNDLED, yaml};
use crate::scheduler::Expression;

/// The pattern as CloudFormation goes by it: the whole value must match.
fn pattern(parameter: &str) -> Regex {
    let template: Value = yaml::parse(BUNDLED).expect("YAML");
    let pattern = template["Parameters"][parameter]["AllowedPattern"].as_str().expect("a pattern").to_owned();
    Regex::new(&format!("^(?:{pattern})$")).expect("a pattern")
}

/// How often schedules run.
const RATES: [&str; 4] = ["DirectorySyncRate", "PushRate", "ResyncRate", "RestEndRate"];
/// From whom and to whom mails go.
const ADDRESSES: [&str; 2] = ["AlarmEmail", "MailSender"];
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTIONS: [&str; 22] = [
    "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827",
    "2192", "2557", "2922", "3288", "3653",
];
/// Where systems are, and the issuer of tokens, which clients are told to trust.
const URLS: [&str; 7] =
    ["ConsoleLoginUrl", "EntraLoginUrl", "GraphUrl", "JwtIssuer", "SmartfloUrl", "ZoomApiUrl", "ZoomLoginUrl"];

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
                    // None at all stands for another parameter's.
                    if pattern.is_match(&value) && !value.is_empty() {
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
fn a_country_without_dialling_rules_is_refused_at_deployment() {
    let template: Value = yaml::parse(BUNDLED).expect("YAML");
    let allowed = &template["Parameters"]["DefaultCountry"]["AllowedValues"];
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let known = codes.filter(|code| code.parse::<Country>().is_ok_and(Country::has_numbering_plan));
    assert_eq!(allowed, &known.collect::<Value>());
}

/// The parameters whose values are whole numbers, with the least and the most that the template tells of each.
fn whole_numbers(template: &Value) -> BTreeMap<&str, (u64, u64)> {
    let parameters = template["Parameters"].as_object().expect("parameters");
    let bounds = parameters.iter().filter_map(|(name, parameter)| {
        let told = parameter["ConstraintDescription"].as_str()?.strip_prefix("a whole number from ")?;
        let (least, most) = told.trim_end_matches('.').split_once(" to ")?;
        Some((&**name, (least.parse().expect("a number"), most.parse().expect("a number"))))
    });
    bounds.collect()
}

/// Numbers at which a pattern of digits may be wrong: about each beginning of the bound with another digit behind it.
fn about(bound: u64) -> BTreeSet<u64> {
    let mut found = BTreeSet::from([bound.saturating_sub(1), bound, bound + 1, bound * 10, bound * 10 + 9]);
    let mut unit = 1;
    while unit <= bound {
        let start = bound / unit * unit;
        found.extend([start.saturating_sub(1), start, start + unit - 1, start + unit, start.saturating_sub(unit)]);
        found.extend([unit - 1, unit, 2 * unit, 10 * unit - 1]);
        unit *= 10;
    }
    found
}

/// CloudFormation's own numbers may have fractions, which no function takes, nor a queue, a bucket or an event source.
#[test]
fn a_number_is_whole_and_within_the_bounds_that_are_told() {
    const NOT_WHOLE: [&str; 16] = [
        "",
        " ",
        "-1",
        "+7",
        "7.0",
        "7.5",
        "7,5",
        "1e2",
        "0x10",
        "07",
        " 7",
        "7 ",
        "7\n",
        "٧",
        "seven",
        "99999999999999999999",
    ];
    let template: Value = yaml::parse(BUNDLED).expect("YAML");
    let numbers = whole_numbers(&template);
    assert!(numbers.len() > 10, "{numbers:?}");
    for (name, (least, most)) in numbers {
        let pattern = pattern(name);
        for value in about(least).into_iter().chain(about(most)).chain(0..2_000) {
            let fits = (least..=most).contains(&value);
            assert_eq!(pattern.is_match(&value.to_string()), fits, "{name}: {value} of {least} to {most}");
        }
        for value in NOT_WHOLE {
            assert!(!pattern.is_match(value), "{name} takes {value:?}");
        }
        let narrow = ["MaxFileBytes", "MaxRows", "MaxUserRows"].contains(&name) || u32::try_from(most).is_ok();
        assert!(narrow, "{name}: functions may read it in 32 bits");
    }
}

#[test]
fn a_rate_that_scheduler_would_refuse_is_refused_at_deployment() {
    let values = ["", "0", "1", "2", "15", "1.5", "-1", "1 ", "x"];
    let units = ["", "minute", "minutes", "hour", "hours", "day", "days", "second", "weeks"];
    let fields = ["*", "0", "*/5", "1-5", "0 9 * * ? *", "0 9 ? * MON-FRI *", "0 9 * *", "0 9 * * ? * *", "0  9 * * ?"];
    let rates = values.iter().flat_map(|value| units.map(|unit| format!("rate({value} {unit})")));
    let crons = fields.iter().map(|fields| format!("cron({fields})"));
    let values: Vec<String> =
        rates.chain(crons).chain(["", "rate()", "hourly", "at(2026-01-01T00:00:00)"].map(str::to_owned)).collect();
    for parameter in RATES {
        let pattern = pattern(parameter);
        let taken: Vec<&String> = values.iter().filter(|value| pattern.is_match(value)).collect();
        for value in &taken {
            assert!(Expression::parse(value).is_ok(), "{parameter} takes {value}");
        }
        for usual in ["rate(1 minute)", "rate(15 minutes)", "rate(1 hour)", "rate(1 day)", "cron(0 9 ? * MON-FRI *)"] {
            assert!(taken.iter().any(|value| *value == usual), "{parameter} refuses {usual}");
        }
    }
}

#[test]
fn an_address_of_mail_that_nothing_can_be_sent_to_is_refused_at_deployment() {
    let parts = ["", "ann", "ann.rao+x", "a b", "Ann <ann", "a,b", "a@b", "=?utf-8?q?x?=", "é", "\"a\"", "a\r\nBcc: b"];
    let domains =
        ["", "example.com", "example", "ex_ample.com", "exa mple.com", "example.com>", "é.example", "[127.0.0.1]"];
    for parameter in ADDRESSES {
        let pattern = pattern(parameter);
        for (part, domain) in parts.iter().flat_map(|part| domains.map(|domain| (part, domain))) {
            let value = format!("{part}@{domain}");
            let reads =
                value.parse::<EmailAddress>().is_ok_and(|address| address.takes_reports() && address.as_str() == value);
            assert!(!pattern.is_match(&value) || reads, "{parameter} takes {value:?}");
        }
        assert!(pattern.is_match("ops.team+alarms@mail.example.com"), "{parameter}");
        assert_eq!(
            pattern.is_match(""),
            parameter == "AlarmEmail",
            "nobody need be told of alarms, and mails need a sender"
        );
    }
}

/// Every parameter is in one of the tests here: a new one that a function reads can't be forgotten.
#[test]
fn every_parameter_is_held_against_who_reads_it() {
    let template: Value = yaml::parse(BUNDLED).expect("YAML");
    let numbers = whole_numbers(&template);
    for (name, parameter) in template["Parameters"].as_object().expect("parameters") {
        let name = name.as_str();
        assert_eq!(parameter["Type"], "String", "{name}: CloudFormation's numbers take fractions");
        let held = numbers.contains_key(name)
            || parameter["AllowedValues"].is_array()
            || [&URLS[..], &RATES, &ADDRESSES].iter().any(|held| held.contains(&name))
            // Any text: the gateway compares it with what a token has, and the issuer with the names of its clients.
            || ["JwtAudience", "ConsoleClientId"].contains(&name);
        assert!(held, "{name}: what does its reader refuse?");
    }
}

/// What a log group and a function take, by their own lists.
#[test]
fn a_choice_is_among_what_its_reader_takes() {
    let template: Value = yaml::parse(BUNDLED).expect("YAML");
    let chosen = |name: &str| template["Parameters"][name]["AllowedValues"].as_array().expect("values").clone();
    assert_eq!(chosen("Architecture"), ["arm64", "x86_64"]);
    assert_eq!(chosen("LogDays"), RETENTIONS);
}

#[test]
fn secrets_on_this_machine_are_named_as_its_stack_is() {
    assert_eq!(rollcall_storage::connect::LOCAL_STACK_NAME, super::STACK_NAME);
}
