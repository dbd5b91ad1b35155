//! Uploads and downloads of large bodies.

use std::hash::{BuildHasher, RandomState};

use redfish_proto::ops::{Download, Image, Outcome, PushUpdate};
use redfish_proto::{Call, Error};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::client::Client;
use crate::source::Source;

impl Client {
    /// Pushes an image to the update service: for the resources in `targets`, or for every resource that it fits if there
    /// are none. Uses a multipart or a plain request, whichever the service supports. The image is read as it is sent.
    ///
    /// The outcome is often a monitor for [`watch`](Client::watch).
    ///
    /// # Errors
    /// Fails if the service does not accept images, the image is too large, or the service refuses a request, and with
    /// [`OutcomeUnknown`](redfish_proto::ErrorKind::OutcomeUnknown) if the response is lost. The service's task list may
    /// then show the update.
    pub async fn update_firmware(
        &self,
        name: &str,
        source: &Source,
        targets: &[String],
    ) -> Result<Outcome, Error> {
        let update = source.push_update(name)?;
        let update = if targets.is_empty() { update } else { update.targets(targets) };
        self.push(self.service().call(update), source).await
    }

    /// Pushes an image as [`update_firmware`](Client::update_firmware) does, with what [`Source::push_update`] and its methods set.
    ///
    /// # Errors
    /// Those of [`update_firmware`](Client::update_firmware), and if the service does not accept the parameters.
    pub async fn push(&self, call: Call<PushUpdate>, source: &Source) -> Result<Outcome, Error> {
        self.drive_watching(call, Some(source), &mut |_| {}).await.map(|(outcome, _)| outcome)
    }

    /// Downloads a body of up to `limit` bytes into a writer, and returns its length.
    ///
    /// # Errors
    /// Fails if the service refuses the request or the connection fails, with
    /// [`TooLarge`](redfish_proto::ErrorKind::TooLarge) if the body exceeds the limit, and with
    /// [`InvalidRequest`](redfish_proto::ErrorKind::InvalidRequest) if the writer fails. What arrived before is written.
    pub async fn download(
        &self,
        path: &str,
        into: &mut (impl AsyncWrite + Unpin + Send),
        limit: u64,
    ) -> Result<u64, Error> {
        let target = self.service().target(path)?;
        let secrets = self.coordinator().secrets();
        let not_stored = |error| self.service().body_write_error(&target, &secrets, error);
        let broken_off = |error| self.service().truncated_body_error(&target, &secrets, error);
        let (_, stream) = self.stream(Download::new(target.clone())).await?;
        let Some(mut stream) = stream else { return Ok(0) };
        let mut written = 0;
        while let Some(piece) = stream.chunk().await.map_err(broken_off)? {
            written += piece.len() as u64;
            if written > limit {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                return Err(self.service().body_limit_error(&target, &secrets, limit));
            }
            into.write_all(&piece).await.map_err(not_stored)?;
        }
        Ok(written)
    }
}

impl Source {
    /// Creates a push of this payload as a file of this name, to which parameters and parts can be added, for
    /// [`Client::push`].
    ///
    /// # Errors
    /// Those of [`PushUpdate::new`].
    pub fn push_update(&self, name: &str) -> Result<PushUpdate, Error> {
        let image = Image { name: name.to_owned(), payload: self.payload() };
        PushUpdate::new(image, &random_bytes())
    }
}

/// Returns random bytes for a multipart boundary: two hashes with random keys of the standard library.
fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    for half in bytes.chunks_exact_mut(8) {
        half.copy_from_slice(&RandomState::new().hash_one(()).to_ne_bytes());
    }
    bytes
}
