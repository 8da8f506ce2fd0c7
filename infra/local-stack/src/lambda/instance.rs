//! One process of a function, which works on one event at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::InvokeError;
use super::lines;
use super::runtime_api::{Desks, Work};
use crate::template::Function;

/// How long a process may take to ask for its first event, as on Lambda.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// What a process keeps of this one's environment: what finds programs, libraries and a place for temporary files.
const INHERITED: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// Becomes the function, and leaves a process behind that watches standard input, which the stack holds open. A line there
/// means that the function needs no watching any more; its end means that the stack died, even by `kill -9`, and then the
/// function must not go on without it.
const WATCHED: &str = "exec 3<&0 </dev/null
{ read -r _ <&3 || kill -9 $$; } >/dev/null 2>&1 &
exec \"$0\" 3<&-";

/// A running process.
pub(super) struct Instance {
    id: String,
    child: Child,
    watch: Option<ChildStdin>,
    work: mpsc::Sender<Work>,
    desks: Desks,
}

/// Where the lines go that a function's processes write.
#[derive(Clone)]
pub(super) struct Log {
    name: Arc<str>,
    file: Arc<Mutex<File>>,
    echo: bool,
}

impl Instance {
    /// Starts a process that is served at `http://{address}/{its id}`.
    pub(super) fn start(
        function: &Function,
        binary: &Path,
        address: std::net::SocketAddr,
        endpoints: &BTreeMap<String, String>,
        desks: &Desks,
        log: &Log,
    ) -> Result<Self, InvokeError> {
        let id = Uuid::new_v4().simple().to_string();
        // Before the process is there: a small one asks for its first event before this function goes on.
        let work = desks.open(&id, &function.arn, function.timeout);
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(WATCHED).arg(binary).env_clear();
        // A Ctrl-C in the terminal is for the stack, which then ends its functions in order.
        command.process_group(0);
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let spawned = command
            .envs(lambda_environment(function, &id))
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://{address}/{id}"))
            .envs(endpoints)
            .envs(&function.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|error| {
            desks.close(&id);
            let message = format!("could not start {}: {error}", binary.display());
            InvokeError { kind: "Runtime.InvalidEntrypoint".to_owned(), message }
        })?;
        if let Some(output) = child.stdout.take() {
            tokio::spawn(log.clone().follow(output));
        }
        if let Some(output) = child.stderr.take() {
            tokio::spawn(log.clone().follow(output));
        }
        tracing::debug!(function.name, process.id = child.id(), "started a function");
        Ok(Self { id, watch: child.stdin.take(), child, work, desks: desks.clone() })
    }

    /// Whether the process still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Has the process work on an event. It is no longer of use after an error of [`InvokeError::ends_the_process`].
    pub(super) async fn invoke(&mut self, function: &Function, payload: Bytes) -> Result<Bytes, InvokeError> {
        let request_id = Uuid::new_v4().to_string();
        let (taken, was_taken) = oneshot::channel();
        let (reply, mut replied) = oneshot::channel();
        let work = Work { request_id: request_id.clone(), payload, taken, reply };
        // There is room for one event, and this is the one.
        if self.work.try_send(work).is_err() {
            return Err(InvokeError::exited(&request_id, self.child.wait().await.ok()));
        }
        tokio::select! {
            biased;
            Ok(reply) = &mut replied => return reply,
            Ok(()) = was_taken => {}
            status = self.child.wait() => return Err(InvokeError::exited(&request_id, status.ok())),
            () = tokio::time::sleep(INIT_LIMIT) => {
                self.kill().await;
                return Err(InvokeError::timed_out(&request_id, INIT_LIMIT));
            }
        }
        tokio::select! {
            biased;
            Ok(reply) = replied => reply,
            status = self.child.wait() => Err(InvokeError::exited(&request_id, status.ok())),
            () = tokio::time::sleep(function.timeout) => {
                self.kill().await;
                Err(InvokeError::timed_out(&request_id, function.timeout))
            }
        }
    }

    /// Ends the process at once.
    pub(super) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::warn!(error = %error, "could not end a function's process");
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.desks.close(&self.id);
        // One byte always fits into the pipe.
        if let Some(Ok(pipe)) = self.watch.take().map(ChildStdin::into_owned_fd) {
            let _ = File::from(pipe).write_all(b"\n");
        }
    }
}

impl InvokeError {
    fn exited(request_id: &str, status: Option<ExitStatus>) -> Self {
        let status = status.map_or_else(|| "unknown status".to_owned(), |status| status.to_string());
        Self {
            kind: Self::EXITED.to_owned(),
            message: format!("RequestId: {request_id} Error: Runtime exited with {status}"),
        }
    }

    fn timed_out(request_id: &str, limit: Duration) -> Self {
        Self {
            kind: Self::TIMED_OUT.to_owned(),
            message: format!("RequestId: {request_id} Error: Task timed out after {} seconds", limit.as_secs()),
        }
    }
}

impl Log {
    pub(super) fn open(dir: &Path, name: &str, echo: bool) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(dir.join(format!("{name}.log")))?;
        Ok(Self { name: name.into(), file: Arc::new(Mutex::new(file)), echo })
    }

    async fn follow(self, output: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Ok(Some(mut line)) = lines.next_segment().await {
            if self.echo && !lines::is_a_reading(&line) {
                // Whoever reads it may have seen enough and gone: the stack goes on.
                let _ = writeln!(std::io::stdout(), "[{}] {}", self.name, lines::readable(&line));
            }
            line.push(b'\n');
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = file.write_all(&line) {
                tracing::warn!(error = %error, "could not write a function's log");
            }
        }
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
fn lambda_environment(function: &Function, instance: &str) -> [(&'static str, String); 8] {
    let day = jiff::Timestamp::now().strftime("%Y/%m/%d");
    [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("{day}/[$LATEST]{instance}")),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
}
