//! Reads the part of an iDRAC that is not standard: `cargo run --example dell`.

use redfish_ureq::proto::view::{DateTime, Json, Text};
use redfish_ureq::proto::{enumeration, view};
use redfish_ureq::schema::ComputerSystem;

enumeration! {
    /// The state of all parts of a kind.
    pub enum Rollup { Ok = "OK", Degraded = "Degraded", Error = "Error" }
}

view! {
    /// What Dell adds to a system.
    pub struct DellSystem {
        pub fn bios_release_date(&self) -> Option<Text> = "BIOSReleaseDate";
        pub fn cpu_rollup_status(&self) -> Option<Rollup> = "CPURollupStatus";
        pub fn max_dimm_slots(&self) -> Option<i64> = "MaxDIMMSlots";
        pub fn last_update_time(&self) -> Option<DateTime> = "LastUpdateTime";
        pub fn managed_system_size(&self) -> Option<Text> = "ManagedSystemSize";
    }
}

/// A system as an iDRAC may send it: a number as text, and a list where a text belongs.
const SYSTEM: &str = r#"{"Id": "System.Embedded.1", "Oem": {"Dell": {"DellSystem": {"BIOSReleaseDate": "03/22/2024",
    "CPURollupStatus": "Degraded", "MaxDIMMSlots": "32", "LastUpdateTime": "2024-03-22T09:14:05-05:00",
    "ManagedSystemSize": ["2 U"]}}}}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system: ComputerSystem = Json::new(SYSTEM.into())?.decode()?;
    let dell = system.oem_as::<Json>("Dell").and_then(|dell| dell.read::<Option<DellSystem>>("DellSystem"));
    let dell = dell.ok_or("not a Dell")?;
    println!("BIOS of {:?}, processors {:?}", dell.bios_release_date(), dell.cpu_rollup_status());
    println!("{:?} slots for memory, updated {:?}", dell.max_dimm_slots(), dell.last_update_time());
    println!("{:?}, since it is {:?}", dell.managed_system_size(), dell.member("ManagedSystemSize"));
    Ok(())
}
