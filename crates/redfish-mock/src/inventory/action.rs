//! The actions of the standard that this service implements, and how its resources describe them.

use std::time::Duration;

use serde_json::{Value, json};

use super::builder::ResourceBuilder;
use crate::protocol::property::{Kind, Property};

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

const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: false }
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

pub(crate) const BIOS_PASSWORD: Action = Action {
    name: "Bios.ChangePassword",
    parameters: &[
        required("PasswordName", Kind::Choice(&["AdminPassword", "UserPassword"])),
        required("OldPassword", Kind::Secret { min: 0, max: 64 }),
        required("NewPassword", Kind::Secret { min: 0, max: 64 }),
    ],
    duration: None,
};

pub(crate) const PROCESSOR_RESET: Action = Action {
    name: "Processor.Reset",
    parameters: &[required("ResetType", Kind::Choice(&["ForceRestart"]))],
    duration: None,
};

pub(crate) const RESET_KEYS: Action = Action {
    name: "SecureBoot.ResetKeys",
    parameters: &[required(
        "ResetKeysType",
        Kind::Choice(&["ResetAllKeysToDefault", "DeleteAllKeys", "DeletePK"]),
    )],
    duration: None,
};
pub(crate) const RESET_DATABASE_KEYS: Action = Action {
    name: "SecureBootDatabase.ResetKeys",
    parameters: &[required("ResetKeysType", Kind::Choice(&["ResetAllKeysToDefault", "DeleteAllKeys"]))],
    duration: None,
};

pub(crate) const DRIVE_RESET: Action = Action {
    name: "Drive.Reset",
    parameters: &[required("ResetType", Kind::Choice(&["ForceRestart", "PowerCycle"]))],
    duration: None,
};
pub(crate) const SECURE_ERASE: Action = Action {
    name: "Drive.SecureErase",
    parameters: &[
        optional("SanitizationType", Kind::Choice(&["BlockErase", "CryptographicErase", "Overwrite"])),
        optional("OverwritePasses", Kind::Integer { min: 1, max: 8 }),
    ],
    duration: Some(Duration::from_secs(10)),
};
pub(crate) const INITIALIZE_VOLUME: Action = Action {
    name: "Volume.Initialize",
    parameters: &[optional("InitializeMethod", Kind::Choice(&["Skip", "Background", "Foreground"]))],
    duration: Some(Duration::from_secs(6)),
};

pub(crate) const RESET_METRICS: Action =
    Action { name: "EnvironmentMetrics.ResetMetrics", parameters: &[], duration: None };
pub(crate) const RESET_ADAPTER: Action =
    Action { name: "NetworkAdapter.ResetSettingsToDefault", parameters: &[], duration: None };

pub(crate) const INSERT_MEDIA: Action = Action {
    name: "VirtualMedia.InsertMedia",
    parameters: &[
        required("Image", Kind::Text { min: 1, max: 2048 }),
        optional("Inserted", Kind::Boolean),
        optional("WriteProtected", Kind::Boolean),
        optional("UserName", Kind::Nullable(&TEXT)),
        optional("Password", Kind::Secret { min: 0, max: 1024 }),
        optional("TransferMethod", Kind::Choice(&["Stream"])),
        optional("TransferProtocolType", Kind::Choice(&["HTTP", "HTTPS", "NFS", "CIFS"])),
    ],
    duration: None,
};
pub(crate) const EJECT_MEDIA: Action =
    Action { name: "VirtualMedia.EjectMedia", parameters: &[], duration: None };

