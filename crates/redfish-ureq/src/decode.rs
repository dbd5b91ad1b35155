//! Gzip, undone as it is read.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

/// Reads a body as it is meant.
///
/// Services compress whether they are asked to or not (iLO 5 since 2.30), so this goes by the head alone.
pub(crate) enum Decoder<R> {
    Plain(R),
    Gzip {
        /// Before its first byte: the decoder would read as soon as it is made.
        unread: Option<BufReader<Received<R>>>,
        /// After that. A body of no bytes never gets there, and is empty: the answer of a HEAD.
        decoder: Option<Box<MultiGzDecoder<BufReader<Received<R>>>>>,
    },
}

impl<R: Read> Decoder<R> {
    /// For a body with this head, and that limit once it is decoded. What the head says of the compressed form is taken
    /// out of it.
    pub(crate) fn of(headers: &mut HeaderMap, body: R, limit: Option<usize>) -> Self {
        let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
        match encoding.as_deref() {
            Some(b"gzip" | b"x-gzip") => {
                headers.remove(CONTENT_ENCODING);
                headers.remove(CONTENT_LENGTH);
                let left = limit.map(|limit| limit.saturating_add(64 << 10));
                Self::Gzip { unread: Some(BufReader::new(Received { body, left })), decoder: None }
            }
            _ => Self::Plain(body),
        }
    }
}

/// A body as it is received. It may be a little longer than what it decodes to, as gzip adds to what it cannot compress;
/// a gzip of blocks without content would have no end.
pub(crate) struct Received<R> {
    body: R,
    left: Option<usize>,
}

impl<R: Read> Read for Received<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(read).ok_or(io::ErrorKind::FileTooLarge)?;
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

    use super::*;

    fn headers(encoding: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        headers.insert(CONTENT_LENGTH, 7.into());
        headers
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(body: impl Read) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        Decoder::of(&mut headers("gzip"), body, Some(1 << 20)).read_to_end(&mut whole)?;
        Ok(whole)
    }

    #[test]
    fn gzip_is_undone_wherever_it_is_cut_into_pieces() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 0..zipped.len() {
            assert_eq!(decode(zipped[..at].chain(&zipped[at..])).unwrap(), b"{\"Id\": \"1\"}");
        }
        assert_eq!(decode(zipped.chain(&zipped[..])).unwrap(), b"{\"Id\": \"1\"}{\"Id\": \"1\"}");
    }

    #[test]
    fn what_was_flushed_comes_at_once() {
        /// Each piece once, and nothing behind the last.
        struct Pieces(Vec<Vec<u8>>);

        impl Read for Pieces {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(!self.0.is_empty(), "what has come is to be handed out first");
                self.0.remove(0).as_slice().read(buffer)
            }
        }

        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let pieces = ["data: 1\n\n", "data: 2\n\n"].map(|event| {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            std::mem::take(encoder.get_mut())
        });
        let mut decoder = Decoder::of(&mut headers("gzip"), Pieces(pieces.into()), None);
        for event in [b"data: 1\n\n", b"data: 2\n\n"] {
            let mut read = [0; 9];
            decoder.read_exact(&mut read).unwrap();
            assert_eq!(&read, event);
        }
    }

    #[test]
    fn a_gzip_without_content_has_an_end() {
        let endless = io::Cursor::new(gzip(b"").repeat(200_000));
        let error = Decoder::of(&mut headers("gzip"), endless, Some(1 << 10)).read_to_end(&mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_body_of_no_bytes_is_empty() {
        assert_eq!(decode(&b""[..]).unwrap(), b"");
    }

    #[test]
    fn a_cut_gzip_is_not_whole_and_another_thing_is_none() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 1..zipped.len() {
            assert!(decode(&zipped[..at]).is_err(), "cut at {at}");
        }
        let error = decode(&b"{\"Id\": \"1\", \"Name\": \"x\"}"[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn the_head_no_longer_tells_of_the_compressed_form() {
        for (encoding, left) in [("gzip", 0), ("X-GZIP", 0), ("identity", 2), ("br", 2)] {
            let mut headers = headers(encoding);
            Decoder::of(&mut headers, io::empty(), None);
            assert_eq!(headers.len(), left, "{encoding}");
        }
    }
}
