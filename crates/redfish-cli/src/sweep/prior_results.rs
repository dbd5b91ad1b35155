//! The results of an earlier sweep: which services failed there, and where a write may have happened.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use redfish_proto::Service;
use serde::Deserialize;

use super::list::{Entry, each_line};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::Options;

/// Maximum length of a line, in bytes. It contains whole documents.
const MAX_LINE: u64 = 256 << 20;

/// The result of one service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PriorResult {
    Succeeded,
    Failed,
    /// A write may have happened.
    Unknown,
}

/// The result of each service. If a service has several lines, from several runs, the last one counts.
pub(super) struct PriorResults(HashMap<String, PriorResult>);

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    service: Cow<'a, str>,
    ok: bool,
    exit: Option<u8>,
    sent: Option<bool>,
}

impl PriorResults {
    pub(super) fn read(file: &Path, options: &Options) -> Result<PriorResults, Failure> {
        let mut results = HashMap::new();
        each_line(file, "the earlier results", MAX_LINE, options, |_, text| {
            let line: Line<'_> =
                serde_json::from_str(text).map_err(|_| Failure::usage("it is not a line of a sweep", ""))?;
            let result = match line.exit {
                _ if line.ok => PriorResult::Succeeded,
                Some(exit) if exit == Exit::OutcomeUnknown as u8 => PriorResult::Unknown,
                _ if line.sent == Some(true) => PriorResult::Unknown,
                _ => PriorResult::Failed,
            };
            results.insert(Service::new(&line.service)?.to_string(), result);
            Ok(())
        })?;
        // For example, because the output is redirected to the same file.
        if results.is_empty() {
            return Err(Failure::usage(
                "the earlier results are empty",
                "Use a file that a sweep has written.",
            ));
        }
        Ok(PriorResults(results))
    }

    /// Retains the services that failed. If the command writes, skips services where a write may have happened, and returns
    /// their number.
    ///
    /// # Errors
    /// A service that failed is not in the services file.
    pub(super) fn select(mut self, entries: &mut Vec<Entry>, writes: bool) -> Result<usize, Failure> {
        let mut skipped = 0;
        entries.retain(|entry| match self.0.remove(&*entry.service) {
            None | Some(PriorResult::Succeeded) => false,
            Some(PriorResult::Unknown) if writes => {
                skipped += 1;
                false
            }
            Some(_) => true,
        });
        if self.0.values().any(|result| *result != PriorResult::Succeeded) {
            return Err(Failure::usage("a service that failed is not in the services file", "Add it there."));
        }
        Ok(skipped)
    }
}
