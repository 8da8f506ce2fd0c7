//! Secrets Manager.

use super::*;

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
