//! The actions of the standard that this service implements, and how its resources describe them.

use std::time::Duration;

use serde_json::{Value, json};

use super::builder::ResourceBuilder;
use crate::protocol::property::Kind;

/// An action of the standard.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// The duration of the task that carries it out. `None` if it is carried out at once.
    pub(crate) duration: Option<Duration>,
}

/// A parameter of an action.
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
    duration: None,
};
pub(crate) const MANAGER_RESET: Action = Action {
    name: "Manager.Reset",
    parameters: &[required("ResetType", Kind::Choice(&["GracefulRestart", "ForceRestart"]))],
    duration: None,
};
pub(crate) const RESET_TO_DEFAULTS: Action = Action {
    name: "Manager.ResetToDefaults",
    parameters: &[required(
        "ResetType",
        Kind::Choice(&["ResetAll", "PreserveNetwork", "PreserveNetworkAndUsers"]),
    )],
    duration: Some(Duration::from_secs(8)),
};
pub(crate) const RESET_BIOS: Action =
    Action { name: "Bios.ResetBios", parameters: &[], duration: Some(Duration::from_secs(5)) };

pub(crate) const CLEAR_LOG: Action = Action { name: "LogService.ClearLog", parameters: &[], duration: None };

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
    duration: None,
};
pub(crate) const SIMPLE_UPDATE: Action = Action {
    name: "UpdateService.SimpleUpdate",
    parameters: &[
        required("ImageURI", Kind::Text { min: 1, max: 2048 }),
        Parameter {
            name: "TransferProtocol",
            kind: Kind::Choice(&["HTTP", "HTTPS", "FTP", "SFTP", "TFTP", "NFS", "CIFS"]),
            required: false,
        },
        Parameter { name: "Targets", kind: Kind::List(&TEXT), required: false },
        Parameter { name: "Username", kind: TEXT, required: false },
        Parameter { name: "Password", kind: Kind::Secret { min: 0, max: 1024 }, required: false },
    ],
    // The settings of the service determine the duration.
    duration: None,
};
const TEXT: Kind = Kind::Text { min: 0, max: 1024 };

const ACTIONS: [&Action; 7] = [
    &SYSTEM_RESET,
    &MANAGER_RESET,
    &RESET_TO_DEFAULTS,
    &RESET_BIOS,
    &CLEAR_LOG,
    &SUBMIT_TEST_EVENT,
    &SIMPLE_UPDATE,
];

/// How a resource describes the parameters of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterSource {
    /// With annotations in the resource.
    Annotations,
    /// With an ActionInfo resource.
    ActionInfo,
    /// With both.
    Both,
}

impl Action {
    /// The action with this name.
    pub(crate) fn from_name(name: &str) -> Option<&'static Action> {
        ACTIONS.into_iter().find(|action| action.name == name)
    }

    /// The name without its schema: `Reset`.
    fn short_name(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, short)| short)
    }

    fn info_path(&self, owner: &str) -> String {
        format!("{owner}/{}ActionInfo", self.short_name())
    }

    /// Its entry in the `Actions` of the resource at `owner`.
    pub(crate) fn entry(&self, owner: &str, source: ParameterSource) -> Value {
        let mut entry = json!({"target": format!("{owner}/Actions/{}", self.name)});
        if source != ParameterSource::Annotations {
            entry["@Redfish.ActionInfo"] = json!(self.info_path(owner));
        }
        for parameter in self.parameters.iter().filter(|_| source != ParameterSource::ActionInfo) {
            if let Kind::Choice(values) = parameter.kind {
                entry[format!("{}@Redfish.AllowableValues", parameter.name)] = json!(values);
            }
        }
        entry
    }

    /// Its ActionInfo resource (DSP0268, "ActionInfo").
    pub(crate) fn action_info(&self, owner: &str) -> ResourceBuilder {
        let parameters: Vec<Value> = self.parameters.iter().map(Parameter::document).collect();
        ResourceBuilder::new(json!({
            "@odata.id": self.info_path(owner),
            "@odata.type": "#ActionInfo.v1_4_2.ActionInfo",
            "Id": format!("{}ActionInfo", self.short_name()),
            "Name": format!("Parameters of {}", self.name),
            "Parameters": parameters,
        }))
    }
}

impl Parameter {
    fn document(&self) -> Value {
        let mut document = json!({"Name": self.name, "Required": self.required});
        document["DataType"] = json!(match self.kind {
            Kind::Text { .. }
            | Kind::Pem
            | Kind::Secret { .. }
            | Kind::Choice(_)
            | Kind::Ipv4
            | Kind::Ipv6 => "String",
            Kind::Integer { .. } => "Number",
            Kind::Boolean | Kind::OnlyFalse => "Boolean",
            Kind::List(Kind::Object(_)) | Kind::Headers => "ObjectArray",
            Kind::List(_) => "StringArray",
            Kind::Object(_) => "Object",
        });
        match self.kind {
            Kind::Choice(values) => document["AllowableValues"] = json!(values),
            Kind::Integer { min, max } => {
                document["MinimumValue"] = json!(min);
                document["MaximumValue"] = json!(max);
            }
            _ => {}
        }
        document
    }
}
