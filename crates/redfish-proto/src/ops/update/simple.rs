//! An update whose image the service fetches by itself (DSP0268, UpdateService.SimpleUpdate).

use std::fmt;

use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::operation::{Operation, Transition};
use crate::ops::action::Invoke;
use crate::ops::follow_links::FollowLinks;
use crate::ops::stage::{self, DynOperation, Received, Resumed, forward_to_stage};
use crate::ops::update::find_update_service;
use crate::ops::write::Outcome;
use crate::redact::Redactor;

/// Lets the service fetch an image from a URI and install it.
///
/// It goes by the action that the UpdateService offers; what that allows is checked before anything is sent. Like any
/// write it is not sent again.
///
/// ```
/// use redfish_proto::ops::SimpleUpdate;
///
/// let update = SimpleUpdate::new("https://images.example/bios.bin").targets(["/redfish/v1/Systems/1"]);
/// # let _ = update;
/// ```
pub struct SimpleUpdate {
    parameters: Map<String, Value>,
    stage: Stage,
}

#[allow(clippy::large_enum_variant, reason = "there is one at a time, in a call")]
enum Stage {
    /// Finds the UpdateService.
    Find(FollowLinks),
    /// Invokes its action.
    Invoke(Invoke),
}

impl SimpleUpdate {
    /// With the image at that URI, as the service reaches it.
    pub fn new(image: impl Into<String>) -> SimpleUpdate {
        let parameters = Map::from_iter([("ImageURI".to_owned(), Value::String(image.into()))]);
        SimpleUpdate { parameters, stage: Stage::Find(find_update_service()) }
    }

    /// For these resources only, by their URIs.
    #[must_use]
    pub fn targets<S: Into<String>>(self, targets: impl IntoIterator<Item = S>) -> SimpleUpdate {
        let targets: Vec<String> = targets.into_iter().map(Into::into).collect();
        self.parameter("Targets", json!(targets))
    }

    /// By this protocol, such as `HTTPS`, where the URI does not say it.
    #[must_use]
    pub fn protocol(self, protocol: &str) -> SimpleUpdate {
        self.parameter("TransferProtocol", json!(protocol))
    }

    /// With who the service is to the server of the image.
    #[must_use]
    pub fn credentials(self, credentials: &Credentials) -> SimpleUpdate {
        self.parameter("Username", json!(credentials.user()))
            .parameter("Password", json!(credentials.password()))
    }

    /// With any other parameter, such as `@Redfish.OperationApplyTime`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: Value) -> SimpleUpdate {
        self.parameters.insert(name.into(), value);
        self
    }

    fn register_secrets(&self, known: &mut Redactor) {
        if let Ok(body) = Body::json(&self.parameters) {
            body.register_secrets(known);
        }
    }

    fn stage(&self) -> &dyn DynOperation {
        match &self.stage {
            Stage::Find(links) => links,
            Stage::Invoke(invoke) => invoke,
        }
    }

    fn resume(self, received: Received) -> Result<Transition<Self>, Error> {
        let SimpleUpdate { parameters, stage } = self;
        match stage {
            Stage::Find(links) => match stage::resume(links, received)? {
                Resumed::Pending(links) => {
                    Ok(links.map(|links| SimpleUpdate { parameters, stage: Stage::Find(links) }))
                }
                Resumed::Done((service, _)) => {
                    let invoke = Invoke::new(service, "UpdateService.SimpleUpdate", parameters.clone());
                    Ok(Transition::Next(SimpleUpdate { parameters, stage: Stage::Invoke(invoke) }))
                }
            },
            Stage::Invoke(invoke) => match stage::resume(invoke, received)? {
                Resumed::Pending(invoke) => {
                    Ok(invoke.map(|invoke| SimpleUpdate { parameters, stage: Stage::Invoke(invoke) }))
                }
                Resumed::Done(outcome) => Ok(Transition::Done(outcome)),
            },
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

    forward_to_stage!(register_secrets);
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
        Operation::secrets(&update, &mut known);
        assert_eq!(known.clean("hunter2hunter2"), "[redacted]");
    }
}
