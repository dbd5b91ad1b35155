//! Something that happened, and what of it can be asked for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::date::date_time;
use crate::protocol::message::{Message, Registry};
use crate::protocol::profile::Profile;

/// What an event can be: `EventType` (DSP0268, "Event").
pub(crate) const EVENT_TYPES: &[&str] =
    &["Alert", "ResourceAdded", "ResourceRemoved", "ResourceUpdated", "StatusChange"];
/// The registries that events are of.
pub(crate) const PREFIXES: &[&str] = &["MachineRoom", "ResourceEvent", "TaskEvent"];

/// Something that happened to a resource.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its number, which is the `id` of a stream too.
    pub(super) id: u64,
    pub(super) at: Duration,
    pub(super) message: Message,
    /// The path of the resource.
    pub(super) origin: String,
    /// The name of the resource's schema, without version.
    pub(super) schema: String,
}

impl Event {
    pub(super) fn prefix(&self, profile: Profile) -> &'static str {
        self.message.entry().registry.prefix_and_version(profile).0
    }

    /// Its message as registry and key, whatever the version.
    pub(super) fn message_id(&self, profile: Profile) -> String {
        format!("{}.{}", self.prefix(profile), self.message.entry().key)
    }

    pub(super) fn kind(&self) -> &'static str {
        let entry = self.message.entry();
        match (entry.registry, entry.key) {
            (Registry::ResourceEvent, "ResourceCreated") => "ResourceAdded",
            (Registry::ResourceEvent, "ResourceRemoved") => "ResourceRemoved",
            (Registry::ResourceEvent, "ResourceChanged") => "ResourceUpdated",
            (Registry::TaskEvent, _) | (Registry::MachineRoom, "PowerChanged") => "StatusChange",
            _ => "Alert",
        }
    }

    /// What a filter can ask of it.
    pub(super) fn facts(&self, profile: Profile) -> Value {
        json!({
            "EventFormatType": "Event",
            "EventType": self.kind(),
            "MessageId": self.message_id(profile),
            "OriginResource": self.origin,
            "RegistryPrefix": self.prefix(profile),
            "ResourceType": self.schema,
        })
    }

    /// As it is sent to who gave this context.
    pub(super) fn document(&self, context: &Value, profile: Profile) -> Value {
        let id = self.id.to_string();
        let mut record = self.message.spell(profile);
        for (name, value) in [
            ("MemberId", json!("0")),
            ("EventId", json!(id)),
            ("EventType", json!(self.kind())),
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

/// A message's identifier without the version that it may have: `TaskEvent.1.0.TaskStarted` is `TaskEvent.TaskStarted`.
pub(super) fn without_version(message_id: &str) -> String {
    let parts: Vec<&str> = message_id.split('.').collect();
    match parts.as_slice() {
        [prefix, .., key] => format!("{prefix}.{key}"),
        _ => message_id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::{Base, ResourceEvent, Room, TaskEvent};

    #[test]
    fn each_message_has_its_event_type_and_each_type_its_message() {
        let kind = |message| {
            let (origin, schema) = (String::new(), String::new());
            Event { id: 1, at: Duration::ZERO, message, origin, schema }.kind()
        };
        let seen = [
            kind(Message::new(Base::EventBufferExceeded, [])),
            kind(Message::new(ResourceEvent::ResourceCreated, [])),
            kind(Message::new(ResourceEvent::ResourceRemoved, [])),
            kind(Message::new(ResourceEvent::ResourceChanged, [])),
            kind(Message::new(TaskEvent::TaskStarted, [])),
        ];
        assert_eq!(seen, EVENT_TYPES);
        assert_eq!(kind(Message::new(Room::PowerChanged, [])), "StatusChange");
        assert_eq!(kind(Message::new(ResourceEvent::TestMessage, [])), "Alert");
    }

    #[test]
    fn a_version_does_not_count() {
        for id in ["TaskEvent.TaskStarted", "TaskEvent.1.0.TaskStarted", "TaskEvent.1.0.3.TaskStarted"] {
            assert_eq!(without_version(id), "TaskEvent.TaskStarted");
        }
        assert_eq!(without_version("TaskStarted"), "TaskStarted");
    }
}
