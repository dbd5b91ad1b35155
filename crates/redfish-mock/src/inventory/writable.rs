//! What clients may change and create, by the type of the resource.

use super::builder::ResourceBuilder;
use crate::protocol::property::{Kind, Property};

const fn property(path: &'static str, kind: Kind) -> Property {
    Property { path, kind }
}

const LABEL: Kind = Kind::Text { min: 0, max: 63 };
const HOST: Kind = Kind::Text { min: 1, max: 253 };
const URI: Kind = Kind::Nullable(&Kind::Text { min: 1, max: 2048 });
const LAMP: Property = property("LocationIndicatorActive", Kind::Boolean);

const INDICATOR: Property = property("IndicatorLED", Kind::Choice(&["Lit", "Blinking", "Off"]));

/// What the document of a system lacks cannot be changed: an older one has no lamp, and others no indicator.
const SYSTEM: &[Property] = &[
    LAMP,
    INDICATOR,
    property("AssetTag", Kind::Nullable(&LABEL)),
    property("HostName", Kind::Nullable(&Kind::Text { min: 0, max: 253 })),
    property("PowerRestorePolicy", Kind::Choice(&["AlwaysOn", "AlwaysOff", "LastState"])),
    property("Boot/BootSourceOverrideEnabled", Kind::Choice(&["Disabled", "Once", "Continuous"])),
    property(
        "Boot/BootSourceOverrideTarget",
        Kind::Choice(&["None", "Pxe", "Hdd", "Cd", "Usb", "BiosSetup", "UefiHttp"]),
    ),
    property("Boot/BootSourceOverrideMode", Kind::Choice(&["Legacy", "UEFI"])),
    property("Boot/BootOrder", Kind::List(&Kind::Choice(&["Boot0001", "Boot0002", "Boot0003", "Boot0004"]))),
];

/// The attributes of a BIOS, which its registry describes.
const BIOS: &[Property] = &[
    property("Attributes/AdminPhone", Kind::Text { min: 0, max: 32 }),
    property("Attributes/BootMode", Kind::Choice(&["Legacy", "Uefi"])),
    property("Attributes/BootRetries", Kind::Integer { min: 0, max: 9 }),
    property("Attributes/CStates", Kind::Boolean),
    property("Attributes/FanMinimumPercent", Kind::Integer { min: 10, max: 100 }),
    property("Attributes/NumLock", Kind::Boolean),
    property("Attributes/PowerProfile", Kind::Choice(&["Balanced", "Performance", "Quiet"])),
    property("Attributes/PxeTimeoutSeconds", Kind::Integer { min: 10, max: 300 }),
    property("Attributes/VirtualizationEnabled", Kind::Boolean),
];

const CHASSIS: &[Property] = &[LAMP, INDICATOR, property("AssetTag", Kind::Nullable(&LABEL))];

const SENSOR: &[Property] = &[
    property("Thresholds/UpperCaution/Reading", Kind::Number),
    property("Thresholds/UpperCritical/Reading", Kind::Number),
    property("Thresholds/LowerCaution/Reading", Kind::Number),
    property("Thresholds/LowerCritical/Reading", Kind::Number),
];

const VOLUME: &[Property] = &[
    property("DisplayName", LABEL),
    property("ReadCachePolicy", Kind::Choice(&["Off", "ReadAhead", "AdaptiveReadAhead"])),
    property(
        "WriteCachePolicy",
        Kind::Choice(&["WriteThrough", "UnprotectedWriteBack", "ProtectedWriteBack"]),
    ),
];

const NETWORK_FUNCTION: &[Property] = &[
    property("DeviceEnabled", Kind::Boolean),
    property("BootMode", Kind::Choice(&["Disabled", "PXE", "HTTP"])),
    property("Ethernet/MTUSize", Kind::Integer { min: 576, max: 9216 }),
];

const PROTOCOLS: &[Property] = &[
    property("IPMI/ProtocolEnabled", Kind::Boolean),
    property("KVMIP/ProtocolEnabled", Kind::Boolean),
    property("NTP/ProtocolEnabled", Kind::Boolean),
    property("NTP/NTPServers", Kind::List(&HOST)),
    property("SNMP/ProtocolEnabled", Kind::Boolean),
    property("SSH/ProtocolEnabled", Kind::Boolean),
    property("VirtualMedia/ProtocolEnabled", Kind::Boolean),
];

const INTERFACE: &[Property] = &[
    property("HostName", HOST),
    property("FQDN", HOST),
    property("InterfaceEnabled", Kind::Boolean),
    property("DHCPv4/DHCPEnabled", Kind::Boolean),
    property("IPv4StaticAddresses", Kind::List(&IPV4)),
    property("IPv6StaticAddresses", Kind::List(&IPV6)),
    property("IPv6StaticDefaultGateways", Kind::List(&IPV6)),
    property("StaticNameServers", Kind::List(&HOST)),
    property("VLAN/VLANEnable", Kind::Boolean),
    property("VLAN/VLANId", Kind::Integer { min: 1, max: 4094 }),
    property("VLAN/VLANPriority", Kind::Integer { min: 0, max: 7 }),
];
const IPV4: Kind = Kind::Object(&[
    property("Address", Kind::Ipv4),
    property("SubnetMask", Kind::Ipv4),
    property("Gateway", Kind::Ipv4),
]);
const IPV6: Kind = Kind::Object(&[
    property("Address", Kind::Ipv6),
    property("PrefixLength", Kind::Integer { min: 0, max: 128 }),
]);

