//! What is wrong with resources that can be read nevertheless.

use std::sync::{Mutex, PoisonError};

use redfish_proto::driver::{Purpose, Trace};
use redfish_proto::json;

/// Collects the warnings about the responses to reads.
#[derive(Default)]
pub(super) struct Flaws(Mutex<Vec<String>>);

impl Flaws {
    pub(super) fn observe(&self, trace: &Trace<'_>) {
        let Trace::Response { head, body: Ok(body) } = trace else { return };
        if !head.status().is_success() || head.request().purpose != Purpose::Read {
            return;
        }
        let flaws = json::Flaws::of(body);
        let uri = || {
            let target = head.request().target();
            target.split('?').next().unwrap_or_default().to_owned()
        };
        let mut warnings = Vec::new();
        if !flaws.is_empty() {
            warnings.push(format!("{} is not valid JSON: {flaws}", uri()));
        }
        for message in head.beside_data(body) {
            let texts = [message.id.as_str(), message.text.as_str()].map(str::trim);
            let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            warnings.push(format!("the service reports an error beside {}: {}", uri(), texts.join(": ")));
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
