//! `pin`: which certificate the service shows, to be looked at and then trusted by name.

mod description;

use std::sync::Arc;

use redfish_hyper::tls::Inspection;
use redfish_hyper::{Client, Service, TransportBuilder};
use redfish_tls::Pin;
use serde::Serialize;

use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::output;
use crate::runtime::block_on;

use description::Description;

/// A certificate as JSON.
#[derive(Serialize)]
struct PinReport {
    pin: String,
    #[serde(flatten)]
    description: Description,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let service = options.service()?;
    if is_plain(&service) {
        return Err(Failure::usage("a service of http shows no certificate", "Leave the scheme out."));
    }
    let (inspection, refused) = inspect(service, options.connections())?;
    let (Some(pin), Some(leaf)) = (inspection.pin(), inspection.leaf()) else {
        return Err(refused.unwrap_or_else(|| Failure::missing("the service showed no certificate")));
    };
    let description = Description::of(&leaf);
    match options.output {
        Some(Output::Json) => {
            let shown = PinReport { pin: pin.to_string(), description };
            let json = serde_json::to_vec(&shown).map_err(|error| Failure::stdout(error.into()))?;
            output::print(&json)
        }
        // A script takes the line as it is.
        None if !output::is_terminal() => output::line(pin),
        _ => {
            output::line(pin)?;
            description.lines().iter().try_for_each(output::line)
        }
    }
}

/// The pin of the certificate that a service shows, if it shows one; and why there was no connection.
pub(crate) fn of(
    service: impl Into<Arc<Service>>,
    connections: TransportBuilder,
) -> Result<(Option<Pin>, Option<Failure>), Failure> {
    inspect(service, connections).map(|(inspection, refused)| (inspection.pin(), refused))
}

/// The certificate that a service shows, if it shows one; and why there was no connection.
fn inspect(
    service: impl Into<Arc<Service>>,
    connections: TransportBuilder,
) -> Result<(Inspection, Option<Failure>), Failure> {
    let inspection = Inspection::new();
    let transport = connections.trust(&inspection.trust()).build();
    let client = Client::builder(service).transport(&transport).build()?;
    // The handshake ends in a refusal each time; what was shown is known by then.
    let refused = block_on(client.get_raw("/redfish/v1/"))?.err();
    Ok((inspection, refused.map(Failure::from)))
}

fn is_plain(service: &Service) -> bool {
    service.to_string().starts_with("http://")
}
