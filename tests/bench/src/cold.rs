//! The first call of an API function that has just started, its table behind TLS as on AWS.

use std::{
    fs,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use e2e::Stack;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, rustls};

use crate::{
    lambda::{Lambda, call},
    median,
    process::running,
    report::Report,
    start::{self, binary, in_lambda},
};

const ROUNDS: usize = 21;
const FUNCTION: &str = "users-api";
/// What is asked of each process.
const CALLS: usize = 2;
/// How long a process waits for somebody to read its processor time.
const GLANCE: Duration = Duration::from_millis(5);
/// Memory of the function in megabytes, and how much of it comes with one processor:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const MEMORY: f64 = 512.0;
const MEMORY_OF_A_PROCESSOR: f64 = 1769.0;

/// Something that a function said to its runtime, when, and how much processor time it had used until then.
struct Sign {
    at: Instant,
    used: Duration,
}

pub(crate) async fn run(report: &mut Report) {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let table = Tls::before(&stack).await;
    // From the start to the first request for work, and then each call.
    let mut times = [const { Vec::new() }; CALLS + 1];
    let mut costs = [const { Vec::new() }; CALLS + 1];
    for _ in 0..ROUNDS {
        let mut before = Sign { at: Instant::now(), used: Duration::ZERO };
        for (part, sign) in one_process(&stack, &table).await.into_iter().enumerate() {
            times[part].push(sign.at - before.at);
            costs[part].push(sign.used.saturating_sub(before.used));
            before = sign;
        }
    }
    report.section(&format!("The first call of {FUNCTION}, its table behind TLS, median of {ROUNDS}"));
    let share = MEMORY / MEMORY_OF_A_PROCESSOR;
    report.say(&format!(
        "A stack's table, the AWS SDK's TLS, a list of root certificates as long as the system's. What an invocation takes of a processor \
         takes longer on AWS, where {MEMORY} MB come with {share:.2} of one; before its first request for work, a function has more."
    ));
    let parts = ["start to the first request for work", "the first call", "the second call"];
    let rows: Vec<Vec<String>> = parts
        .iter()
        .zip(times.map(median).iter().zip(costs.map(median)))
        .map(|(part, (time, cost))| {
            let (time, cost) = (time * 1e3, cost * 1e3);
            vec![(*part).to_owned(), format!("{time:.1}"), format!("{cost:.1}"), format!("{:.1}", cost / share)]
        })
        .collect();
    report.table(&["", "ms", "processor ms", &format!("the same with {share:.2} of a processor")], &rows);
}

/// Starts the function and asks it for a user several times. Gives when it asked for work first, and each of its answers.
async fn one_process(stack: &Stack, table: &Tls) -> Vec<Sign> {
    let event = call(stack, "/v1/users/{login}", "/v1/users/user1", "rollcall/users.read");
    let mut lambda = Lambda::start(event, "\"statusCode\":200", CALLS, GLANCE).await;
    let mut function = in_lambda(binary(FUNCTION), &lambda.address)
        .envs(start::table_of(stack, &table.url))
        .env("SSL_CERT_FILE", &table.roots)
        .spawn()
        .expect("the function starts");
    let mut all = Vec::new();
    while all.len() <= CALLS {
        let at = lambda.sign().await;
        all.push(Sign { at, used: running(function.id()) });
    }
    let _ = function.kill();
    let _ = function.wait();
    all
}

/// TLS before a stack's table.
struct Tls {
    url: String,
    /// A file of root certificates, among them the one that this is verified by.
    roots: String,
    _dir: tempfile::TempDir,
}

impl Tls {
    async fn before(stack: &Stack) -> Self {
        let table = stack.endpoints().dynamodb;
        let table: SocketAddr = table.trim_start_matches("http://").parse().expect("the table's address");
        let mut authority = CertificateParams::default();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = || KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(authority, key()).expect("an authority");
        let own_key = key();
        let own = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let own = own.signed_by(&own_key, &authority).expect("a certificate");
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![own.der().clone()],
                rustls::pki_types::PrivateKeyDer::Pkcs8(own_key.serialize_der().into()),
            )
            .expect("a configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("https://localhost:{}", listener.local_addr().expect("a bound port").port());
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut client = acceptor.accept(connection).await?;
                    let mut engine = TcpStream::connect(table).await?;
                    engine.set_nodelay(true)?;
                    copy_bidirectional(&mut client, &mut engine).await
                });
            }
        });
        let dir = tempfile::tempdir().expect("a directory");
        let roots = dir.path().join("roots.pem");
        let others = SYSTEM_ROOTS.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        fs::write(&roots, format!("{others}\n{}", authority.pem())).expect("the roots are written");
        Self { url, roots: roots.display().to_string(), _dir: dir }
    }
}

/// Where systems keep the roots that they trust.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
