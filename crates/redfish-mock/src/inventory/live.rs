//! Readings that move: those of sensors, and the copies of them in other resources.

use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::date::date_time;
use crate::protocol::etag::fingerprint;

/// How long a reading stays the same.
const STEP: Duration = Duration::from_secs(30);
/// The number of steps after which readings repeat.
const PERIOD: u64 = 40;

/// A resource with its readings at `now`. `None` if it has none, or they are as they were at first.
pub(crate) fn at(document: &Value, now: Duration) -> Option<Value> {
    if document["DateTime"].is_string() {
        let mut document = document.clone();
        document["DateTime"] = json!(date_time(now));
        return Some(document);
    }
    let step = now.as_secs() / STEP.as_secs();
    let odata_type = document["@odata.type"].as_str().unwrap_or_default();
    if odata_type.starts_with("#MetricReport.") {
        return Some(report_at(document, now));
    }
    if odata_type.starts_with("#Thermal.") || odata_type.starts_with("#Power.") {
        return (step > 0).then(|| legacy_at(document, step));
    }
    let is_sensor = odata_type.starts_with("#Sensor.");
    // Without a sensor, a resource has copies of the readings of others.
    let has_copies =
        ["#Control.", "#EnvironmentMetrics.", "#ThermalMetrics.", "#Fan.", "#PowerSupplyMetrics."]
            .iter()
            .any(|schema| odata_type.starts_with(schema));
    if step == 0 || !(is_sensor || has_copies) {
        return None;
    }
    let mut moved = document.clone();
    let has_moved = if is_sensor {
        move_reading(&mut moved, document["@odata.id"].as_str().unwrap_or_default(), step)
    } else {
        move_copies(&mut moved, step)
    };
    has_moved.then_some(moved)
}

/// The readings of Thermal and Power, which are those of the sensors of the chassis.
fn legacy_at(document: &Value, step: u64) -> Value {
    let mut document = document.clone();
    let uri = document["@odata.id"].as_str().unwrap_or_default();
    let sensors = uri.rsplit_once('/').map(|(chassis, _)| format!("{chassis}/Sensors")).unwrap_or_default();
    for (list, reading) in [
        ("Temperatures", "ReadingCelsius"),
        ("Fans", "Reading"),
        ("PowerControl", "PowerConsumedWatts"),
        ("PowerSupplies", "LastPowerOutputWatts"),
    ] {
        for item in document[list].as_array_mut().into_iter().flatten() {
            let name = match (list, item["Name"].as_str().unwrap_or_default()) {
                ("PowerControl", _) => "TotalPower".to_owned(),
                ("PowerSupplies", name) => format!("{}Power", name.replace("Power supply ", "PSU")),
                (_, name) => name.replace(' ', ""),
            };
            let Some(value) = item[reading].as_f64().filter(|value| *value != 0.0) else { continue };
            let moved = moved(value, &format!("{sensors}/{name}"), step);
            // The speed of a fan is an integer.
            item[reading] = if list == "Fans" { json!(moved.round() as i64) } else { json!(moved) };
        }
    }
    document
}

/// A report of the readings at `now`, which it takes once in each step.
fn report_at(report: &Value, now: Duration) -> Value {
    let mut report = report.clone();
    let step = now.as_secs() / STEP.as_secs();
    let time = date_time(STEP * u32::try_from(step).unwrap_or(u32::MAX));
    for metric in report["MetricValues"].as_array_mut().into_iter().flatten() {
        let reading = metric["MetricValue"].as_str().and_then(|value| value.parse::<f64>().ok());
        let sensor = metric["MetricProperty"].as_str().and_then(|uri| uri.split('#').next());
        if let (Some(reading), Some(sensor)) = (reading, sensor) {
            let moved = if step > 0 { moved(reading, sensor, step) } else { reading };
            metric["MetricValue"] = json!(moved.to_string());
            metric["Timestamp"] = json!(time);
        }
    }
    report["Timestamp"] = json!(time);
    report
}

fn move_copies(value: &mut Value, step: u64) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |moved, item| move_copies(item, step) | moved),
        Value::Object(members) => {
            let source = members.get("DataSourceUri").and_then(Value::as_str).map(str::to_owned);
            match source {
                Some(source) => move_reading(value, &source, step),
                None => members.values_mut().fold(false, |moved, member| move_copies(member, step) | moved),
            }
        }
        _ => false,
    }
}

fn move_reading(sensor: &mut Value, path: &str, step: u64) -> bool {
    let Some(reading) = sensor["Reading"].as_f64().filter(|reading| *reading != 0.0) else { return false };
    let now = moved(reading, path, step);
    sensor["Reading"] = json!(now);
    if let Some(speed) = sensor["SpeedRPM"].as_f64() {
        sensor["SpeedRPM"] = json!((speed * now / reading).round());
    }
    true
}

/// A reading that moves by up to 2 % up and down. An energy meter only counts up.
fn moved(reading: f64, path: &str, step: u64) -> f64 {
    let moved = if path.ends_with("Energy") {
        reading + step as f64 * 0.01
    } else {
        let phase = (u64::from(fingerprint(path.as_bytes(), 0)) + step) % PERIOD;
        // From 0 up to a half of the period and down again, around the middle.
        let wave = phase.min(PERIOD - phase) as f64 / (PERIOD / 2) as f64 - 0.5;
        reading * (1.0 + wave * 0.04)
    };
    (moved * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_moves_a_little_and_its_copies_move_with_it() {
        let sensor =
            json!({"@odata.id": "/s/InletTemp", "@odata.type": "#Sensor.v1_10_0.Sensor", "Reading": 20.0});
        let metrics = json!({"@odata.type": "#ThermalMetrics.v1_3_0.ThermalMetrics", "Summary":
            {"Intake": {"DataSourceUri": "/s/InletTemp", "Reading": 20.0}}});
        let mut readings = Vec::new();
        for minute in 0..20 {
            let now = Duration::from_secs(minute * 60);
            let sensor = at(&sensor, now).unwrap_or_else(|| sensor.clone());
            let metrics = at(&metrics, now).unwrap_or_else(|| metrics.clone());
            assert_eq!(sensor["Reading"], metrics["Summary"]["Intake"]["Reading"]);
            readings.push(sensor["Reading"].as_f64().unwrap());
        }
        assert!(readings.iter().all(|reading| (19.5..=20.5).contains(reading)), "{readings:?}");
        readings.dedup();
        assert!(readings.len() > 10, "{readings:?}");
        let fan = json!({"@odata.id": "/s/Fan1", "@odata.type": "#Sensor.v1_10_0.Sensor", "Reading": 0});
        assert!(at(&fan, Duration::from_secs(600)).is_none(), "a fan that stands still does not move");
    }
}
