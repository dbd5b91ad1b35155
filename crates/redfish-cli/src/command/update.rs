//! `update`: pushes an image to the update service, and waits for what becomes of it.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use redfish_hyper::Source;

use super::outcome::Waiting;
use crate::failure::Failure;
use crate::options::Options;
use crate::progress;
use crate::visit::{Job, Visit};

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
    /// The image, once it is known that it can be read.
    #[arg(skip)]
    image: Option<Source>,
}

impl Job for Update {
    fn prepare(&mut self, _options: &Options) -> Result<(), Failure> {
        let unreadable = |error| Failure::unusable("the image cannot be read", error);
        // A pipe has no length, and waits for its other end.
        if !fs::metadata(&self.file).map_err(unreadable)?.is_file() {
            return Err(Failure::usage("the image is not a regular file", "Write it to a file first."));
        }
        self.image = Some(Source::file(&self.file).map_err(unreadable)?);
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let Some(image) = &self.image else { return Err(Failure::missing("there is no image")) };
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let length = image.payload().length;
        let line = Arc::new(Mutex::new(visit.progress()));
        let seen = line.clone();
        let image = image.clone().progress(move |sent| {
            let mut line = seen.lock().unwrap_or_else(PoisonError::into_inner);
            line.show(&progress::of_sending(sent, length));
        });
        let (name, image) = (&*name, &image);
        let outcome = visit
            .with_client(|client| async move { client.update(name, image, &self.targets).await })
            .await?;
        line.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.waiting.finish(outcome, visit).await
    }
}
