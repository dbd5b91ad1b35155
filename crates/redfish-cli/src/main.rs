//! The command `redfish`: Redfish services from a terminal or a script.
//!
//! A thin layer over `redfish-ureq`, and for many services at once over `redfish-hyper`. What is Redfish is decided in
//! `redfish-proto`; here are words, files, signals and a terminal. `main` reads the words and gives the exit status; each
//! command is a file.

mod actions;
mod connection;
mod credentials;
mod demo;
mod document;
mod events;
mod exit;
mod failure;
mod get;
mod hiding;
mod invoke;
mod limit;
mod login;
mod logout;
mod man;
mod members;
mod options;
mod outcome;
mod output;
mod pin;
mod progress;
mod prompt;
mod reset;
mod secrets;
mod serve;
mod sessions;
mod signal;
mod state;
mod sweep;
mod task;
mod tasks;
mod tree;
mod update;
mod usage;
mod whoami;
mod write;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use redfish_proto::Write;

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
    /// "admin" with the password "machine-room". It ends on SIGINT and SIGTERM.
    Serve(serve::Serve),
    /// Reads resources
    ///
    /// Prints each body byte for byte, and a line end; indented on a terminal. Goes on after a failure, and ends with
    /// the status of the first.
    Get(get::Get),
    /// Changes a resource: the members that are given
    ///
    /// Reads its ETag first and sends If-Match, so that what others change meanwhile is not overwritten. Ends with 1
    /// where a part of the change was not taken.
    Patch(write::Change),
    /// Creates a resource
    Post(write::Post),
    /// Replaces a resource
    ///
    /// Reads its ETag first and sends If-Match, so that what others change meanwhile is not overwritten.
    Put(write::Change),
    /// Deletes a resource
    Delete(write::Delete),
    /// Lists a whole collection, page after page
    ///
    /// One JSON document a line, each as the collection lists it, as it arrives.
    Members(members::Members),
    /// Walks the links, and shows what there is as a tree
    ///
    /// Each resource once, with name, power state and health. What cannot be read is shown as that, and said on
    /// standard error. No link to another service is followed.
    Tree(tree::Tree),
    /// Shows what can be done with a resource
    Actions(actions::Actions),
    /// Does what a resource offers
    ///
    /// What is not offered, or not allowable, is not sent.
    Invoke(invoke::Invoke),
    /// Resets a system, and prints its power state
    ///
    /// The type is checked against what the system allows. Several systems and none named is wrong usage.
    Reset(reset::Reset),
    /// Lists the tasks of the service
    Tasks,
    /// Waits for a task
    Task(task::Task),
    /// Pushes an image to the update service
    ///
    /// Multipart, or as it is, by what the service offers; read as it is sent.
    Update(update::Update),
    /// Prints what the service tells of, one JSON document a line
    ///
    /// A connection that ends is followed by the next, behind the event that came last.
    Events(events::Events),
    /// Opens a session and keeps it for later commands
    ///
    /// Prints the session's URI, never its token. A session that was kept before is closed.
    Login,
    /// Closes the session that login kept
    Logout,
    /// Shows who one is to the service
    ///
    /// Ends with 3 where that is nobody.
    Whoami,
    /// Lists the sessions of the service, or closes some
    Sessions(sessions::Sessions),
    /// Does the same at many services at once
    ///
    /// Prints a line of JSON for each as it ends: service, ok, status (of HTTP), exit (as the command alone would have
    /// ended), output or error, ms. A summary is on standard error. Ends with 1 where any failed. A signal or --deadline
    /// closes what is open, and the rest has a line too. --timeout is for each service.
    Sweep(sweep::Sweep),
    /// Prints the pin of the certificate that the service shows
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
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::end(&error),
    };
    if !matches!(cli.command, Command::Serve(_)) {
        signal::watch();
    }
    let done = run(&cli);
    signal::settle();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.end(cli.options.errors_as_json()),
    }
}

fn run(Cli { options, command }: &Cli) -> Result<(), Failure> {
    match command {
        Command::Demo => demo::run(),
        Command::Serve(serve) => serve.run(options),
        Command::Get(get) => get.run(options),
        Command::Patch(patch) => patch.run(options, Write::patch),
        Command::Post(post) => post.run(options),
        Command::Put(put) => put.run(options, Write::put),
        Command::Delete(delete) => delete.run(options),
        Command::Members(members) => members.run(options),
        Command::Tree(tree) => tree.run(options),
        Command::Actions(actions) => actions.run(options),
        Command::Invoke(invoke) => invoke.run(options),
        Command::Reset(reset) => reset.run(options),
        Command::Tasks => tasks::run(options),
        Command::Task(task) => task.run(options),
        Command::Update(update) => update.run(options),
        Command::Events(events) => events.run(options),
        Command::Login => login::run(options),
        Command::Logout => logout::run(options),
        Command::Whoami => whoami::run(options),
        Command::Sessions(sessions) => sessions.run(options),
        Command::Sweep(sweep) => sweep.run(options),
        Command::Pin => pin::run(options),
        Command::Completions { shell } => man::completions(*shell, Cli::command()),
        Command::Man(man) => man.run(Cli::command()),
    }
}
