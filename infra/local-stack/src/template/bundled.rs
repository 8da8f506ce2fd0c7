//! What holds for every function, queue and bucket of our own template, so that a new one can't lack it. That functions may do
//! what they do, and nothing else, is seen where they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{BUNDLED, Resources, merged, resolve, yaml};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What Lambda does to keep a function running, which no resource can be named for.
const WITHOUT_RESOURCE: [&str; 2] = ["xray:", "dynamodb:ListStreams"];

fn template() -> Value {
    yaml::parse(BUNDLED).expect("YAML")
}

fn resources(template: &Value, kind: &str) -> BTreeMap<String, Value> {
    let all = template["Resources"].as_object().expect("resources").iter();
    all.filter(|(_, one)| one["Type"] == kind).map(|(id, one)| (id.clone(), one.clone())).collect()
}

/// Functions with what they all have.
fn functions(template: &Value) -> BTreeMap<String, Value> {
    let mut functions = resources(template, "AWS::Serverless::Function");
    for function in functions.values_mut() {
        function["Properties"] = merged(&template["Globals"]["Function"], &function["Properties"]);
    }
    functions
}

fn resolved(parameters: &[(&str, &str)]) -> Resources {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    resolve(BUNDLED, &parameters, "http://127.0.0.1:9").expect("the product's own template")
}

/// The resources that a value refers to.
fn referred(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(map) => {
            let named = map.get("Ref").or_else(|| map.get("Fn::GetAtt").map(|path| &path[0])).and_then(Value::as_str);
            named.map(str::to_owned).into_iter().chain(map.values().flat_map(referred)).collect()
        }
        Value::Array(list) => list.iter().flat_map(referred).collect(),
        _ => BTreeSet::new(),
    }
}

/// Whether an alarm tells of this metric of this resource.
fn is_watched(template: &Value, metric: &str, resource: &str) -> bool {
    resources(template, "AWS::CloudWatch::Alarm").values().any(|alarm| {
        let properties = &alarm["Properties"];
        properties["MetricName"] == metric
            && referred(&properties["Dimensions"]).contains(resource)
            && referred(&properties["AlarmActions"]).contains("AlarmTopic")
    })
}

#[test]
fn every_function_has_a_log_a_role_and_alarms_of_its_own() {
    let template = template();
    let mut taken = BTreeSet::new();
    for (id, function) in functions(&template) {
        let properties = &function["Properties"];
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}");
        assert_eq!(properties["Tracing"], "Active", "{id}");
        let log = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().expect("a log group");
        assert!(template["Resources"][log]["Properties"]["RetentionInDays"].is_object(), "{id}");
        // SAM's own roles have managed policies, which name no resources.
        assert!(properties["Policies"].is_null(), "{id} has policies: put them into a role");
        let role = properties["Role"]["Fn::GetAtt"][0].as_str().expect("a role");
        assert!(taken.insert(log.to_owned()) && taken.insert(role.to_owned()), "{id} shares its log or role");
        for metric in ["Errors", "Throttles"] {
            assert!(is_watched(&template, metric, &id), "no alarm tells of {metric} of {id}");
        }
    }
}

#[test]
fn roles_name_what_they_allow() {
    for function in resolved(&[]).functions {
        assert!(!function.statements.is_empty(), "{}", function.name);
        for statement in &function.statements {
            for action in &statement.actions {
                assert!(!action.contains(['*', '?']), "{}: {action}", function.name);
                let named = !statement.resources.contains(&"*".to_owned());
                assert!(
                    named || WITHOUT_RESOURCE.iter().any(|known| action.starts_with(known)),
                    "{}: {action} on anything",
                    function.name
                );
            }
        }
    }
}

/// CloudFormation takes numbers here and hands on text; not everybody who reads the template does.
#[test]
fn every_variable_is_text() {
    for (id, function) in functions(&template()) {
        let variables = function["Properties"]["Environment"]["Variables"].as_object().expect("variables").clone();
        for (name, value) in variables {
            assert!(value.is_string() || value.is_object(), "{id}: {name}: {value}");
        }
    }
}

