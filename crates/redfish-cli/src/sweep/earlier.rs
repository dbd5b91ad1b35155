//! What an earlier sweep printed: which services failed there, and where a write may have happened.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use redfish_proto::Service;
use serde::Deserialize;

use super::list::{Entry, each_line};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::Options;

/// The longest line: a document is in it, or several.
const LONGEST: u64 = 256 << 20;

/// How a service ended there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PriorResult {
    Well,
    Failed,
    Unknown,
}

/// How each service ended. Where a service has several lines, the last counts: results of several runs may stand
/// behind each other.
pub(super) struct Earlier(HashMap<String, PriorResult>);

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    service: Cow<'a, str>,
    ok: bool,
    exit: Option<u8>,
    #[serde(borrow)]
    error: Option<LineError<'a>>,
}

#[derive(Deserialize)]
struct LineError<'a> {
    #[serde(borrow)]
    error: Cow<'a, str>,
}

impl Earlier {
    pub(super) fn read(file: &Path, options: &Options) -> Result<Earlier, Failure> {
        let mut all = HashMap::new();
        each_line(file, "the earlier results", LONGEST, options, |_, text| {
            let line: Line<'_> = serde_json::from_str(text)
                .map_err(|_| Failure::usage("it is none that a sweep prints", ""))?;
            let result = match line.exit {
                _ if line.ok => PriorResult::Well,
                Some(exit) if exit == Exit::OutcomeUnknown as u8 => PriorResult::Unknown,
                // A part of the write has happened.
                _ if line.error.is_some_and(|error| error.error == Failure::REJECTED) => PriorResult::Unknown,
                _ => PriorResult::Failed,
            };
            all.insert(Service::new(&line.service)?.to_string(), result);
            Ok(())
        })?;
        match all.is_empty() {
            // As it is where the output goes to the same file: by now that is empty.
            true => {
                Err(Failure::usage("the earlier results are empty", "Name the file of an earlier output."))
            }
            false => Ok(Earlier(all)),
        }
    }

    /// Leaves the services that failed; returns how many were left out since a write may have happened there, which
    /// matters to another write alone.
    ///
    /// # Errors
    /// A service that failed and is not among these: how to talk to it is not known.
    pub(super) fn select(mut self, entries: &mut Vec<Entry>, writes: bool) -> Result<usize, Failure> {
        let mut unknown = 0;
        entries.retain(|entry| match self.0.remove(&*entry.service) {
            None | Some(PriorResult::Well) => false,
            Some(PriorResult::Unknown) if writes => {
                unknown += 1;
                false
            }
            Some(_) => true,
        });
        match self.0.values().any(|result| *result != PriorResult::Well) {
            true => Err(Failure::usage("a service that failed is not among the services", "Name it there.")),
            false => Ok(unknown),
        }
    }
}
