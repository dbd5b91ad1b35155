//! Systems: what runs, with its processors, memory, storage and network.

use serde_json::{Value, json};

use super::{MACHINES, Machine, link, status};
use crate::inventory::action::{RESET_BIOS, SYSTEM_RESET, Told};
use crate::inventory::tree::Draft;
use crate::protocol::patch::{Kind, Property};

const BOOT_ENABLED: &[&str] = &["Disabled", "Once", "Continuous"];
const BOOT_TARGETS: &[&str] = &["None", "Pxe", "Hdd", "Cd", "Usb", "BiosSetup", "UefiHttp"];
const BOOT_MODES: &[&str] = &["Legacy", "UEFI"];

const WRITABLE: &[Property] = &[
    Property { path: "AssetTag", kind: Kind::Text { least: 0, most: 63 } },
    Property { path: "HostName", kind: Kind::Text { least: 0, most: 253 } },
    Property { path: "LocationIndicatorActive", kind: Kind::Flag },
    Property { path: "Boot/BootSourceOverrideEnabled", kind: Kind::Choice(BOOT_ENABLED) },
    Property { path: "Boot/BootSourceOverrideTarget", kind: Kind::Choice(BOOT_TARGETS) },
    Property { path: "Boot/BootSourceOverrideMode", kind: Kind::Choice(BOOT_MODES) },
];

const BIOS_WRITABLE: &[Property] = &[
    Property { path: "Attributes/BootRetries", kind: Kind::Whole { least: 0, most: 9 } },
    Property { path: "Attributes/NumLock", kind: Kind::Flag },
    Property { path: "Attributes/PowerProfile", kind: Kind::Choice(&["Balanced", "Performance", "Quiet"]) },
];

pub(super) fn add(drafts: &mut Vec<Draft>) {
    let ids = MACHINES.iter().map(|machine| machine.id.to_owned());
    drafts.push(Draft::collection("/redfish/v1/Systems", "ComputerSystemCollection", "Systems", ids));
    for machine in &MACHINES {
        drafts.push(Draft::new(system(machine)).writable(WRITABLE));
        drafts.push(SYSTEM_RESET.info(&machine.system()));
        drafts.push(Draft::new(bios(machine)).writable(BIOS_WRITABLE));
        add_processors(drafts, machine);
        add_memory(drafts, machine);
        add_storage(drafts, machine);
        add_network(drafts, machine);
    }
}

fn system(machine: &Machine) -> Value {
    let path = machine.system();
    json!({
        "@odata.id": path,
        "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem",
        "Id": machine.id,
        "Name": format!("{} ({})", machine.host, machine.model),
        "Description": "Computer system",
        "SystemType": "Physical",
        "Manufacturer": "Fjord",
        "Model": machine.model,
        "PartNumber": machine.part,
        "SKU": machine.part,
        "SerialNumber": machine.serial,
        "UUID": machine.uuid,
        "AssetTag": machine.asset,
        "HostName": machine.host,
        "BiosVersion": machine.bios,
        "PowerState": machine.power,
        "LocationIndicatorActive": false,
        "Status": {"State": "Enabled", "Health": machine.health, "HealthRollup": machine.health},
        "Boot": {
            "BootSourceOverrideEnabled": "Disabled",
            "BootSourceOverrideEnabled@Redfish.AllowableValues": BOOT_ENABLED,
            "BootSourceOverrideTarget": "None",
            "BootSourceOverrideTarget@Redfish.AllowableValues": BOOT_TARGETS,
            "BootSourceOverrideMode": "UEFI",
        },
        "ProcessorSummary": {
            "Count": machine.processor.count,
            "CoreCount": machine.processor.count * machine.processor.cores,
            "LogicalProcessorCount": machine.processor.count * machine.processor.threads,
            "Model": machine.processor.model,
            "Status": status("OK"),
        },
        "MemorySummary": {
            "TotalSystemMemoryGiB": machine.memory.modules * machine.memory.gib,
            "Status": status(if machine.memory.tired.is_some() { "Warning" } else { "OK" }),
        },
        "Processors": link(format!("{path}/Processors")),
        "Memory": link(format!("{path}/Memory")),
        "Storage": link(format!("{path}/Storage")),
        "EthernetInterfaces": link(format!("{path}/EthernetInterfaces")),
        "LogServices": link(format!("{path}/LogServices")),
        "Links": {"Chassis": [link(machine.chassis())], "ManagedBy": [link(machine.manager())]},
        "Bios": link(format!("{path}/Bios")),
        "Actions": {"#ComputerSystem.Reset": SYSTEM_RESET.offer(&path, Told::Both)},
    })
}

