//! A SIP proxy with the sample's configuration, a trunk, and callers: Kamailio and sipp, where the machine has them.

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use tempfile::TempDir;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/samples/kamailio.cfg");
const CALLER: &str = include_str!("sip/caller.xml");
const TRUNK: &str = include_str!("sip/trunk.xml");
/// Users of the proxy, each with the same password.
pub(crate) const USERS: [&str; 3] = ["desk-1", "desk-2", "nobody"];
const PASSWORD: &str = "secret";
/// Milliseconds that a caller waits for a word before the call has failed.
const PATIENCE: &str = "10000";

/// A proxy in front of a trunk that takes every call. Both end when this is dropped.
pub(crate) struct Switch {
    folder: TempDir,
    proxy: Child,
    trunk: Child,
    port: u16,
}

/// How a caller says who it is, and what it shows.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Whose password it has.
    pub user: &'a str,
    /// What From says.
    pub from: &'a str,
    /// What P-Preferred-Identity says, if there is one.
    pub preferred: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A user's call from a number.
    pub(crate) fn of(user: &'a str, number: &'a str) -> Self {
        Self { user, from: number, preferred: None }
    }
}

/// Whether this machine has what it takes. Where `CI` is set, it must.
pub(crate) fn is_there() -> bool {
    let lacking = ["kamailio", "sipp"].into_iter().find(|program| {
        let asked = Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_err()
    });
    if let Some(program) = lacking {
        assert!(std::env::var_os("CI").is_none(), "CI needs {program}");
        println!("left out: this machine has no {program}");
    }
    lacking.is_none()
}

impl Switch {
    /// One that asks the edge at this address, for these users.
    pub(crate) fn start(edge: &str, users: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let users: String = users.iter().map(|user| format!("1:{user}:example.com:{PASSWORD}\n")).collect();
        let table = format!("id(int) username(string) domain(string) password(string)\n{users}");
        fs::write(folder.path().join("subscriber"), table).expect("a file");
        let (port, beyond) = (free_port(), free_port());
        let path = folder.path().display();
        let mut proxy = Command::new("kamailio");
        proxy.args(["-f", SAMPLE, "-DD", "-E", "-m", "64", "-M", "8", "-Y"]).arg(folder.path());
        for define in [
            format!("LISTEN=udp:127.0.0.1:{port}"),
            format!("TRUNK=sip:127.0.0.1:{beyond}"),
            format!("EDGE=\"edge=>{edge};timeout=1\""),
            format!("DBURL=\"text://{path}\""),
        ] {
            proxy.args(["-A", &define]);
        }
        let log = fs::File::create(folder.path().join("kamailio.log")).expect("a file");
        let proxy = proxy.stdout(Stdio::null()).stderr(log).spawn().expect("kamailio starts");
        let trunk = sipp(folder.path(), "trunk.xml", TRUNK)
            .args(["-i", "127.0.0.1", "-p", &beyond.to_string()])
            .args(["-trace_msg", "-message_file"])
            .arg(folder.path().join("trunk.log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp starts");
        let switch = Self { folder, proxy, trunk, port };
        switch.wait();
        switch
    }

    /// Makes a call that ends with this status, or panics.
    pub(crate) fn expect(&self, status: u16, call: Call<'_>) {
        let output = self.dial(status, call, &["-m", "1"]);
        assert!(
            output.status.success(),
            "{} from {} is not {status}: {}\n{}",
            call.user,
            call.from,
            String::from_utf8_lossy(&output.stdout),
            fs::read_to_string(self.folder.path().join("kamailio.log")).unwrap_or_default()
        );
    }

    /// Whether a call ends with this status.
    pub(crate) fn ends_with(&self, status: u16, call: Call<'_>) -> bool {
        self.dial(status, call, &["-m", "1"]).status.success()
    }

    /// What the trunk was told.
    pub(crate) fn trunk_was_told(&self) -> String {
        fs::read_to_string(self.folder.path().join("trunk.log")).unwrap_or_default()
    }

    /// Makes calls that should all end with a status, as sipp's words say.
    pub(crate) fn dial(&self, status: u16, call: Call<'_>, words: &[&str]) -> Output {
        self.dial_all(status, &[call], words)
    }

    /// The milliseconds that each call took that passed, of so many calls a second, one caller after the other.
    pub(crate) fn times(&self, calls: &[Call<'_>], per_second: usize) -> Vec<f64> {
        let (rate, most) = (per_second.to_string(), calls.len().to_string());
        let words = ["-m", &most, "-r", &rate, "-l", &most, "-trace_rtt", "-rtt_freq", "1"];
        let files = || {
            let files = fs::read_dir(self.folder.path()).expect("the folder").flatten();
            files.map(|file| file.path()).filter(|path| path.display().to_string().ends_with("_rtt.csv"))
        };
        files().for_each(|earlier| fs::remove_file(earlier).expect("a file"));
        self.dial_all(200, calls, &words);
        let text: String = files().map(|file| fs::read_to_string(file).expect("a file")).collect();
        text.lines().filter_map(|line| line.split(';').nth(1)?.parse().ok()).collect()
    }

    fn dial_all(&self, status: u16, calls: &[Call<'_>], words: &[&str]) -> Output {
        let mut table = "SEQUENTIAL\n".to_owned();
        for Call { user, from, preferred } in calls {
            let identity = |number: &str| format!("P-Preferred-Identity: <sip:{number}@example.com>");
            let preferred = preferred.map(identity).unwrap_or_default();
            table.push_str(&format!("[authentication username={user} password={PASSWORD}];{from};{preferred}\n"));
        }
        let rows = self.folder.path().join("calls.csv");
        fs::write(&rows, table).expect("a file");
        let scenario = CALLER.replace("EXPECTED", &status.to_string());
        sipp(self.folder.path(), "caller.xml", &scenario)
            .args(["-i", "127.0.0.1", "-p", &free_port().to_string(), "-recv_timeout", PATIENCE, "-inf"])
            .arg(&rows)
            .args(words)
            .arg(format!("127.0.0.1:{}", self.port))
            .output()
            .expect("sipp runs")
    }

    /// Waits until the proxy answers.
    fn wait(&self) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let here = socket.local_addr().expect("an address");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        let hello = format!(
            "OPTIONS sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK1\r\nFrom: <sip:x@example.com>;tag=1\r\n\
             To: <sip:x@example.com>\r\nCall-ID: hello\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\nContent-Length: 0\r\n\r\n"
        );
        for _ in 0..300 {
            let sent = socket.send_to(hello.as_bytes(), ("127.0.0.1", self.port));
            if sent.is_ok() && socket.recv(&mut [0; 2_000]).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path().join("kamailio.log")).unwrap_or_default();
        panic!("kamailio doesn't answer: {log}");
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // Its workers end with it if it may end them.
        let _ = Command::new("kill").arg(self.proxy.id().to_string()).status();
        let _ = self.proxy.wait();
        let _ = self.trunk.kill();
        let _ = self.trunk.wait();
    }
}

fn sipp(folder: &Path, name: &str, scenario: &str) -> Command {
    let file: PathBuf = folder.join(name);
    fs::write(&file, scenario).expect("a file");
    let mut command = Command::new("sipp");
    command.current_dir(folder).arg("-sf").arg(file).arg("-nostdin").stdin(Stdio::null());
    command
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}
