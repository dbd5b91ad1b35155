//! Managers: the controllers of the machines, with their network interfaces, protocols and certificates.

use serde_json::{Value, json};

use super::action::{MANAGER_RESET, ParameterSource, RESET_TO_DEFAULTS};
use super::builder::ResourceBuilder;
use super::machine::{MACHINES, Machine, link, status};
use crate::protocol::property::{Kind, Property};

const WRITABLE: &[Property] = &[Property { path: "LocationIndicatorActive", kind: Kind::Boolean }];

const HOST: Kind = Kind::Text { min: 1, max: 253 };

const PROTOCOL_WRITABLE: &[Property] = &[
    Property { path: "HostName", kind: HOST },
    Property { path: "NTP/ProtocolEnabled", kind: Kind::Boolean },
    Property { path: "NTP/NTPServers", kind: Kind::List(&HOST) },
    Property { path: "SSH/ProtocolEnabled", kind: Kind::Boolean },
];

const INTERFACE_WRITABLE: &[Property] = &[
    Property { path: "HostName", kind: HOST },
    Property { path: "FQDN", kind: HOST },
    Property { path: "InterfaceEnabled", kind: Kind::Boolean },
    Property { path: "DHCPv4/DHCPEnabled", kind: Kind::Boolean },
    Property { path: "IPv4StaticAddresses", kind: Kind::List(&IPV4) },
    Property { path: "IPv6StaticAddresses", kind: Kind::List(&IPV6) },
    Property { path: "IPv6StaticDefaultGateways", kind: Kind::List(&IPV6) },
    Property { path: "StaticNameServers", kind: Kind::List(&HOST) },
    Property { path: "VLAN/VLANEnable", kind: Kind::Boolean },
    Property { path: "VLAN/VLANId", kind: Kind::Integer { min: 1, max: 4094 } },
    Property { path: "VLAN/VLANPriority", kind: Kind::Integer { min: 0, max: 7 } },
];

const IPV4: Kind = Kind::Object(&[
    Property { path: "Address", kind: Kind::Ipv4 },
    Property { path: "SubnetMask", kind: Kind::Ipv4 },
    Property { path: "Gateway", kind: Kind::Ipv4 },
]);
const IPV6: Kind = Kind::Object(&[
    Property { path: "Address", kind: Kind::Ipv6 },
    Property { path: "PrefixLength", kind: Kind::Integer { min: 0, max: 128 } },
]);

/// The properties that a new certificate requires.
const CERTIFICATE_REQUIRED: &[Property] = &[
    Property { path: "CertificateString", kind: Kind::Pem },
    Property { path: "CertificateType", kind: Kind::Choice(&["PEM", "PEMchain"]) },
];

pub(super) fn add(resources: &mut Vec<ResourceBuilder>) {
    let ids = MACHINES.iter().map(|machine| machine.id.to_owned());
    resources.push(ResourceBuilder::collection("/redfish/v1/Managers", "ManagerCollection", "Managers", ids));
    for machine in &MACHINES {
        resources.push(ResourceBuilder::new(manager(machine)).writable(WRITABLE));
        resources.push(RESET_TO_DEFAULTS.action_info(&machine.manager()));
        add_protocol(resources, machine);
        add_network(resources, machine);
    }
}

fn manager(machine: &Machine) -> Value {
    let path = machine.manager();
    json!({
        "@odata.id": path,
        "@odata.type": "#Manager.v1_19_0.Manager",
        "Id": machine.id,
        "Name": format!("Manager of {}", machine.host_name),
        "ManagerType": "BMC",
        "Model": "Fjord Warden",
        "FirmwareVersion": machine.firmware_version,
        "LocationIndicatorActive": false,
        "PowerState": "On",
        "Status": status("OK"),
        "EthernetInterfaces": link(format!("{path}/EthernetInterfaces")),
        "LogServices": link(format!("{path}/LogServices")),
        "NetworkProtocol": link(format!("{path}/NetworkProtocol")),
        "Links": {"ManagerForServers": [link(machine.system())], "ManagerForChassis": [link(machine.chassis())]},
        "Actions": {
            "#Manager.Reset": MANAGER_RESET.entry(&path, ParameterSource::Annotations),
            "#Manager.ResetToDefaults": RESET_TO_DEFAULTS.entry(&path, ParameterSource::ActionInfo),
        },
    })
}

