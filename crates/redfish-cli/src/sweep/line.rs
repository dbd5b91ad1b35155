//! The line that a sweep prints of a service.

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::visit::VisitResult;

/// What there is to say of a service.
pub(super) struct Line<'a> {
    pub(super) service: &'a str,
    pub(super) began: Instant,
    pub(super) result: VisitResult,
}

/// A line as it is printed, and what goes with it.
pub(super) struct FinishedLine {
    /// What is printed.
    pub(super) line: Vec<u8>,
    /// The kind of its error.
    pub(super) failed: Option<&'static str>,
    /// What is to be printed on standard error.
    pub(super) notes: Vec<String>,
}

/// The members, in their order.
#[derive(Serialize)]
struct Members<'a> {
    service: &'a str,
    ok: bool,
    /// The HTTP status of the answer, `null` without one: as in an error, and the error's where there is one.
    status: Value,
    /// The exit status of the command, had it been run for this service alone.
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    ms: u64,
}

impl Line<'_> {
    /// The line of a service that was never begun.
    pub(super) fn never(service: &str, failure: Failure) -> FinishedLine {
        Line { service, began: Instant::now(), result: VisitResult::failed(failure) }.end()
    }

    /// What is printed. Data is printed as it came; an error has no secret.
    pub(super) fn end(self) -> FinishedLine {
        let Line { service, began, result: VisitResult { failure, output, notes, status } } = self;
        let error = failure.as_ref().map(Failure::object);
        let members = Members {
            service,
            ok: failure.is_none(),
            status: error.as_ref().map_or_else(|| status.into(), |error| error["status"].clone()),
            exit: failure.as_ref().map_or(0, |failure| failure.exit() as u8),
            output,
            error,
            ms: began.elapsed().as_millis() as u64,
        };
        // All its members are texts, numbers and what was JSON before.
        let line = serde_json::to_vec(&members).unwrap_or_default();
        FinishedLine { line, failed: failure.as_ref().map(Failure::kind), notes }
    }
}
