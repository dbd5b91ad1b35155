//! A pseudoterminal, and what the command prints on it.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::canned::Canned;
use super::common::finish;

/// Both ends of a pseudoterminal: the user's and the command's.
pub(crate) struct Terminal {
    pub(crate) user: File,
    command: File,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&user).unwrap();
        unlockpt(&user).unwrap();
        let name = ptsname(&user, Vec::new()).unwrap().into_string().unwrap();
        let command = File::options().read(true).write(true).open(name).unwrap();
        Terminal { user: user.into(), command }
    }

    /// Starts the command with this as its controlling terminal.
    pub(crate) fn start(&self, command: &Command) -> Child {
        self.line(command).spawn().unwrap()
    }

    fn line(&self, command: &Command) -> Command {
        let mut line = Command::new("setsid");
        line.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        line.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        line.env("PATH", std::env::var_os("PATH").unwrap());
        line.stdin(self.command.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
        line
    }

    /// Runs the command, asserts its exit status, and returns everything on the terminal.
    pub(crate) fn show(self, command: &Command, status: i32) -> String {
        let mut line = self.line(command);
        line.stdout(self.command.try_clone().unwrap()).stderr(self.command.try_clone().unwrap());
        let child = line.spawn().unwrap();
        // The command line holds a copy of the terminal, which must be closed to reach its end.
        drop(line);
        let mut user = self.user.try_clone().unwrap();
        let reader = std::thread::spawn(move || {
            let mut shown = Vec::new();
            let _ = user.read_to_end(&mut shown);
            String::from_utf8(shown).unwrap()
        });
        finish(child).exits(status);
        drop(self);
        reader.join().unwrap()
    }

    /// Reads up to this text.
    pub(crate) fn await_text(&mut self, text: &str) {
        let mut shown = Vec::new();
        while !shown.ends_with(text.as_bytes()) {
            let mut byte = [0];
            self.user.read_exact(&mut byte).unwrap();
            shown.push(byte[0]);
        }
    }

    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.command).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Reads the rest.
    pub(crate) fn rest(mut self) -> String {
        drop(self.command);
        let mut shown = Vec::new();
        // Fails at the end, when the other end is closed.
        let _ = self.user.read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    }
}

/// Characters that must not reach a terminal.
const MISLEADING: &str = "\u{1b}]0;x\u{7}\u{202e}\u{200b}\u{2028}\u{e0041}\u{9b}";

fn is_hidden(c: char) -> bool {
    (c.is_control() && !['\n', '\r', '\t'].contains(&c)) || "\u{202e}\u{200b}\u{2028}\u{e0041}".contains(c)
}

fn misleading() -> Canned {
    let text = MISLEADING.replace(['\u{1b}', '\u{7}'], "");
    let json = format!(r#"200 OK\nX-Odd: {MISLEADING}\n\n{{"Name": "a{text}b", "@odata.id": "/json"}}"#)
        .replace(r"\n", "\n")
        .replace(['\u{1b}', '\u{7}', '\u{9b}', '\u{2028}'], "");
    let page = format!("200 OK\n\n<p>a{MISLEADING}b\tc</p>");
    let error = serde_json::json!({"error": {"@Message.ExtendedInfo": [{"MessageId": MISLEADING, "Message": MISLEADING}]}});
    let error = format!("400 Bad Request\n\n{error}");
    Canned::new(&[("GET /json", &json), ("GET /page", &page), ("GET /error", &error)])
}

#[test]
fn a_terminal_gets_no_misleading_characters() {
    let peer = misleading();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), peer.url()).unwrap();
    let services = file.path().to_str().unwrap();
    for (args, status) in [
        (vec!["get", "/json"], 0),
        (vec!["get", "/json", "--output", "json"], 0),
        (vec!["get", "/page"], 0),
        (vec!["tree", "/json"], 0),
        (vec!["get", "/error"], 1),
        (vec!["get", "/error", "--output", "json"], 1),
        (vec!["get", "/json", "/page", "--trace"], 0),
        (vec!["sweep", "--services", services, "get", "/json"], 0),
        (vec!["sweep", "--services", services, "get", "/page"], 0),
        (vec!["sweep", "--services", services, "get", "/error"], 1),
    ] {
        // The progress line uses only carriage returns and spaces.
        let output = Terminal::new().show(&peer.command(args.iter().copied()), status);
        assert!(!output.contains(is_hidden), "{args:?}: {output:?}");
        assert!(!output.is_empty());
    }
    // Escaping does not change the JSON.
    let output = Terminal::new().show(&peer.command(["get", "/json"]), 0);
    let output: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert!(output["Name"].as_str().unwrap().contains('\u{202e}'), "{output}");
}

#[test]
fn a_pipe_gets_the_bytes() {
    let peer = misleading();
    let done = super::common::run(&mut peer.command(["get", "/page"])).exits(0);
    assert_eq!(done.out, format!("<p>a{MISLEADING}b\tc</p>\n"));
}
