//! `pin`: the service's certificate, without trusting it.

mod description;

use std::sync::Arc;

use redfish_hyper::tls::Inspection;
use redfish_hyper::{Client, Service, TransportBuilder};
use serde::Serialize;

use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::output;
use crate::runtime::block_on;

use description::Description;

/// The certificate as JSON.
#[derive(Serialize)]
struct Report {
    pin: String,
    #[serde(flatten)]
    description: Description,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let service = options.service()?;
    if is_plain(&service) {
        return Err(Failure::usage("an http service has no certificate", "Omit the scheme."));
    }
    let (inspection, error) = inspect(service, options.transport())?;
    let (Some(pin), Some(leaf)) = (inspection.pin(), inspection.leaf()) else {
        let error = error.map(|error| error.at_timeout(options.timeout_limits_exchanges()));
        return Err(error.unwrap_or_else(|| Failure::missing("the service sent no certificate")));
    };
    let description = Description::of(&leaf);
    match options.output {
        Some(Output::Json) => {
            let report = Report { pin: pin.to_string(), description };
            let json = serde_json::to_vec(&report).map_err(|error| Failure::stdout(error.into()))?;
            output::print(&json)
        }
        // For scripts, only the pin.
        None if !output::is_terminal() => output::line(pin),
        _ => {
            output::line(pin)?;
            description.lines().iter().try_for_each(output::line)
        }
    }
}

/// Connects to a service and inspects its certificate. Also returns why the connection failed.
pub(crate) fn inspect(
    service: impl Into<Arc<Service>>,
    transport: TransportBuilder,
) -> Result<(Inspection, Option<Failure>), Failure> {
    let inspection = Inspection::new();
    let transport = transport.trust(&inspection.trust()).build();
    let client = Client::builder(service).transport(&transport).build()?;
    // The inspection rejects every certificate, so the handshake always fails.
    let error = block_on(client.get_raw("/redfish/v1/"))?.err();
    Ok((inspection, error.map(Failure::from)))
}

fn is_plain(service: &Service) -> bool {
    service.to_string().starts_with("http://")
}
