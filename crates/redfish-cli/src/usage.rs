//! Wrong usage: the errors of clap, without the typed values, which may be a misplaced password.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, Parser};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::report;

const SEE_HELP: &str = "See \"redfish --help\".";
const PASSWORD: &str = "A password is never an argument: use --password-file or REDFISH_PASSWORD.";
const TOKEN: &str = "A token is never an argument: use --token-file or REDFISH_TOKEN.";

/// Parses the command line. An empty environment variable counts as not set. An option with an empty value is wrong usage,
/// because it probably comes from an unset variable of a script.
///
/// # Errors
/// The exit status, after the report of the error, the help or the version.
pub(crate) fn parse<C: Parser>() -> Result<C, ExitCode> {
    let mut command = C::command().mut_args(|arg| {
        let variable = arg.get_env().and_then(std::env::var_os);
        if variable.is_some_and(|value| value.is_empty()) { arg.env(None) } else { arg }
    });
    let matches = command.try_get_matches_from_mut(std::env::args_os()).map_err(|error| end(&error))?;
    if let Some(option) = empty_option(&command, &matches) {
        let failure = Failure::usage(format!("the value of {option} is empty"), SEE_HELP);
        return Err(report::exit(&failure, wants_json(std::env::args_os())));
    }
    C::from_arg_matches(&matches).map_err(|error| end(&error.format(&mut command)))
}

/// The name of an option with an empty value.
fn empty_option(mut command: &Command, mut matches: &ArgMatches) -> Option<String> {
    loop {
        let is_empty = |id: &str| {
            let mut values = matches.get_raw(id).into_iter().flatten();
            matches.value_source(id) == Some(ValueSource::CommandLine) && values.any(|value| value.is_empty())
        };
        let mut options = command.get_arguments().filter(|arg| !arg.is_positional());
        if let Some(option) = options.find(|option| is_empty(option.get_id().as_str())) {
            return Some(option.to_string());
        }
        let (name, submatches) = matches.subcommand()?;
        (command, matches) = (command.find_subcommand(name)?, submatches);
    }
}

/// Prints help, the version or the error, and returns the exit status.
fn end(error: &Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => report::exit(&Failure::stdout(error), false),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::note(error.render());
            Exit::Usage.into()
        }
        _ => report::exit(&explain(error), wants_json(std::env::args_os())),
    }
}

/// Translates an error of clap, with only the names of options and commands.
fn explain(error: &Error) -> Failure {
    let name = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => name.clone(),
        Some(ContextValue::Strings(names)) => names.join(", "),
        _ => "an argument".to_owned(),
    };
    match error.kind() {
        // Here the name is what the user typed.
        ErrorKind::UnknownArgument => {
            let what = match suggestion(error, ContextKind::SuggestedArg) {
                Some(known) => format!("unknown argument; did you mean {known}?"),
                None => "unknown argument".to_owned(),
            };
            let hint = match name.as_str() {
                typed if typed.starts_with("--pass") || typed.starts_with("-p") => PASSWORD,
                typed if typed.starts_with("--token") => TOKEN,
                _ => SEE_HELP,
            };
            Failure::usage(what, hint)
        }
        ErrorKind::InvalidSubcommand => match suggestion(error, ContextKind::SuggestedSubcommand) {
            Some(known) => Failure::usage(format!("unknown command; did you mean {known}?"), SEE_HELP),
            None => Failure::usage("unknown command", SEE_HELP),
        },
        ErrorKind::MissingSubcommand => Failure::usage("a command is missing", SEE_HELP),
        ErrorKind::MissingRequiredArgument => Failure::usage(format!("{name} is missing"), SEE_HELP),
        ErrorKind::ArgumentConflict => {
            Failure::usage(format!("{name} is given twice, or conflicts with another option"), SEE_HELP)
        }
        ErrorKind::InvalidValue => {
            let known = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) if !values.is_empty() => {
                    format!(": one of {}", values.join(", "))
                }
                _ => String::new(),
            };
            let wrong = match error.get(ContextKind::InvalidValue) {
                Some(ContextValue::String(typed)) if typed.is_empty() => "missing or empty",
                _ => "invalid",
            };
            Failure::usage(format!("the value of {name} is {wrong}{known}"), SEE_HELP)
        }
        // The errors of our parsers contain no value either.
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(reason) => Failure::usage(format!("{name}: {reason}"), SEE_HELP),
            None => Failure::usage(format!("the value of {name} is invalid"), SEE_HELP),
        },
        ErrorKind::InvalidUtf8 => Failure::usage("an argument is not UTF-8", SEE_HELP),
        _ => Failure::usage(format!("{name} has too many or too few values"), SEE_HELP),
    }
}

/// A name that is similar to what the user typed.
fn suggestion(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(known) => Some(known.clone()),
        // The most similar name comes last.
        ContextValue::Strings(known) => known.last().cloned(),
        _ => None,
    }
}

/// Whether the command line, which could not be parsed, contains `--output json`.
fn wants_json(args: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let args: Vec<_> = args.collect();
    args.iter().any(|arg| arg == "--output=json")
        || args.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}
