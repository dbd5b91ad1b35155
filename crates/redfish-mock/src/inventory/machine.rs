//! The invented machines: three servers, from whose values their resources are made.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::template::Values;

/// The machines, which live as long as the process.
pub(crate) static MACHINES: LazyLock<Vec<Machine>> = LazyLock::new(|| {
    let machines: Vec<Values> =
        serde_json::from_str(include_str!("data/machines.json")).expect("the files of this crate are JSON");
    machines.into_iter().map(Machine::new).collect()
});

/// The values of a server.
pub(crate) struct Machine(Values);

impl Machine {
    fn new(mut values: Values) -> Machine {
        let id = values["id"].as_str().unwrap_or_default().to_owned();
        for (name, collection) in [("system", "Systems"), ("chassis", "Chassis"), ("manager", "Managers")] {
            values.insert(name.into(), json!(format!("/redfish/v1/{collection}/{id}")));
        }
        let drives = values["drives"].as_array().map_or(0, Vec::len);
        let drive = |n| link(format!("/redfish/v1/Systems/{id}/Storage/1/Drives/{n}"));
        let derived = [
            ("drive_count", json!(drives)),
            ("drive_links", (1..=drives).map(drive).collect()),
            ("slot_hex", json!(format!("{:x}", values["slot"].as_u64().unwrap_or_default()))),
            ("watts_text", json!(values["watts"].to_string())),
            ("inlet_text", json!(values["inlet"].to_string())),
        ];
        values.extend(derived.map(|(name, value)| (name.to_owned(), value)));
        Machine(values)
    }

    pub(super) fn values(&self) -> &Values {
        &self.0
    }

    /// The value of this name, if it is a text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    /// The temperature of the air at its inlet, in degrees Celsius.
    pub(super) fn inlet_celsius(&self) -> f64 {
        self.0["inlet"].as_f64().unwrap_or_default()
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
