//! A command at one service.

use std::sync::Arc;

use redfish_proto::Service;

use crate::access::{Access, AccessSource, Scope, ServiceLine};
use crate::failure::Failure;
use crate::options::Options;
use crate::runtime::block_on;
use crate::signal::{self, StopMode};
use crate::stop::Stop;
use crate::visit::{Job, Visit};

/// Runs a command at the service of `--service`. Wrong usage is rejected before anything is sent.
pub(crate) fn run(mut command: impl Job, options: Options) -> Result<(), Failure> {
    options.check_stdin(usize::from(command.reads_stdin()))?;
    let service = options.service()?;
    command.check(&service)?;
    command.prepare(&options)?;
    let access = AccessSource::new(&options, Scope::One)?.find(&ServiceLine::default(), &service)?;
    visit(&command, options, service, access)
}

/// Does a job at a service. From now on, a signal lets it close its session.
pub(crate) fn visit(
    job: &impl Job,
    options: Options,
    service: Arc<Service>,
    access: Access,
) -> Result<(), Failure> {
    let stop = Stop::new();
    signal::listen(&stop, StopMode::Interrupt);
    let result = block_on(async {
        let visit = Visit::single(&Arc::new(options), service, access)?;
        Ok::<_, Failure>(visit.complete(job, &stop).await)
    })??;
    result.failure.map_or(Ok(()), Err)
}
