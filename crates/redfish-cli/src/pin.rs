//! `pin`: which certificate the service shows, to be looked at and then trusted by name.

use redfish_ureq::{Client, Inspection, Service};

use crate::failure::Failure;
use crate::options::Options;
use crate::output;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let service = options.service()?;
    if is_plain(&service) {
        return Err(Failure::usage("a service of http shows no certificate", "Leave the scheme out."));
    }
    let inspection = Inspection::new();
    let transport = options.connections().trust(&inspection.trust()).build();
    let client = Client::builder(service).transport(&transport).build()?;
    // The handshake ends in a refusal each time; what was shown is known by then.
    let refused = client.get_raw("/redfish/v1/").err();
    match (inspection.pin(), refused) {
        (Some(pin), _) => output::line(pin),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Err(Failure::missing("the service showed no certificate")),
    }
}

fn is_plain(service: &Service) -> bool {
    service.to_string().starts_with("http://")
}
