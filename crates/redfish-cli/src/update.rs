//! `update`: pushes an image to the update service, and waits for what becomes of it.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use redfish_ureq::Source;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::Options;
use crate::outcome::Waiting;
use crate::progress::{self, Line};

/// What to push, and for what.
#[derive(Args)]
pub(crate) struct Update {
    /// The image
    file: PathBuf,
    /// Only for this resource, by its URI; more than once for several
    #[arg(long = "target", value_name = "URI")]
    targets: Vec<String>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Update {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        let unreadable = |error: io::Error| Failure::unusable("the image cannot be read", error);
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let source = Source::file(&self.file).map_err(unreadable)?;
        let length = source.payload().length;
        let line = Arc::new(Mutex::new(Line::new(options)));
        let seen = Arc::clone(&line);
        let source = source.progress(move |sent| {
            let mut line = seen.lock().unwrap_or_else(PoisonError::into_inner);
            line.show(&progress::of_sending(sent, length));
        });
        Connection::scoped(options, |connection| {
            let outcome = connection.with_client(|client| client.update(&name, &source, &self.targets))?;
            line.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.waiting.finish(outcome, connection, options)
        })
    }
}
