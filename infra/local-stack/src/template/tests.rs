mod api;

use super::*;

fn overrides(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// As the stack does it, with the API at a port of this machine.
fn resolve(text: &str, parameters: &[(String, String)]) -> Result<Resources> {
    super::resolve(text, parameters, API)
}

const API: &str = "http://127.0.0.1:9";

#[test]
fn the_bundled_template_resolves() {
    let resources = resolve(BUNDLED, &[]).expect("the product's own template");

    let table = &resources.tables[0];
    assert_eq!(table.name, "rollcall-DirectoryTable");
    assert_eq!(table.create["KeySchema"][0]["AttributeName"], "PK");
    let listed = table.create["GlobalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"].as_array().expect("names");
    for alone in ["caller_ids", "changed_by", "deleted_by"] {
        assert!(!listed.iter().any(|name| name == alone), "an append writes the table alone");
    }
    let trail = resources.functions.iter().find(|one| one.binary == "audit-trail").expect("audit-trail");
    assert_eq!(trail.streams[0].table, table.name);
    let bucket = &resources.buckets[0];
    assert_eq!(bucket.name, "rollcall-filesbucket");
    assert!(bucket.versioned && bucket.emits_events);
    let function = resources.functions.iter().find(|one| one.binary == "bulk-append").expect("bulk-append");
    assert_eq!(function.environment["TABLE_NAME"], table.name, "a global variable");
    assert_eq!(function.environment["DEFAULT_COUNTRY"], "IN", "a variable of its own");
    let source = &function.sources[0];
    let queue = resources.queues.iter().find(|queue| queue.name == source.queue).expect("its queue");
    let redrive = queue.redrive.as_ref().expect("a dead-letter queue");
    assert!(resources.queues.iter().any(|queue| queue.name == redrive.dead_letters));
    assert!(resources.rules.iter().any(|rule| rule.queues == [queue.name.clone()]));
    assert_eq!(resources.outputs["FilesBucketName"], bucket.name);
}

/// Lambda refuses who has no permission, and callers would get a 500 from a stack that was deployed without a word.
#[test]
fn an_api_without_the_permission_to_ask_its_function_is_refused() {
    let text = api::ROUTES;
    for (from, to) in [
        ("      Action: lambda:InvokeFunction\n", "      Action: lambda:GetFunction\n"),
        ("FunctionName: !Ref Answer", "FunctionName: another"),
        ("Principal: apigateway.amazonaws.com", "Principal: events.amazonaws.com"),
        ("${Api}/*\n", "${Api}/$default/GET/*\n"),
        ("${Api}/*\n", "another/*\n"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = resolve(&text.replacen(from, to, 1), &[]).expect_err(to).chain();
        assert!(error.contains("AWS::Lambda::Permission") && error.contains("rollcall-Answer"), "{error}");
    }
    let event =
        "  Answer:\n    Type: AWS::Serverless::Function\n    Properties: { Events: { E: { Type: HttpApi } } }\n";
    let error = resolve(&text.replacen("  Answer:\n    Type: AWS::Serverless::Function\n", event, 1), &[]);
    assert!(error.expect_err("an event").chain().contains("DefinitionBody"));
}

#[test]
fn schedules_stand_beside_queues() {
    let text = r#"
Parameters:
  Every: { Type: String, Default: "rate(6 hours)" }
Resources:
  Jobs: { Type: AWS::SQS::Queue }
  Dead: { Type: AWS::SQS::Queue }
  Import:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: import } }
    Properties:
      DeadLetterQueue: { Type: SQS, TargetArn: !GetAtt Dead.Arn }
      EventInvokeConfig: { MaximumRetryAttempts: 1 }
      Events:
        Files: { Type: SQS, Properties: { Queue: !GetAtt Jobs.Arn } }
        Often:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: !Ref Every
            Input: !Sub '{"stack":"${AWS::StackName}"}'
            RetryPolicy: { MaximumRetryAttempts: 5 }
            DeadLetterConfig: { Arn: !GetAtt Dead.Arn }
        Nightly:
          Type: ScheduleV2
          Properties: { Name: nightly, ScheduleExpression: cron(0 2 * * ? *), State: DISABLED }
"#;
    let resources = resolve(text, &[]).expect("a template");
    let function = &resources.functions[0];
    assert_eq!(function.sources.len(), 1);
    let asynchronous = &function.asynchronous;
    assert_eq!((asynchronous.retries, asynchronous.dead_letters.as_deref()), (1, Some("rollcall-Dead")));
    assert_eq!(asynchronous.max_age, Duration::from_hours(6));
    let line = |one: &Schedule| format!("{} {} {} {:?} {}", one.name, one.function, one.text, one.input, one.enabled);
    let mut schedules: Vec<_> = resources.schedules.iter().map(line).collect();
    schedules.sort();
    assert_eq!(
        schedules,
        [
            r#"ImportOften rollcall-Import rate(6 hours) Some("{\"stack\":\"rollcall\"}") true"#,
            "nightly rollcall-Import cron(0 2 * * ? *) None false",
        ]
    );
    assert!(resolve(text, &overrides(&[("Every", "rate(5 minutes)")])).is_ok());

    for (from, to, named) in [
        ("rate(6 hours)", "rate(6 weeks)", "rate(6 weeks)"),
        ("rate(6 hours)", "at(2030-01-01T00:00:00)", "at(2030-01-01T00:00:00)"),
        ("cron(0 2 * * ? *)", "cron(0 2 * * *)", "cron(0 2 * * *)"),
        ("ScheduleExpression: !Ref Every", "StartDate: now", "StartDate"),
        ("ScheduleExpression: !Ref Every", "Description: x", "ScheduleExpression"),
        ("Name: nightly,", "ScheduleExpressionTimezone: Asia/Kolkata,", "time zone"),
        ("State: DISABLED", "State: off", "State"),
        (r#"{"stack":"${AWS::StackName}"}"#, "{", "JSON"),
        ("Name: nightly", "Name: ImportOften", "ImportOften"),
        ("MaximumRetryAttempts: 1", "MaximumRetryAttempts: 3", "MaximumRetryAttempts"),
        ("TargetArn: !GetAtt Dead.Arn", "TargetArn: elsewhere", "elsewhere"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = resolve(&text.replacen(from, to, 1), &[]).expect_err(named).chain();
        assert!(error.contains("Import") && error.contains(named), "{error}");
    }
}

/// SQS refuses what an emulator takes, and an event that a queue refuses is lost.
#[test]
fn a_queue_has_a_policy_of_its_own_that_lets_the_rule_send() {
    let text = r"
Resources:
  Jobs: { Type: AWS::SQS::Queue }
  Dead: { Type: AWS::SQS::Queue }
  JobsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument: { Statement: [{ Sid: A, Effect: Allow, Principal: { Service: events.amazonaws.com }, Action: sqs:SendMessage, Resource: !GetAtt Jobs.Arn, Condition: { ArnEquals: { aws:SourceArn: !GetAtt Rule.Arn } } }] }
  DeadPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Dead]
      PolicyDocument: { Statement: [{ Sid: B, Effect: Allow, Principal: { Service: events.amazonaws.com }, Action: sqs:SendMessage, Resource: !GetAtt Dead.Arn, Condition: { ArnEquals: { aws:SourceArn: !GetAtt Rule.Arn } } }] }
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: { source: [aws.s3] }
      Targets: [{ Id: Jobs, Arn: !GetAtt Jobs.Arn, DeadLetterConfig: { Arn: !GetAtt Dead.Arn } }]
";
    assert!(resolve(text, &[]).is_ok());
    for (from, to, named) in [
        ("Queues: [!Ref Jobs]", "Queues: [!Ref Jobs, !Ref Dead]", "one queue"),
        ("Resource: !GetAtt Jobs.Arn", "Resource: [!GetAtt Jobs.Arn, !GetAtt Dead.Arn]", "one queue"),
        ("Queues: [!Ref Dead]\n", "Queues: []\n", "rollcall-Dead lets"),
        ("Sid: A, Effect: Allow", "Sid: A, Effect: Deny", "rollcall-Jobs lets"),
        (
            "Action: sqs:SendMessage, Resource: !GetAtt Dead.Arn",
            "Action: sqs:Send, Resource: !GetAtt Dead.Arn",
            "Dead lets",
        ),
        ("aws:SourceArn: !GetAtt Rule.Arn", "aws:SourceArn: another", "rollcall-Jobs lets"),
        (
            "Principal: { Service: events.amazonaws.com }",
            "Principal: { Service: s3.amazonaws.com }",
            "rollcall-Jobs lets",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let error = resolve(&text.replacen(from, to, 1), &[]).expect_err(named).chain();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_stream_feeds_a_function_with_what_its_filters_take() {
    let text = r#"
Resources:
  Dead: { Type: AWS::SQS::Queue }
  Table:
    Type: AWS::DynamoDB::Table
    Properties: { StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES } }
  Trail:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: trail } }
    Properties:
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 7
            MaximumBatchingWindowInSeconds: 3
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 2
            MaximumRecordAgeInSeconds: 60
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"SK":{"S":[{"prefix":"NUM#"}]}}}}' }] }
            DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Dead.Arn } }
