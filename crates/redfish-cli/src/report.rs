//! The report of a failure on standard error, as text or as JSON.

use std::process::ExitCode;

use crate::failure::Failure;
use crate::output;

/// Prints a failure and its hint, or one JSON object. Prints nothing if the reader of standard output has left.
pub(crate) fn report(failure: &Failure, as_json: bool) {
    if failure.is_broken_pipe() {
        return;
    }
    if as_json {
        return output::note(failure.object());
    }
    match failure.hint() {
        hint if hint.is_empty() => output::note(format_args!("redfish: {failure}")),
        hint => output::note(format_args!("redfish: {failure}\nhint: {hint}")),
    }
}

/// Prints a failure and returns the exit status of the command.
pub(crate) fn exit(failure: &Failure, as_json: bool) -> ExitCode {
    report(failure, as_json);
    if failure.is_broken_pipe() { ExitCode::SUCCESS } else { failure.exit().into() }
}
