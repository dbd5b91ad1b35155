//! Chassis, with their sensors, temperatures, fans and power supplies.

use serde_json::{Value, json};

use super::builder::ResourceBuilder;
use super::machine::{MACHINES, Machine, link, status};
use crate::protocol::property::{Kind, Property};

const WRITABLE: &[Property] = &[
    Property { path: "AssetTag", kind: Kind::Text { min: 0, max: 63 } },
    Property { path: "LocationIndicatorActive", kind: Kind::Boolean },
];

pub(super) fn add(resources: &mut Vec<ResourceBuilder>) {
    let ids = MACHINES.iter().map(|machine| machine.id.to_owned());
    resources.push(ResourceBuilder::collection("/redfish/v1/Chassis", "ChassisCollection", "Chassis", ids));
    for machine in &MACHINES {
        resources.push(ResourceBuilder::new(chassis(machine)).writable(WRITABLE));
        resources.push(ResourceBuilder::new(thermal(machine)));
        resources.push(ResourceBuilder::new(power(machine)));
        add_sensors(resources, machine);
    }
}

fn chassis(machine: &Machine) -> Value {
    let path = machine.chassis();
    json!({
        "@odata.id": path,
        "@odata.type": "#Chassis.v1_25_0.Chassis",
        "Id": machine.id,
        "Name": format!("Chassis of {}", machine.host_name),
        "ChassisType": "RackMount",
        "Manufacturer": "Fjord",
        "Model": machine.model,
        "PartNumber": machine.part_number,
        "SerialNumber": machine.serial_number,
        "AssetTag": machine.asset_tag,
        "LocationIndicatorActive": false,
        "Location": {"Placement": {"Rack": &machine.asset_tag[..3], "RackOffset": machine.slot, "RackOffsetUnits": "EIA_310"}},
        "Status": status("OK"),
        "Thermal": link(format!("{path}/Thermal")),
        "Power": link(format!("{path}/Power")),
        "Sensors": link(format!("{path}/Sensors")),
        "Links": {"ComputerSystems": [link(machine.system())], "ManagedBy": [link(machine.manager())]},
    })
}

/// The sensors of a chassis: name, type, unit, physical context and reading.
fn readings(machine: &Machine) -> [(&'static str, &'static str, &'static str, &'static str, f64); 4] {
    let is_on = machine.is_on();
    [
        ("InletTemp", "Temperature", "Cel", "Intake", machine.inlet_celsius),
        (
            "ExhaustTemp",
            "Temperature",
            "Cel",
            "Exhaust",
            machine.inlet_celsius + if is_on { 14.0 } else { 1.5 },
        ),
        ("CPU1Temp", "Temperature", "Cel", "CPU", machine.inlet_celsius + if is_on { 31.5 } else { 2.0 }),
        ("TotalPower", "Power", "W", "Chassis", f64::from(machine.watts)),
    ]
}

fn thermal(machine: &Machine) -> Value {
    let path = format!("{}/Thermal", machine.chassis());
    let mut temperatures = Vec::new();
    for (name, reading_type, _, context, reading) in readings(machine) {
        if reading_type == "Temperature" {
            let n = temperatures.len();
            temperatures.push(json!({
                "@odata.id": format!("{path}#/Temperatures/{n}"),
                "MemberId": n.to_string(),
                "Name": name,
                "PhysicalContext": context,
                "ReadingCelsius": reading,
                "UpperThresholdCritical": if context == "CPU" { 95 } else { 60 },
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

fn add_sensors(resources: &mut Vec<ResourceBuilder>, machine: &Machine) {
    let path = format!("{}/Sensors", machine.chassis());
    let readings = readings(machine);
    let ids = readings.iter().map(|(name, ..)| (*name).to_owned());
    resources.push(ResourceBuilder::collection(&path, "SensorCollection", "Sensors", ids));
    for (name, reading_type, unit, context, reading) in readings {
        resources.push(ResourceBuilder::new(json!({
            "@odata.id": format!("{path}/{name}"),
            "@odata.type": "#Sensor.v1_9_0.Sensor",
            "Id": name,
            "Name": name,
            "ReadingType": reading_type,
            "ReadingUnits": unit,
            "PhysicalContext": context,
            "Reading": reading,
            "Status": status("OK"),
        })));
    }
}
