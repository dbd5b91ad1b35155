//! The messages of the `ResourceEvent` registry that this service uses.

use super::registry::{Registry, messages};

messages! {
    Registry::ResourceEvent,
    /// A message of the `ResourceEvent` registry. The variant's name is the message's key.
    pub(crate) enum ResourceEvent {
        ResourceChanged: Ok,
            "A property of the resource was changed.",
            "None.";
        ResourceCreated: Ok,
            "The resource was created.",
            "None.";
        ResourceRemoved: Ok,
            "The resource was removed.",
            "None.";
        TestMessage: Ok,
            "This is a test event.",
            "None.";
    }
}
