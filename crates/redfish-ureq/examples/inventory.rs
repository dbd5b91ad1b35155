//! Prints the hardware of a service: `cargo run --example inventory`, with `REDFISH_SERVICE`, `REDFISH_USER` and
//! `REDFISH_PASSWORD` in the environment.

use std::env::var;
use std::fmt::Display;

use redfish_ureq::{Client, Credentials, Error, Service};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder(Service::new(&var("REDFISH_SERVICE")?)?)
        .login(Credentials::new(var("REDFISH_USER")?, var("REDFISH_PASSWORD")?))
        .build()?;
    Ok(client.scoped(|client| inventory(&client))?)
}

/// A value, or `-` if the service does not have it.
fn text(value: Option<impl Display>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

fn inventory(client: &Client) -> Result<(), Error> {
    for system in client.systems()? {
        let memory = system.memory_summary().and_then(|memory| memory.total_system_memory_gib());
        println!("{} {} {} GiB", text(system.model()), text(system.serial_number()), text(memory));
        for processor in client.fetch_members(system.processors()) {
            let processor = processor?;
            println!("  processor {} {} cores", text(processor.model()), text(processor.total_cores()));
        }
        for storage in client.fetch_members(system.storage()) {
            for drive in client.fetch_all(storage?.drives()) {
                let drive = drive?;
                let health = drive.status().and_then(|status| status.health());
                println!(
                    "  drive {} {} bytes {}",
                    text(drive.serial_number()),
                    text(drive.capacity_bytes()),
                    text(health)
                );
            }
        }
        for interface in client.fetch_members(system.ethernet_interfaces()) {
            println!("  interface {}", text(interface?.mac_address()));
        }
    }
    for chassis in client.chassis()? {
        println!("{} {}", text(chassis.name()), text(chassis.serial_number()));
        for power in client.fetch_all(chassis.power_subsystem()) {
            for supply in client.fetch_members(power?.power_supplies()) {
                println!("  power supply {}", text(supply?.name()));
            }
        }
        for power in client.fetch_all(chassis.power()) {
            power?.power_supplies().for_each(|supply| println!("  power supply {}", text(supply.name())));
        }
    }
    for manager in client.managers()? {
        println!("{} {}", text(manager.name()), text(manager.firmware_version()));
    }
    Ok(())
}