fn bios(machine: &Machine) -> Value {
    let path = format!("{}/Bios", machine.system());
    json!({
        "@odata.id": path,
        "@odata.type": "#Bios.v1_2_3.Bios",
        "Id": "Bios",
        "Name": "Firmware settings",
        "Attributes": {"BootRetries": 3, "NumLock": false, "PowerProfile": "Balanced"},
        "Actions": {"#Bios.ResetBios": RESET_BIOS.offer(&path, Told::Here)},
    })
}

fn add_processors(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/Processors", machine.system());
    let processor = &machine.processor;
    let ids = (1..=processor.count).map(|n| format!("CPU{n}"));
    drafts.push(Draft::collection(&path, "ProcessorCollection", "Processors", ids));
    for n in 1..=processor.count {
        drafts.push(Draft::new(json!({
            "@odata.id": format!("{path}/CPU{n}"),
            "@odata.type": "#Processor.v1_19_0.Processor",
            "Id": format!("CPU{n}"),
            "Name": format!("Processor {n}"),
            "Socket": format!("CPU {n}"),
            "ProcessorType": "CPU",
            "ProcessorArchitecture": "x86",
            "InstructionSet": "x86-64",
            "Manufacturer": "Orrery",
            "Model": processor.model,
            "MaxSpeedMHz": processor.speed,
            "TotalCores": processor.cores,
            "TotalThreads": processor.threads,
            "Status": status("OK"),
        })));
    }
}

fn add_memory(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/Memory", machine.system());
    let memory = &machine.memory;
    drafts.push(Draft::collection(
        &path,
        "MemoryCollection",
        "Memory modules",
        (1..=memory.modules).map(|n| format!("DIMM{n}")),
    ));
    for n in 1..=memory.modules {
        drafts.push(Draft::new(json!({
            "@odata.id": format!("{path}/DIMM{n}"),
            "@odata.type": "#Memory.v1_19_0.Memory",
            "Id": format!("DIMM{n}"),
            "Name": format!("Memory module {n}"),
            "DeviceLocator": format!("Slot {n}"),
            "MemoryType": "DRAM",
            "MemoryDeviceType": "DDR4",
            "ErrorCorrection": "MultiBitECC",
            "CapacityMiB": memory.gib * 1024,
            "OperatingSpeedMhz": memory.speed,
            "Manufacturer": "Tarn",
            "SerialNumber": format!("TA{}{n:02}", machine.slot * 1373),
            "Status": status(if memory.tired == Some(n) { "Warning" } else { "OK" }),
        })));
    }
}

fn add_storage(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/Storage", machine.system());
    drafts.push(Draft::collection(&path, "StorageCollection", "Storage", ["1".to_owned()]));
    let drive = |n: usize| format!("{path}/1/Drives/{n}");
    drafts.push(Draft::new(json!({
        "@odata.id": format!("{path}/1"),
        "@odata.type": "#Storage.v1_15_0.Storage",
        "Id": "1",
        "Name": "Local storage",
        "Status": status("OK"),
        "Drives@odata.count": machine.drives.len(),
        "Drives": (1..=machine.drives.len()).map(|n| link(drive(n))).collect::<Vec<_>>(),
    })));
    for (n, made) in (1..).zip(machine.drives) {
        drafts.push(Draft::new(json!({
            "@odata.id": drive(n),
            "@odata.type": "#Drive.v1_18_0.Drive",
            "Id": n.to_string(),
            "Name": format!("Drive {n}"),
            "Model": made.model,
            "MediaType": made.media,
            "Protocol": made.protocol,
            "CapacityBytes": made.gigabytes * 1_000_000_000,
            "SerialNumber": format!("{}-{n:02}", machine.serial),
            "Status": status("OK"),
        })));
    }
}

fn add_network(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/EthernetInterfaces", machine.system());
    let ports = ["1", "2"];
    drafts.push(Draft::collection(
        &path,
        "EthernetInterfaceCollection",
        "Network interfaces",
        ports.map(str::to_owned),
    ));
    for (n, port) in (1..).zip(ports) {
        let up = machine.is_on() && n == 1;
        drafts.push(Draft::new(json!({
            "@odata.id": format!("{path}/{port}"),
            "@odata.type": "#EthernetInterface.v1_11_0.EthernetInterface",
            "Id": port,
            "Name": format!("Network port {port}"),
            "MACAddress": machine.mac(n),
            "PermanentMACAddress": machine.mac(n),
            "SpeedMbps": if up { 25_000 } else { 0 },
            "LinkStatus": if up { "LinkUp" } else { "NoLink" },
            "InterfaceEnabled": true,
            "Status": status("OK"),
        })));
    }
}
