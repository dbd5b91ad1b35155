//! Decompression of gzip, piece by piece.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use redfish_proto::driver::ContentCoding;

/// Decodes a body as it arrives.
pub(crate) enum Decoder {
    Plain,
    Gzip {
        gzip: Box<MultiGzDecoder<Vec<u8>>>,
        /// A body without bytes is empty, not truncated: the response to a HEAD.
        has_input: bool,
    },
}

impl Decoder {
    /// Returns a decoder for the body of this head, and removes from the head what describes the compressed body.
    pub(crate) fn new(headers: &mut HeaderMap) -> Self {
        match ContentCoding::take(headers) {
            ContentCoding::Gzip => {
                Self::Gzip { gzip: Box::new(MultiGzDecoder::new(Vec::new())), has_input: false }
            }
            ContentCoding::Identity => Self::Plain,
        }
    }

    /// Decodes a piece, and appends the result to `decoded`.
    ///
    /// # Errors
    /// Fails with [`InvalidInput`](io::ErrorKind::InvalidInput) if the body is not gzip.
    pub(crate) fn push(&mut self, piece: &[u8], decoded: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => decoded.extend_from_slice(piece),
            Self::Gzip { gzip, has_input } => {
                *has_input |= !piece.is_empty();
                gzip.write_all(piece)?;
                // Without a flush, decoded data would wait for the next piece.
                gzip.flush()?;
                decoded.append(gzip.get_mut());
            }
        }
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// Fails with [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the gzip stream is truncated.
    pub(crate) fn finish(&mut self, decoded: &mut Vec<u8>) -> io::Result<()> {
        if let Self::Gzip { gzip, has_input: true } = self {
            gzip.try_finish()?;
            decoded.append(gzip.get_mut());
        }
        Ok(())
    }
}

/// Bytes of a compressed body that are decoded at a time. Gzip expands at most by a factor of about 1000, so a bomb can
/// exceed the limit by about 4 MiB.
pub(crate) const PIECE_SIZE: usize = 4 << 10;

/// Maximum number of received bytes for a limit of decoded bytes. Gzip adds a little to data that it cannot compress.
pub(crate) fn compressed_limit(limit: usize) -> usize {
    limit.saturating_add(64 << 10)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use http::header::CONTENT_ENCODING;

    use super::*;

    fn headers() -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, "gzip".parse().unwrap())])
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(pieces: &[&[u8]]) -> io::Result<Vec<u8>> {
        let (mut decoder, mut decoded) = (Decoder::new(&mut headers()), Vec::new());
        for piece in pieces {
            decoder.push(piece, &mut decoded)?;
        }
        decoder.finish(&mut decoded)?;
        Ok(decoded)
    }

    #[test]
    fn gzip_is_decoded_wherever_it_is_split() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 0..zipped.len() {
            assert_eq!(decode(&[&zipped[..at], &zipped[at..]]).unwrap(), b"{\"Id\": \"1\"}");
        }
        assert_eq!(decode(&[&zipped, &zipped]).unwrap(), b"{\"Id\": \"1\"}{\"Id\": \"1\"}");
    }

    #[test]
    fn flushed_data_is_decoded_at_once() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let (mut decoder, mut decoded) = (Decoder::new(&mut headers()), Vec::new());
        for event in ["data: 1\n\n", "data: 2\n\n"] {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            decoder.push(&std::mem::take(encoder.get_mut()), &mut decoded).unwrap();
            assert!(decoded.ends_with(event.as_bytes()), "{event:?}");
        }
    }

    #[test]
    fn a_body_without_bytes_is_empty() {
        assert_eq!(decode(&[]).unwrap(), b"");
        assert_eq!(decode(&[b""]).unwrap(), b"");
    }

    #[test]
    fn a_truncated_gzip_and_a_body_without_gzip_are_errors() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 1..zipped.len() {
            assert!(decode(&[&zipped[..at]]).is_err(), "truncated at {at}");
        }
        assert_eq!(
            decode(&[b"{\"Id\": \"1\", \"Name\": \"x\"}"]).unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }
}
