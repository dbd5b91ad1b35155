//! Decompression of gzip while reading.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use http::HeaderMap;
use redfish_proto::driver::ContentCoding;

/// Decodes a body as it is read.
pub(crate) enum Decoder<R> {
    Plain(R),
    Gzip {
        /// Before the first byte. The decoder reads as soon as it is created.
        unread: Option<BufReader<CompressedBody<R>>>,
        /// After the first byte. A body without bytes never gets here and is empty: the response to a HEAD.
        decoder: Option<Box<MultiGzDecoder<BufReader<CompressedBody<R>>>>>,
    },
}

impl<R: Read> Decoder<R> {
    /// Returns a decoder for the body of this head, and removes from the head what describes the compressed body. `limit`
    /// is that of the decoded body.
    pub(crate) fn new(headers: &mut HeaderMap, body: R, limit: Option<usize>) -> Self {
        match ContentCoding::take(headers) {
            ContentCoding::Gzip => {
                let remaining = limit.map(|limit| limit.saturating_add(64 << 10));
                Self::Gzip { unread: Some(BufReader::new(CompressedBody { body, remaining })), decoder: None }
            }
            ContentCoding::Identity => Self::Plain(body),
        }
    }
}

/// A compressed body, within a limit: gzip blocks without content could go on without end. The limit is above that of
/// the decoded body, since gzip adds a little to data that it cannot compress.
pub(crate) struct CompressedBody<R> {
    body: R,
    remaining: Option<usize>,
}

impl<R: Read> Read for CompressedBody<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.checked_sub(read).ok_or(io::ErrorKind::FileTooLarge)?;
        }
        Ok(read)
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (unread, decoder) = match self {
            Self::Plain(body) => return body.read(buffer),
            Self::Gzip { unread, decoder } => (unread, decoder),
        };
        if let Some(body) = unread {
            if body.fill_buf()?.is_empty() {
                return Ok(0);
            }
            *decoder = unread.take().map(|body| Box::new(MultiGzDecoder::new(body)));
        }
        decoder.as_mut().map_or(Ok(0), |decoder| decoder.read(buffer))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

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

    fn decode(body: impl Read) -> io::Result<Vec<u8>> {
        let mut decoded = Vec::new();
        Decoder::new(&mut headers(), body, Some(1 << 20)).read_to_end(&mut decoded)?;
        Ok(decoded)
    }

    #[test]
    fn gzip_is_decoded_wherever_it_is_split() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 0..zipped.len() {
            assert_eq!(decode(zipped[..at].chain(&zipped[at..])).unwrap(), b"{\"Id\": \"1\"}");
        }
        assert_eq!(decode(zipped.chain(&zipped[..])).unwrap(), b"{\"Id\": \"1\"}{\"Id\": \"1\"}");
    }

    #[test]
    fn flushed_data_is_decoded_at_once() {
        /// Returns each piece once, and panics after the last.
        struct Pieces(Vec<Vec<u8>>);

        impl Read for Pieces {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(!self.0.is_empty(), "the decoder returns the first event before it reads on");
                self.0.remove(0).as_slice().read(buffer)
            }
        }

        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let pieces = ["data: 1\n\n", "data: 2\n\n"].map(|event| {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            std::mem::take(encoder.get_mut())
        });
        let mut decoder = Decoder::new(&mut headers(), Pieces(pieces.into()), None);
        for event in [b"data: 1\n\n", b"data: 2\n\n"] {
            let mut read = [0; 9];
            decoder.read_exact(&mut read).unwrap();
            assert_eq!(&read, event);
        }
    }

    #[test]
    fn a_gzip_without_content_has_an_end() {
        let endless = io::Cursor::new(gzip(b"").repeat(200_000));
        let error = Decoder::new(&mut headers(), endless, Some(1 << 10)).read_to_end(&mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_body_without_bytes_is_empty() {
        assert_eq!(decode(&b""[..]).unwrap(), b"");
    }

    #[test]
    fn a_truncated_gzip_and_a_body_without_gzip_are_errors() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 1..zipped.len() {
            assert!(decode(&zipped[..at]).is_err(), "truncated at {at}");
        }
        let error = decode(&b"{\"Id\": \"1\", \"Name\": \"x\"}"[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
