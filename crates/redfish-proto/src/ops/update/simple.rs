//! An update whose image the service fetches itself (DSP0268, UpdateService.SimpleUpdate).

use std::fmt;

use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::credentials::Credentials;
use crate::operation::Operation;
use crate::ops::action::Invoke;
use crate::ops::chain::{Chain, forward_to};
use crate::ops::update::find_update_service;
use crate::outcome::Outcome;
use crate::redact::Redactor;

/// Makes the service fetch an image from a URI and install it.
///
/// Invokes the action of the UpdateService. Its parameters are checked before anything is sent. Like any write it is
/// never repeated.
///
/// ```
/// use redfish_proto::ops::SimpleUpdate;
///
/// let update = SimpleUpdate::new("https://images.example/bios.bin").targets(["/redfish/v1/Systems/1"]);
/// # let _ = update;
/// ```
pub struct SimpleUpdate {
    parameters: Map<String, Value>,
    chain: Chain<Outcome>,
}

impl SimpleUpdate {
    /// Uses the image at this URI, which the service must be able to reach.
    pub fn new(image: impl Into<String>) -> SimpleUpdate {
        SimpleUpdate::with(Map::from_iter([("ImageURI".to_owned(), Value::String(image.into()))]))
    }

    fn with(parameters: Map<String, Value>) -> SimpleUpdate {
        let sent = parameters.clone();
        let chain = Chain::new(find_update_service(), |(service, _)| {
            Chain::next(Invoke::new(service, "UpdateService.SimpleUpdate", sent), Chain::done)
        });
        SimpleUpdate { parameters, chain }
    }

    /// Updates only these resources, by their URIs.
    #[must_use]
    pub fn targets<S: Into<String>>(self, targets: impl IntoIterator<Item = S>) -> SimpleUpdate {
        let targets: Vec<String> = targets.into_iter().map(Into::into).collect();
        self.parameter("Targets", json!(targets))
    }

    /// Sets the protocol, such as `HTTPS`, if the URI does not contain it.
    #[must_use]
    pub fn protocol(self, protocol: &str) -> SimpleUpdate {
        self.parameter("TransferProtocol", json!(protocol))
    }

    /// Sets the credentials of the service at the server of the image.
    #[must_use]
    pub fn credentials(self, credentials: &Credentials) -> SimpleUpdate {
        self.parameter("Username", json!(credentials.user()))
            .parameter("Password", json!(credentials.password()))
    }

    /// Sets any other parameter, such as `@Redfish.OperationApplyTime`.
    #[must_use]
    pub fn parameter(self, name: impl Into<String>, value: Value) -> SimpleUpdate {
        let mut parameters = self.parameters;
        parameters.insert(name.into(), value);
        SimpleUpdate::with(parameters)
    }

    fn register_secrets(&self, known: &mut Redactor) {
        if let Ok(body) = Body::json(&self.parameters) {
            body.register_secrets(known);
        }
    }
}

impl fmt::Debug for SimpleUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<&String> = self.parameters.keys().collect();
        write!(f, "SimpleUpdate({parameters:?})")
    }
}

impl Operation for SimpleUpdate {
    type Output = Outcome;

    forward_to!(chain, register_secrets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let update = SimpleUpdate::new("//images/a").credentials(&Credentials::new("ada", "hunter2hunter2"));
        let invoke = Invoke::new(crate::Target::well_known("/x"), "Do", update.parameters.clone());
        let shown = format!("{update:?} {invoke:?}");
        assert!(shown.contains("Password") && !shown.contains("hunter2"), "{shown}");
        let mut known = Redactor::default();
        update.secrets(&mut known);
        assert_eq!(known.clean("hunter2hunter2"), "[redacted]");
    }
}