#[test]
fn every_queue_is_closed_and_watched_and_ends_in_dead_letters() {
    let template = template();
    let queues = resources(&template, "AWS::SQS::Queue");
    let policies = resources(&template, "AWS::SQS::QueuePolicy");
    let mut ends = BTreeSet::new();
    for (id, queue) in &queues {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{id}");
        let closed = policies.values().any(|policy| {
            let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_array().expect("statements");
            referred(&policy["Properties"]["Queues"]).contains(id)
                && statements.iter().any(|one| one["Condition"]["Bool"]["aws:SecureTransport"] == "false")
        });
        assert!(closed, "{id} is open to who doesn't encrypt");
        if let Some(end) = queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str() {
            ends.insert(end.to_owned());
            assert!(is_watched(&template, "ApproximateNumberOfMessagesVisible", end), "nobody is told of {end}");
            assert!(is_watched(&template, "ApproximateAgeOfOldestMessage", id), "nobody is told how long {id} takes");
        }
    }
    // What a function can't take of a stream ends there as well.
    for function in functions(&template).values() {
        let events = function["Properties"]["Events"].as_object().into_iter().flat_map(Map::values);
        for event in events {
            let end = &event["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0];
            if let Some(end) = end.as_str() {
                ends.insert(end.to_owned());
                assert!(is_watched(&template, "ApproximateNumberOfMessagesVisible", end), "nobody is told of {end}");
            }
        }
    }
    for id in queues.keys() {
        assert!(ends.contains(id) || !queues[id]["Properties"]["RedrivePolicy"].is_null(), "{id} has no end");
    }
}

/// Properties that give a resource a name, which no second stack of the account and region could have.
const NAMES: [&str; 14] = [
    "AlarmName",
    "ApiName",
    "BucketName",
    "ConfigurationSetName",
    "DashboardName",
    "FunctionName",
    "GroupName",
    "LogGroupName",
    "Name",
    "PolicyName",
    "QueueName",
    "RoleName",
    "TableName",
    "TopicName",
];

/// The kinds of resources in which such a property refers to another resource, or names something within this one.
const OF_ANOTHER: [&str; 2] = ["AWS::Lambda::Permission", "AWS::SES::ConfigurationSetEventDestination"];

#[test]
fn two_stacks_fit_into_one_account_and_region() {
    let template = template();
    for (id, resource) in template["Resources"].as_object().expect("resources") {
        if resource["Type"].as_str().is_some_and(|kind| OF_ANOTHER.contains(&kind)) {
            continue;
        }
        for name in NAMES {
            let value = &resource["Properties"][name];
            let of_the_stack = value["Fn::Sub"].as_str().is_some_and(|text| text.contains("${AWS::StackName}"));
            assert!(value.is_null() || of_the_stack, "{id} has the fixed {name} {value}");
        }
        for (event_id, event) in resource["Properties"]["Events"].as_object().into_iter().flatten() {
            let properties = &event["Properties"];
            let named = event["Type"] == "ScheduleV2" && properties["OmitName"] != true;
            assert!(
                !named && properties["Name"].is_null(),
                "{event_id} of {id} has a fixed name, SAM's own without OmitName"
            );
        }
    }
}

/// AWS asks for it: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>.
#[test]
fn a_delivery_stays_hidden_for_six_timeouts() {
    let rule = &template()["Rules"]["VisibilityIsSixTimeouts"]["Assertions"][0]["Assert"]["Fn::Or"];
    let pairs: Vec<(u64, u64)> = rule
        .as_array()
        .expect("pairs")
        .iter()
        .map(|pair| {
            let side = |at: usize| pair["Fn::And"][at]["Fn::Equals"][1].as_str().expect("a number").parse();
            (side(0).expect("a number"), side(1).expect("a number"))
        })
        .collect();
    assert!(pairs.iter().all(|(timeout, visibility)| *visibility == 6 * timeout), "{pairs:?}");

    let resources = resolved(&[]);
    for function in &resources.functions {
        for source in &function.sources {
            let queue = resources.queues.iter().find(|queue| queue.name == source.queue).expect("its queue");
            let pair = (function.timeout.as_secs(), queue.visibility_timeout.as_secs());
            assert!(pairs.contains(&pair), "{}: {pair:?} is refused on AWS", function.name);
            assert!(source.reports_item_failures, "{} fails whole batches", function.name);
        }
    }
}

/// SQS forgets the age of a message at its third receive, so the alarm must have fired by then, and before the last delivery gives up.
#[test]
fn an_old_file_is_told_of_at_its_third_delivery() {
    /// Functions that no file comes to.
    const OF_NO_FILE: [&str; 6] = [
        "AuditTrailFunction",
        "ConsoleFunction",
        "ScimApiFunction",
        "ScimAuthorizerFunction",
        "TableFollowerFunction",
        "UsersApiFunction",
    ];
    let template = template();
    let default = |name: &str| -> u64 {
        template["Parameters"][name]["Default"].as_str().expect("a text").parse().expect("a number")
    };
    let (age, visibility) = (default("MaxJobAgeSeconds"), default("BulkVisibilitySeconds"));
    assert!(age < 2 * visibility && default("MaxDeliveries") > 3, "{age} seconds are over at a later delivery");
    for id in functions(&template).keys().filter(|id| !OF_NO_FILE.contains(&id.as_str())) {
        assert!(is_watched(&template, "DeliveryAge", id), "nobody is told that {id} gets a file again and again");
    }
}

/// The metrics of a table leave its indexes out, where a bulk upload is throttled first: an account's users are one partition there.
#[test]
fn every_table_and_every_index_is_watched_for_what_it_refuses() {
    let template = template();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    for (id, table) in resources(&template, "AWS::DynamoDB::Table") {
        let indexes = table["Properties"]["GlobalSecondaryIndexes"].as_array().expect("indexes").iter();
        let indexes = indexes.map(|index| json!({ "Name": "GlobalSecondaryIndexName", "Value": index["IndexName"] }));
        let own = json!({ "Name": "TableName", "Value": { "Ref": id } });
        let places = indexes.map(|index| json!([own, index])).chain([json!([own])]);
        for (place, metric) in
            places.flat_map(|place| ["ReadThrottleEvents", "WriteThrottleEvents"].map(|metric| (place.clone(), metric)))
        {
            let told = alarms
                .values()
                .any(|alarm| alarm["Properties"]["MetricName"] == metric && alarm["Properties"]["Dimensions"] == place);
            assert!(told, "nobody is told of {metric} of {place}");
        }
    }
}

/// An answer that names records is a success to Lambda, and how far apart it retries is documented nowhere: so records are tried until
/// they have an age, and their dead letters come while the stream has them still. What the follower reads is in the table as well, so it tries until the
/// stream forgets.
#[test]
fn a_stream_is_read_until_hours_before_it_forgets_and_its_lag_is_told() {
    const FORGETS: u64 = 24 * 3600;
    const HOURS_FOR_A_PERSON: u64 = 6 * 3600;
    let template = template();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    let mut read = 0;
    for (id, function) in functions(&template) {
        for event in function["Properties"]["Events"].as_object().into_iter().flat_map(Map::values) {
            if event["Type"] != "DynamoDB" {
                continue;
            }
            read += 1;
            let properties = &event["Properties"];
            let packs = id == "TableFollowerFunction";
            let told = &properties["MaximumRecordAgeInSeconds"];
            let age = if packs { FORGETS } else { told.as_u64().expect("an age") };
            let in_time = if packs { *told == -1 } else { age + HOURS_FOR_A_PERSON <= FORGETS };
            assert!(properties["MaximumRetryAttempts"] == -1 && in_time, "{id}: {properties}");
            let mut lags = alarms
                .values()
                .map(|alarm| &alarm["Properties"])
                .filter(|alarm| alarm["MetricName"] == "IteratorAge" && referred(&alarm["Dimensions"]).contains(&id));
            // In milliseconds, and long before the records are given up.
            assert!(
                lags.any(|alarm| alarm["Threshold"].as_u64().is_some_and(|most| most < age * 1000 / 2)),
                "{id} may lag untold"
            );
            assert!(
                packs || is_watched(&template, "TrailsNotKept", &id),
                "nobody is told that {id} can't keep what it reads"
            );
        }
    }
    assert_eq!(read, 2);
}

/// To say `SSEEnabled: true` is to ask for a key of KMS, which every request is charged for.
#[test]
fn the_table_has_the_key_that_aws_owns() {
    let template = template();
    for (id, table) in resources(&template, "AWS::DynamoDB::Table") {
        assert!(table["Properties"]["SSESpecification"].is_null(), "{id} has a key of KMS");
    }
}

#[test]
fn every_metric_is_explained() {
    let explained = fs::read_to_string(Path::new(ROOT).join("infra/docs/operations.md")).expect("a document");
    let measured = fs::read_to_string(Path::new(ROOT).join("shared/engine/src/metrics.rs")).expect("a source");
    let names = measured.split("(\"").skip(1).filter_map(|text| text.split_once("\", "));
    let metrics: Vec<&str> = names.map(|(name, _)| name).filter(|name| name.starts_with(char::is_uppercase)).collect();
    assert!(metrics.len() > 10, "{metrics:?}");
    for metric in metrics {
        assert!(explained.contains(&format!("`{metric}`")), "{metric} is not explained");
    }
}

/// The costs are reckoned with as many as there are.
#[test]
fn every_alarm_is_paid_for() {
    let costs = fs::read_to_string(Path::new(ROOT).join("infra/docs/cost.md")).expect("a document");
    let alarms = resources(&template(), "AWS::CloudWatch::Alarm").len();
    assert!(costs.contains(&format!("| alarms | {alarms} × `a` |")), "there are {alarms} alarms");
}

/// The costs, and what Lambda is asked to run at a time, are reckoned with as many as there are.
#[test]
fn every_queue_that_is_asked_all_day_is_reckoned_with() {
    let guide = |name: &str| fs::read_to_string(Path::new(ROOT).join("infra/docs").join(name)).expect("a document");
    let functions = functions(&template());
    let events = functions.values().filter_map(|function| function["Properties"]["Events"].as_object());
    let queues: Vec<&Value> = events.flat_map(Map::values).filter(|event| event["Type"] == "SQS").collect();
    let most = |event: &&Value| event["Properties"]["ScalingConfig"]["MaximumConcurrency"].as_u64().expect("a bound");
    let (asked, at_once) = (queues.len(), queues.iter().map(most).sum::<u64>());
    assert!(guide("cost.md").contains(&format!("queues asked all day | {asked} × 5 pollers")), "{asked} queues");
    assert!(guide("deploy.md").contains(&format!("in the template, {at_once} together")), "{at_once} at a time");
}

#[test]
fn the_dashboard_can_be_read() {
    let template = template();
    let body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().expect("a text");
    let widgets: Value = serde_json::from_str(body).expect("JSON");
    assert!(widgets["widgets"].as_array().is_some_and(|widgets| widgets.len() > 4));
}

/// The variables that the sources in a folder ask for.
fn asked(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            names.extend(asked(&entry));
        } else {
            let text = fs::read_to_string(&entry).expect("a source");
            let calls = text.split("variable").skip(1).filter_map(|call| {
                let call = call.trim_start_matches("::<String>").strip_prefix("(\"")?;
                call.split_once('"').map(|(name, _)| name.to_owned())
            });
            names.extend(calls);
        }
    }
    names
}

