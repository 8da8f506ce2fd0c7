//! What a cold start costs: the binary's size, and the time to its first request for work.

use std::{
    fs::{self, File},
    io::{self, Read},
    net::TcpListener,
    process::{Command, Stdio},
    time::Instant,
};

use flate2::{Compression, write::GzEncoder};

use crate::{median, report::Report};

const ROUNDS: usize = 21;

pub(crate) fn run(report: &mut Report) {
    report.section(&format!("Cold start of bulk-append, median of {ROUNDS}"));
    let binary = e2e::binaries().join("bulk-append");
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut File::open(&binary).expect("the binary"), &mut zip).expect("the binary is read");
    // A ZIP archive holds the same deflated bytes and some hundred more.
    #[expect(clippy::cast_precision_loss, reason = "sizes of files")]
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    let size = usize::try_from(fs::metadata(&binary).expect("the binary").len()).expect("a size");
    report.figure("binary", megabytes(size), "MB");
    report.target("zipped", megabytes(zip.finish().expect("memory").len()), 5.0, "MB", false);

    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let api = listener.local_addr().expect("a bound port").to_string();
    let mut starts = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut function = Command::new(&binary)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", api.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "bulk-append"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "bench"),
                ("AWS_SECRET_ACCESS_KEY", "bench"),
                ("TABLE_NAME", "bench"),
                ("BUCKET_NAME", "bench"),
                ("MAIL_CONFIGURATION_SET", "bench"),
                ("MAIL_SENDER", "bench@example.com"),
                ("DEFAULT_COUNTRY", "IN"),
                ("MAX_DELIVERIES", "5"),
                ("MAX_FILE_BYTES", "1"),
                ("MAX_ROWS", "1"),
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("the function starts");
        let (mut connection, _) = listener.accept().expect("the function asks for work");
        let mut request = [0; 64];
        let read = connection.read(&mut request).expect("a request");
        starts.push(start.elapsed());
        assert!(String::from_utf8_lossy(&request[..read]).contains("/invocation/next"));
        let _ = function.kill();
        let _ = function.wait();
    }
    report.target("process start to the first request for work", median(starts) * 1e3, 20.0, "ms", false);
}
