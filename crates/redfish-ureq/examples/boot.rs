//! Shows the boot settings of each system, and boots it from the network once with `--pxe`: `cargo run --example boot`, with
//! `REDFISH_SERVICE`, `REDFISH_USER` and `REDFISH_PASSWORD` in the environment.

use std::env::{args, var};
use std::fmt::Display;
use std::time::Duration;

use redfish_ureq::schema::ComputerSystem;
use redfish_ureq::schema::computer_system::{BootSource, BootSourceOverrideEnabled, ComputerSystemPatch};
use redfish_ureq::schema::resource::ResetType;
use redfish_ureq::{Client, Credentials, Error, Service};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder(Service::new(&var("REDFISH_SERVICE")?)?)
        .login(Credentials::new(var("REDFISH_USER")?, var("REDFISH_PASSWORD")?))
        .build()?;
    Ok(client.scoped(|client| boot(&client))?)
}

/// A value, or `-` if the service does not have it.
fn text(value: Option<impl Display>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

fn list(values: impl Iterator<Item = impl Display>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

fn show(system: &ComputerSystem) {
    let boot = system.boot().unwrap_or_default();
    println!("{}", text(system.name()));
    println!("  order: {}", list(boot.boot_order()));
    println!(
        "  override: {}, {}",
        text(boot.boot_source_override_target()),
        text(boot.boot_source_override_enabled())
    );
    println!("  allowed: {}", list(boot.boot_source_override_target_allowable_values()));
}

fn boot(client: &Client) -> Result<(), Error> {
    for system in client.systems()? {
        show(&system);
        if args().any(|argument| argument == "--pxe") {
            let patch = ComputerSystemPatch::new().boot(|boot| {
                boot.boot_source_override_target(BootSource::Pxe)
                    .boot_source_override_enabled(BootSourceOverrideEnabled::Once)
            });
            let outcome = client.update(&system, patch)?;
            client.finish(outcome, Duration::from_secs(60))?;
            let system = client.reread(system)?;
            show(&system);
            let outcome = client.run(system.reset(ResetType::GracefulRestart)?)?;
            client.finish(outcome, Duration::from_secs(60))?;
        }
    }
    Ok(())
}
