//! Message registries and their entries (DSP0268, "MessageRegistry").

use crate::protocol::profile::Profile;

/// The registry that defines a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    /// General errors and successes.
    Base,
    /// Changes of resources.
    ResourceEvent,
    /// The progress of tasks.
    TaskEvent,
    /// Log entries of the machines; a registry of this service.
    MachineRoom,
}

/// A value of `MessageSeverity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Ok,
    Warning,
    Critical,
}

/// The definition of a message in its registry.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) registry: Registry,
    pub(crate) key: &'static str,
    /// The text, with `%1`, `%2`, … for the arguments.
    pub(crate) text: &'static str,
    pub(crate) severity: Severity,
    pub(crate) resolution: &'static str,
}

/// Defines an enum of messages and the entries of its registry from one table: `Key: Severity, "text", "resolution";`.
macro_rules! messages {
    (
        $registry:expr,
        $(#[$doc:meta])*
        pub(crate) enum $name:ident { $($key:ident: $severity:ident, $text:literal, $resolution:literal;)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($key),+ }

        impl $name {
            pub(crate) const ENTRIES: &'static [super::registry::Entry] = &[$(super::registry::Entry {
                registry: $registry,
                key: stringify!($key),
                text: $text,
                severity: super::registry::Severity::$severity,
                resolution: $resolution,
            }),+];
        }

        impl From<$name> for &'static super::registry::Entry {
            fn from(message: $name) -> &'static super::registry::Entry {
                &$name::ENTRIES[message as usize]
            }
        }
    };
}
pub(super) use messages;

impl Registry {
    /// Its prefix, and its version in this profile.
    pub(crate) fn prefix_and_version(self, profile: Profile) -> (&'static str, &'static str) {
        match (self, profile) {
            (Registry::Base, Profile::Older) => ("Base", "1.0"),
            (Registry::Base, Profile::Standard | Profile::Slots) => ("Base", "1.19"),
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
