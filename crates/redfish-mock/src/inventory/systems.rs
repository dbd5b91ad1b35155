//! Systems, with their processors, memory, storage, network interfaces and BIOS settings.

use serde_json::{Value, json};

use super::action::{ParameterSource, RESET_BIOS, SYSTEM_RESET};
use super::builder::ResourceBuilder;
use super::machine::{MACHINES, Machine, link, status};
use crate::protocol::property::{Kind, Property};

const BOOT_ENABLED: &[&str] = &["Disabled", "Once", "Continuous"];
const BOOT_TARGETS: &[&str] = &["None", "Pxe", "Hdd", "Cd", "Usb", "BiosSetup", "UefiHttp"];
const BOOT_MODES: &[&str] = &["Legacy", "UEFI"];

const WRITABLE: &[Property] = &[
    Property { path: "AssetTag", kind: Kind::Text { min: 0, max: 63 } },
    Property { path: "HostName", kind: Kind::Text { min: 0, max: 253 } },
    Property { path: "LocationIndicatorActive", kind: Kind::Boolean },
    Property { path: "Boot/BootSourceOverrideEnabled", kind: Kind::Choice(BOOT_ENABLED) },
    Property { path: "Boot/BootSourceOverrideTarget", kind: Kind::Choice(BOOT_TARGETS) },
    Property { path: "Boot/BootSourceOverrideMode", kind: Kind::Choice(BOOT_MODES) },
];

const BIOS_WRITABLE: &[Property] = &[
    Property { path: "Attributes/BootRetries", kind: Kind::Integer { min: 0, max: 9 } },
    Property { path: "Attributes/NumLock", kind: Kind::Boolean },
    Property { path: "Attributes/PowerProfile", kind: Kind::Choice(&["Balanced", "Performance", "Quiet"]) },
];

pub(super) fn add(resources: &mut Vec<ResourceBuilder>) {
    let ids = MACHINES.iter().map(|machine| machine.id.to_owned());
    resources.push(ResourceBuilder::collection(
        "/redfish/v1/Systems",
        "ComputerSystemCollection",
        "Systems",
        ids,
    ));
    for machine in &MACHINES {
        resources.push(ResourceBuilder::new(system(machine)).writable(WRITABLE));
        resources.push(SYSTEM_RESET.action_info(&machine.system()));
        resources.push(ResourceBuilder::new(bios(machine)).writable(BIOS_WRITABLE));
        add_processors(resources, machine);
        add_memory(resources, machine);
        add_storage(resources, machine);
        add_network(resources, machine);
    }
}

fn system(machine: &Machine) -> Value {
    let path = machine.system();
    json!({
        "@odata.id": path,
        "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem",
        "Id": machine.id,
        "Name": format!("{} ({})", machine.host_name, machine.model),
        "Description": "Computer system",
        "SystemType": "Physical",
        "Manufacturer": "Fjord",
        "Model": machine.model,
        "PartNumber": machine.part_number,
        "SKU": machine.part_number,
        "SerialNumber": machine.serial_number,
        "UUID": machine.uuid,
        "AssetTag": machine.asset_tag,
        "HostName": machine.host_name,
        "BiosVersion": machine.bios_version,
        "PowerState": machine.power_state,
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
            "TotalSystemMemoryGiB": machine.memory.modules * machine.memory.module_gib,
            "Status": status(if machine.memory.failing_module.is_some() { "Warning" } else { "OK" }),
        },
        "Processors": link(format!("{path}/Processors")),
        "Memory": link(format!("{path}/Memory")),
        "Storage": link(format!("{path}/Storage")),
        "EthernetInterfaces": link(format!("{path}/EthernetInterfaces")),
        "LogServices": link(format!("{path}/LogServices")),
        "Links": {"Chassis": [link(machine.chassis())], "ManagedBy": [link(machine.manager())]},
        "Bios": link(format!("{path}/Bios")),
        "Actions": {"#ComputerSystem.Reset": SYSTEM_RESET.entry(&path, ParameterSource::Both)},
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
        "Actions": {"#Bios.ResetBios": RESET_BIOS.entry(&path, ParameterSource::Annotations)},
    })
}

