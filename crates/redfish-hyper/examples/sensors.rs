//! Prints the sensors of a service as a table, until the end or Ctrl-C: `cargo run --example sensors`, with `REDFISH_SERVICE`,
//! `REDFISH_USER` and `REDFISH_PASSWORD` in the environment.

use std::env::var;
use std::fmt::Display;

use redfish_hyper::{Client, Credentials, Error, Service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder(Service::new(&var("REDFISH_SERVICE")?)?)
        .login(Credentials::new(var("REDFISH_USER")?, var("REDFISH_PASSWORD")?))
        .build()?;
    // The session is closed after Ctrl-C as well.
    let work = async |client| {
        tokio::select! {
            result = sensors(client) => result,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    };
    Ok(client.scoped(work).await?)
}

/// A value, or `-` if the service does not have it.
fn text(value: Option<impl Display>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

async fn sensors(client: Client) -> Result<(), Error> {
    for chassis in client.chassis().await? {
        for sensor in client.fetch_members(chassis.sensors()).await {
            let sensor = sensor?;
            let health = sensor.status().and_then(|status| status.health());
            let (name, reading, units) =
                (text(sensor.name()), text(sensor.reading()), text(sensor.reading_units()));
            println!("{:<20} {name:<24} {reading:>10} {units:<8} {}", text(chassis.name()), text(health));
        }
    }
    Ok(())
}
