//! A failure as JSON.

use redfish_proto::{ErrorKind, Message};
use serde_json::{Value, json};

use super::{Failure, Reason};

impl Failure {
    /// The failure as JSON.
    pub(crate) fn object(&self) -> Value {
        let mut object = json!({
            "error": self.kind(),
            "status": null,
            "method": null,
            "uri": null,
            "messages": [],
            "hint": self.hint(),
            "service": self.service(),
            "text": self.to_string(),
        });
        match &self.reason {
            Reason::Call(error) => {
                object["status"] = self.status().into();
                object["method"] = error.method().map(|method| method.as_str()).into();
                let link = self.link.as_ref().map(|link| self.clean(link));
                object["uri"] = error.uri().map(str::to_owned).or(link).into();
                object["messages"] = error.messages().iter().map(message).collect();
                if error.session_alive() {
                    object["session_alive"] = true.into();
                }
                if let ErrorKind::PartiallyApplied { accepted, rejected, .. } = error.kind() {
                    object["accepted"] = json!(accepted);
                    object["rejected"] = json!(rejected);
                }
                if let Some(etag) = error.etag() {
                    object["etag"] = self.clean(etag.as_str()).into();
                }
            }
            Reason::Sweep { counts, .. } => object["services"] = (**counts).clone(),
            _ => {}
        }
        if let Some(monitor) = &self.monitor {
            object["monitor"] = self.clean(monitor).into();
        }
        object
    }
}

/// A message, with the member names of Redfish.
fn message(message: &Message) -> Value {
    json!({
        "MessageId": message.id,
        "Message": message.text,
        "MessageArgs": message.args,
        "MessageSeverity": message.severity,
        "Resolution": message.resolution,
        "RelatedProperties": message.related,
    })
}
