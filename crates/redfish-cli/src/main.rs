//! The command `redfish`: Redfish services from a terminal or a script.
//!
//! A thin layer over `redfish-hyper`. What is Redfish is decided in `redfish-proto`; here are words, files, signals and a
//! terminal.
//!
//! ```text
//!   main ──┬─▶ single ──▶ Visit ──┐
//!          │                      ├──▶ command: a Job, written once ──▶ Sink: the terminal, or the line of a sweep
//!          └─▶ sweep ──▶ Visits ──┘
//! ```
//!
//! One place each: [`signal`], [`files`] named on the command line, [`state`] for saved sessions, [`output`].

mod access;
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
mod redacting;
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
4 no answer that can be trusted; 5 a write was sent and its outcome is unknown, or the end of a task is.";

const ENVIRONMENT: &str = "\
Environment:
  REDFISH_SERVICE, REDFISH_USER, REDFISH_AUTH, REDFISH_CACERT, REDFISH_PIN
          what the options of these names say, where they are not given
  REDFISH_PASSWORD, REDFISH_TOKEN
          the password and the bearer token themselves; the options that name a file win
  REDFISH_SESSION_CONTEXT
          what --session-context says
  REDFISH_STATE_DIR
          where login keeps sessions; else $XDG_STATE_HOME/redfish, else ~/.local/state/redfish
  NO_COLOR
          no colour in demo

A password or a token is never an argument: other users see those.";

/// Redfish services from a terminal or a script.
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
    /// Shows authentication and sessions at work, against a service inside this process
    Demo,
    /// Runs a service to try clients against
    ///
    /// The first line that it prints is its URL, the second says where its certificate is. Without --user it is
    /// "admin" with the password "machine-room". It ends on SIGINT, SIGTERM and the
    /// like.
    Serve(serve::Serve),
    #[command(flatten)]
    AtService(command::Command),
    /// Opens a session and keeps it for later commands
    ///
    /// Prints the session's URI, never its token. A session that was kept before is closed.
    Login,
    /// Closes the session that login kept
    Logout,
    /// Runs a command at many services at once
    ///
    /// COMMAND is any that speaks to a service. Not among them are login and logout, whose session is for the one service
    /// that later commands name; pin, whose result is to be compared before it is trusted; and what runs here: serve,
    /// demo, completions, man. "events" takes --count or --deadline, since it does not end by itself.
    ///
    /// Prints a line of JSON for each service as it ends: service, ok, status (of HTTP), exit (as the command alone would
    /// have ended), output or error, ms. "output" is what the command prints as JSON: the document, or a list where there
    /// are several, with null in place of one that could not be read. A summary is on standard error. Ends with 1 if any
    /// failed. A signal or --deadline closes what is open, and the rest has a line too. --timeout is for each service.
    Sweep(sweep::Sweep),
    /// Prints the pin of the certificate that the service shows
    ///
    /// On a terminal, and with --output, also its subject, issuer, names, dates and key. Nothing of it is trusted: compare the
    /// pin with what the service itself shows, then use --pin.
    Pin,
    /// Prints a script that completes this command's words
    Completions {
        /// The shell it is for
        shell: Shell,
    },
    /// Prints a manual page
    Man(man::Man),
}

fn main() -> ExitCode {
    let Cli { options, command } = match usage::parse() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    signal::watch();
    let errors_as_json = options.errors_as_json();
    let done = run(command, options);
    match (signal::status(), done) {
        // Whoever broke off a write has to know that it may have happened. Of all else a signal has said enough.
        (Some(status), Err(failure)) if failure.exit() == Exit::OutcomeUnknown => {
            failure.report(errors_as_json);
            ExitCode::from(status)
        }
        (Some(status), _) => ExitCode::from(status),
        (None, Ok(())) => ExitCode::SUCCESS,
        (None, Err(failure)) => failure.end(errors_as_json),
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
