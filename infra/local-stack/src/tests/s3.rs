//! S3: versions, conditions, lists and events.

use std::io::Write;

use aws_sdk_s3::config::{retry::RetryConfig, timeout::TimeoutConfig};

use super::*;

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
    // Of two at once, one is too late.
    let both = futures_util::future::join(complete(parts.clone()), complete(parts)).await;
    let (whole, late) = if both.0.is_ok() { both } else { (both.1, both.0) };
    let whole = whole.expect("complete");
    assert!(whole.e_tag().is_some_and(|etag| etag.ends_with("-2\"")), "{whole:?}");
    assert_eq!(code(late), "NoSuchUpload");
    let detail = &events(&stack)[0]["detail"];
    assert_eq!(detail["reason"], "CompleteMultipartUpload");
    assert_eq!(detail["object"]["size"], PART + 3);
    let large = s3.get_object().bucket(FILES).key(key).send().await.expect("get");
    assert_eq!(large.version_id(), whole.version_id());
    assert_eq!(large.content_type(), Some("text/csv"));
    assert!(text(large).await.ends_with("aaend"));
    stack.shutdown().await;
}

/// The part is a pipe, which is read to its end only when somebody closes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_completion_that_takes_long_keeps_whoever_waits() {
    let dir = tempfile::tempdir().expect("a directory");
    let stack = stack(Some(dir.path())).await;
    let patience = TimeoutConfig::builder().read_timeout(Duration::from_secs(2)).build();
    let patient = s3(&stack).config().to_builder().timeout_config(patience).retry_config(RetryConfig::disabled());
    let s3 = aws_sdk_s3::Client::from_conf(patient.build());
    let create = s3.create_multipart_upload().bucket(FILES).key("slow").send().await.expect("create");
    let upload = create.upload_id.expect("an ID");
    let part = s3.upload_part().bucket(FILES).key("slow").upload_id(&upload).part_number(1);
    let part = part.body(body("part")).send().await.expect("part");

    let files = std::fs::read_dir(dir.path().join("objects")).expect("files");
    let [file] = files.map(|file| file.expect("a file").path()).collect::<Vec<_>>().try_into().expect("one file");
    std::fs::remove_file(&file).expect("no file");
    assert!(std::process::Command::new("mkfifo").arg(&file).status().expect("mkfifo").success());
    let mut pipe = std::fs::File::options().read(true).write(true).open(&file).expect("a pipe");

    let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = s3.complete_multipart_upload().bucket(FILES).key("slow").upload_id(upload);
    let completion = tokio::spawn(complete.multipart_upload(parts).send());
    tokio::time::sleep(Duration::from_secs(3)).await;
    pipe.write_all(b"late").expect("written");
    drop(pipe);
    let whole = completion.await.expect("no panic").expect("complete");
    let slow = s3.get_object().bucket(FILES).key("slow").send().await.expect("get");
    assert!(whole.version_id().is_some() && slow.version_id() == whole.version_id());
    assert_eq!(text(slow).await, "late");
    stack.shutdown().await;
}