pub(crate) const GENERATE_CSR: Action = Action {
    name: "CertificateService.GenerateCSR",
    parameters: &[
        required("CommonName", Kind::Text { min: 1, max: 64 }),
        required("CertificateCollection", REFERENCE),
        optional("AlternativeNames", Kind::List(&TEXT)),
        optional("City", TEXT),
        optional("Country", Kind::Text { min: 2, max: 2 }),
        optional("Email", TEXT),
        optional("KeyCurveId", Kind::Choice(&["TPM_ECC_NIST_P256"])),
        optional("KeyPairAlgorithm", Kind::Choice(&["TPM_ALG_ECDSA"])),
        optional("Organization", TEXT),
        optional("OrganizationalUnit", TEXT),
        optional("State", TEXT),
    ],
    duration: None,
};
pub(crate) const REPLACE_CERTIFICATE: Action = Action {
    name: "CertificateService.ReplaceCertificate",
    parameters: &[
        required("CertificateString", Kind::Pem),
        required("CertificateType", Kind::Choice(&["PEM", "PEMchain"])),
        required("CertificateUri", REFERENCE),
    ],
    duration: None,
};

pub(crate) const INSTALL_LICENSE: Action = Action {
    name: "LicenseService.Install",
    parameters: &[
        required("LicenseFileURI", Kind::Text { min: 1, max: 2048 }),
        optional("TransferProtocol", Kind::Choice(&["HTTP", "HTTPS", "NFS", "CIFS"])),
        optional("Username", TEXT),
        optional("Password", Kind::Secret { min: 0, max: 1024 }),
    ],
    duration: None,
};

pub(crate) const COLLECT_DIAGNOSTIC_DATA: Action = Action {
    name: "LogService.CollectDiagnosticData",
    parameters: &[required("DiagnosticDataType", Kind::Choice(&["Manager", "OS", "PreOS"]))],
    duration: Some(Duration::from_secs(6)),
};

pub(crate) const CLEAR_LOG: Action = Action { name: "LogService.ClearLog", parameters: &[], duration: None };

pub(crate) const SUBMIT_TEST_EVENT: Action = Action {
    name: "EventService.SubmitTestEvent",
    parameters: &[
        required("MessageId", TEXT),
        optional("Message", TEXT),
        optional("MessageArgs", Kind::List(&TEXT)),
        Parameter {
            name: "MessageSeverity",
            kind: Kind::Choice(&["OK", "Warning", "Critical"]),
            required: false,
        },
        optional("EventId", TEXT),
        optional("EventTimestamp", TEXT),
        optional("OriginOfCondition", TEXT),
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
        optional("Targets", Kind::List(&TEXT)),
        optional("Username", TEXT),
        optional("Password", Kind::Secret { min: 0, max: 1024 }),
    ],
    // The settings of the service determine the duration.
    duration: None,
};
const TEXT: Kind = Kind::Text { min: 0, max: 1024 };
const REFERENCE: Kind =
    Kind::Object(&[Property { path: "@odata.id", kind: Kind::Text { min: 1, max: 1024 } }]);

const ACTIONS: [&Action; 22] = [
    &BIOS_PASSWORD,
    &PROCESSOR_RESET,
    &RESET_KEYS,
    &RESET_DATABASE_KEYS,
    &DRIVE_RESET,
    &SECURE_ERASE,
    &INITIALIZE_VOLUME,
    &RESET_METRICS,
    &RESET_ADAPTER,
    &INSERT_MEDIA,
    &EJECT_MEDIA,
    &GENERATE_CSR,
    &REPLACE_CERTIFICATE,
    &INSTALL_LICENSE,
    &COLLECT_DIAGNOSTIC_DATA,
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
        let kind = match self.kind {
            Kind::Nullable(kind) => *kind,
            kind => kind,
        };
        document["DataType"] = json!(match kind {
            Kind::Text { .. }
            | Kind::Pem
            | Kind::Secret { .. }
            | Kind::Choice(_)
            | Kind::Ipv4
            | Kind::Ipv6 => "String",
            Kind::Integer { .. } | Kind::Number => "Number",
            Kind::Boolean | Kind::OnlyFalse => "Boolean",
            Kind::List(Kind::Object(_)) | Kind::Headers => "ObjectArray",
            Kind::List(_) => "StringArray",
            Kind::Object(_) | Kind::Nullable(_) => "Object",
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
