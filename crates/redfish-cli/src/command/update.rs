//! `update`: pushes an image to the update service.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use redfish_hyper::Source;

use super::outcome::WaitOption;
use crate::failure::Failure;
use crate::options::Options;
use crate::progress;
use crate::visit::{Job, Visit};

/// The image and its targets.
#[derive(Args)]
pub(crate) struct Update {
    /// Image file
    file: PathBuf,
    /// URI of a resource to update; may be repeated. Default: the service decides, unless another client has reserved the
    /// push or has left its own targets
    #[arg(long = "target", value_name = "URI")]
    targets: Vec<String>,
    #[command(flatten)]
    wait: WaitOption,
    /// The open image, after `prepare`.
    #[arg(skip)]
    image: Option<Source>,
}

impl Job for Update {
    fn prepare(&mut self, _options: &Options) -> Result<(), Failure> {
        let unreadable = |error| Failure::unusable("the image cannot be read", error);
        // A pipe has no length, and opening it may block.
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
        let line = Arc::new(Mutex::new(visit.sink.progress()));
        let shared_line = line.clone();
        let image = image.clone().progress(move |sent| {
            let mut line = shared_line.lock().unwrap_or_else(PoisonError::into_inner);
            line.show(&progress::upload(sent, length));
        });
        let (name, image) = (&*name, &image);
        let outcome =
            visit.with_client(|client| async move { client.update(name, image, &self.targets).await }).await;
        line.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let outcome = outcome.map_err(|failure| match failure.kind() {
            "push-reserved" => {
                failure.with_hint("Wait until it has finished, or name the resources with --target.")
            }
            _ => failure,
        });
        self.wait.finish(outcome, visit).await
    }
}
