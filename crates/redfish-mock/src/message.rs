//! What the service says: messages of the `Base` registry (DSP0268, "Message registries"), in our own words.

use serde_json::{Value, json};

/// The messages of the `Base` registry that this service uses. The variant's name is the message's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    ActionParameterMissing,
    ActionParameterUnknown,
    ActionParameterValueNotInList,
    CreateFailedMissingReqProperties,
    Created,
    GeneralError,
    HeaderInvalid,
    InsufficientPrivilege,
    MalformedJSON,
    NoOperation,
    NoValidSession,
    OperationNotAllowed,
    PasswordChangeRequired,
    PayloadTooLarge,
    PreconditionFailed,
    PropertyNotWritable,
    PropertyUnknown,
    PropertyValueFormatError,
    PropertyValueNotInList,
    PropertyValueOutOfRange,
    PropertyValueTypeError,
    QueryNotSupported,
    ResourceAlreadyExists,
    ResourceAtUriUnauthorized,
    ResourceMissingAtURI,
    ServiceTemporarilyUnavailable,
    SessionLimitExceeded,
    Success,
    UnrecognizedRequestBody,
}

/// How bad it is, as `MessageSeverity` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    Ok,
    Warning,
    Critical,
}

impl Base {
    /// Its text with `%1`, `%2`, … for the arguments, its severity, and what to do about it.
    fn entry(self) -> (&'static str, Severity, &'static str) {
        use Severity::{Critical, Ok, Warning};
        match self {
            Base::ActionParameterMissing => (
                "The action %1 needs the parameter %2, which the request leaves out.",
                Critical,
                "Give the parameter and send the request again.",
            ),
            Base::ActionParameterUnknown => (
                "The action %1 has no parameter %2.",
                Warning,
                "Leave the parameter out, or correct its name, and send the request again.",
            ),
            Base::ActionParameterValueNotInList => (
                "The value '%1' of the parameter %2 is not one that the action %3 takes.",
                Warning,
                "Choose one of the action's allowable values and send the request again.",
            ),
            Base::CreateFailedMissingReqProperties => (
                "Nothing was created: the required property %1 is missing from the request.",
                Critical,
                "Add the property with a valid value and send the request again.",
            ),
            Base::Created => ("The resource was created.", Ok, "None."),
            Base::GeneralError => (
                "The request failed for more than one reason.",
                Critical,
                "See @Message.ExtendedInfo for each of them.",
            ),
            Base::HeaderInvalid => (
                "The value of the header %1 is not one that this request may have.",
                Warning,
                "Correct the header and send the request again.",
            ),
            Base::InsufficientPrivilege => (
                "The account or the credentials of this session do not have the privileges for this operation.",
                Critical,
                "Use an account with a role that may do this, or have the role changed.",
            ),
            Base::MalformedJSON => (
                "The body of the request is not JSON that can be parsed.",
                Critical,
                "Correct the body of the request and send it again.",
            ),
            Base::NoOperation => (
                "The request names nothing that could be changed, and so changed nothing.",
                Warning,
                "Name at least one property that can be written and send the request again.",
            ),
            Base::NoValidSession => (
                "The request carries neither a valid session token nor valid credentials.",
                Critical,
                "Create a session, or give credentials, and send the request again.",
            ),
            Base::OperationNotAllowed => (
                "This resource does not allow the HTTP method of the request.",
                Critical,
                "Use one of the methods that the header Allow names.",
            ),
            Base::PasswordChangeRequired => (
                "The password of this account has to be changed before it may be used. PATCH the property Password of %1.",
                Critical,
                "Change the password of the account, then send the request again.",
            ),
            Base::PayloadTooLarge => {
                ("The body of the request is larger than this service takes.", Critical, "Send less at once.")
            }
            Base::PreconditionFailed => (
                "The condition in the request's headers does not hold for the resource as it is.",
                Critical,
                "Read the resource, and try again with its present ETag.",
            ),
            Base::PropertyNotWritable => (
                "The property %1 cannot be changed.",
                Warning,
                "Leave the property out and send the request again.",
            ),
            Base::PropertyUnknown => (
                "This resource has no property %1.",
                Warning,
                "Leave the property out, or correct its name, and send the request again.",
            ),
            Base::PropertyValueFormatError => (
                "The value '%1' of the property %2 does not have the form that the property takes.",
                Warning,
                "Correct the value and send the request again.",
            ),
            Base::PropertyValueNotInList => (
                "The value '%1' of the property %2 is not one of its allowable values.",
                Warning,
                "Choose one of the allowable values and send the request again.",
            ),
            Base::PropertyValueOutOfRange => (
                "The value '%1' of the property %2 is outside of its range.",
                Warning,
                "Choose a value within the range and send the request again.",
            ),
            Base::PropertyValueTypeError => (
                "The value '%1' of the property %2 has a type that the property does not take.",
                Warning,
                "Correct the value's type and send the request again.",
            ),
            Base::QueryNotSupported => (
                "This service does not support the query parameter.",
                Warning,
                "Leave the query parameter out and send the request again.",
            ),
            Base::ResourceAlreadyExists => (
                "A resource of the type %1 with the property %2 of the value '%3' exists already.",
                Critical,
                "Use another value, or change the resource that exists.",
            ),
            Base::ResourceAtUriUnauthorized => (
                "The service refused the authentication for %1: %2",
                Critical,
                "Check user name and password, then send the request again.",
            ),
            Base::ResourceMissingAtURI => (
                "There is no resource at the URI %1.",
                Critical,
                "Find the resource by following links from the service root.",
            ),
            Base::ServiceTemporarilyUnavailable => (
                "The service is not available for the moment. Try again in %1 seconds.",
                Critical,
                "Wait that long, then send the request again.",
            ),
            Base::SessionLimitExceeded => (
                "No session could be opened: as many are open as the service allows.",
                Critical,
                "Close sessions that are no longer used, or wait until they expire, then try again.",
            ),
            Base::Success => ("The request was carried out.", Ok, "None."),
            Base::UnrecognizedRequestBody => (
                "The body of the request is JSON, but not an object as this request takes it.",
                Warning,
                "Send a JSON object.",
            ),
        }
    }
}

