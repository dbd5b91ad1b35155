//! Managers: the controllers that look after the machines, with their own network and its protocols.

use serde_json::{Value, json};

use super::{MACHINES, Machine, link, status};
use crate::inventory::action::{MANAGER_RESET, RESET_TO_DEFAULTS, Told};
use crate::inventory::tree::Draft;
use crate::protocol::patch::{Kind, Property};

const WRITABLE: &[Property] = &[Property { path: "LocationIndicatorActive", kind: Kind::Flag }];

const HOST: Kind = Kind::Text { least: 1, most: 253 };

const PROTOCOL_WRITABLE: &[Property] = &[
    Property { path: "HostName", kind: HOST },
    Property { path: "NTP/ProtocolEnabled", kind: Kind::Flag },
    Property { path: "NTP/NTPServers", kind: Kind::List(&HOST) },
    Property { path: "SSH/ProtocolEnabled", kind: Kind::Flag },
];

const INTERFACE_WRITABLE: &[Property] = &[
    Property { path: "HostName", kind: HOST },
    Property { path: "FQDN", kind: HOST },
    Property { path: "InterfaceEnabled", kind: Kind::Flag },
    Property { path: "DHCPv4/DHCPEnabled", kind: Kind::Flag },
    Property { path: "IPv4StaticAddresses", kind: Kind::List(&IPV4) },
    Property { path: "IPv6StaticAddresses", kind: Kind::List(&IPV6) },
    Property { path: "IPv6StaticDefaultGateways", kind: Kind::List(&IPV6) },
    Property { path: "StaticNameServers", kind: Kind::List(&HOST) },
    Property { path: "VLAN/VLANEnable", kind: Kind::Flag },
    Property { path: "VLAN/VLANId", kind: Kind::Whole { least: 1, most: 4094 } },
    Property { path: "VLAN/VLANPriority", kind: Kind::Whole { least: 0, most: 7 } },
];

const IPV4: Kind = Kind::Object(&[
    Property { path: "Address", kind: Kind::Ipv4 },
    Property { path: "SubnetMask", kind: Kind::Ipv4 },
    Property { path: "Gateway", kind: Kind::Ipv4 },
]);
const IPV6: Kind = Kind::Object(&[
    Property { path: "Address", kind: Kind::Ipv6 },
    Property { path: "PrefixLength", kind: Kind::Whole { least: 0, most: 128 } },
]);

/// What a certificate is replaced or joined by.
const CERTIFICATE: &[Property] = &[
    Property { path: "CertificateString", kind: Kind::Text { least: 1, most: 65_536 } },
    Property { path: "CertificateType", kind: Kind::Choice(&["PEM", "PEMchain"]) },
];

pub(super) fn add(drafts: &mut Vec<Draft>) {
    let ids = MACHINES.iter().map(|machine| machine.id.to_owned());
    drafts.push(Draft::collection("/redfish/v1/Managers", "ManagerCollection", "Managers", ids));
    for machine in &MACHINES {
        drafts.push(Draft::new(manager(machine)).writable(WRITABLE));
        drafts.push(RESET_TO_DEFAULTS.info(&machine.manager()));
        add_protocol(drafts, machine);
        add_network(drafts, machine);
    }
}

fn manager(machine: &Machine) -> Value {
    let path = machine.manager();
    json!({
        "@odata.id": path,
        "@odata.type": "#Manager.v1_19_0.Manager",
        "Id": machine.id,
        "Name": format!("Manager of {}", machine.host),
        "ManagerType": "BMC",
        "Model": "Fjord Warden",
        "FirmwareVersion": machine.firmware,
        "LocationIndicatorActive": false,
        "PowerState": "On",
        "Status": status("OK"),
        "EthernetInterfaces": link(format!("{path}/EthernetInterfaces")),
        "LogServices": link(format!("{path}/LogServices")),
        "NetworkProtocol": link(format!("{path}/NetworkProtocol")),
        "Links": {"ManagerForServers": [link(machine.system())], "ManagerForChassis": [link(machine.chassis())]},
        "Actions": {
            "#Manager.Reset": MANAGER_RESET.offer(&path, Told::Here),
            "#Manager.ResetToDefaults": RESET_TO_DEFAULTS.offer(&path, Told::Apart),
        },
    })
}

fn add_protocol(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/NetworkProtocol", machine.manager());
    let certificates = format!("{path}/HTTPS/Certificates");
    let host = format!("{}-mgmt", machine.host);
    drafts.push(
        Draft::new(json!({
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
    drafts.push(
        Draft::collection(&certificates, "CertificateCollection", "Certificates", ["1".to_owned()])
            .creates(CERTIFICATE),
    );
    drafts.push(Draft::new(json!({
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

fn add_network(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/EthernetInterfaces", machine.manager());
    let ids = ["1".to_owned()];
    drafts.push(Draft::collection(&path, "EthernetInterfaceCollection", "Network interfaces", ids));
    // Addresses of networks that are set aside for documentation (RFC 5737, RFC 3849).
    let host = format!("{}-mgmt", machine.host);
    let (address, mask, gateway) = (format!("192.0.2.{}", machine.slot), "255.255.255.0", "192.0.2.254");
    let (address6, gateway6) = (format!("2001:db8::{:x}", machine.slot), "2001:db8::fe");
    drafts.push(
        Draft::new(json!({
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
