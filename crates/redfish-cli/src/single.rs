//! A command at one service.

use std::sync::Arc;

use redfish_proto::{Redactor, Service};
use redfish_tls::Trust;

use crate::access::{Access, Identity, Scope, ServiceLine};
use crate::command::{Command, Job};
use crate::failure::Failure;
use crate::options::Options;
use crate::runtime::block_on;
use crate::signal::{self, Ends};
use crate::stop::Stop;
use crate::visit::Visit;

/// Runs the command at the service that the options name. What can be rejected is rejected before anything is sent.
pub(crate) fn run(mut command: Command, options: Options) -> Result<(), Failure> {
    options.check_stdin(usize::from(command.reads_stdin()))?;
    let service = options.service()?;
    command.check(&service)?;
    command.prepare()?;
    let mut secrets = Redactor::default();
    let (trust, identity) = {
        let mut access = Access::new(&options, Scope::One)?;
        let line = ServiceLine::default();
        (access.trust(&line)?, access.identity(&line, &service, &mut secrets)?)
    };
    visit(&command, options, service, identity, &trust, secrets)
}

/// Does a job at a service. From here on a signal leaves it the time to close its session.
pub(crate) fn visit(
    job: &impl Job,
    options: Options,
    service: Arc<Service>,
    identity: Identity,
    trust: &Trust,
    secrets: Redactor,
) -> Result<(), Failure> {
    let stop = Stop::new();
    signal::listen(&stop, Ends::Early);
    let result = block_on(async {
        let visit = Visit::single(&Arc::new(options), service, identity, trust, secrets)?;
        Ok::<_, Failure>(visit.complete(job, &stop).await)
    })??;
    result.failure.map_or(Ok(()), Err)
}
