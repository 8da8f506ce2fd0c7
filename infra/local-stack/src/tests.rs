//! The stack through its doors, with the SDK's own clients.

use std::path::Path;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use serde_json::Value;

use super::*;

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
async fn objects_keep_their_versions() {
    let stack = stack(None).await;
    let s3 = s3(&stack);
    let key = "inbox/acme/नमस्ते +%20?&/in";
    let first = put(&s3, FILES, key, "first").await.expect("a version");
    let second = put(&s3, FILES, key, "second").await.expect("a version");
    // A key that goes on where another ends.
    put(&s3, FILES, &format!("{key}/x"), "").await;

    let get = || s3.get_object().bucket(FILES).key(key);
    let latest = get().send().await.expect("get");
    assert_eq!(latest.metadata().expect("metadata")["who"], "me");
    assert_eq!(latest.version_id(), Some(second.as_str()));
    assert_eq!(latest.content_type(), Some("application/octet-stream"));
    assert_eq!(text(latest).await, "second");
    let old = get().version_id(&first).send().await.expect("get");
    assert_eq!(text(old).await, "first");
    assert_eq!(code(get().version_id("none").send().await), "NoSuchVersion");

    let delete = || s3.delete_object().bucket(FILES).key(key);
    let deleted = delete().version_id(second).send().await.expect("delete");
    assert_eq!(deleted.delete_marker(), None);
    assert_eq!(text(get().send().await.expect("get")).await, "first");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_hides_an_object_until_its_marker_is_deleted() {
    let stack = stack(None).await;
    let s3 = s3(&stack);
    let first = put(&s3, FILES, "k", "first").await.expect("a version");
    let second = put(&s3, FILES, "k", "second").await.expect("a version");
    put(&s3, FILES, "k2", "").await;
    let get = || s3.get_object().bucket(FILES).key("k");
    let delete = || s3.delete_object().bucket(FILES).key("k");
    let deleted = delete().send().await.expect("delete");
    let marker = deleted.version_id().expect("a marker");
    assert_eq!(deleted.delete_marker(), Some(true));
    assert_eq!(code(get().send().await), "NoSuchKey");
    let read = get().version_id(marker).send().await;
    assert_eq!(code(read), "MethodNotAllowed");

    let list = || s3.list_object_versions().bucket(FILES);
    let all = list().send().await.expect("list");
    let ids: Vec<_> = all.versions().iter().filter_map(|one| one.version_id()).collect();
    assert_eq!(ids[..2], [second.as_str(), first.as_str()], "the newest first");
    assert_eq!(all.delete_markers()[0].is_latest(), Some(true));
    let page = list().max_keys(2).send().await.expect("list");
    let rest = list()
        .key_marker(page.next_key_marker().expect("more"))
        .version_id_marker(page.next_version_id_marker().expect("more"));
    let rest = rest.send().await.expect("list");
    assert_eq!((rest.versions().len(), rest.is_truncated()), (2, Some(false)));

    delete().version_id(marker).send().await.expect("delete");
    assert_eq!(text(get().send().await.expect("get")).await, "second");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_keep_to_their_ranges_and_conditions() {
    let stack = stack(None).await;
    let s3 = s3(&stack);
    let created = s3.put_object().bucket(PLAIN).key("k").body(body("0123456789")).send().await.expect("put");
    assert_eq!(created.version_id(), None);
    let etag = created.e_tag().expect("an ETag");
    let get = || s3.get_object().bucket(PLAIN).key("k");

    for (range, expected) in [("bytes=2-4", "234"), ("bytes=7-", "789"), ("bytes=-2", "89"), ("bytes=8-99", "89")] {
        assert_eq!(text(get().range(range).send().await.expect(range)).await, expected, "{range}");
    }
    put(&s3, PLAIN, "empty", "").await;
    let empty = s3.get_object().bucket(PLAIN).key("empty").range("bytes=-2");
    assert_eq!(code(empty.send().await), "InvalidRange");
    let part = get().range("bytes=2-4").send().await.expect("get");
    assert_eq!((part.content_range(), part.content_length()), (Some("bytes 2-4/10"), Some(3)));
    assert_eq!(code(get().range("bytes=10-").send().await), "InvalidRange");
    assert_eq!(code(get().if_match("\"x\"").send().await), "PreconditionFailed");
    assert_eq!(code(get().if_match(etag).send().await), "success");
    assert_eq!(code(get().if_none_match(etag).send().await), "304");
    let head = s3.head_object().bucket(PLAIN).key("k").send().await.expect("head");
    assert_eq!((head.content_length(), head.e_tag()), (Some(10), Some(etag)));
    assert_eq!(code(s3.head_object().bucket(PLAIN).key("none").send().await), "NotFound");
    assert_eq!(code(s3.get_object().bucket("none").key("k").send().await), "NoSuchBucket");
    assert_eq!(code(s3.head_bucket().bucket(PLAIN).send().await), "success");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_must_not_be_stores_nothing() {
    let stack = stack(None).await;
    let s3 = s3(&stack);
    let put = |key: &'static str| s3.put_object().bucket(FILES).key(key).body(body("x"));
    let creations = futures_util::future::join_all((0..8).map(|_| put("once").if_none_match("*").send())).await;
    assert_eq!(creations.into_iter().flatten().count(), 1, "one creation wins");
    assert_eq!(code(put("once").if_match("\"x\"").send().await), "PreconditionFailed");
    assert_eq!(code(put("none").if_match("\"x\"").send().await), "NoSuchKey");

    let md5 = "AAAAAAAAAAAAAAAAAAAAAA==";
    assert_eq!(code(put("inbox/a/append/bad").content_md5(md5).send().await), "BadDigest");
    let sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(code(put("inbox/a/append/bad").checksum_sha256(sha256).send().await), "BadDigest");
    assert_eq!(code(s3.get_object().bucket(FILES).key("inbox/a/append/bad").send().await), "NoSuchKey");
    assert!(events(&stack).is_empty());
    let files = std::fs::read_dir(stack.home.path().join("objects")).expect("objects").count();
    assert_eq!(files, 1, "what was refused left no file");

    let strangers = Credentials::new(&stack.manifest().access_key_id, "wrong", None, None, "test");
    let wrong = config(&stack, &stack.manifest().endpoints.s3)
        .to_builder()
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(strangers))
        .build();
    let refused = aws_sdk_s3::Client::new(&wrong).list_buckets().send().await;
    assert_eq!(code(refused), "SignatureDoesNotMatch");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages() {
    let stack = stack(None).await;
    let s3 = s3(&stack);
    for key in ["a", "b/1", "b/2", "b/c/3", "d", "é/1"] {
        s3.put_object().bucket(PLAIN).key(key).body(body(key)).send().await.expect("put");
    }
    let keys = |page: &aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output| -> Vec<String> {
        let prefixes = page.common_prefixes().iter().filter_map(|one| one.prefix()).map(str::to_owned);
        page.contents().iter().filter_map(|one| one.key()).map(str::to_owned).chain(prefixes).collect()
    };
    let list = || s3.list_objects_v2().bucket(PLAIN);
    let rolled_up = list().delimiter("/").send().await.expect("list");
    assert_eq!(keys(&rolled_up), ["a", "d", "b/", "é/"]);
    let below = list().prefix("b/").delimiter("/").send().await.expect("list");
    assert_eq!(keys(&below), ["b/1", "b/2", "b/c/"]);
    assert_eq!(keys(&list().start_after("b/2").send().await.expect("list")), ["b/c/3", "d", "é/1"]);

    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = list().max_keys(2).set_continuation_token(token).send().await.expect("list");
        found.extend(keys(&page));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a", "b/1", "b/2", "b/c/3", "d", "é/1"]);

    let objects: Vec<_> = ["a", "d"].map(|key| ObjectIdentifier::builder().key(key).build().expect("a key")).into();
    let delete = Delete::builder().set_objects(Some(objects)).build().expect("objects");
    s3.delete_objects().bucket(PLAIN).delete(delete).send().await.expect("delete");
    assert_eq!(keys(&list().delimiter("/").send().await.expect("list")), ["b/", "é/"]);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_and_a_copy_are_an_event_each() {
    let stack = stack(None).await;
    let s3 = s3(&stack);
    put(&s3, FILES, "inbox/acme/other/f.csv", "not for the rule").await;
    let key = "inbox/acme corp/append/क.csv";
    let version = put(&s3, FILES, key, "12345").await.expect("a version");
    let events_of_put = events(&stack);
    assert_eq!(events_of_put.len(), 1);
    let event = &events_of_put[0];
    assert_eq!((&event["source"], &event["version"]), (&"aws.s3".into(), &"0".into()));
    assert_eq!(event["detail-type"], "Object Created");
    assert_eq!(event["detail"]["reason"], "PutObject");
    assert_eq!(event["detail"]["bucket"]["name"], FILES);
    let object = &event["detail"]["object"];
    assert_eq!(object["key"], key, "not URL-encoded");
    assert_eq!(object["size"], 5);
    assert_eq!(object["version-id"], version);

    let source = format!("{FILES}/inbox/acme/other/f.csv");
    let copy = s3.copy_object().bucket(FILES).key("inbox/b/append/c").copy_source(source);
    copy.send().await.expect("copy");
    assert_eq!(events(&stack)[0]["detail"]["reason"], "CopyObject");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_is_one_event_once_it_is_complete() {
    const PART: usize = 5 * 1024 * 1024;
    let stack = stack(None).await;
    let s3 = s3(&stack);
    let key = "inbox/b/append/large";
    let create = s3.create_multipart_upload().bucket(FILES).key(key).content_type("text/csv");
    let upload = create.send().await.expect("create").upload_id.expect("an ID");
    let mut parts = Vec::new();
    for (number, text) in [(1, vec![b'a'; PART]), (2, b"end".to_vec())] {
        let part = s3.upload_part().bucket(FILES).key(key).upload_id(&upload);
        let part = part.part_number(number).body(body(text)).send().await.expect("part");
        let part = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
        parts.push(part.build());
    }
    assert!(events(&stack).is_empty(), "no event before the completion");
    let complete = |parts| {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = s3.complete_multipart_upload().bucket(FILES).key(key);
        complete.upload_id(&upload).multipart_upload(parts).send()
    };
    let reversed: Vec<_> = parts.iter().rev().cloned().collect();
    assert_eq!(code(complete(reversed).await), "InvalidPartOrder");
    let etag = complete(parts.clone()).await.expect("complete").e_tag.expect("an ETag");
    assert!(etag.ends_with("-2\""), "{etag}");
    assert_eq!(code(complete(parts).await), "NoSuchUpload");
    let detail = &events(&stack)[0]["detail"];
    assert_eq!(detail["reason"], "CompleteMultipartUpload");
    assert_eq!(detail["object"]["size"], PART + 3);
    let large = s3.get_object().bucket(FILES).key(key).send().await.expect("get");
    assert_eq!(large.content_type(), Some("text/csv"));
    assert!(text(large).await.ends_with("aaend"));
    stack.shutdown().await;
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
async fn secrets_are_kept_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    const NAME: &str = "rollcall/acme/entra";
    let dir = tempfile::tempdir().expect("a directory");
    let first = stack(Some(dir.path())).await;
    let manager = |stack: &Stack| {
        aws_sdk_secretsmanager::Client::new(&config(stack, &stack.manifest().endpoints.secrets_manager))
    };
    let secrets = manager(&first);
    let get = || secrets.get_secret_value().secret_id(NAME);
    let create = || secrets.create_secret().name(NAME).secret_string("first").client_request_token("1");
    let put = || secrets.put_secret_value().secret_id(NAME);

    assert_eq!(code(get().send().await), "ResourceNotFoundException");
    assert_eq!(code(put().secret_string("x").send().await), "ResourceNotFoundException");
    let created = create().send().await.expect("created");
    let arn = created.arn().expect("an ARN");
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:rollcall/acme/entra-"), "{arn}");
    assert_eq!(create().send().await.expect("the same request, come again").arn(), Some(arn));
    assert_eq!(code(create().client_request_token("2").send().await), "ResourceExistsException");
    assert_eq!(get().send().await.expect("a secret").secret_string(), Some("first"));

    put().secret_string("second").client_request_token("2").send().await.expect("put");
    put().secret_string("second").client_request_token("2").send().await.expect("the same request, come again");
    let other = put().secret_string("other").client_request_token("2").send().await;
    assert_eq!(code(other), "ResourceExistsException");
    let second = get().send().await.expect("a secret");
    assert_eq!((second.secret_string(), second.version_id()), (Some("second"), Some("2")));
    assert!(second.created_date().is_some());
    let by_arn = secrets.get_secret_value().secret_id(arn).send().await.expect("a secret");
    assert_eq!(by_arn.name(), Some(NAME));

    assert_eq!(code(get().version_stage("AWSPREVIOUS").send().await), "InvalidParameterException");
    assert_eq!(code(secrets.create_secret().name("a b").secret_string("x").send().await), "InvalidParameterException");
    let large = "x".repeat(65_537);
    assert_eq!(code(put().secret_string(large).send().await), "InvalidParameterException");
    assert_eq!(code(secrets.rotate_secret().secret_id(NAME).send().await), "UnknownOperationException");
    let delete = || secrets.delete_secret().secret_id(NAME);
    assert_eq!(code(delete().send().await), "InvalidParameterException");

    let strangers = Credentials::new(&first.manifest().access_key_id, "wrong", None, None, "test");
    let wrong = config(&first, &first.manifest().endpoints.secrets_manager)
        .to_builder()
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(strangers))
        .build();
    let refused = aws_sdk_secretsmanager::Client::new(&wrong).get_secret_value().secret_id(NAME).send().await;
    assert_eq!(code(refused), "InvalidSignatureException");

    let file = std::fs::metadata(dir.path().join("secrets.json")).expect("the file");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    first.shutdown().await;

    let again = stack(Some(dir.path())).await;
    let secrets = manager(&again);
    let kept = secrets.get_secret_value().secret_id(NAME).send().await.expect("a secret");
    assert_eq!(kept.secret_string(), Some("second"));
    let list = || secrets.list_secrets().send();
    assert_eq!(list().await.expect("a list").secret_list()[0].name(), Some(NAME));
    let described = secrets.describe_secret().secret_id(NAME).send().await.expect("a secret");
    assert_eq!(described.arn(), Some(arn));
    secrets.delete_secret().secret_id(NAME).force_delete_without_recovery(true).send().await.expect("deleted");
    assert!(list().await.expect("a list").secret_list().is_empty());
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_reads_an_accounts_own_secret_and_keeps_it_for_a_while() {
    use std::collections::BTreeMap;

    use rollcall_storage::connect::{Aws, LocalStack};
    use rollcall_storage::secrets::Secrets;

    let stack = stack(None).await;
    let manifest = stack.manifest();
    let Endpoints { dynamodb, s3, ses, secrets_manager, api: _ } = manifest.endpoints.clone();
    let (region, access_key_id) = (manifest.region.clone(), manifest.access_key_id.clone());
    let secret_access_key = manifest.secret_access_key.clone();
    let local = LocalStack { dynamodb, s3, ses, secrets_manager, region, access_key_id, secret_access_key };
    let aws = Aws::local(local).await;
    let (function, command) = (Secrets::new(&aws), Secrets::new(&aws));
    let [acme, other] = ["acme", "other"].map(|name| name.parse().expect("an account"));
    let of = |secret: &str| BTreeMap::from([("client_secret".to_owned(), secret.to_owned())]);
    let read = async || function.read::<BTreeMap<String, String>>(&acme, "entra").await.expect("read");

    assert_eq!(read().await, None);
    command.put(&acme, "entra", &of("first")).await.expect("put");
    assert_eq!(read().await, Some(of("first")), "that there was none is not kept");
    command.put(&acme, "entra", &of("second")).await.expect("put");
    assert_eq!(read().await, Some(of("first")), "it is kept");
    function.forget(&acme, "entra");
    assert_eq!(read().await, Some(of("second")));

    assert_eq!(function.read::<BTreeMap<String, String>>(&other, "entra").await.expect("read"), None);
    let error = function.read::<BTreeMap<String, u32>>(&acme, "entra").await.expect_err("not such a secret").chain();
    assert!(error.contains("column") && !error.contains("second"), "{error}");
    command.put(&acme, "entra", &of("third")).await.expect("put");
    assert_eq!(read().await, Some(of("third")), "what can't be read is not kept");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_up_in_a_moment() {
    let start = Instant::now();
    stack(None).await.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(2));
}
