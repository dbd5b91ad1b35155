//! Messages of registries (DSP0266, "Message object"). Their texts are our own.

mod base;
mod machine_room;
mod registry;
mod resource_event;
mod task_event;

use serde_json::{Value, json};

pub(crate) use base::Base;
pub(crate) use machine_room::MachineRoom;
pub(crate) use registry::{Entry, Registry};
pub(crate) use resource_event::ResourceEvent;
pub(crate) use task_event::TaskEvent;

use super::profile::Profile;

/// One entry of `@Message.ExtendedInfo`.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    entry: &'static Entry,
    arguments: Vec<String>,
    related_property: Option<String>,
    has_no_text: bool,
}

/// The maximum length of an argument in characters. A longer one, such as the value of a client, is cut.
const MAX_ARGUMENT: usize = 1_000;

fn shortened(argument: &str) -> String {
    match argument.char_indices().nth(MAX_ARGUMENT) {
        Some((end, _)) => format!("{}…", &argument[..end]),
        None => argument.to_owned(),
    }
}

impl Message {
    pub(crate) fn new<const N: usize>(entry: impl Into<&'static Entry>, arguments: [&str; N]) -> Message {
        Message {
            entry: entry.into(),
            arguments: arguments.map(shortened).to_vec(),
            related_property: None,
            has_no_text: false,
        }
    }

    /// Sets the property that the message is about: its path within the resource.
    pub(crate) fn related_to(self, property: &str) -> Message {
        Message { related_property: Some(format!("#/{property}")), ..self }
    }

    /// Removes the text, so that the client must look it up in the registry.
    pub(crate) fn without_text(self) -> Message {
        Message { has_no_text: true, ..self }
    }

    pub(crate) fn has_no_text(&self) -> bool {
        self.has_no_text
    }

    pub(crate) fn entry(&self) -> &'static Entry {
        self.entry
    }

    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Its text with the arguments filled in. One pass, so that an argument that contains `%2` is not changed.
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

    /// Its identifier, with the version of the profile: `Base.1.19.Success`.
    pub(crate) fn id(&self, profile: Profile) -> String {
        let (prefix, version) = self.entry.registry.prefix_and_version(profile);
        format!("{prefix}.{version}.{}", self.entry.key)
    }

    /// Renders the message object: all members in `standard`, only the identifier and arguments in `ilo-amplifier`.
    pub(crate) fn render(&self, profile: Profile) -> Value {
        match profile {
            Profile::Standard | Profile::Older | Profile::Slots if self.has_no_text => {
                self.render_id("#Message.v1_2_1.Message", profile)
            }
            Profile::Standard | Profile::Older | Profile::Slots => self.render_full(profile),
            Profile::IloAmplifier => self.render_id("#Message.1.0.0.Message", profile),
        }
    }

    fn render_full(&self, profile: Profile) -> Value {
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
        if let Some(property) = &self.related_property {
            entry["RelatedProperties"] = json!([property]);
        }
        entry
    }

    fn render_id(&self, odata_type: &str, profile: Profile) -> Value {
        let mut entry = json!({"@odata.type": odata_type, "MessageId": self.id(profile)});
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
    fn a_missing_argument_leaves_its_placeholder() {
        assert_eq!(
            Message::new(Base::ResourceMissingAtURI, []).text(),
            "There is no resource at the URI %1."
        );
    }

    #[test]
    fn a_full_message_has_a_text_and_a_short_one_has_only_its_identifier() {
        let message = Message::new(Base::PropertyUnknown, ["Color"]).related_to("Color");
        let full = message.render_full(Profile::Standard);
        assert_eq!(full["MessageId"], "Base.1.19.PropertyUnknown");
        assert_eq!(full["Message"], "This resource has no property Color.");
        assert_eq!(full["Severity"], "Warning");
        assert_eq!(full["RelatedProperties"], json!(["#/Color"]));
        assert_eq!(
            Message::new(Base::NoValidSession, []).render(Profile::IloAmplifier),
            json!({"@odata.type": "#Message.1.0.0.Message", "MessageId": "Base.1.1.NoValidSession"})
        );
    }

    #[test]
    fn a_message_converts_to_the_entry_of_its_key() {
        for key in [Base::ActionParameterMissing, Base::NoOperation, Base::UnrecognizedRequestBody] {
            assert_eq!(<&Entry>::from(key).key, format!("{key:?}"));
        }
        assert_eq!(
            Message::new(TaskEvent::TaskStarted, []).id(Profile::Standard),
            "TaskEvent.1.0.TaskStarted"
        );
    }
}
