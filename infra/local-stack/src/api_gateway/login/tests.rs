use std::path::Path;

use axum::http::Request;

use super::*;

const URL: &str = "http://127.0.0.1:8787";
const BACK: &str = "http://127.0.0.1:8787/page";
const VERIFIER: &str = "a-verifier-that-nobody-guesses-0123456789";
const NOW: i64 = 1_800_000_000;

fn issuer(dir: &Path) -> Issuer {
    Issuer {
        url: URL.to_owned(),
        audience: "api".to_owned(),
        scopes: ["a", "b"].map(str::to_owned).into(),
        key_file: dir.join("key"),
    }
}

fn login(dir: &Path) -> Login {
    let issuer = issuer(dir);
    let key = SigningKey::open(&issuer.key_file).expect("a key");
    Login::new(key, issuer, URL, "Ask Ann.").expect("a login").expect("its own issuer")
}

fn grant(scopes: &[String]) -> Grant<'_> {
    Grant { account: "acme", subject: "ann@example.com", scopes, issued: NOW, expires: NOW + 60 }
}

/// Where an address leads, and the cookie that comes with it.
fn get(login: &Login, address: &str, cookie: &str, now: i64) -> (u16, String, String) {
    let request = Request::get(address).header("cookie", format!("x=1; {cookie}")).body(()).expect("a request");
    let response = login.answer(&request.into_parts().0, &Bytes::new(), now);
    let header =
        |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let cookie = header(header::SET_COOKIE).split(';').next().unwrap_or_default().to_owned();
    (response.status().as_u16(), header(header::LOCATION).to_owned(), cookie)
}

