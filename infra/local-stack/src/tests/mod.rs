//! The stack through its doors, with the SDK's own clients.

mod s3;
mod secrets;

use super::*;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Two buckets, one with versions and events; a queue for the events of its inbox; a table.
const TEMPLATE: &str = r"
Resources:
  Files:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: { Status: Enabled }
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } }
  Plain: { Type: AWS::S3::Bucket }
  Jobs: { Type: AWS::SQS::Queue }
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        source: [aws.s3]
        detail-type: [Object Created]
        detail: { bucket: { name: [!Ref Files] }, object: { key: [{ wildcard: inbox/*/append/* }] } }
      Targets: [{ Id: Jobs, Arn: !GetAtt Jobs.Arn }]
  JobsPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: { Service: events.amazonaws.com }
            Action: sqs:SendMessage
            Resource: !GetAtt Jobs.Arn
            Condition: { ArnEquals: { aws:SourceArn: !GetAtt Rule.Arn } }
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: PK, AttributeType: S }]
      KeySchema: [{ AttributeName: PK, KeyType: HASH }]
      TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
";
const FILES: &str = "rollcall-files";
const PLAIN: &str = "rollcall-plain";
const JOBS: &str = "rollcall-Jobs";

async fn stack(dir: Option<&Path>) -> Stack {
    let options = Options { dir: dir.map(Path::to_owned), template: TEMPLATE.to_owned(), ..Options::default() };
    Stack::start(options).await.unwrap_or_else(|error| panic!("{}", error.chain()))
}

fn config(stack: &Stack, endpoint: &str) -> SdkConfig {
    let manifest = stack.manifest();
    let credentials = Credentials::new(&manifest.access_key_id, &manifest.secret_access_key, None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(manifest.region.clone()))
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

fn s3(stack: &Stack) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::new(&config(stack, &stack.manifest().endpoints.s3))
}

/// The code of an expected error: S3's own or, where the answer has no body, HTTP's.
fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    match result {
        Ok(_) => "success".to_owned(),
        Err(error) => match (error.code(), error.raw_response()) {
            (Some(code), _) => code.to_owned(),
            (None, Some(response)) => response.status().as_u16().to_string(),
            (None, None) => panic!("no answer"),
        },
    }
}

type Result<T, E> = std::result::Result<T, E>;

fn body(text: impl AsRef<[u8]>) -> ByteStream {
    ByteStream::from(text.as_ref().to_vec())
}

async fn text(output: GetObjectOutput) -> String {
    let bytes = output.body.collect().await.expect("a body").into_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The object of each event in the queue, which are received.
fn events(stack: &Stack) -> Vec<Value> {
    let messages = stack.queues().receive(JOBS, 100).expect("messages");
    messages.iter().map(|message| serde_json::from_str(&message.body).expect("an event")).collect()
}

/// Puts an object and returns its version.
async fn put(s3: &aws_sdk_s3::Client, bucket: &str, key: &str, text: &str) -> Option<String> {
    let request = s3.put_object().bucket(bucket).key(key).body(body(text));
    let request = request.metadata("who", "me");
    request.send().await.expect("put").version_id
}

#[tokio::test(flavor = "multi_thread")]
async fn data_outlives_a_restart_and_a_directory_has_one_stack() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = stack(Some(dir.path())).await;
    let credentials = first.manifest().access_key_id.clone();
    s3(&first).put_object().bucket(FILES).key("inbox/a/append/f").body(body("kept")).send().await.expect("put");
    let table = |stack: &Stack| aws_sdk_dynamodb::Client::new(&config(stack, &stack.manifest().endpoints.dynamodb));
    let key = AttributeValue::S("k".to_owned());
    table(&first).put_item().table_name("rollcall-Table").item("PK", key.clone()).send().await.expect("put");

    let second =
        Stack::start(Options { dir: Some(dir.path().to_owned()), template: TEMPLATE.to_owned(), ..Options::default() })
            .await;
    let refused = second.err().expect("the directory is taken").to_string();
    assert!(refused.contains(&std::process::id().to_string()), "{refused}");
    assert!(Manifest::read(dir.path()).expect("read").is_some());
    first.shutdown().await;
    assert!(Manifest::read(dir.path()).expect("read").is_none());

    let again = stack(Some(dir.path())).await;
    assert_eq!(again.manifest().access_key_id, credentials);
    let kept = s3(&again).get_object().bucket(FILES).key("inbox/a/append/f").send().await.expect("get");
    assert_eq!(text(kept).await, "kept");
    assert_eq!(events(&again).len(), 1, "the message was still queued");
    let item = table(&again).get_item().table_name("rollcall-Table").key("PK", key).send().await.expect("get");
    assert!(item.item().is_some());
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_kept() {
    let stack = stack(None).await;
    let ses = aws_sdk_ses::Client::new(&config(&stack, &stack.manifest().endpoints.ses));
    let send = |raw: Vec<u8>| {
        let message = aws_sdk_ses::types::RawMessage::builder().data(raw.into()).build().expect("a message");
        ses.send_raw_email().raw_message(message).send()
    };
    let mail = "From: R <r@example.com>\r\nTo: a@example.com, b@example.com\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n\
                Content-Type: text/csv; name=f.csv\r\nContent-Disposition: attachment; filename=f.csv\r\n\r\na,b\r\n--b--\r\n";
    let id = send(mail.into()).await.expect("sent").message_id;
    let mails = list_mails(&stack.manifest().mail_dir).expect("mails");
    assert_eq!((mails.len(), &mails[0].id), (1, &id));
    let found = &mails[0];
    assert_eq!((found.from.as_str(), found.subject.as_str(), found.text.trim()), ("r@example.com", "café", "hello"));
    assert_eq!(found.to, ["a@example.com", "b@example.com"]);
    assert_eq!((found.attachments[0].name.as_str(), found.attachments[0].bytes.as_slice()), ("f.csv", &b"a,b"[..]));
    assert_eq!(std::fs::read(&found.file).expect("the file"), mail.as_bytes());

    assert_eq!(code(send(b"To: a@example.com\r\n\r\n".to_vec()).await), "InvalidParameterValue");
    let large = [b"From: r@example.com\r\n\r\n".to_vec(), vec![b'x'; 10 * 1024 * 1024]].concat();
    assert_eq!(code(send(large).await), "InvalidParameterValue");
    assert_eq!(code(ses.get_send_quota().send().await), "InvalidAction");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_answers_nobody_who_has_not_signed() {
    let stack = stack(None).await;
    let right = config(&stack, &stack.manifest().endpoints.dynamodb);
    let key_id = stack.manifest().access_key_id.clone();
    let stolen = Credentials::new(key_id, "a secret of somebody else", None, None, "test");
    let provider = aws_sdk_s3::config::SharedCredentialsProvider::new(stolen);
    let wrong = right.to_builder().credentials_provider(provider).build();
    let lists = async |config: &SdkConfig| aws_sdk_dynamodb::Client::new(config).list_tables().send().await;
    assert_eq!(code(lists(&right).await), "success");
    assert_eq!(code(lists(&wrong).await), "InvalidSignatureException");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_up_in_a_moment() {
    let start = Instant::now();
    stack(None).await.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(2));
}
