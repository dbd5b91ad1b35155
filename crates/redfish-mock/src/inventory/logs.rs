//! Logs: of each manager a long one, which is paged, and of each system a short one.

use std::time::Duration;

use serde_json::{Value, json};

use super::{MACHINES, Machine, link, status};
use crate::inventory::action::{CLEAR_LOG, Told};
use crate::inventory::tree::Draft;
use crate::protocol::date::{before, date_time};
use crate::protocol::message::{Message, Room};
use crate::protocol::profile::Profile;

/// How many entries a manager's log has: more than two pages.
const LONG: u64 = 120;
/// How many entries a system's log has.
const SHORT: u64 = 4;

pub(super) fn add(drafts: &mut Vec<Draft>, profile: Profile) {
    for machine in &MACHINES {
        add_log(drafts, machine, &machine.manager(), LONG, profile);
        add_log(drafts, machine, &machine.system(), SHORT, profile);
    }
}

fn add_log(drafts: &mut Vec<Draft>, machine: &Machine, owner: &str, length: u64, profile: Profile) {
    let services = format!("{owner}/LogServices");
    let path = format!("{services}/Log");
    drafts.push(Draft::collection(&services, "LogServiceCollection", "Logs", ["Log".to_owned()]));
    drafts.push(Draft::new(json!({
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
        "Actions": {"#LogService.ClearLog": CLEAR_LOG.offer(&path, Told::Here)},
    })));
    let entries: Vec<Value> = (1..=length).map(|n| entry(machine, &path, n, length, profile)).collect();
    // The members in full, as services have them here.
    let mut collection =
        json!({"@odata.id": format!("{path}/Entries"), "Id": "Entries", "Name": "Entries of the log"});
    collection["@odata.type"] = json!("#LogEntryCollection.LogEntryCollection");
    collection["Members@odata.count"] = json!(length);
    collection["Members"] = json!(entries);
    drafts.push(Draft::new(collection));
    drafts.extend(entries.into_iter().map(Draft::new));
}

/// Entry `n` of a log: a day in the machine's life, over and over.
fn entry(machine: &Machine, log: &str, n: u64, length: u64, profile: Profile) -> Value {
    let (celsius, fan) = ((machine.inlet + 38.0).to_string(), (n % 4 + 1).to_string());
    let message = match n % 6 {
        1 => Message::new(Room::PowerChanged, ["on"]),
        2 => Message::new(Room::FanSlow, [&fan, "3100"]),
        3 => Message::new(Room::TemperatureHigh, ["InletTemp", &celsius]),
        4 => Message::new(Room::TemperatureNormal, ["InletTemp", &machine.inlet.to_string()]),
        5 => Message::new(Room::MemoryErrorsCorrected, [&fan, "12"]),
        _ => Message::new(Room::LampSwitched, ["off"]),
    };
    let mut entry = json!({
        "@odata.id": format!("{log}/Entries/{n}"),
        "@odata.type": "#LogEntry.v1_16_1.LogEntry",
        "Id": n.to_string(),
        "Name": format!("Entry {n}"),
        "EntryType": "Event",
        "Created": before(Duration::from_secs((length - n + 1) * 3571)),
        "Severity": message.entry().severity.name(),
        "MessageId": message.id(profile),
        "MessageArgs": message.arguments(),
    });
    // iLO Amplifier Pack leaves the text to its registry.
    if profile == Profile::Standard {
        entry["Message"] = json!(message.text());
        entry["Resolution"] = json!(message.entry().resolution);
    }
    entry
}
