//! `get`: resources as the service sends them.

use clap::Args;
use redfish_proto::Raw;

use crate::connection::Connection;
use crate::document;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::Options;

/// What to read.
#[derive(Args, Clone)]
pub(crate) struct Get {
    /// Where: /redfish/v1/Systems, or a URL of this service
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

impl Get {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        // What cannot be asked is found before anything is.
        let service = options.service()?;
        for path in &self.paths {
            service.target(path)?;
        }
        Connection::scoped(options, |connection| {
            let mut failed = Failed::default();
            for path in &self.paths {
                match connection.run(|client| Ok(Raw::get(&client.service().target(path)?))) {
                    Ok(answer) => document::print(answer.body(), options)?,
                    Err(failure) => failed.add(failure, options),
                }
            }
            failed.end()
        })
    }
}

/// The failures of a command that goes on: each is said, the last at the very end, and the first decides.
#[derive(Default)]
pub(crate) struct Failed {
    first: Option<Exit>,
    last: Option<Failure>,
}

impl Failed {
    pub(crate) fn add(&mut self, failure: Failure, options: &Options) {
        self.first.get_or_insert(failure.exit());
        if let Some(earlier) = self.last.replace(failure) {
            earlier.report(options.errors_as_json());
        }
    }

    pub(crate) fn end(self) -> Result<(), Failure> {
        match (self.last, self.first) {
            (Some(failure), Some(exit)) => Err(failure.ending(exit)),
            _ => Ok(()),
        }
    }
}
