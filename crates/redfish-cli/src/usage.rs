//! Wrong usage: what clap found, said without what was typed. A password may stand in the wrong place.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

const SEE_HELP: &str = "See \"redfish --help\".";
const PASSWORD: &str = "A password is never an argument: use --password-file or REDFISH_PASSWORD.";
const TOKEN: &str = "A token is never an argument: use --token-file or REDFISH_TOKEN.";

/// Ends the command: help and version are no failures.
pub(crate) fn end(error: &Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => Failure::stdout(error).end(false),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::note(error.render());
            Exit::Usage.into()
        }
        _ => explain(error).end(asks_for_json(std::env::args_os())),
    }
}

/// What is wrong, in names of ours alone.
fn explain(error: &Error) -> Failure {
    let name = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => name.clone(),
        Some(ContextValue::Strings(names)) => names.join(", "),
        _ => "an argument".to_owned(),
    };
    match error.kind() {
        // Here the name is what was typed.
        ErrorKind::UnknownArgument => {
            let what = match suggestion(error, ContextKind::SuggestedArg) {
                Some(known) => format!("an argument is not known; perhaps {known} is meant"),
                None => "an argument is not known".to_owned(),
            };
            let hint = match name.as_str() {
                typed if typed.starts_with("--pass") || typed.starts_with("-p") => PASSWORD,
                typed if typed.starts_with("--token") => TOKEN,
                _ => SEE_HELP,
            };
            Failure::usage(what, hint)
        }
        ErrorKind::InvalidSubcommand => match suggestion(error, ContextKind::SuggestedSubcommand) {
            Some(known) => Failure::usage(format!("no such command; perhaps {known} is meant"), SEE_HELP),
            None => Failure::usage("no such command", SEE_HELP),
        },
        ErrorKind::MissingSubcommand => Failure::usage("a command is missing", SEE_HELP),
        ErrorKind::MissingRequiredArgument => Failure::usage(format!("{name} is missing"), SEE_HELP),
        ErrorKind::ArgumentConflict => {
            Failure::usage(format!("{name} is given twice, or beside what excludes it"), SEE_HELP)
        }
        ErrorKind::InvalidValue => {
            let known = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) if !values.is_empty() => {
                    format!(": one of {}", values.join(", "))
                }
                _ => String::new(),
            };
            Failure::usage(
                format!("the value of {name} is missing or not one that it takes{known}"),
                SEE_HELP,
            )
        }
        // The parsers are ours, and say no value either.
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(reason) => Failure::usage(format!("{name}: {reason}"), SEE_HELP),
            None => Failure::usage(format!("{name}: not a value that it takes"), SEE_HELP),
        },
        ErrorKind::InvalidUtf8 => Failure::usage("an argument is not UTF-8", SEE_HELP),
        _ => Failure::usage(format!("{name} has too many values, or too few"), SEE_HELP),
    }
}

/// A name of ours that is like what was typed.
fn suggestion(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(known) => Some(known.clone()),
        ContextValue::Strings(known) => known.first().cloned(),
        _ => None,
    }
}

/// Whether errors are wanted as JSON, where the words could not be read as a whole.
fn asks_for_json(words: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let words: Vec<_> = words.collect();
    words.iter().any(|word| word == "--output=json")
        || words.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}
