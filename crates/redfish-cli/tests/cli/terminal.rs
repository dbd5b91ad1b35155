//! A terminal of a test's own.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::common::finish;

/// Both ends of a terminal: what a person has, and what the command has.
pub(crate) struct Terminal {
    pub(crate) person: File,
    command: File,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
        let command = File::options().read(true).write(true).open(name).unwrap();
        Terminal { person: person.into(), command }
    }

    /// Starts the command here, as a shell would: setsid makes it the command's own terminal.
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

    /// Runs the command to its end with this status, as a person sees it: all that is shown.
    pub(crate) fn show(self, command: &Command, status: i32) -> String {
        let mut line = self.line(command);
        line.stdout(self.command.try_clone().unwrap()).stderr(self.command.try_clone().unwrap());
        let child = line.spawn().unwrap();
        // The line holds the terminal too, which is not at its end before.
        drop(line);
        let mut person = self.person.try_clone().unwrap();
        let reading = std::thread::spawn(move || {
            let mut shown = Vec::new();
            let _ = person.read_to_end(&mut shown);
            String::from_utf8(shown).unwrap()
        });
        finish(child).exits(status);
        drop(self);
        reading.join().unwrap()
    }

    /// Reads what is shown, up to this.
    pub(crate) fn await_text(&mut self, text: &str) {
        let mut shown = Vec::new();
        while !shown.ends_with(text.as_bytes()) {
            let mut byte = [0];
            self.person.read_exact(&mut byte).unwrap();
            shown.push(byte[0]);
        }
    }

    pub(crate) fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&self.command).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// What else was shown.
    pub(crate) fn rest(mut self) -> String {
        drop(self.command);
        let mut shown = Vec::new();
        // It ends with an error once nobody has the other end.
        let _ = self.person.read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    }
}
