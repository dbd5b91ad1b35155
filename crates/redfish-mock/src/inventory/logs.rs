//! Logs: a long one for each manager, which has several pages, and a short one for each system.

use std::time::Duration;

use serde_json::{Value, json};

use super::action::{CLEAR_LOG, COLLECT_DIAGNOSTIC_DATA, ParameterSource};
use super::builder::ResourceBuilder;
use super::machine::{MACHINES, Machine, link, status};
use crate::protocol::date::{date_time, date_time_before_start};
use crate::protocol::message::{MachineRoom, Message};
use crate::protocol::profile::Profile;

/// The number of entries in the log of a manager: more than two pages.
const MANAGER_ENTRIES: u64 = 120;
/// The number of entries in the log of a system.
const SYSTEM_ENTRIES: u64 = 4;
/// The number of entries in the log of a chassis.
const CHASSIS_ENTRIES: u64 = 2;

pub(super) fn add(resources: &mut Vec<ResourceBuilder>, profile: Profile) {
    for machine in MACHINES.iter() {
        let owners = [("manager", MANAGER_ENTRIES), ("system", SYSTEM_ENTRIES), ("chassis", CHASSIS_ENTRIES)];
        for (owner, length) in owners {
            add_log(resources, machine, machine.text(owner), length, profile);
        }
    }
}

fn add_log(
    resources: &mut Vec<ResourceBuilder>,
    machine: &Machine,
    owner: &str,
    length: u64,
    profile: Profile,
) {
    let services = format!("{owner}/LogServices");
    let path = format!("{services}/Log");
    resources.push(ResourceBuilder::collection(
        &services,
        "LogServiceCollection",
        "Logs",
        ["Log".to_owned()],
    ));
    resources.push(ResourceBuilder::new(json!({
        "@odata.id": path,
        "@odata.type": "#LogService.v1_5_1.LogService",
        "Id": "Log",
        "Name": "Log",
        "ServiceEnabled": true,
        "LogEntryType": "Event",
        "MaxNumberOfRecords": 1000,
        "OverWritePolicy": "WrapsWhenFull",
        "DateTime": date_time(Duration::ZERO),
        "Status": status("OK"),
        "Entries": link(format!("{path}/Entries")),
        "Actions": {
            "#LogService.ClearLog": CLEAR_LOG.entry(&path, ParameterSource::Annotations),
            "#LogService.CollectDiagnosticData":
                COLLECT_DIAGNOSTIC_DATA.entry(&path, ParameterSource::Annotations),
        },
    })));
    let entries: Vec<Value> =
        (1..=length).map(|n| initial_entry(machine, &path, n, length, profile)).collect();
    // Services return the entries themselves instead of links.
    let mut collection = json!({"@odata.id": format!("{path}/Entries"), "Name": "Entries of the log"});
    collection["@odata.type"] = json!("#LogEntryCollection.LogEntryCollection");
    collection["Members@odata.count"] = json!(length);
    collection["Members"] = json!(entries);
    resources.push(ResourceBuilder::new(collection));
    resources.extend(entries.into_iter().map(ResourceBuilder::new));
}

/// Entry `n` of a new log. The messages repeat every six entries.
fn initial_entry(machine: &Machine, log: &str, n: u64, length: u64, profile: Profile) -> Value {
    let (celsius, fan) = ((machine.inlet_celsius() + 38.0).to_string(), (n % 4 + 1).to_string());
    let message = match n % 6 {
        1 => Message::new(MachineRoom::PowerChanged, ["on"]),
        2 => Message::new(MachineRoom::FanSlow, [&fan, "3100"]),
        3 => Message::new(MachineRoom::TemperatureHigh, ["InletTemp", &celsius]),
        4 => {
            Message::new(MachineRoom::TemperatureNormal, ["InletTemp", &machine.inlet_celsius().to_string()])
        }
        5 => Message::new(MachineRoom::MemoryErrorsCorrected, [&fan, "12"]),
        _ => Message::new(MachineRoom::LampSwitched, ["off"]),
    };
    let created = date_time_before_start(Duration::from_secs((length - n + 1) * 3571));
    entry(log, n, &created, &message, profile)
}

/// Entry `n` of a log.
pub(crate) fn entry(log: &str, n: u64, created: &str, message: &Message, profile: Profile) -> Value {
    let mut entry = json!({
        "@odata.id": format!("{log}/Entries/{n}"),
        "@odata.type": "#LogEntry.v1_16_1.LogEntry",
        "Id": n.to_string(),
        "Name": format!("Entry {n}"),
        "EntryType": "Event",
        "Created": created,
        "Severity": message.entry().severity.name(),
        "MessageId": message.id(profile),
        "MessageArgs": message.arguments(),
    });
    // In iLO Amplifier Pack, the text is only in the registry.
    if profile != Profile::IloAmplifier {
        entry["Message"] = json!(message.text());
        entry["Resolution"] = json!(message.entry().resolution);
    }
    entry
}
