//! The invented machines: three servers, from which their systems, chassis and managers are built.

use serde_json::{Value, json};

/// The data of a server, from which its system, chassis and manager are built.
pub(crate) struct Machine {
    pub(crate) id: &'static str,
    pub(super) host_name: &'static str,
    pub(super) model: &'static str,
    pub(super) part_number: &'static str,
    pub(super) serial_number: &'static str,
    pub(super) uuid: &'static str,
    pub(super) asset_tag: &'static str,
    pub(super) power_state: &'static str,
    pub(super) health: &'static str,
    pub(super) processor: Processor,
    pub(super) memory: Memory,
    pub(super) drives: &'static [Drive],
    pub(super) bios_version: &'static str,
    pub(super) firmware_version: &'static str,
    pub(super) slot: u32,
    pub(super) inlet_celsius: f64,
    pub(super) watts: u32,
}

pub(super) struct Processor {
    pub(super) model: &'static str,
    pub(super) count: u32,
    pub(super) cores: u32,
    pub(super) threads: u32,
    pub(super) speed_mhz: u32,
}

pub(super) struct Memory {
    pub(super) modules: u32,
    pub(super) module_gib: u32,
    pub(super) speed_mhz: u32,
    /// The number of the module that corrects too many errors, counted from one.
    pub(super) failing_module: Option<u32>,
}

pub(super) struct Drive {
    pub(super) model: &'static str,
    pub(super) media: &'static str,
    pub(super) protocol: &'static str,
    pub(super) gigabytes: u64,
}

const NVME: Drive = Drive { model: "Kestrel P4 3200", media: "SSD", protocol: "NVMe", gigabytes: 3200 };
const SATA: Drive = Drive { model: "Kestrel S2 480", media: "SSD", protocol: "SATA", gigabytes: 480 };
const DISK: Drive = Drive { model: "Millstone 12T", media: "HDD", protocol: "SAS", gigabytes: 12_000 };

pub(crate) const MACHINES: [Machine; 3] = [
    Machine {
        id: "E1D8B426",
        host_name: "db-01",
        model: "Fjord 240 Gen3",
        part_number: "FJ240-3A",
        serial_number: "FJ3A71C004",
        uuid: "5c1f3a86-9b0e-4d57-8f21-e1d8b4260001",
        asset_tag: "R07-U12",
        power_state: "On",
        health: "OK",
        processor: Processor {
            model: "Orrery 7443 24-Core",
            count: 2,
            cores: 24,
            threads: 48,
            speed_mhz: 4000,
        },
        memory: Memory { modules: 8, module_gib: 32, speed_mhz: 3200, failing_module: None },
        drives: &[NVME, NVME],
        bios_version: "F24-2.18",
        firmware_version: "3.02",
        slot: 12,
        inlet_celsius: 22.5,
        watts: 412,
    },
    Machine {
        id: "E905C3FF",
        host_name: "web-04",
        model: "Fjord 120 Gen3",
        part_number: "FJ120-3C",
        serial_number: "FJ1C80B119",
        uuid: "0d7be2f4-31c8-4a69-b7d3-e905c3ff0002",
        asset_tag: "R07-U14",
        power_state: "Off",
        health: "OK",
        processor: Processor {
            model: "Orrery 3204 8-Core",
            count: 1,
            cores: 8,
            threads: 16,
            speed_mhz: 3600,
        },
        memory: Memory { modules: 4, module_gib: 16, speed_mhz: 3200, failing_module: None },
        drives: &[SATA, SATA],
        bios_version: "F12-1.40",
        firmware_version: "3.02",
        slot: 14,
        inlet_celsius: 21.0,
        watts: 18,
    },
    Machine {
        id: "EF2BF486",
        host_name: "archive-02",
        model: "Fjord 480 Gen2",
        part_number: "FJ480-2B",
        serial_number: "FJ2B66A957",
        uuid: "a94c07d1-6e2b-4f1c-9a58-ef2bf4860003",
        asset_tag: "R08-U03",
        power_state: "On",
        health: "Warning",
        processor: Processor {
            model: "Orrery 5318 16-Core",
            count: 2,
            cores: 16,
            threads: 32,
            speed_mhz: 3400,
        },
        memory: Memory { modules: 8, module_gib: 16, speed_mhz: 2933, failing_module: Some(3) },
        drives: &[SATA, DISK, DISK, DISK],
        bios_version: "F48-4.07",
        firmware_version: "2.91",
        slot: 3,
        inlet_celsius: 24.5,
        watts: 538,
    },
];

impl Machine {
    pub(super) fn system(&self) -> String {
        format!("/redfish/v1/Systems/{}", self.id)
    }

    pub(super) fn chassis(&self) -> String {
        format!("/redfish/v1/Chassis/{}", self.id)
    }

    pub(super) fn manager(&self) -> String {
        format!("/redfish/v1/Managers/{}", self.id)
    }

    pub(super) fn is_on(&self) -> bool {
        self.power_state == "On"
    }

    /// The MAC address of a network port, from the locally administered range.
    pub(super) fn mac(&self, port: u32) -> String {
        format!("02:5F:10:00:{:02X}:{port:02X}", self.slot)
    }
}

/// A reference to a resource.
pub(super) fn link(path: impl Into<String>) -> Value {
    json!({"@odata.id": path.into()})
}

/// The `Status` of an enabled resource.
pub(super) fn status(health: &str) -> Value {
    json!({"State": "Enabled", "Health": health})
}
