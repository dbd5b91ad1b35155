//! Chassis: the boxes that the machines are in, with their temperatures, fans and power supplies.

use serde_json::{Value, json};

use super::{MACHINES, Machine, link, status};
use crate::inventory::tree::Draft;
use crate::protocol::patch::{Kind, Property};

const WRITABLE: &[Property] = &[
    Property { path: "AssetTag", kind: Kind::Text { least: 0, most: 63 } },
    Property { path: "LocationIndicatorActive", kind: Kind::Flag },
];

pub(super) fn add(drafts: &mut Vec<Draft>) {
    let ids = MACHINES.iter().map(|machine| machine.id.to_owned());
    drafts.push(Draft::collection("/redfish/v1/Chassis", "ChassisCollection", "Chassis", ids));
    for machine in &MACHINES {
        drafts.push(Draft::new(chassis(machine)).writable(WRITABLE));
        drafts.push(Draft::new(thermal(machine)));
        drafts.push(Draft::new(power(machine)));
        add_sensors(drafts, machine);
    }
}

fn chassis(machine: &Machine) -> Value {
    let path = machine.chassis();
    json!({
        "@odata.id": path,
        "@odata.type": "#Chassis.v1_25_0.Chassis",
        "Id": machine.id,
        "Name": format!("Chassis of {}", machine.host),
        "ChassisType": "RackMount",
        "Manufacturer": "Fjord",
        "Model": machine.model,
        "PartNumber": machine.part,
        "SerialNumber": machine.serial,
        "AssetTag": machine.asset,
        "LocationIndicatorActive": false,
        "Location": {"Placement": {"Rack": &machine.asset[..3], "RackOffset": machine.slot, "RackOffsetUnits": "EIA_310"}},
        "Status": status("OK"),
        "Thermal": link(format!("{path}/Thermal")),
        "Power": link(format!("{path}/Power")),
        "Sensors": link(format!("{path}/Sensors")),
        "Links": {"ComputerSystems": [link(machine.system())], "ManagedBy": [link(machine.manager())]},
    })
}

/// What is measured: name, kind, unit, where, the reading.
fn readings(machine: &Machine) -> [(&'static str, &'static str, &'static str, &'static str, f64); 4] {
    let busy = machine.is_on();
    [
        ("InletTemp", "Temperature", "Cel", "Intake", machine.inlet),
        ("ExhaustTemp", "Temperature", "Cel", "Exhaust", machine.inlet + if busy { 14.0 } else { 1.5 }),
        ("CPU1Temp", "Temperature", "Cel", "CPU", machine.inlet + if busy { 31.5 } else { 2.0 }),
        ("TotalPower", "Power", "W", "Chassis", f64::from(machine.watts)),
    ]
}

fn thermal(machine: &Machine) -> Value {
    let path = format!("{}/Thermal", machine.chassis());
    let mut temperatures = Vec::new();
    for (name, kind, _, place, reading) in readings(machine) {
        if kind == "Temperature" {
            let n = temperatures.len();
            temperatures.push(json!({
                "@odata.id": format!("{path}#/Temperatures/{n}"),
                "MemberId": n.to_string(),
                "Name": name,
                "PhysicalContext": place,
                "ReadingCelsius": reading,
                "UpperThresholdCritical": if place == "CPU" { 95 } else { 60 },
                "Status": status("OK"),
            }));
        }
    }
    let speed = if machine.is_on() { 5400 } else { 0 };
    let fan = |n: u32| {
        json!({
            "@odata.id": format!("{path}#/Fans/{n}"),
            "MemberId": n.to_string(),
            "Name": format!("Fan {}", n + 1),
            "Reading": speed,
            "ReadingUnits": "RPM",
            "Status": status("OK"),
        })
    };
    json!({
        "@odata.id": path,
        "@odata.type": "#Thermal.v1_7_0.Thermal",
        "Id": "Thermal",
        "Name": "Temperatures and fans",
        "Temperatures": temperatures,
        "Fans": [fan(0), fan(1), fan(2), fan(3)],
    })
}

fn power(machine: &Machine) -> Value {
    let path = format!("{}/Power", machine.chassis());
    let supply = |n: u32| {
        json!({
            "@odata.id": format!("{path}#/PowerSupplies/{n}"),
            "MemberId": n.to_string(),
            "Name": format!("Power supply {}", n + 1),
            "PowerSupplyType": "AC",
            "PowerCapacityWatts": 800,
            "LastPowerOutputWatts": machine.watts / 2,
            "Status": status("OK"),
        })
    };
    json!({
        "@odata.id": path,
        "@odata.type": "#Power.v1_7_0.Power",
        "Id": "Power",
        "Name": "Power supplies",
        "PowerControl": [{
            "@odata.id": format!("{path}#/PowerControl/0"),
            "MemberId": "0",
            "Name": "Chassis power",
            "PowerConsumedWatts": machine.watts,
            "PowerCapacityWatts": 1600,
        }],
        "PowerSupplies": [supply(0), supply(1)],
    })
}

fn add_sensors(drafts: &mut Vec<Draft>, machine: &Machine) {
    let path = format!("{}/Sensors", machine.chassis());
    let readings = readings(machine);
    let ids = readings.iter().map(|(name, ..)| (*name).to_owned());
    drafts.push(Draft::collection(&path, "SensorCollection", "Sensors", ids));
    for (name, kind, unit, place, reading) in readings {
        drafts.push(Draft::new(json!({
            "@odata.id": format!("{path}/{name}"),
            "@odata.type": "#Sensor.v1_9_0.Sensor",
            "Id": name,
            "Name": name,
            "ReadingType": kind,
            "ReadingUnits": unit,
            "PhysicalContext": place,
            "Reading": reading,
            "Status": status("OK"),
        })));
    }
}
