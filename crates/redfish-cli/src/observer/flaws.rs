//! What is wrong with resources that can be read nevertheless.

use std::sync::{Mutex, PoisonError};

use redfish_proto::driver::{Purpose, Trace};
use redfish_proto::json;

/// Collects the warnings about the responses to reads.
#[derive(Default)]
pub(super) struct Flaws(Mutex<State>);

#[derive(Default)]
struct State {
    /// The URI of the last request, if it was a read.
    reading: Option<String>,
    warnings: Vec<String>,
}

impl Flaws {
    pub(super) fn observe(&self, trace: &Trace<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match trace {
            Trace::Request(outgoing) => {
                let uri = outgoing.request.uri();
                state.reading = (outgoing.purpose == Purpose::Read).then(|| uri.path().to_owned());
            }
            Trace::Response { head, body: Ok(body) } if head.status().is_success() => {
                let Some(uri) = state.reading.take() else { return };
                let flaws = json::Flaws::of(body);
                if !flaws.is_empty() {
                    state.warnings.push(format!("{uri} is not valid JSON: {flaws}"));
                }
                for message in head.beside_data(body) {
                    let texts = [message.id.as_str(), message.text.as_str()].map(str::trim);
                    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
                    let text = texts.join(": ");
                    state.warnings.push(format!("the service reports an error beside {uri}: {text}"));
                }
            }
            _ => {}
        }
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).warnings)
    }
}
