//! A firmware image, of which only the size and the digest are kept.

use sha2::{Digest, Sha256};

/// The size and the digest of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) size: u64,
    sha256: [u8; 32],
}

/// Reads an image in chunks.
#[derive(Default)]
pub(crate) struct ImageReader {
    size: u64,
    hasher: Sha256,
}

impl Image {
    /// An image that is in memory.
    pub(crate) fn new(bytes: &[u8]) -> Image {
        let mut reader = ImageReader::default();
        reader.push(bytes);
        reader.finish()
    }

    /// The version of the firmware in the image: the first bytes of its digest.
    pub(crate) fn version(&self) -> String {
        let [a, b, c, d, ..] = self.sha256;
        format!("U-{:08X}", u32::from_be_bytes([a, b, c, d]))
    }
}

impl ImageReader {
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.size += chunk.len() as u64;
        self.hasher.update(chunk);
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn finish(self) -> Image {
        Image { size: self.size, sha256: self.hasher.finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_start_of_the_digest_however_the_image_arrives() {
        // FIPS 180-4: the digest of "abc" is BA7816BF….
        let image = Image::new(b"abc");
        assert_eq!((image.size, image.version().as_str()), (3, "U-BA7816BF"));
        let mut reader = ImageReader::default();
        [&b"a"[..], b"", b"bc"].into_iter().for_each(|chunk| reader.push(chunk));
        assert_eq!(reader.finish(), image);
    }
}