fn add_processors(resources: &mut Vec<ResourceBuilder>, machine: &Machine) {
    let path = format!("{}/Processors", machine.system());
    let processor = &machine.processor;
    let ids = (1..=processor.count).map(|n| format!("CPU{n}"));
    resources.push(ResourceBuilder::collection(&path, "ProcessorCollection", "Processors", ids));
    for n in 1..=processor.count {
        resources.push(ResourceBuilder::new(json!({
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
            "MaxSpeedMHz": processor.speed_mhz,
            "TotalCores": processor.cores,
            "TotalThreads": processor.threads,
            "Status": status("OK"),
        })));
    }
}

fn add_memory(resources: &mut Vec<ResourceBuilder>, machine: &Machine) {
    let path = format!("{}/Memory", machine.system());
    let memory = &machine.memory;
    resources.push(ResourceBuilder::collection(
        &path,
        "MemoryCollection",
        "Memory modules",
        (1..=memory.modules).map(|n| format!("DIMM{n}")),
    ));
    for n in 1..=memory.modules {
        resources.push(ResourceBuilder::new(json!({
            "@odata.id": format!("{path}/DIMM{n}"),
            "@odata.type": "#Memory.v1_19_0.Memory",
            "Id": format!("DIMM{n}"),
            "Name": format!("Memory module {n}"),
            "DeviceLocator": format!("Slot {n}"),
            "MemoryType": "DRAM",
            "MemoryDeviceType": "DDR4",
            "ErrorCorrection": "MultiBitECC",
            "CapacityMiB": memory.module_gib * 1024,
            "OperatingSpeedMhz": memory.speed_mhz,
            "Manufacturer": "Tarn",
            "SerialNumber": format!("TA{}{n:02}", machine.slot * 1373),
            "Status": status(if memory.failing_module == Some(n) { "Warning" } else { "OK" }),
        })));
    }
}

fn add_storage(resources: &mut Vec<ResourceBuilder>, machine: &Machine) {
    let path = format!("{}/Storage", machine.system());
    resources.push(ResourceBuilder::collection(&path, "StorageCollection", "Storage", ["1".to_owned()]));
    let drive_path = |n: usize| format!("{path}/1/Drives/{n}");
    resources.push(ResourceBuilder::new(json!({
        "@odata.id": format!("{path}/1"),
        "@odata.type": "#Storage.v1_15_0.Storage",
        "Id": "1",
        "Name": "Local storage",
        "Status": status("OK"),
        "Drives@odata.count": machine.drives.len(),
        "Drives": (1..=machine.drives.len()).map(|n| link(drive_path(n))).collect::<Vec<_>>(),
    })));
    for (n, drive_data) in (1..).zip(machine.drives) {
        resources.push(ResourceBuilder::new(json!({
            "@odata.id": drive_path(n),
            "@odata.type": "#Drive.v1_18_0.Drive",
            "Id": n.to_string(),
            "Name": format!("Drive {n}"),
            "Model": drive_data.model,
            "MediaType": drive_data.media,
            "Protocol": drive_data.protocol,
            "CapacityBytes": drive_data.gigabytes * 1_000_000_000,
            "SerialNumber": format!("{}-{n:02}", machine.serial_number),
            "Status": status("OK"),
        })));
    }
}

fn add_network(resources: &mut Vec<ResourceBuilder>, machine: &Machine) {
    let path = format!("{}/EthernetInterfaces", machine.system());
    let ports = ["1", "2"];
    resources.push(ResourceBuilder::collection(
        &path,
        "EthernetInterfaceCollection",
        "Network interfaces",
        ports.map(str::to_owned),
    ));
    for (n, port) in (1..).zip(ports) {
        let up = machine.is_on() && n == 1;
        resources.push(ResourceBuilder::new(json!({
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
