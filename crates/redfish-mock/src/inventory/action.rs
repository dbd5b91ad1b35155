//! The actions that this service knows: what they take, how they are described, how long they take.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::inventory::tree::Draft;
use crate::protocol::message::{Base, Message};
use crate::protocol::patch::Kind;

/// An action of the standard.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// How long it takes where it is a task.
    pub(crate) takes: Option<Duration>,
}

/// What an action is told.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: true }
}

pub(crate) const SYSTEM_RESET: Action = Action {
    name: "ComputerSystem.Reset",
    parameters: &[required(
        "ResetType",
        Kind::Choice(&[
            "On",
            "ForceOff",
            "GracefulShutdown",
            "GracefulRestart",
            "ForceRestart",
            "Nmi",
            "ForceOn",
            "PowerCycle",
            "PushPowerButton",
        ]),
    )],
    takes: None,
};
pub(crate) const MANAGER_RESET: Action = Action {
    name: "Manager.Reset",
    parameters: &[required("ResetType", Kind::Choice(&["GracefulRestart", "ForceRestart"]))],
    takes: None,
};
pub(crate) const RESET_TO_DEFAULTS: Action = Action {
    name: "Manager.ResetToDefaults",
    parameters: &[required(
        "ResetType",
        Kind::Choice(&["ResetAll", "PreserveNetwork", "PreserveNetworkAndUsers"]),
    )],
    takes: Some(Duration::from_secs(8)),
};
pub(crate) const RESET_BIOS: Action =
    Action { name: "Bios.ResetBios", parameters: &[], takes: Some(Duration::from_secs(5)) };

pub(crate) const CLEAR_LOG: Action = Action { name: "LogService.ClearLog", parameters: &[], takes: None };

pub(crate) const SUBMIT_TEST_EVENT: Action = Action {
    name: "EventService.SubmitTestEvent",
    parameters: &[
        required("MessageId", TEXT),
        Parameter { name: "Message", kind: TEXT, required: false },
        Parameter { name: "MessageArgs", kind: Kind::List(&TEXT), required: false },
        Parameter {
            name: "MessageSeverity",
            kind: Kind::Choice(&["OK", "Warning", "Critical"]),
            required: false,
        },
        Parameter { name: "EventId", kind: TEXT, required: false },
        Parameter { name: "EventTimestamp", kind: TEXT, required: false },
        Parameter { name: "OriginOfCondition", kind: TEXT, required: false },
    ],
    takes: None,
};
pub(crate) const SIMPLE_UPDATE: Action = Action {
    name: "UpdateService.SimpleUpdate",
    parameters: &[
        required("ImageURI", Kind::Text { least: 1, most: 2048 }),
        Parameter {
            name: "TransferProtocol",
            kind: Kind::Choice(&["HTTP", "HTTPS", "FTP", "SFTP", "TFTP", "NFS", "CIFS"]),
            required: false,
        },
        Parameter { name: "Targets", kind: Kind::List(&TEXT), required: false },
        Parameter { name: "Username", kind: TEXT, required: false },
        Parameter { name: "Password", kind: Kind::Secret { least: 0, most: 1024 }, required: false },
    ],
    // As long as the service's settings say.
    takes: None,
};
const TEXT: Kind = Kind::Text { least: 0, most: 1024 };

const ACTIONS: [&Action; 7] = [
    &SYSTEM_RESET,
    &MANAGER_RESET,
    &RESET_TO_DEFAULTS,
    &RESET_BIOS,
    &CLEAR_LOG,
    &SUBMIT_TEST_EVENT,
    &SIMPLE_UPDATE,
];

/// How a resource tells what an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// By annotations in the resource.
    Here,
    /// By an ActionInfo resource.
    Apart,
    /// By both.
    Both,
}

impl Action {
    /// The action of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Action> {
        ACTIONS.into_iter().find(|action| action.name == name)
    }

    /// `Reset` of `ComputerSystem.Reset`.
    fn short(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, short)| short)
    }

    fn info_path(&self, owner: &str) -> String {
        format!("{owner}/{}ActionInfo", self.short())
    }

    /// Its entry in `Actions` of the resource at `owner`.
    pub(crate) fn offer(&self, owner: &str, told: Told) -> Value {
        let mut offer = json!({"target": format!("{owner}/Actions/{}", self.name)});
        if told != Told::Here {
            offer["@Redfish.ActionInfo"] = json!(self.info_path(owner));
        }
        for parameter in self.parameters.iter().filter(|_| told != Told::Apart) {
            if let Kind::Choice(values) = parameter.kind {
                offer[format!("{}@Redfish.AllowableValues", parameter.name)] = json!(values);
            }
        }
        offer
    }

    /// Its ActionInfo (DSP0268, "ActionInfo").
    pub(crate) fn info(&self, owner: &str) -> Draft {
        let parameters: Vec<Value> = self.parameters.iter().map(Parameter::document).collect();
        Draft::new(json!({
            "@odata.id": self.info_path(owner),
            "@odata.type": "#ActionInfo.v1_4_2.ActionInfo",
            "Id": format!("{}ActionInfo", self.short()),
            "Name": format!("What {} takes", self.name),
            "Parameters": parameters,
        }))
    }
}