/// One entry of `@Message.ExtendedInfo`.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    base: Base,
    arguments: Vec<String>,
    related: Option<String>,
}

impl Message {
    pub(crate) fn new<const N: usize>(base: Base, arguments: [&str; N]) -> Message {
        Message { base, arguments: arguments.map(str::to_owned).to_vec(), related: None }
    }

    /// Says which property it is about, as a JSON pointer with `#` before it.
    pub(crate) fn about(self, pointer: &str) -> Message {
        Message { related: Some(format!("#/{pointer}")), ..self }
    }

    pub(crate) fn base(&self) -> Base {
        self.base
    }

    /// Its text, the arguments filled in. One pass, so that an argument that contains `%2` stays as it is.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut rest = self.base.entry().0;
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

    /// In full, as the standard has it.
    pub(crate) fn in_full(&self, registry: &str) -> Value {
        let (_, severity, resolution) = self.base.entry();
        let severity = match severity {
            Severity::Ok => "OK",
            Severity::Warning => "Warning",
            Severity::Critical => "Critical",
        };
        let mut entry = json!({
            "@odata.type": "#Message.v1_2_1.Message",
            "MessageId": format!("{registry}.{:?}", self.base),
            "Message": self.text(),
            "MessageArgs": self.arguments,
            "MessageSeverity": severity,
            "Severity": severity,
            "Resolution": resolution,
        });
        if let Some(related) = &self.related {
            entry["RelatedProperties"] = json!([related]);
        }
        entry
    }

    /// With nothing but the message's name, as iLO Amplifier Pack has it, and its arguments where it has some.
    pub(crate) fn in_brief(&self, registry: &str) -> Value {
        let mut entry = json!({
            "@odata.type": "#Message.1.0.0.Message",
            "MessageId": format!("{registry}.{:?}", self.base),
        });
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
        let full = message.in_full("Base.1.19");
        assert_eq!(full["MessageId"], "Base.1.19.PropertyUnknown");
        assert_eq!(full["Message"], "This resource has no property Colour.");
        assert_eq!(full["Severity"], "Warning");
        assert_eq!(full["RelatedProperties"], json!(["#/Colour"]));
        assert_eq!(
            Message::new(Base::NoValidSession, []).in_brief("Base.1.1"),
            json!({"@odata.type": "#Message.1.0.0.Message", "MessageId": "Base.1.1.NoValidSession"})
        );
    }
}