fn add_protocol(resources: &mut Vec<ResourceBuilder>, machine: &Machine) {
    let path = format!("{}/NetworkProtocol", machine.manager());
    let certificates = format!("{path}/HTTPS/Certificates");
    let host = format!("{}-mgmt", machine.host_name);
    resources.push(
        ResourceBuilder::new(json!({
            "@odata.id": path,
            "@odata.type": "#ManagerNetworkProtocol.v1_10_0.ManagerNetworkProtocol",
            "Id": "NetworkProtocol",
            "Name": "Network protocols",
            "HostName": host,
            "FQDN": format!("{host}.example"),
            "HTTP": {"ProtocolEnabled": false, "Port": 80},
            "HTTPS": {"ProtocolEnabled": true, "Port": 443, "Certificates": link(&certificates)},
            "SSDP": {"ProtocolEnabled": false, "Port": 1900},
            "SSH": {"ProtocolEnabled": false, "Port": 22},
            "NTP": {"ProtocolEnabled": false, "Port": 123, "NTPServers": []},
            "Status": status("OK"),
        }))
        .writable(PROTOCOL_WRITABLE),
    );
    resources.push(
        ResourceBuilder::collection(&certificates, "CertificateCollection", "Certificates", ["1".to_owned()])
            .creatable(CERTIFICATE_REQUIRED),
    );
    resources.push(ResourceBuilder::new(json!({
        "@odata.id": format!("{certificates}/1"),
        "@odata.type": "#Certificate.v1_8_2.Certificate",
        "Id": "1",
        "Name": "Certificate of HTTPS",
        "CertificateType": "PEM",
        "CertificateString": null,
        "Subject": {"CommonName": host},
        "Issuer": {"CommonName": host},
        "ValidNotBefore": "2025-01-01T00:00:00Z",
        "ValidNotAfter": "2035-01-01T00:00:00Z",
    })));
}

fn add_network(resources: &mut Vec<ResourceBuilder>, machine: &Machine) {
    let path = format!("{}/EthernetInterfaces", machine.manager());
    let ids = ["1".to_owned()];
    resources.push(ResourceBuilder::collection(
        &path,
        "EthernetInterfaceCollection",
        "Network interfaces",
        ids,
    ));
    // Addresses that are reserved for documentation (RFC 5737, RFC 3849).
    let host = format!("{}-mgmt", machine.host_name);
    let (address, mask, gateway) = (format!("192.0.2.{}", machine.slot), "255.255.255.0", "192.0.2.254");
    let (address6, gateway6) = (format!("2001:db8::{:x}", machine.slot), "2001:db8::fe");
    resources.push(
        ResourceBuilder::new(json!({
            "@odata.id": format!("{path}/1"),
            "@odata.type": "#EthernetInterface.v1_11_0.EthernetInterface",
            "Id": "1",
            "Name": "Management port",
            "HostName": host,
            "FQDN": format!("{host}.example"),
            "MACAddress": machine.mac(0xB0),
            "SpeedMbps": 1000,
            "LinkStatus": "LinkUp",
            "InterfaceEnabled": true,
            "DHCPv4": {"DHCPEnabled": false},
            "IPv4Addresses":
                [{"Address": address, "SubnetMask": mask, "Gateway": gateway, "AddressOrigin": "Static"}],
            "IPv4StaticAddresses": [{"Address": address, "SubnetMask": mask, "Gateway": gateway}],
            "IPv6Addresses": [{"Address": address6, "PrefixLength": 64, "AddressOrigin": "Static",
                "AddressState": "Preferred"}],
            "IPv6StaticAddresses": [{"Address": address6, "PrefixLength": 64}],
            "IPv6DefaultGateway": gateway6,
            "IPv6StaticDefaultGateways": [{"Address": gateway6, "PrefixLength": 64}],
            "NameServers": ["192.0.2.53"],
            "StaticNameServers": ["192.0.2.53"],
            "VLAN": {"VLANEnable": false, "VLANId": 1, "VLANPriority": 0, "Tagged": false},
            "Status": status("OK"),
        }))
        .writable(INTERFACE_WRITABLE),
    );
}