/// The properties of an image in a slot that has no action to insert it.
const MEDIA: &[Property] =
    &[property("Image", URI), property("Inserted", Kind::Boolean), property("WriteProtected", Kind::Boolean)];

const LAMP_ONLY: &[Property] = &[LAMP];
const BOOT_OPTION: &[Property] = &[property("BootOptionEnabled", Kind::Boolean)];
const SECURE_BOOT: &[Property] = &[property("SecureBootEnable", Kind::Boolean)];
const REPORT: &[Property] = &[property("MetricReportDefinitionEnabled", Kind::Boolean)];
const LICENSE_SERVICE: &[Property] =
    &[property("LicenseExpirationWarningDays", Kind::Integer { min: 1, max: 365 })];

const WATTS: Kind = Kind::Integer { min: 200, max: 1600 };
const CONTROL_MODE: Kind = Kind::Choice(&["Automatic", "Disabled"]);
/// The power limit, in the Control and in the copy of it.
const CONTROL: &[Property] = &[property("SetPoint", WATTS), property("ControlMode", CONTROL_MODE)];
const POWER_LIMIT: &[Property] =
    &[property("PowerLimitWatts/SetPoint", WATTS), property("PowerLimitWatts/ControlMode", CONTROL_MODE)];

const CERTIFICATE_REQUIRED: &[Property] = &[
    property("CertificateString", Kind::Pem),
    property("CertificateType", Kind::Choice(&["PEM", "PEMchain"])),
];
const VOLUME_REQUIRED: &[Property] =
    &[property("RAIDType", Kind::Choice(&["RAID0", "RAID1", "RAID5"])), property("Links", DRIVES)];
const DRIVES: Kind = Kind::Object(&[property(
    "Drives",
    Kind::List(&Kind::Object(&[property("@odata.id", Kind::Text { min: 1, max: 1024 })])),
)]);
const VOLUME_OPTIONAL: &[Property] = &[
    property("CapacityBytes", Kind::Integer { min: 1 << 20, max: 1 << 50 }),
    property("DisplayName", LABEL),
    property("Name", LABEL),
];
const LICENSE_REQUIRED: &[Property] = &[property("LicenseString", Kind::Text { min: 4, max: 4096 })];
const SIGNATURE_REQUIRED: &[Property] = &[
    property("SignatureString", Kind::Text { min: 1, max: 4096 }),
    property("SignatureType", Kind::Text { min: 1, max: 64 }),
    property("SignatureTypeRegistry", Kind::Choice(&["UEFI"])),
];

/// Allows a resource to be changed, and members to be created in a collection.
pub(super) fn allow(resource: ResourceBuilder) -> ResourceBuilder {
    let odata_type = resource.odata_type().unwrap_or_default().trim_start_matches('#');
    let schema = odata_type.split('.').next().unwrap_or_default();
    let document = resource.document();
    let has = |member: &str| document.is_some_and(|document| document.get(member).is_some());
    match schema {
        "ComputerSystem" => resource.writable(SYSTEM),
        "Chassis" => resource.writable(CHASSIS),
        "Manager" | "Drive" | "Fan" | "PowerSupply" => resource.writable(LAMP_ONLY),
        // Settings take effect at the next reset.
        "Bios" if resource.path.ends_with("/Settings") => resource.writable(BIOS),
        "BootOption" => resource.writable(BOOT_OPTION),
        "SecureBoot" => resource.writable(SECURE_BOOT),
        "Sensor" => resource.writable(SENSOR),
        "Control" => resource.writable(CONTROL),
        "Volume" if resource.path.ends_with("/Capabilities") => resource,
        "Volume" => resource.writable(VOLUME).deletable(),
        "NetworkDeviceFunction" => resource.writable(NETWORK_FUNCTION),
        "ManagerNetworkProtocol" => resource.writable(PROTOCOLS),
        "EthernetInterface" if has("IPv4StaticAddresses") => resource.writable(INTERFACE),
        "VirtualMedia" if !has("Actions") => resource.writable(MEDIA),
        "EnvironmentMetrics" if has("PowerLimitWatts") => resource.writable(POWER_LIMIT),
        "LicenseService" => resource.writable(LICENSE_SERVICE),
        "MetricReportDefinition" => resource.writable(REPORT),
        "CertificateCollection" => resource.creatable(CERTIFICATE_REQUIRED, &[]),
        "VolumeCollection" => resource.creatable(VOLUME_REQUIRED, VOLUME_OPTIONAL),
        "LicenseCollection" => resource.creatable(LICENSE_REQUIRED, &[]),
        "SignatureCollection" => resource.creatable(SIGNATURE_REQUIRED, &[]),
        _ => resource,
    }
}
