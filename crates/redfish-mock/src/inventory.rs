//! The machine room that the service looks after: three servers, each with its chassis and its manager. All invented.

pub(crate) mod action;
mod chassis;
mod event_service;
mod logs;
mod managers;
pub(crate) mod members;
pub(crate) mod mockup;
pub(crate) mod network;
mod registries;
mod root;
mod systems;
pub(crate) mod tree;
mod update_service;

use serde_json::{Value, json};

pub(crate) use root::{session_service, versions};
pub(crate) use update_service::UPDATE_SERVICE;

use crate::inventory::tree::Draft;
use crate::protocol::profile::Profile;

/// All resources of the room that stand by themselves.
pub(crate) fn drafts(profile: Profile) -> Vec<Draft> {
    let mut drafts = Vec::new();
    root::add(&mut drafts, profile);
    systems::add(&mut drafts);
    chassis::add(&mut drafts);
    managers::add(&mut drafts);
    logs::add(&mut drafts, profile);
    update_service::add(&mut drafts);
    event_service::add(&mut drafts);
    registries::add(&mut drafts, profile);
    root::add_descriptions(&mut drafts, profile);
    drafts
}

/// The names of the machines, which are those of their systems, chassis and managers.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    MACHINES.iter().map(|machine| machine.id)
}

/// A server: what its system, chassis and manager are made from.
struct Machine {
    id: &'static str,
    host: &'static str,
    model: &'static str,
    part: &'static str,
    serial: &'static str,
    uuid: &'static str,
    asset: &'static str,
    power: &'static str,
    health: &'static str,
    processor: Processor,
    memory: Memory,
    drives: &'static [Drive],
    bios: &'static str,
    firmware: &'static str,
    slot: u32,
    inlet: f64,
    watts: u32,
}

struct Processor {
    model: &'static str,
    count: u32,
    cores: u32,
    threads: u32,
    speed: u32,
}

struct Memory {
    modules: u32,
    gib: u32,
    speed: u32,
    /// The module that corrects more errors than it should, counted from one.
    tired: Option<u32>,
}

struct Drive {
    model: &'static str,
    media: &'static str,
    protocol: &'static str,
    gigabytes: u64,
}

const NVME: Drive = Drive { model: "Kestrel P4 3200", media: "SSD", protocol: "NVMe", gigabytes: 3200 };
const SATA: Drive = Drive { model: "Kestrel S2 480", media: "SSD", protocol: "SATA", gigabytes: 480 };
const DISK: Drive = Drive { model: "Millstone 12T", media: "HDD", protocol: "SAS", gigabytes: 12_000 };

const MACHINES: [Machine; 3] = [
    Machine {
        id: "E1D8B426",
        host: "db-01",
        model: "Fjord 240 Gen3",
        part: "FJ240-3A",
        serial: "FJ3A71C004",
        uuid: "5c1f3a86-9b0e-4d57-8f21-e1d8b4260001",
        asset: "R07-U12",
        power: "On",
        health: "OK",
        processor: Processor { model: "Orrery 7443 24-Core", count: 2, cores: 24, threads: 48, speed: 4000 },
        memory: Memory { modules: 8, gib: 32, speed: 3200, tired: None },
        drives: &[NVME, NVME],
        bios: "F24-2.18",
        firmware: "3.02",
        slot: 12,
        inlet: 22.5,
        watts: 412,
    },
    Machine {
        id: "E905C3FF",
        host: "web-04",
        model: "Fjord 120 Gen3",
        part: "FJ120-3C",
        serial: "FJ1C80B119",
        uuid: "0d7be2f4-31c8-4a69-b7d3-e905c3ff0002",
        asset: "R07-U14",
        power: "Off",
        health: "OK",
        processor: Processor { model: "Orrery 3204 8-Core", count: 1, cores: 8, threads: 16, speed: 3600 },
        memory: Memory { modules: 4, gib: 16, speed: 3200, tired: None },
        drives: &[SATA, SATA],
        bios: "F12-1.40",
        firmware: "3.02",
        slot: 14,
        inlet: 21.0,
        watts: 18,
    },
    Machine {
        id: "EF2BF486",
        host: "archive-02",
        model: "Fjord 480 Gen2",
        part: "FJ480-2B",
        serial: "FJ2B66A957",
        uuid: "a94c07d1-6e2b-4f1c-9a58-ef2bf4860003",
        asset: "R08-U03",
        power: "On",
        health: "Warning",
        processor: Processor { model: "Orrery 5318 16-Core", count: 2, cores: 16, threads: 32, speed: 3400 },
        memory: Memory { modules: 8, gib: 16, speed: 2933, tired: Some(3) },
        drives: &[SATA, DISK, DISK, DISK],
        bios: "F48-4.07",
        firmware: "2.91",
        slot: 3,
        inlet: 24.5,
        watts: 538,
    },
];

impl Machine {
    fn system(&self) -> String {
        format!("/redfish/v1/Systems/{}", self.id)
    }

    fn chassis(&self) -> String {
        format!("/redfish/v1/Chassis/{}", self.id)
    }

    fn manager(&self) -> String {
        format!("/redfish/v1/Managers/{}", self.id)
    }

    fn is_on(&self) -> bool {
        self.power == "On"
    }

    /// The address of its network port `port`, out of the range that nobody's hardware has.
    fn mac(&self, port: u32) -> String {
        format!("02:5F:10:00:{:02X}:{port:02X}", self.slot)
    }
}

fn link(path: impl Into<String>) -> Value {
    json!({"@odata.id": path.into()})
}

fn status(health: &str) -> Value {
    json!({"State": "Enabled", "Health": health})
}