#[test]
fn functions_are_given_the_variables_that_they_ask_for() {
    for (id, function) in functions(&template()) {
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary");
        let folder = Path::new(ROOT).join("functions").join(binary);
        let mut asked_for = asked(&folder.join("src"));
        // What every function that works on jobs is made from.
        let main = fs::read_to_string(folder.join("src/main.rs")).expect("a source");
        if main.contains("worker_from_env") {
            asked_for.extend(asked(&Path::new(ROOT).join("shared/storage/src")));
        }
        if main.contains("HttpPhoneSystems") {
            asked_for.extend(asked(&Path::new(ROOT).join("shared/phone-systems/src")));
        }
        let given = function["Properties"]["Environment"]["Variables"].as_object().unwrap_or(&Map::new()).clone();
        assert_eq!(given.keys().cloned().collect::<BTreeSet<_>>(), asked_for, "{id}");
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/permissions-managed-policies.html> says that Lambda tells the key.
#[test]
fn a_functions_role_is_taken_by_lambda_for_this_aws_account_alone() {
    for (id, role) in resources(&template(), "AWS::IAM::Role") {
        let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
        if trust["Principal"]["Service"] == "lambda.amazonaws.com" {
            let account = &trust["Condition"]["StringEquals"]["aws:SourceAccount"];
            assert_eq!(account, &serde_json::json!({ "Ref": "AWS::AccountId" }), "{id}");
        }
    }
}
