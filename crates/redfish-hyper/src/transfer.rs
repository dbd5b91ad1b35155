//! Large things, both ways: images to push, bodies to read as they come.

use std::hash::{BuildHasher, RandomState};

use redfish_proto::Error;
use redfish_proto::ops::{Download, Image, Outcome, PushUpdate};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::client::Client;
use crate::source::Source;

impl Client {
    /// Pushes an image to the update service, for all that it fits or for these resources only: multipart, or as it is,
    /// by what the service offers. The image is read as it is sent.
    ///
    /// The outcome is often a monitor to [`watch`](Client::watch).
    ///
    /// # Errors
    /// A service that takes no images or none so large, whatever it refused, and
    /// [`OutcomeUnknown`](redfish_proto::ErrorKind::OutcomeUnknown) where the answer was lost: the list of tasks may tell.
    pub async fn update(&self, name: &str, source: &Source, targets: &[String]) -> Result<Outcome, Error> {
        let image = Image { name: name.to_owned(), payload: source.payload() };
        let update = PushUpdate::new(image, &randomness())?;
        let update = if targets.is_empty() { update } else { update.targets(targets) };
        let call = self.service().call(update);
        self.drive_watching(call, Some(source), &mut |_| {}).await.map(|(outcome, _)| outcome)
    }

    /// Reads a large body into a writer as it comes, at the most so many bytes, and returns how many there were.
    ///
    /// # Errors
    /// Whatever the service refused, [`TooLarge`](redfish_proto::ErrorKind::TooLarge) beyond the limit, a connection that broke, and
    /// [`InvalidRequest`](redfish_proto::ErrorKind::InvalidRequest) where the writer failed, with that as the cause. What came before
    /// is written.
    pub async fn download(
        &self,
        path: &str,
        into: &mut (impl AsyncWrite + Unpin + Send),
        limit: u64,
    ) -> Result<u64, Error> {
        let target = self.service().target(path)?;
        let unstored = |error| self.service().body_not_stored(&target, error);
        let broken = |error| self.service().body_broken(&target, error);
        let (_, stream) = self.stream(Download::new(target.clone())).await?;
        let Some(mut stream) = stream else { return Ok(0) };
        let mut written = 0;
        while let Some(piece) = stream.chunk().await.map_err(broken)? {
            written += piece.len() as u64;
            if written > limit {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                return Err(self.service().body_too_large(&target, limit));
            }
            into.write_all(&piece).await.map_err(unstored)?;
        }
        Ok(written)
    }
}

/// What makes a boundary that no image has in it: two hashes under random keys of the standard library's.
fn randomness() -> [u8; 16] {
    let mut randomness = [0; 16];
    for half in randomness.chunks_exact_mut(8) {
        half.copy_from_slice(&RandomState::new().hash_one(()).to_ne_bytes());
    }
    randomness
}
