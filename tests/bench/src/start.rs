//! What a cold start costs: each binary's size, and the time to its first request for work.

use std::{
    fs::File,
    io::{self, Read},
    net::TcpListener,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use e2e::Stack;
use flate2::{Compression, write::GzEncoder};

use crate::{count, median, report::Report};

const ROUNDS: usize = 21;
/// How often is looked whether a function has asked or ended.
const GLANCE: Duration = Duration::from_micros(50);

/// What Lambda and the template say to a function, whichever it is.
const ENVIRONMENT: [(&str, &str); 29] = [
    ("AUDIT_SETTLE_SECONDS", "30"),
    ("AWS_ACCESS_KEY_ID", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_SECRET_ACCESS_KEY", "bench"),
    ("BUCKET_NAME", "bench"),
    ("CONSOLE_CLIENT_ID", "bench"),
    ("CONSOLE_LOGIN_URL", "https://login.example.com"),
    ("DEFAULT_COUNTRY", "IN"),
    ("ENTRA_LOGIN_URL", "https://login.example.com"),
    ("FILES_URL", "https://files.example.com"),
    ("GRAPH_URL", "https://graph.example.com"),
    ("JWT_AUDIENCE", "bench"),
    ("JWT_ISSUER", "https://id.example.com"),
    ("MAIL_CONFIGURATION_SET", "bench"),
    ("MAIL_SENDER", "bench@example.com"),
    ("MAX_DELIVERIES", "5"),
    ("MAX_FILE_BYTES", "1"),
    ("MAX_MAILS_PER_DAY", "1"),
    ("MAX_ROWS", "1"),
    ("SMARTFLO_URL", "https://smartflo.example.com"),
    ("STACK_NAME", "bench"),
    ("TABLE_NAME", "bench"),
    ("ZOOM_API_URL", "https://zoom.example.com"),
    ("ZOOM_LOGIN_URL", "https://zoom.example.com"),
];

pub(crate) fn run(report: &mut Report) {
    report.section(&format!("Cold starts, median of {ROUNDS}"));
    let mut largest = 0.0_f64;
    let mut slowest = 0.0_f64;
    let mut console = f64::NAN;
    let mut rows = Vec::new();
    for function in functions() {
        let [size, zipped] = megabytes(function);
        let start = median((0..ROUNDS).map(|_| start(function)).collect()) * 1e3;
        rows.push(vec![function.to_owned(), format!("{size:.2}"), format!("{zipped:.2}"), format!("{start:.1}")]);
        (largest, slowest) = (largest.max(zipped), slowest.max(start));
        if function == "console" {
            console = zipped;
        }
    }
    report.table(&["function", "binary, MB", "zipped, MB", "start to the first request for work, ms"], &rows);
    if !report.target("the slowest", slowest, 15.0, "ms", false) {
        report.missed_because("starts take longer on a slower machine.");
    }
    report.target("the console, zipped", console, 1.0, "MB", false);
    if !report.target("the largest, zipped", largest, 5.0, "MB", false) {
        report.missed_because(
            "the SDK's client of S3 brings along tables for every kind of CRC, which no compression makes smaller, and its client of HTTP \
             brings HTTP/2, which is not spoken. Neither can be left out by a feature.",
        );
    }
}

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

/// The binary of every function.
fn functions() -> impl Iterator<Item = &'static str> {
    TEMPLATE.lines().filter_map(|line| line.trim_start().strip_prefix("Binary: "))
}

/// A function's program.
pub(crate) fn binary(function: &str) -> Command {
    Command::new(e2e::binaries().join(function))
}

/// A program as Lambda starts it, to ask this runtime for work.
pub(crate) fn in_lambda(mut command: Command, runtime: &str) -> Command {
    command.env_clear().envs(ENVIRONMENT).env("AWS_LAMBDA_RUNTIME_API", runtime).stdout(Stdio::null());
    command
}

/// What tells a program of a stack's table, which it finds at this address.
pub(crate) fn table_of(stack: &Stack, url: &str) -> [(&'static str, String); 5] {
    let aws = stack.endpoints();
    [
        ("AWS_REGION", aws.region),
        ("AWS_ACCESS_KEY_ID", aws.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", aws.secret_access_key),
        ("AWS_ENDPOINT_URL_DYNAMODB", url.to_owned()),
        ("TABLE_NAME", stack.output("TableName").to_owned()),
    ]
}

/// How large a function's binary is, as it is and zipped. A ZIP archive holds the same deflated bytes and some hundred more.
fn megabytes(function: &str) -> [f64; 2] {
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    let mut binary = File::open(e2e::binaries().join(function)).expect("the binary");
    let size = io::copy(&mut binary, &mut zip).expect("the binary is read");
    let zipped = zip.finish().expect("memory").len() as u64;
    [size, zipped].map(|bytes| count(bytes) / 1e6)
}

/// Starts a function and gives the time until it asks for work.
fn start(function: &str) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let api = listener.local_addr().expect("a bound port").to_string();
    let start = Instant::now();
    let mut process = in_lambda(binary(function), &api).spawn().expect("the function starts");
    listener.set_nonblocking(true).expect("a listener");
    let mut connection = loop {
        if let Ok((connection, _)) = listener.accept() {
            break connection;
        }
        assert!(process.try_wait().is_ok_and(|ended| ended.is_none()), "{function} has ended before it asked for work");
        thread::sleep(GLANCE);
    };
    connection.set_nonblocking(false).expect("a connection");
    let mut request = [0; 64];
    let read = connection.read(&mut request).expect("a request");
    let elapsed = start.elapsed();
    assert!(String::from_utf8_lossy(&request[..read]).contains("/invocation/next"));
    let _ = process.kill();
    let _ = process.wait();
    elapsed
}

#[cfg(test)]
mod tests {
    use super::{ENVIRONMENT, TEMPLATE};

    #[test]
    fn a_function_is_told_all_that_the_template_tells_it() {
        let is_variable = |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let names = TEMPLATE.lines().filter_map(|line| line.trim_start().split_once(':'));
        for (name, _) in names.filter(|(name, _)| name.contains('_') && is_variable(name)) {
            assert!(ENVIRONMENT.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
