//! `man` and `completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// The page to print.
#[derive(Args)]
pub(crate) struct Man {
    /// The command. Default: all commands
    command: Option<String>,
}

impl Man {
    pub(crate) fn run(&self, mut root: Command) -> Result<(), Failure> {
        // Copies the common options to each command.
        root.build();
        let page = match &self.command {
            None => root,
            Some(name) => match root.find_subcommand(name) {
                Some(command) => command.clone(),
                None => return Err(Failure::usage("unknown command", "See \"redfish --help\".")),
            },
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(page)
            .render(&mut text)
            .map_err(|error| Failure::local("the manual page cannot be rendered", error))?;
        output::print(text.trim_ascii_end())
    }
}

/// Prints a completion script.
pub(crate) fn completions(shell: Shell, mut root: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root, "redfish", &mut script);
    output::print(script.trim_ascii_end())
}