impl Parameter {
    fn document(&self) -> Value {
        let mut document = json!({"Name": self.name, "Required": self.required});
        document["DataType"] = json!(match self.kind {
            Kind::Text { .. } | Kind::Secret { .. } | Kind::Choice(_) => "String",
            Kind::Whole { .. } => "Number",
            Kind::Flag | Kind::False => "Boolean",
            Kind::Ipv4 | Kind::Ipv6 => "String",
            Kind::List(Kind::Object(_)) => "ObjectArray",
            Kind::List(_) => "StringArray",
            Kind::Headers => "ObjectArray",
            Kind::Object(_) => "Object",
        });
        match self.kind {
            Kind::Choice(values) => document["AllowableValues"] = json!(values),
            Kind::Whole { least, most } => {
                document["MinimumValue"] = json!(least);
                document["MaximumValue"] = json!(most);
            }
            _ => {}
        }
        document
    }
}

/// What is wrong with the parameters that an action is given. `offer` is the action's entry in its resource: what that
/// allows goes before what the standard has. Of an action that is not known here, all else is taken as it comes.
pub(crate) fn problems(name: &str, offer: &Value, given: &Map<String, Value>) -> Vec<Message> {
    let known = Action::named(name);
    let parameters = known.map_or(&[][..], |action| action.parameters);
    let mut problems: Vec<Message> = parameters
        .iter()
        .filter(|parameter| parameter.required && !given.contains_key(parameter.name))
        .map(|parameter| Message::new(Base::ActionParameterMissing, [name, parameter.name]))
        .collect();
    for (parameter, value) in given.iter().filter(|(parameter, _)| !parameter.contains('@')) {
        let allowed = offer[format!("{parameter}@Redfish.AllowableValues")].as_array();
        let kind = parameters.iter().find(|known| known.name == parameter).map(|known| known.kind);
        let wrong = match (allowed, kind) {
            (Some(values), _) if values.contains(value) => None,
            (Some(_), _) if value.is_string() => Some(Base::ActionParameterValueNotInList),
            (Some(_), _) => Some(Base::ActionParameterValueTypeError),
            (None, Some(kind)) => kind.check(parameter, value).err().map(|message| of_an_action(&message)),
            (None, None) if known.is_some() => {
                problems.push(Message::new(Base::ActionParameterUnknown, [name, parameter]));
                None
            }
            (None, None) => None,
        };
        if let Some(wrong) = wrong {
            let shown = match kind {
                Some(Kind::Secret { .. }) => "(not shown)".to_owned(),
                _ => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            };
            problems.push(Message::new(wrong, [&shown, parameter, name]));
        }
    }
    problems
}

/// What is said of a parameter where a property would have been told this.
fn of_an_action(message: &Message) -> Base {
    match message.entry().key {
        "PropertyValueNotInList" => Base::ActionParameterValueNotInList,
        "PropertyValueOutOfRange" => Base::ActionParameterValueOutOfRange,
        "PropertyValueFormatError" => Base::ActionParameterValueFormatError,
        _ => Base::ActionParameterValueTypeError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(name: &str, offer: &Value, given: Value) -> Vec<&'static str> {
        let given = given.as_object().cloned().unwrap_or_default();
        problems(name, offer, &given).iter().map(|message| message.entry().key).collect()
    }

    #[test]
    fn each_parameter_gets_its_own_message() {
        for told in [Told::Here, Told::Apart, Told::Both] {
            let offer = SYSTEM_RESET.offer("/redfish/v1/Systems/1", told);
            for (given, expected) in [
                (json!({"ResetType": "On"}), &[][..]),
                (json!({"ResetType": "On", "@Redfish.OperationApplyTime": "Immediate"}), &[]),
                (json!({}), &["ActionParameterMissing"]),
                (json!({"ResetType": "Explode"}), &["ActionParameterValueNotInList"]),
                (json!({"ResetType": 1}), &["ActionParameterValueTypeError"]),
                (json!({"Type": "On"}), &["ActionParameterMissing", "ActionParameterUnknown"]),
            ] {
                assert_eq!(keys("ComputerSystem.Reset", &offer, given.clone()), expected, "{given} {told:?}");
            }
        }
    }

    #[test]
    fn what_the_resource_allows_goes_first_and_what_is_unknown_is_taken() {
        let narrow = json!({"ResetType@Redfish.AllowableValues": ["On"]});
        let off = json!({"ResetType": "ForceOff"});
        assert_eq!(keys("ComputerSystem.Reset", &narrow, off), ["ActionParameterValueNotInList"]);
        assert!(keys("Chassis.Polish", &json!({}), json!({"Cloth": 7})).is_empty());
    }
}
