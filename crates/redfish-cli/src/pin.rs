//! `pin`: which certificate the service shows, to be looked at and then trusted by name.

use std::sync::Arc;

use redfish_hyper::{Client, Inspection, Service, TransportBuilder};
use redfish_tls::Pin;

use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::runtime::block_on;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let service = options.service()?;
    if is_plain(&service) {
        return Err(Failure::usage("a service of http shows no certificate", "Leave the scheme out."));
    }
    match of(service, options.connections())? {
        (Some(pin), _) => output::line(pin),
        (None, Some(failure)) => Err(failure),
        (None, None) => Err(Failure::missing("the service showed no certificate")),
    }
}

/// The pin of the certificate that a service shows, if it shows one; and why there was no connection.
pub(crate) fn of(
    service: impl Into<Arc<Service>>,
    connections: TransportBuilder,
) -> Result<(Option<Pin>, Option<Failure>), Failure> {
    let inspection = Inspection::new();
    let transport = connections.trust(&inspection.trust()).build();
    let client = Client::builder(service).transport(&transport).build()?;
    // The handshake ends in a refusal each time; what was shown is known by then.
    let refused = block_on(client.get_raw("/redfish/v1/"))?.err();
    Ok((inspection.pin(), refused.map(Failure::from)))
}

fn is_plain(service: &Service) -> bool {
    service.to_string().starts_with("http://")
}
