//! A service and a directory for each test, and the command with them.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use redfish_mock::{Fault, FaultKind, Profile, ServeOptions, Server, Settings, Tls};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const SYSTEMS: &str = "/redfish/v1/Systems";
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
pub(crate) const BOTH: [Profile; 2] = [Profile::Standard, Profile::IloAmplifier];

/// A service and a directory for the command.
pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) directory: TempDir,
}

/// The result of a command.
pub(crate) struct Done {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    /// A service with the default user: admin, machine-room.
    pub(crate) fn new(profile: Profile) -> Bench {
        Bench::with(Settings { profile, ..Settings::default() })
    }

    pub(crate) fn standard() -> Bench {
        Bench::new(Profile::Standard)
    }

    /// Uses plain HTTP, since TLS has its own tests.
    pub(crate) fn with(settings: Settings) -> Bench {
        let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
        Bench::serving(settings, options)
    }

    pub(crate) fn serving(settings: Settings, options: ServeOptions) -> Bench {
        let server = Server::start(settings, options).unwrap();
        Bench { server, directory: tempfile::tempdir().unwrap() }
    }

    /// The command for this service, without the environment of this process.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = redfish(args);
        command.env("REDFISH_SERVICE", self.server.url()).env("REDFISH_STATE_DIR", self.state());
        command
    }

    /// The command for this service, with the user and the password.
    pub(crate) fn as_admin<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(args);
        command.env("REDFISH_USER", "admin").env("REDFISH_PASSWORD", "machine-room");
        command
    }

    /// The directory of saved sessions, which the command creates.
    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// The files of saved sessions.
    pub(crate) fn saved_sessions(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.state()).map(|entries| entries.map(|e| e.unwrap().path()).collect());
        let mut files: Vec<PathBuf> = entries.unwrap_or_default();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files
    }

    /// Writes a file, and returns its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.directory.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Number of requests with this method and path that the service has handled.
    pub(crate) fn handled(&self, method: &str, path: &str) -> usize {
        self.server.mock(|mock| mock.handled().filter(|one| one.method == method && one.path == path).count())
    }

    /// Number of all requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.server.mock(|mock| mock.handled().len())
    }

    /// Delays the responses to requests for this path.
    pub(crate) fn slow(&self, path: &str, time: Duration) {
        self.server.mock(|mock| mock.add_fault(Fault::new(FaultKind::Slow(time)).at(path)));
    }

    /// Waits until a request has been handled. Its response may not have been sent yet.
    pub(crate) fn await_request(&self, method: &str, path: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.handled(method, path) == 0 {
            assert!(Instant::now() < deadline, "no {method} {path}");
            std::thread::yield_now();
        }
    }
}

/// The command, with an empty environment.
pub(crate) fn redfish<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redfish"));
    command.args(args).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Done {
    finish(command.spawn().unwrap())
}

/// Runs a command to its end, with this standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Done {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    finish(child)
}

/// Waits for the end of a command.
pub(crate) fn finish(child: Child) -> Done {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { status: output.status, out: text(output.stdout), err: text(output.stderr) }
}

/// Sends a signal of this name or number.
pub(crate) fn signal(child: &Child, name: &str) {
    let line = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

/// Reads a line, byte by byte.
pub(crate) fn read_line(source: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while source.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

/// A running `redfish serve`, killed if a test fails.
pub(crate) struct ServeProcess(Option<Child>);

impl ServeProcess {
    pub(crate) fn start(command: &mut Command) -> ServeProcess {
        ServeProcess(Some(command.spawn().unwrap()))
    }

    /// Reads a line of its standard output.
    pub(crate) fn read_line(&mut self) -> String {
        read_line(self.0.as_mut().unwrap().stdout.as_mut().unwrap())
    }

    /// Ends the process with a signal, and asserts the exit status 0.
    pub(crate) fn end(mut self, name: &str) -> Done {
        let child = self.0.take().unwrap();
        signal(&child, name);
        finish(child).exits(0)
    }
}

impl Drop for ServeProcess {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Done {
    /// Asserts the exit status.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Done {
        assert_eq!(self.status.code(), Some(status), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }

    /// The last line of standard error as JSON.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        serde_json::from_str(self.err.lines().last().unwrap()).unwrap()
    }
}
