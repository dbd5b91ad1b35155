//! Events, their types and their documents (DSP0266, "Eventing"; DSP0268, "Event").

use std::time::Duration;

use http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::date::date_time;
use super::message::{Message, Registry};
use super::profile::Profile;

/// The values of `EventType` (DSP0268, "Event").
pub(crate) const EVENT_TYPES: &[&str] =
    &["Alert", "ResourceAdded", "ResourceRemoved", "ResourceUpdated", "StatusChange"];
/// The registries whose messages are sent as events.
pub(crate) const REGISTRY_PREFIXES: &[&str] = &["MachineRoom", "ResourceEvent", "TaskEvent"];

/// A stream of server-sent events that a GET opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventStream(pub(crate) u64);

/// An event to send to the destination of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The destination: `http` on loopback.
    pub destination: Uri,
    /// The `HttpHeaders` of the subscription.
    pub headers: HeaderMap,
    /// The event, as JSON.
    pub body: String,
}

/// An event: a message about a resource.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its number, which is also its `id` on a stream.
    pub(crate) id: u64,
    pub(crate) at: Duration,
    pub(crate) message: Message,
    /// The path of the resource.
    pub(crate) origin: String,
    /// The name of the resource's schema, without version.
    pub(crate) schema: String,
}

impl Event {
    pub(crate) fn prefix(&self, profile: Profile) -> &'static str {
        self.message.entry().registry.prefix_and_version(profile).0
    }

    /// The registry and key of its message, without the version.
    pub(crate) fn message_id(&self, profile: Profile) -> String {
        format!("{}.{}", self.prefix(profile), self.message.entry().key)
    }

    pub(crate) fn event_type(&self) -> &'static str {
        let entry = self.message.entry();
        match (entry.registry, entry.key) {
            (Registry::ResourceEvent, "ResourceCreated") => "ResourceAdded",
            (Registry::ResourceEvent, "ResourceRemoved") => "ResourceRemoved",
            (Registry::ResourceEvent, "ResourceChanged") => "ResourceUpdated",
            (Registry::TaskEvent, _) | (Registry::MachineRoom, "PowerChanged") => "StatusChange",
            _ => "Alert",
        }
    }

    /// The properties that the `$filter` of a stream can compare.
    pub(crate) fn filter_properties(&self, profile: Profile) -> Value {
        json!({
            "EventFormatType": "Event",
            "EventType": self.event_type(),
            "MessageId": self.message_id(profile),
            "OriginResource": self.origin,
            "RegistryPrefix": self.prefix(profile),
            "ResourceType": self.schema,
        })
    }

    /// The document that a subscriber with this `Context` receives.
    pub(crate) fn document(&self, context: &Value, profile: Profile) -> Value {
        let id = self.id.to_string();
        let mut record = self.message.render(profile);
        for (name, value) in [
            ("MemberId", json!("0")),
            ("EventId", json!(id)),
            ("EventType", json!(self.event_type())),
            ("EventTimestamp", json!(date_time(self.at))),
            ("OriginOfCondition", json!({"@odata.id": self.origin})),
        ] {
            record[name] = value;
        }
        if let Some(record) = record.as_object_mut() {
            record.remove("@odata.type");
        }
        json!({
            "@odata.type": "#Event.v1_9_0.Event",
            "Id": id,
            "Name": "Event",
            "Context": context,
            "Events": [record],
        })
    }
}

/// Removes the version from a message identifier: `TaskEvent.1.0.TaskStarted` becomes `TaskEvent.TaskStarted`.
pub(crate) fn without_version(message_id: &str) -> String {
    let parts: Vec<&str> = message_id.split('.').collect();
    match parts.as_slice() {
        [prefix, .., key] => format!("{prefix}.{key}"),
        _ => message_id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::{Base, MachineRoom, ResourceEvent, TaskEvent};

    #[test]
    fn each_message_has_its_event_type_and_each_type_its_message() {
        let event_type = |message| {
            let (origin, schema) = (String::new(), String::new());
            Event { id: 1, at: Duration::ZERO, message, origin, schema }.event_type()
        };
        let seen = [
            event_type(Message::new(Base::EventBufferExceeded, [])),
            event_type(Message::new(ResourceEvent::ResourceCreated, [])),
            event_type(Message::new(ResourceEvent::ResourceRemoved, [])),
            event_type(Message::new(ResourceEvent::ResourceChanged, [])),
            event_type(Message::new(TaskEvent::TaskStarted, [])),
        ];
        assert_eq!(seen, EVENT_TYPES);
        assert_eq!(event_type(Message::new(MachineRoom::PowerChanged, [])), "StatusChange");
        assert_eq!(event_type(Message::new(ResourceEvent::TestMessage, [])), "Alert");
    }

    #[test]
    fn the_version_of_a_message_identifier_is_ignored() {
        for id in ["TaskEvent.TaskStarted", "TaskEvent.1.0.TaskStarted", "TaskEvent.1.0.3.TaskStarted"] {
            assert_eq!(without_version(id), "TaskEvent.TaskStarted");
        }
        assert_eq!(without_version("TaskStarted"), "TaskStarted");
    }
}