"#;
    let resources = resolve(text, &[]).expect("a template");
    let source = &resources.functions[0].streams[0];
    assert_eq!((source.table.as_str(), source.batch_size, source.max_retries), ("rollcall-Table", 7, Some(2)));
    assert_eq!(source.dead_letters.as_deref(), Some("rollcall-Dead"));
    assert_eq!((source.window, source.max_age), (Duration::from_secs(3), Some(60)));
    assert!(source.bisects && source.reports_item_failures);
    let record = |sk: &str| json!({ "dynamodb": { "Keys": { "SK": { "S": sk } } } });
    assert!(source.takes(&record("NUM#1")) && !source.takes(&record("JOB")));
    for (from, to, named) in [
        ("StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST", "StartingPosition"),
        ("BatchSize: 7", "BatchSize: 10001", "BatchSize"),
        ("BatchSize: 7", "ParallelizationFactor: 2", "ParallelizationFactor"),
        ("Stream: !GetAtt Table.StreamArn", "Stream: elsewhere", "elsewhere"),
        ("{ StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES } }", "{}", "StreamSpecification"),
        ("\"prefix\"", "\"nearly\"", "Pattern"),
        ("Destination: !GetAtt Dead.Arn", "Destination: nowhere", "nowhere"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = resolve(&text.replacen(from, to, 1), &[]).expect_err(named).chain();
        assert!(error.contains("Trail") && error.contains(named), "{error}");
    }
}