async fn post(login: &Login, form: &[(&str, &str)], now: i64) -> (u16, Value) {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Request::post(format!("{URL}{TOKEN}")).body(()).expect("a request");
    let response = login.answer(&request.into_parts().0, &Bytes::from(body), now);
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

fn authorize(changes: &[(&str, &str)]) -> String {
    let challenge = BASE64.encode(Sha256::digest(VERIFIER));
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "page"),
        ("redirect_uri", BACK),
        ("scope", "openid a"),
        ("state", "s 1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    pairs.extend_from_slice(changes);
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    format!("{URL}{AUTHORIZE}?{query}")
}

fn field(address: &str, name: &str) -> String {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    Fields::new(query.as_bytes()).get(name).unwrap_or_default().to_owned()
}

fn enter(dir: &Path, login: &Login) -> String {
    let scopes = ["a".to_owned(), "b".to_owned()];
    let address = ticket(&issuer(dir), URL, &grant(&scopes), "/page").expect("a ticket");
    let (status, to, cookie) = get(login, &address, "", NOW);
    assert_eq!((status, to.as_str()), (303, BACK));
    let again = get(login, &address, "", NOW);
    assert_eq!((again.0, again.2.as_str()), (403, ""), "a ticket is good once");
    cookie
}

#[tokio::test]
async fn a_ticket_gives_a_session_a_session_a_code_and_a_code_a_token() {
    let dir = tempfile::tempdir().expect("a directory");
    let login = login(dir.path());
    let cookie = enter(dir.path(), &login);
    let (status, back, _) = get(&login, &authorize(&[]), &cookie, NOW);
    assert_eq!((status, field(&back, "state").as_str(), field(&back, "iss").as_str()), (303, "s 1", URL));
    let code = field(&back, "code");
    let exchange = |verifier| {
        [
            ("grant_type", "authorization_code"),
            ("client_id", "page"),
            ("redirect_uri", BACK),
            ("code", &*code),
            ("code_verifier", verifier),
        ]
    };
    let (status, given) = post(&login, &exchange(VERIFIER), NOW).await;
    assert_eq!((status, given["scope"].as_str()), (200, Some("a")), "{given}");
    let authorizer = Authorizer { issuer: URL.to_owned(), audiences: vec!["api".to_owned()] };
    let verifier = Verifier::new(&login.key, authorizer).expect("a verifier");
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let claims = verifier.verify(given["access_token"].as_str(), NOW as f64).expect("a token of the API");
    assert_eq!((&claims["custom:account"], &claims["scope"]), (&"acme".into(), &"a".into()));
    assert_eq!(post(&login, &exchange(VERIFIER), NOW).await.0, 400, "a code is good once");

    let renewal = given["refresh_token"].as_str().expect("a renewal");
    let renew = |token| [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", token)];
    let (status, renewed) = post(&login, &renew(renewal), NOW + TOKEN_LIFE).await;
    assert_eq!((status, renewed["scope"].as_str()), (200, Some("a")));
    assert_eq!(post(&login, &renew(renewal), NOW).await.0, 400, "a renewal is good once");

    let leave = format!("{URL}{LOGOUT}?post_logout_redirect_uri={BACK}");
    assert_eq!(get(&login, &leave, &cookie, NOW).1, BACK);
    assert_eq!(get(&login, &authorize(&[]), &cookie, NOW).0, 401, "logged out is out");
    let last = renewed["refresh_token"].as_str().expect("a renewal");
    assert_eq!(post(&login, &renew(last), NOW).await.0, 400, "what was given before, too");
}

#[tokio::test]
async fn without_the_secret_nobody_gets_in() {
    let dir = tempfile::tempdir().expect("a directory");
    let login = login(dir.path());
    let scopes = ["a".to_owned()];
    let token = login.key.sign(&grant(&scopes).claims(&issuer(dir.path()))).expect("a token");
    for stranger in ["", "x", &token] {
        assert_eq!(get(&login, &format!("{URL}{ENTER}?ticket={stranger}"), "", NOW).0, 403, "{stranger}");
    }
    let late = ticket(&issuer(dir.path()), URL, &grant(&scopes), "/").expect("a ticket");
    assert_eq!(get(&login, &late, "", NOW + 60).0, 403, "a ticket gets old");
    assert_eq!(get(&login, &authorize(&[]), "", NOW).0, 401);
    assert_eq!(get(&login, &authorize(&[]), "login-8787=made-up", NOW).0, 401);
    let silent = get(&login, &authorize(&[("prompt", "none")]), "", NOW).1;
    assert_eq!(field(&silent, "error"), "login_required");

    let cookie = enter(dir.path(), &login);
    assert_eq!(get(&login, &authorize(&[]), &cookie, NOW + SESSION_LIFE).0, 401, "a session ends");
    for elsewhere in ["http://127.0.0.1:87870/page", "https://evil.example/", "http://127.0.0.1:8787@evil.example/", ""]
    {
        let (status, to, _) = get(&login, &authorize(&[("redirect_uri", elsewhere)]), &cookie, NOW);
        assert_eq!((status, to.as_str()), (400, ""), "{elsewhere}");
    }
    for change in [("code_challenge", ""), ("code_challenge_method", "plain"), ("response_type", "token")] {
        let back = get(&login, &authorize(&[change]), &cookie, NOW).1;
        assert_eq!(
            (field(&back, "error").as_str(), field(&back, "code").as_str()),
            ("invalid_request", ""),
            "{change:?}"
        );
    }
    for (name, value) in [("code_verifier", "x"), ("client_id", "other"), ("redirect_uri", URL), ("code", "x")] {
        let code = field(&get(&login, &authorize(&[]), &cookie, NOW).1, "code");
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "page"),
            ("redirect_uri", BACK),
            ("code", &*code),
            ("code_verifier", VERIFIER),
        ];
        form.retain(|(field, _)| *field != name);
        form.push((name, value));
        assert_eq!(post(&login, &form, NOW).await.0, 400, "{name}");
    }
}

#[test]
fn what_comes_next_is_a_page_of_the_stack() {
    let dir = tempfile::tempdir().expect("a directory");
    let login = login(dir.path());
    for (next, to) in
        [("/page#/x", "/page#/x"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/")]
    {
        let address = ticket(&issuer(dir.path()), URL, &grant(&[]), next).expect("a ticket");
        assert_eq!(get(&login, &address, "", NOW).1, format!("{URL}{to}"), "{next}");
    }
}
