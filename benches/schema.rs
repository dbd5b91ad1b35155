//! How long five members of a system take, as a view, as a type of nv-redfish, and as a `Value`. `benches/schema --peer` runs it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use redfish_proto::view::Json;
use redfish_schema::ComputerSystem;
use serde_json::{Value, json};

/// In each round, each is read this often.
const READS: usize = 2_000;
const ROUNDS: usize = 15;

fn main() {
    let text = system().to_string();
    let view = || {
        let system: ComputerSystem =
            Json::new(text.clone().into()).and_then(|json| json.decode()).expect("a system");
        let texts = [system.serial_number(), system.model(), system.host_name(), system.asset_tag()];
        texts.iter().flatten().map(|text| text.len()).sum::<usize>()
            + usize::from(system.power_state().is_some())
    };
    let peer = || {
        type System = nv_redfish::schema::computer_system::ComputerSystem;
        let system: System = serde_json::from_str(&text).expect("a system");
        let texts = [&system.serial_number, &system.model, &system.host_name, &system.asset_tag];
        let texts = texts.into_iter().flatten().flatten().map(|text| text.len()).sum::<usize>();
        texts + usize::from(system.power_state.is_some())
    };
    let value = || {
        let system: Value = serde_json::from_str(&text).expect("a system");
        let texts = ["SerialNumber", "Model", "HostName", "AssetTag"]
            .map(|name| system[name].as_str().map_or(0, str::len));
        texts.iter().sum::<usize>() + usize::from(system["PowerState"].is_string())
    };
    assert_eq!((view(), peer()), (value(), value()));
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        for (best, read) in best.iter_mut().zip([&view as &dyn Fn() -> usize, &peer, &value]) {
            let begun = Instant::now();
            (0..READS).for_each(|_| assert!(black_box(read()) > 0));
            *best = (*best).min(begun.elapsed());
        }
    }
    let [view, peer, value] = best.map(|time| time.as_secs_f64() * 1e6 / READS as f64);
    println!(
        "five members of a system of {} bytes: {view:.1} us as a view, {peer:.1} us with nv-redfish, {value:.1} us as a Value",
        text.len()
    );
    println!(
        "a view needs {:.2} times the time of nv-redfish, and {:.2} times that of a Value",
        view / peer,
        view / value
    );
}

/// A system of 15 KB with the members that services send.
fn system() -> Value {
    let mut system = json!({
        "@odata.id": "/redfish/v1/Systems/1", "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem", "Id": "1", "Name": "System",
        "SerialNumber": "CZ2030000A", "Model": "Generic 2U", "HostName": "db-01", "PowerState": "On", "AssetTag": "R7-U12",
    });
    for (list, count) in [("PCIeDevices", 120), ("PCIeFunctions", 100)] {
        let links = (0..count)
            .map(|n| json!({"@odata.id": format!("/redfish/v1/Chassis/1/{list}/Device-{n:04}-000000")}));
        system[list] = links.collect();
    }
    system
}
