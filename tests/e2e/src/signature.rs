//! Signs a request to a stack anew, after its body was changed on the way:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac::{HMAC_SHA256, Key, sign},
};
use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

/// The secrets of the owners of stacks, by access key ID.
static SECRETS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

/// Lets requests that were signed with this key be signed anew.
pub(crate) fn know(access_key_id: &str, secret: &str) {
    SECRETS.lock().expect("nobody panics").insert(access_key_id.to_owned(), secret.to_owned());
}

/// Puts the signature of a POST to `/` with this body in place of the one that is there.
pub(crate) fn sign_anew(headers: &mut HeaderMap, body: &[u8]) {
    let authorization = headers[AUTHORIZATION].to_str().expect("text").to_owned();
    let part = |name: &str| authorization.split([',', ' ']).find_map(|part| part.strip_prefix(name)).expect("a part");
    let (key_id, scope) = part("Credential=").split_once('/').expect("a scope");
    let secret = SECRETS.lock().expect("nobody panics").get(key_id).expect("the key of a stack's owner").clone();
    let names = part("SignedHeaders=");
    let mut canonical = "POST\n/\n\n".to_owned();
    for name in names.split(';') {
        canonical.push_str(&format!("{name}:{}\n", headers[name].to_str().expect("text").trim()));
    }
    canonical.push_str(&format!("\n{names}\n{}", hex::encode(digest(&SHA256, body).as_ref())));
    let stamp = headers["x-amz-date"].to_str().expect("text");
    let digest = hex::encode(digest(&SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}");
    let mac = |key: &[u8], text: &str| sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec();
    let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, step| mac(&key, step));
    let signed = authorization.replace(part("Signature="), &hex::encode(mac(&key, &to_sign)));
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&signed).expect("a header"));
}
