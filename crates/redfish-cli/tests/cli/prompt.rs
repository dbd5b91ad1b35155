//! The question for a password, on a terminal of the test's own.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::common::{Bench, SYSTEMS, finish, signal};

/// Both ends of a terminal: what a person has, and what the command has.
struct Terminal {
    person: File,
    command: File,
}

impl Terminal {
    fn new() -> Terminal {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
        let command = File::options().read(true).write(true).open(name).unwrap();
        Terminal { person: person.into(), command }
    }

    /// Starts the command here, as a shell would: setsid makes it the command's own terminal.
    fn start(&self, command: &Command) -> Child {
        let mut line = Command::new("setsid");
        line.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        line.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        line.env("PATH", std::env::var_os("PATH").unwrap());
        line.stdin(self.command.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
        line.spawn().unwrap()
    }

    /// Reads what is shown, up to this.
    fn await_text(&mut self, text: &str) {
        let mut shown = Vec::new();
        while !shown.ends_with(text.as_bytes()) {
            let mut byte = [0];
            self.person.read_exact(&mut byte).unwrap();
            shown.push(byte[0]);
        }
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&self.command).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// What else was shown.
    fn rest(mut self) -> String {
        drop(self.command);
        let mut shown = Vec::new();
        // It ends with an error once nobody has the other end.
        let _ = self.person.read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    }
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let bench = Bench::standard();
    let mut terminal = Terminal::new();
    let child = terminal.start(&bench.command(["get", SYSTEMS, "-u", "admin"]));
    terminal.await_text("Password of admin at ");
    terminal.await_text(": ");
    assert!(!terminal.shows_what_is_typed());
    terminal.person.write_all(b"machine-room\n").unwrap();
    finish(child).exits(0);
    assert!(terminal.shows_what_is_typed());
    let rest = terminal.rest();
    assert!(!rest.contains("machine"), "{rest}");
    assert_eq!(bench.server.open_sessions(), 0);
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let bench = Bench::standard();
    let mut terminal = Terminal::new();
    let child = terminal.start(&bench.command(["login", "-u", "admin"]));
    terminal.await_text(": ");
    assert!(!terminal.shows_what_is_typed());
    signal(&child, "INT");
    finish(child).exits(130);
    assert!(terminal.shows_what_is_typed());
    assert_eq!(bench.requests(), 0);
}

#[test]
fn a_password_that_is_at_hand_is_not_asked_for() {
    let bench = Bench::standard();
    let terminal = Terminal::new();
    finish(terminal.start(&bench.as_admin(["get", SYSTEMS]))).exits(0);
    assert_eq!(terminal.rest(), "");
}
