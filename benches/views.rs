//! Reading views, and the same from a `serde_json::Value`.

use std::hint::black_box;

use bytes::Bytes;
use redfish_proto::view::Json;
use redfish_schema::{ComputerSystem, LogEntryCollection};
use serde_json::{Value, json};

use crate::{Benchmark, LOG, MEMBERS, SYSTEM};

/// Each with the whole work: the body is parsed, and its members are read.
pub(crate) fn all() -> [Benchmark; 5] {
    let (system, page) = (large_system(), log_page());
    let (system_copy, page_copy, system_bytes, page_bytes) =
        (system.clone(), page.clone(), system.len(), page.len());
    let parsed: ComputerSystem = Json::new(system.clone()).and_then(|json| json.decode()).expect("a system");
    [
        Benchmark {
            name: "five view",
            bytes: system_bytes,
            run: Box::new(move || {
                let system: ComputerSystem =
                    Json::new(system.clone()).and_then(|json| json.decode()).expect("a system");
                five_of_view(&system);
            }),
        },
        Benchmark {
            name: "five value",
            bytes: system_bytes,
            run: Box::new(move || {
                let system: Value = serde_json::from_slice(&system_copy).expect("a system");
                let text = |name: &str| system[name].as_str().map(str::len);
                let names = ["SerialNumber", "Model", "HostName", "PowerState", "AssetTag"];
                assert_eq!(black_box(names.map(text)).iter().flatten().sum::<usize>(), FIVE);
            }),
        },
        Benchmark { name: "texts view", bytes: system_bytes, run: Box::new(move || four_texts(&parsed)) },
        Benchmark {
            name: "names view",
            bytes: page_bytes,
            run: Box::new(move || {
                let page: LogEntryCollection =
                    Json::new(page.clone()).and_then(|json| json.decode()).expect("a page");
                let names = page.members().filter_map(|entry| Some(entry.expanded()?.name()?.len()));
                assert_eq!(black_box(names.sum::<usize>()), MEMBERS * "Log entry".len());
            }),
        },
        Benchmark {
            name: "names value",
            bytes: page_bytes,
            run: Box::new(move || {
                let page: Value = serde_json::from_slice(&page_copy).expect("a page");
                let entries = page["Members"].as_array().into_iter().flatten();
                let names = entries.filter_map(|entry| entry["Name"].as_str().map(str::len));
                assert_eq!(black_box(names.sum::<usize>()), MEMBERS * "Log entry".len());
            }),
        },
    ]
}

/// The sum of the lengths of the five members.
const FIVE: usize = "CZ2030000A".len() + "Generic 2U".len() + "db-01".len() + "On".len() + "R7-U12".len();

fn five_of_view(system: &ComputerSystem) {
    let state = system.power_state().map_or(0, |state| state.as_str().len());
    let texts = [system.serial_number(), system.model(), system.host_name(), system.asset_tag()];
    assert_eq!(texts.iter().flatten().map(|text| text.len()).sum::<usize>() + state, FIVE);
}

fn four_texts(system: &ComputerSystem) {
    black_box([system.serial_number(), system.model(), system.host_name(), system.asset_tag()]);
}

/// A page of a log, 1 MB, with the members of each entry in the order in which services send them.
fn log_page() -> Bytes {
    let entry = |n: usize| {
        format!(
            r##"{{"@odata.id":"{LOG}/{n}","@odata.type":"#LogEntry.v1_11_0.LogEntry","Id":"{n}","Name":"Log entry","EntryType":"Event","Severity":"Warning","Created":"2026-03-04T05:06:07Z","Message":"Fan {fan} runs at {percent} % of its speed, above the limit that was set for it.","MessageId":"Environment.1.0.FanSpeedAboveLimit","MessageArgs":["Fan {fan}","80"],"Resolved":false,"Links":{{"OriginOfCondition":{{"@odata.id":"/redfish/v1/Chassis/1/Sensors/Fan1"}}}}}}"##,
            fan = n % 8,
            percent = n % 100,
        )
    };
    let entries: Vec<String> = (0..MEMBERS).map(entry).collect();
    format!(
        r#"{{"@odata.id":"{LOG}","Name":"Log","Members@odata.count":{MEMBERS},"Members":[{}]}}"#,
        entries.join(",")
    )
    .into()
}

/// A system of 15 KB.
fn large_system() -> Bytes {
    let mut system = json!({
        "@odata.id": SYSTEM, "@odata.type": "#ComputerSystem.v1_25_0.ComputerSystem", "Id": "1", "Name": "System",
        "SerialNumber": "CZ2030000A", "Model": "Generic 2U", "HostName": "db-01", "PowerState": "On", "AssetTag": "R7-U12",
    });
    for n in 0..110 {
        system[format!("Part{n}")] = json!({
            "@odata.id": format!("{SYSTEM}/Parts/{n}"), "Count": n, "Status": {"State": "Enabled", "Health": "OK"},
        });
    }
    system.to_string().into()
}