#[test]
fn parameters_keep_to_their_bounds() {
    let timeout = |value| {
        let functions = resolve(BUNDLED, &overrides(&[("BulkTimeoutSeconds", value)]))?.functions;
        Ok::<_, StackError>(functions.iter().find(|one| one.binary == "bulk-append").expect("bulk-append").timeout)
    };
    assert_eq!(timeout("7").expect("in bounds"), Duration::from_secs(7));
    for value in ["4", "901", "7.5", "x"] {
        assert!(timeout(value).expect_err(value).to_string().contains("a whole number from 5 to 900"));
    }
    for (name, value) in [
        ("DefaultCountry", "India"),
        ("DefaultCountry", "UK"),
        ("Architecture", "mips"),
        ("JwtAudience", ""),
        ("NoSuch", "1"),
    ] {
        assert!(resolve(BUNDLED, &overrides(&[(name, value)])).is_err(), "{name}={value}");
    }
    let text = "Parameters:
  Count: { Type: Number, Default: 2, MinValue: 1, MaxValue: 3 }
  Word: { Type: String, Default: ab, MaxLength: 2 }
Resources: {}
";
    for (name, value, reason) in [
        ("Count", "0", "at least 1"),
        ("Count", "4", "at most 3"),
        ("Count", "x", "a number"),
        ("Word", "abc", "at most 2"),
    ] {
        let error = resolve(text, &overrides(&[(name, value)])).expect_err(value);
        assert!(error.to_string().contains(reason), "{name}={value}: {error}");
    }
}

#[test]
fn intrinsic_functions() {
    let text = r#"
Parameters:
  Stage: { Type: String, Default: dev }
Conditions:
  Production: !Equals [!Ref Stage, prod]
  Rest: !Not [!Condition Production]
Resources:
  Jobs: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "${AWS::StackName}-${Stage}-jobs" } }
  Only: { Type: AWS::SQS::Queue, Condition: Production }
Outputs:
  Name: { Value: !GetAtt Jobs.QueueName }
  Arn: { Value: !GetAtt Jobs.Arn }
  Joined: { Value: !Join ["-", [a, !Ref Stage, !Ref AWS::Region]] }
  If: { Value: !If [Rest, rest, production] }
  Sub: { Value: !Sub ["${x}/${!kept}/${Jobs.Arn}", { x: !Ref AWS::AccountId }] }
"#;
    let resources = resolve(text, &[]).expect("a template");
    assert_eq!(resources.queues.len(), 1);
    let outputs = resources.outputs;
    assert_eq!(outputs["Name"], "rollcall-dev-jobs");
    assert_eq!(outputs["Arn"], "arn:aws:sqs:us-east-1:000000000000:rollcall-dev-jobs");
    assert_eq!(outputs["Joined"], "a-dev-us-east-1");
    assert_eq!(outputs["If"], "rest");
    assert_eq!(outputs["Sub"], format!("000000000000/${{kept}}/{}", outputs["Arn"]));
    let resources = resolve(text, &overrides(&[("Stage", "prod")])).expect("a template");
    assert_eq!(resources.queues.len(), 2);
}

#[test]
fn what_cannot_be_run_is_an_error_that_names_it() {
    for (resource, named) in [
        ("{ Type: AWS::EC2::Instance }", "AWS::EC2::Instance"),
        ("{ Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: !Ref Nothing } }", "Nothing"),
        ("{ Type: AWS::SQS::Queue, Properties: { QueueName: !Ref Thing } }", "circle"),
        ("{ Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: soon } }", "whole number"),
        ("{ Type: AWS::Serverless::Function }", "Binary"),
        ("{ Type: AWS::Events::Rule, Properties: { ScheduleExpression: rate(1 day) } }", "EventPattern"),
    ] {
        let error = resolve(&format!("Resources:\n  Thing: {resource}\n"), &[]).expect_err(resource);
        assert!(error.chain().contains("Thing") && error.chain().contains(named), "{}", error.chain());
    }
    assert!(resolve("Resources: {}\n---\nResources: {}", &[]).is_err());
    assert!(resolve("a: [", &[]).is_err());
    assert!(resolve("Resources: 1", &[]).is_err());
}
