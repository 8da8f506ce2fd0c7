//! `/v1/jobs`: a file from its permission to its results.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{code, create, get, post, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_from_its_permission_to_its_failed_rows() {
    let (stack, caller) = start().await;
    create(&caller, json!({ "login": "ana", "name": "Ana" })).await;
    let sample = get(&caller, "/v1/samples/append-caller-ids.csv").await;
    assert!(String::from_utf8(sample.body.to_vec()).unwrap().contains("Login ID,Allowed Caller ID"));
    assert_eq!(get(&caller, "/v1/samples/nope.csv").await.status, StatusCode::NOT_FOUND);

    let file = "Login ID,Allowed Caller ID\nana,9876543210\nnobody,9876543210\n";
    let new = json!({ "kind": "append-caller-ids", "name": "march.csv", "size": file.len() });
    let permission = post(&caller, "/v1/jobs", &new).await.json();
    let headers: Vec<_> = permission["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let url = permission["url"].as_str().unwrap();
    // Another size than was said is refused, and so is another key.
    let put =
        async |url: &str, body: &str| stack.stranger().fetch(Method::PUT, url, &headers, body.to_owned()).await.status;
    let shorter = headers.iter().map(|&(name, value)| (name, if name == "content-length" { "9" } else { value }));
    let shorter: Vec<_> = shorter.collect();
    let refused = stack.stranger().fetch(Method::PUT, url, &shorter, "too short").await.status;
    assert_eq!(refused, StatusCode::FORBIDDEN);
    assert_eq!(put(&url.replace("march.csv", "april.csv"), file).await, StatusCode::FORBIDDEN);
    assert_eq!(put(url, file).await, StatusCode::OK);

    let start = std::time::Instant::now();
    let job = loop {
        assert!(start.elapsed().as_secs() < 60, "waited too long for the job");
        let jobs = get(&caller, &format!("/v1/jobs?upload={}", permission["upload"].as_str().unwrap())).await.json();
        let job = jobs["items"].as_array().unwrap().first().cloned();
        if let Some(job) = job.filter(|job| job["state"] != "running") {
            break job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!((&job["counts"]["applied"], &job["counts"]["failed"]), (&json!(1), &json!(1)));
    assert_eq!(stack.mails()[0].to, ["ann@example.com"], "the report goes to whoever asked");

    assert_eq!(job["upload"], permission["upload"]);
    assert_eq!(get(&caller, "/v1/jobs?upload=inbox/acme/upload-users/x.csv").await.json()["items"], json!([]));

    let id = job["id"].as_str().unwrap();
    assert_eq!(get(&caller, &format!("/v1/jobs/{id}")).await.json()["id"], id);
    for (file, rows) in [("results", 3), ("failures", 2)] {
        let redirect = get(&caller, &format!("/v1/jobs/{id}/{file}")).await;
        assert_eq!(redirect.status, StatusCode::SEE_OTHER);
        let url = redirect.headers["location"].to_str().unwrap();
        let text = stack.stranger().fetch(Method::GET, url, &[], "").await;
        assert_eq!(String::from_utf8(text.body.to_vec()).unwrap().lines().count(), rows);

        // A page of the API's own origin is given the link, and may read what is there, also in part.
        let link =
            caller.ask(Method::GET, &format!("/v1/jobs/{id}/{file}"), &[("accept", "application/json")], "").await;
        let (link, page) = (link.json(), ("origin", stack.output("ApiUrl")));
        assert_eq!((&link["size"], &link["expires_in_seconds"]), (&json!(text.body.len()), &json!(300)));
        let url = link["url"].as_str().unwrap();
        let part = stack.stranger().fetch(Method::GET, url, &[page, ("range", "bytes=0-4")], "").await;
        assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &text.body[..5]));
        assert_eq!(part.header("access-control-allow-origin"), stack.output("ApiUrl"));
        assert_eq!(part.header("access-control-expose-headers"), "Content-Range");
        let stranger = ("origin", "https://example.com");
        let part = stack.stranger().fetch(Method::GET, url, &[stranger], "").await;
        assert_eq!(part.header("access-control-allow-origin"), "");
    }

    // Nobody else sees any of it.
    let other = stack.caller(&["--account", "other"]);
    assert_eq!(get(&other, "/v1/jobs").await.json()["items"], json!([]));
    for path in [format!("/v1/jobs/{id}"), format!("/v1/jobs/{id}/results"), format!("/v1/jobs/{id}/failures")] {
        assert_eq!(get(&other, &path).await.status, StatusCode::NOT_FOUND);
    }
    let abroad = json!("jörg@example.com");
    // The token's own address is left out where no report can be sent there.
    let foreign = stack.caller_claiming(&json!({ "custom:account": "acme", "email": abroad }));
    let permission = post(&foreign, "/v1/jobs", &new).await.json();
    let headers = permission["headers"].as_object().expect("headers");
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["content-length", "x-amz-meta-permit"]);
    for (field, value) in [("size", json!(0)), ("name", json!("a/b")), ("kind", json!("nope")), ("notify", abroad)] {
        let mut wrong = new.clone();
        wrong[field] = value;
        let refused = post(&caller, "/v1/jobs", &wrong).await;
        assert_eq!(
            (code(&refused), refused.json()["pointer"].clone()),
            ((422, "INVALID_FIELD".into()), json!(format!("/{field}")))
        );
    }
}
