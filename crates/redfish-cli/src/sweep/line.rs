//! The line of a service in the output of a sweep.

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::visit::VisitResult;

/// The result of a service.
pub(super) struct Line<'a> {
    pub(super) service: &'a str,
    pub(super) began: Instant,
    pub(super) result: VisitResult,
}

/// The line of a service, to be printed and counted.
pub(super) struct FinishedLine {
    /// The JSON, on one line.
    pub(super) json: Vec<u8>,
    /// The kind of the failure, if the service failed.
    pub(super) failure: Option<&'static str>,
    /// Lines for standard error.
    pub(super) notes: Vec<String>,
}

/// The members of the line, in this order.
#[derive(Serialize)]
struct Members<'a> {
    service: &'a str,
    ok: bool,
    /// The HTTP status of the failed or last request; `null` without a response.
    status: Value,
    /// The exit status that the command alone would have.
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    /// Whether a write may have been carried out, although the service failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sent: bool,
    ms: u64,
}

impl Line<'_> {
    /// The line of a service that was not visited.
    pub(super) fn not_visited(service: &str, failure: Failure) -> FinishedLine {
        Line { service, began: Instant::now(), result: VisitResult::failed(failure) }.finish()
    }

    /// Renders the line. Data is unchanged; the failure is redacted.
    pub(super) fn finish(self) -> FinishedLine {
        let Line { service, began, result: VisitResult { failure, output, notes, status, sent } } = self;
        let error = failure.as_ref().map(Failure::object);
        let members = Members {
            service,
            ok: failure.is_none(),
            status: error.as_ref().map_or_else(|| status.into(), |error| error["status"].clone()),
            exit: failure.as_ref().map_or(0, |failure| failure.exit() as u8),
            output,
            error,
            sent,
            ms: began.elapsed().as_millis() as u64,
        };
        // Cannot fail: all members are text, numbers or valid JSON.
        let json = serde_json::to_vec(&members).unwrap_or_default();
        FinishedLine { json, failure: failure.as_ref().map(Failure::kind), notes }
    }
}
