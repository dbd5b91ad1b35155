//! Managers: the controllers that look after the machines, with their own network interface.

use serde_json::{Value, json};

use super::{MACHINES, Machine, link, status};
use crate::actions::{MANAGER_RESET, RESET_TO_DEFAULTS, Told};
use crate::patch::{Kind, Property};
use crate::tree::Draft;

const WRITABLE: &[Property] = &[Property { path: "LocationIndicatorActive", kind: Kind::Flag }];

pub(super) fn add(drafts: &mut Vec<Draft>) {
    let ids = MACHINES.iter().map(|machine| machine.id.to_owned());
    drafts.push(Draft::collection("/redfish/v1/Managers", "ManagerCollection", "Managers", ids));
    for machine in &MACHINES {
        drafts.push(Draft::new(manager(machine)).writable(WRITABLE));
        drafts.push(RESET_TO_DEFAULTS.info(&machine.manager()));
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
        "Links": {"ManagerForServers": [link(machine.system())], "ManagerForChassis": [link(machine.chassis())]},
        "Actions": {
            "#Manager.Reset": MANAGER_RESET.offer(&path, Told::Here),
            "#Manager.ResetToDefaults": RESET_TO_DEFAULTS.offer(&path, Told::Apart),
        },
    })
}

fn add_network(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/EthernetInterfaces", machine.manager());
    drafts.push(Draft::collection(
        &path,
        "EthernetInterfaceCollection",
        "Network interfaces",
        ["1".to_owned()],
    ));
    // An address of a network that is set aside for documentation (RFC 5737).
    drafts.push(Draft::new(json!({
        "@odata.id": format!("{path}/1"),
        "@odata.type": "#EthernetInterface.v1_11_0.EthernetInterface",
        "Id": "1",
        "Name": "Management port",
        "HostName": format!("{}-mgmt", machine.host),
        "MACAddress": machine.mac(0xB0),
        "SpeedMbps": 1000,
        "LinkStatus": "LinkUp",
        "InterfaceEnabled": true,
        "IPv4Addresses": [{
            "Address": format!("192.0.2.{}", machine.slot),
            "SubnetMask": "255.255.255.0",
            "Gateway": "192.0.2.254",
            "AddressOrigin": "Static",
        }],
        "Status": status("OK"),
    })));
}
