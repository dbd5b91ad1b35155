//! The `redfish` command: access to Redfish services from a terminal or a script.
//!
//! A thin layer over `redfish-hyper`: arguments, files, signals and terminal output. Everything about Redfish is in
//! `redfish-proto`.
//!
//! ```text
//!   main ──┬─▶ single ──▶ Visit ──┐
//!          │                      ├──▶ Job: a command ──▶ Sink: the terminal, or the line of a sweep
//!          └─▶ sweep ──▶ Visits ──┘
//! ```
//!
//! One module each: [`signal`], the [`files`] named on the command line, saved sessions ([`state`]), [`output`].

mod access;
mod authentication;
mod command;
mod credentials;
mod demo;
mod document;
mod exit;
mod failure;
mod files;
mod limit;
mod man;
mod observer;
mod options;
mod output;
mod pin;
mod progress;
mod prompt;
mod report;
mod runtime;
mod serve;
mod signal;
mod single;
mod sink;
mod state;
mod stop;
mod sweep;
mod terminal;
mod usage;
mod visit;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::Options;

const AFTER_HELP: &str = "\
Exit status: 0 done; 1 the service refused or failed; 2 wrong usage, nothing was written; 3 not authenticated; \
4 no response that can be trusted; 5 the outcome of a write or a task is unknown.";

const ENVIRONMENT: &str = "\
Environment:
  REDFISH_SERVICE, REDFISH_USER, REDFISH_AUTH, REDFISH_CACERT, REDFISH_PIN
          defaults of the options with these names
  REDFISH_PASSWORD, REDFISH_TOKEN
          the password and the bearer token; the options that name a file take precedence
  REDFISH_SESSION_CONTEXT
          default of --session-context
  REDFISH_STATE_DIR
          directory of saved sessions. Default: $XDG_STATE_HOME/redfish, else ~/.local/state/redfish
  NO_COLOR
          disables color in demo

A password or a token is never an argument, because other users can see arguments.";

/// Access Redfish services from a terminal or a script
#[derive(Parser)]
#[command(name = "redfish", version, after_help = AFTER_HELP)]
#[command(after_long_help = format!("{ENVIRONMENT}\n\n{AFTER_HELP}"))]
#[command(max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show authentication and sessions, with a service inside this process
    Demo,
    /// Run a service to test clients against
    ///
    /// Prints its URL on the first line, and where its certificate is on the second. Without --user, the user is "admin"
    /// with the password "machine-room". Shuts down on SIGINT, SIGTERM and similar signals.
    Serve(serve::Serve),
    #[command(flatten)]
    AtService(command::Command),
    /// Open a session and save it for later commands
    ///
    /// Prints the session's URI, never its token. Closes the session that was saved before.
    Login,
    /// Close the saved session
    Logout,
    /// Run a command on many services at once
    ///
    /// COMMAND is any command that speaks to a service, except login and logout, which save the session of one service, and
    /// pin, whose result must be compared before it is trusted. "events" requires --count or --deadline, because it does
    /// not end by itself.
    ///
    /// Prints one JSON line per service as it ends: service, ok, status (HTTP), exit (the exit status of COMMAND alone),
    /// output or error, ms. "output" is what COMMAND prints as JSON: the document, or a list if there are several, with
    /// null in place of one that could not be read. Prints a summary on standard error. Exits with 1 if any service failed.
    /// After a signal or at --deadline, sessions are closed and each remaining service has a line. --timeout applies to
    /// each service.
    Sweep(sweep::Sweep),
    /// Print the pin of the service's certificate
    ///
    /// On a terminal and with --output, also prints its subject, issuer, names, dates and key. None of it is trusted:
    /// compare the pin with the one that the service itself shows, then use --pin.
    Pin,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page
    Man(man::Man),
}

fn main() -> ExitCode {
    let Cli { options, command } = match usage::parse() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    signal::watch();
    let errors_as_json = options.errors_as_json();
    let result = run(command, options);
    match (signal::status(), result) {
        // A user who interrupts a write must know that it may have happened. Other failures follow from the signal.
        (Some(status), Err(failure)) if failure.exit() == Exit::OutcomeUnknown => {
            report::report(&failure, errors_as_json);
            ExitCode::from(status)
        }
        (Some(status), _) => ExitCode::from(status),
        (None, Ok(())) => ExitCode::SUCCESS,
        (None, Err(failure)) => report::exit(&failure, errors_as_json),
    }
}

fn run(command: Command, options: Options) -> Result<(), Failure> {
    match command {
        Command::AtService(command) => single::run(command, options),
        Command::Sweep(sweep) => sweep.run(options),
        Command::Login => command::login::run(options),
        Command::Logout => command::logout::run(options),
        Command::Pin => pin::run(&options),
        Command::Demo => demo::run(),
        Command::Serve(serve) => serve.run(&options),
        Command::Completions { shell } => man::completions(shell, Cli::command()),
        Command::Man(man) => man.run(Cli::command()),
    }
}
