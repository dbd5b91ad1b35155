//! `man` and `completions`: what is known of the words, for a pager and for a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Which page to print.
#[derive(Args)]
pub(crate) struct Man {
    /// The command that the page is about; without one, it is about them all
    command: Option<String>,
}

impl Man {
    pub(crate) fn run(&self, mut all: Command) -> Result<(), Failure> {
        // Spreads the options that all commands take to each of them.
        all.build();
        let page = match &self.command {
            None => all,
            Some(name) => match all.find_subcommand(name) {
                Some(command) => command.clone(),
                None => return Err(Failure::usage("no such command", "See \"redfish --help\".")),
            },
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(page)
            .render(&mut text)
            .map_err(|error| Failure::local("the page cannot be made", error))?;
        output::print(text.trim_ascii_end())
    }
}

/// Prints a script that completes the command's words.
pub(crate) fn completions(shell: Shell, mut all: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut all, "redfish", &mut script);
    output::print(script.trim_ascii_end())
}
