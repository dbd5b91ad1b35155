//! What the service says: messages of registries (DSP0266, "Message object"; DSP0268, "MessageRegistry"), in our own words.

mod base;
mod machine_room;
mod resource_event;
mod task_event;

use serde_json::{Value, json};

pub(crate) use base::Base;
pub(crate) use machine_room::Room;
pub(crate) use resource_event::ResourceEvent;
pub(crate) use task_event::TaskEvent;

use crate::protocol::profile::Profile;

/// Where a message is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    /// What every service says.
    Base,
    /// What becomes of resources.
    ResourceEvent,
    /// What becomes of a task.
    TaskEvent,
    /// What happens in the machine room: the entries of its logs.
    MachineRoom,
}

/// How bad it is, as `MessageSeverity` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Ok,
    Warning,
    Critical,
}

/// A message as its registry defines it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) registry: Registry,
    pub(crate) key: &'static str,
    /// With `%1`, `%2`, … for the arguments.
    pub(crate) text: &'static str,
    pub(crate) severity: Severity,
    /// What to do about it.
    pub(crate) resolution: &'static str,
}

/// An enum of messages and the entries of its registry, of one table: `Key: Severity, "text", "resolution";`.
macro_rules! messages {
    (
        $registry:expr,
        $(#[$about:meta])*
        pub(crate) enum $name:ident { $($key:ident: $severity:ident, $text:literal, $resolution:literal;)+ }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($key),+ }

        impl $name {
            pub(crate) const ENTRIES: &'static [crate::protocol::message::Entry] = &[$(crate::protocol::message::Entry {
                registry: $registry,
                key: stringify!($key),
                text: $text,
                severity: crate::protocol::message::Severity::$severity,
                resolution: $resolution,
            }),+];
        }

        impl From<$name> for &'static crate::protocol::message::Entry {
            fn from(message: $name) -> &'static crate::protocol::message::Entry {
                &$name::ENTRIES[message as usize]
            }
        }
    };
}
use messages;

impl Registry {
    /// Its prefix and version, as a profile has them.
    pub(crate) fn prefix_and_version(self, profile: Profile) -> (&'static str, &'static str) {
        match (self, profile) {
            (Registry::Base, Profile::Standard) => ("Base", "1.19"),
            (Registry::Base, Profile::IloAmplifier) => ("Base", "1.1"),
            (Registry::ResourceEvent, _) => ("ResourceEvent", "1.3"),
            (Registry::TaskEvent, _) => ("TaskEvent", "1.0"),
            (Registry::MachineRoom, _) => ("MachineRoom", "1.0"),
        }
    }
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Ok => "OK",
            Severity::Warning => "Warning",
            Severity::Critical => "Critical",
        }
    }
}

/// One entry of `@Message.ExtendedInfo`.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    entry: &'static Entry,
    arguments: Vec<String>,
    related: Option<String>,
    bare: bool,
}

impl Message {
    pub(crate) fn new<const N: usize>(entry: impl Into<&'static Entry>, arguments: [&str; N]) -> Message {
        Message {
            entry: entry.into(),
            arguments: arguments.map(str::to_owned).to_vec(),
            related: None,
            bare: false,
        }
    }

    /// Says which property it is about, as a JSON pointer with `#` before it.
    pub(crate) fn about(self, pointer: &str) -> Message {
        Message { related: Some(format!("#/{pointer}")), ..self }
    }

    /// Leaves its text to its registry.
    pub(crate) fn bare(self) -> Message {
        Message { bare: true, ..self }
    }

    pub(crate) fn is_bare(&self) -> bool {
        self.bare
    }

    pub(crate) fn entry(&self) -> &'static Entry {
        self.entry
    }

    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Its text, the arguments filled in. One pass, so that an argument that contains `%2` stays as it is.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut rest = self.entry.text;
        while let Some((before, after)) = rest.split_once('%') {
            text.push_str(before);
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, tail) = after.split_at(digits);
            match number.parse::<usize>().ok().and_then(|n| self.arguments.get(n.checked_sub(1)?)) {
                Some(argument) => text.push_str(argument),
                None => {
                    text.push('%');
                    text.push_str(number);
                }
            }
            rest = tail;
        }
        text + rest
    }

    /// `Base.1.19.Success`, with the version that the profile has.
    pub(crate) fn id(&self, profile: Profile) -> String {
        let (prefix, version) = self.entry.registry.prefix_and_version(profile);
        format!("{prefix}.{version}.{}", self.entry.key)
    }

    /// As the profile has it: in full, or as iLO Amplifier Pack's documentation shows, with nothing but its name, and its
    /// arguments where it has some.
    pub(crate) fn spell(&self, profile: Profile) -> Value {
        match profile {
            Profile::Standard if self.bare => self.in_brief("#Message.v1_2_1.Message", profile),
            Profile::Standard => self.in_full(profile),
            Profile::IloAmplifier => self.in_brief("#Message.1.0.0.Message", profile),
        }
    }

    /// In full, as the standard has it.
    pub(crate) fn in_full(&self, profile: Profile) -> Value {
        let severity = self.entry.severity.name();
        let mut entry = json!({
            "@odata.type": "#Message.v1_2_1.Message",
            "MessageId": self.id(profile),
            "Message": self.text(),
            "MessageArgs": self.arguments,
            "MessageSeverity": severity,
            "Severity": severity,
            "Resolution": self.entry.resolution,
        });
        if let Some(related) = &self.related {
            entry["RelatedProperties"] = json!([related]);
        }
        entry
    }

    fn in_brief(&self, kind: &str, profile: Profile) -> Value {
        let mut entry = json!({"@odata.type": kind, "MessageId": self.id(profile)});
        if !self.arguments.is_empty() {
            entry["MessageArgs"] = json!(self.arguments);
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in_one_pass() {
        let message = Message::new(Base::PropertyValueTypeError, ["%2 of %1", "AssetTag"]);
        assert_eq!(
            message.text(),
            "The value '%2 of %1' of the property AssetTag has a type that the property does not take."
        );
    }

    #[test]
    fn an_argument_that_is_missing_leaves_its_mark() {
        assert_eq!(
            Message::new(Base::ResourceMissingAtURI, []).text(),
            "There is no resource at the URI %1."
        );
    }

    #[test]
    fn in_full_has_what_a_person_needs_and_in_brief_the_name() {
        let message = Message::new(Base::PropertyUnknown, ["Colour"]).about("Colour");
        let full = message.in_full(Profile::Standard);
        assert_eq!(full["MessageId"], "Base.1.19.PropertyUnknown");
        assert_eq!(full["Message"], "This resource has no property Colour.");
        assert_eq!(full["Severity"], "Warning");
        assert_eq!(full["RelatedProperties"], json!(["#/Colour"]));
        assert_eq!(
            Message::new(Base::NoValidSession, []).spell(Profile::IloAmplifier),
            json!({"@odata.type": "#Message.1.0.0.Message", "MessageId": "Base.1.1.NoValidSession"})
        );
    }

    #[test]
    fn an_entry_is_the_one_of_its_key() {
        for key in [Base::ActionParameterMissing, Base::NoOperation, Base::UnrecognizedRequestBody] {
            assert_eq!(<&Entry>::from(key).key, format!("{key:?}"));
        }
        assert_eq!(
            Message::new(TaskEvent::TaskStarted, []).id(Profile::Standard),
            "TaskEvent.1.0.TaskStarted"
        );
    }
}
