//! What a command does at a service, written once for `redfish COMMAND` and for `redfish sweep COMMAND`.

use std::future::Future;

use redfish_proto::Service;

use super::Visit;
use crate::failure::Failure;
use crate::options::Options;

/// What a command does at a service.
pub(crate) trait Job: Send + Sync {
    /// Whether it reads standard input.
    fn reads_stdin(&self) -> bool {
        false
    }

    /// The paths among its arguments.
    fn paths(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Rejects a path that this service cannot have, such as a URL of another service.
    fn check(&self, service: &Service) -> Result<(), Failure> {
        self.paths().iter().try_for_each(|path| Ok(service.target(path).map(drop)?))
    }

    /// Reads its local input, such as a body, once and before any request. May block.
    fn prepare(&mut self, _options: &Options) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether it writes. A sweep repeats a write only if it certainly did not happen.
    fn writes(&self) -> bool {
        false
    }

    /// Whether it ends by itself.
    fn ends(&self) -> bool {
        true
    }

    /// Does the work. It may be dropped at any await point; the visit closes the session.
    fn run(&self, visit: &mut Visit) -> impl Future<Output = Result<(), Failure>> + Send;
}
