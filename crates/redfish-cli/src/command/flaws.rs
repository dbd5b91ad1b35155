//! Warnings of what is wrong with a resource that can be read nevertheless.

use redfish_proto::json::Flaws;
use redfish_proto::{Message, Target};

use crate::visit::Visit;

/// Warns of what is wrong with a body, and of what the service reports beside its data.
pub(super) fn warn_of_body(visit: &mut Visit, target: &Target, body: &[u8]) {
    let messages = visit.messages_beside_data(body);
    warn(visit, target, &Flaws::of(body), &messages);
}

/// Warns of flaws, and of messages beside data.
pub(super) fn warn(visit: &mut Visit, target: &Target, flaws: &Flaws, messages: &[Message]) {
    if !flaws.is_empty() {
        visit.warn(format!("{target} is not valid JSON: {flaws}"));
    }
    for message in messages {
        let text = [message.id.as_str(), message.text.as_str()].map(str::trim);
        let text: Vec<&str> = text.into_iter().filter(|text| !text.is_empty()).collect();
        visit.warn(format!("the service reports an error beside {target}: {}", text.join(": ")));
    }
}
