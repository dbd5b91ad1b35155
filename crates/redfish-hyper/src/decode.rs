//! Gzip, undone within a limit.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

/// Takes a body as it comes, and gives it as it is meant.
///
/// Services compress whether they are asked to or not (iLO 5 since 2.30), so this goes by the head alone.
pub(crate) enum Decoder {
    Plain,
    Gzip {
        gzip: Box<MultiGzDecoder<Vec<u8>>>,
        /// A body of no bytes is empty, not a broken archive: the answer of a HEAD.
        begun: bool,
    },
}

impl Decoder {
    /// For a body with this head. What the head says of the compressed form is taken out of it.
    pub(crate) fn of(headers: &mut HeaderMap) -> Self {
        let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
        match encoding.as_deref() {
            Some(b"gzip" | b"x-gzip") => {
                headers.remove(CONTENT_ENCODING);
                headers.remove(CONTENT_LENGTH);
                Self::Gzip { gzip: Box::new(MultiGzDecoder::new(Vec::new())), begun: false }
            }
            _ => Self::Plain,
        }
    }

    /// Decodes a piece, onto the end of what there is.
    ///
    /// # Errors
    /// What is no gzip, with [`InvalidInput`](io::ErrorKind::InvalidInput).
    pub(crate) fn push(&mut self, piece: &[u8], whole: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => whole.extend_from_slice(piece),
            Self::Gzip { gzip, begun } => {
                *begun |= !piece.is_empty();
                gzip.write_all(piece)?;
                // Else what is decoded waits in there for the next piece.
                gzip.flush()?;
                whole.append(gzip.get_mut());
            }
        }
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// A gzip that has not, with [`UnexpectedEof`](io::ErrorKind::UnexpectedEof).
    pub(crate) fn finish(&mut self, whole: &mut Vec<u8>) -> io::Result<()> {
        if let Self::Gzip { gzip, begun: true } = self {
            gzip.try_finish()?;
            whole.append(gzip.get_mut());
        }
        Ok(())
    }
}

/// How much of a compressed body is decoded at a time. Gzip makes at most a thousand bytes of one, so that this
/// bounds what a bomb can take beyond the limit: 4 MiB.
pub(crate) const PIECE: usize = 4 << 10;

/// How many bytes a body may have as it is received, so that it can be within that limit when it is decoded: gzip adds a
/// little to what it cannot compress.
pub(crate) fn compressed_limit(limit: usize) -> usize {
    limit.saturating_add(64 << 10)
}

#[cfg(test)]
mod tests {
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

    fn decode(pieces: &[&[u8]]) -> io::Result<Vec<u8>> {
        let (mut decoder, mut whole) = (Decoder::of(&mut headers("gzip")), Vec::new());
        for piece in pieces {
            decoder.push(piece, &mut whole)?;
        }
        decoder.finish(&mut whole)?;
        Ok(whole)
    }

    #[test]
    fn gzip_is_undone_wherever_it_is_cut_into_pieces() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 0..zipped.len() {
            assert_eq!(decode(&[&zipped[..at], &zipped[at..]]).unwrap(), b"{\"Id\": \"1\"}");
        }
        assert_eq!(decode(&[&zipped, &zipped]).unwrap(), b"{\"Id\": \"1\"}{\"Id\": \"1\"}");
    }

    #[test]
    fn what_was_flushed_comes_at_once() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let (mut decoder, mut whole) = (Decoder::of(&mut headers("gzip")), Vec::new());
        for event in ["data: 1\n\n", "data: 2\n\n"] {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            decoder.push(&std::mem::take(encoder.get_mut()), &mut whole).unwrap();
            assert!(whole.ends_with(event.as_bytes()), "{event:?}");
        }
    }

    #[test]
    fn a_body_of_no_bytes_is_empty() {
        assert_eq!(decode(&[]).unwrap(), b"");
        assert_eq!(decode(&[b""]).unwrap(), b"");
    }

    #[test]
    fn a_cut_gzip_is_not_whole_and_another_thing_is_none() {
        let zipped = gzip(b"{\"Id\": \"1\"}");
        for at in 1..zipped.len() {
            assert!(decode(&[&zipped[..at]]).is_err(), "cut at {at}");
        }
        assert_eq!(
            decode(&[b"{\"Id\": \"1\", \"Name\": \"x\"}"]).unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }

    #[test]
    fn the_head_no_longer_tells_of_the_compressed_form() {
        for (encoding, left) in [("gzip", 0), ("X-GZIP", 0), ("identity", 2), ("br", 2)] {
            let mut headers = headers(encoding);
            Decoder::of(&mut headers);
            assert_eq!(headers.len(), left, "{encoding}");
        }
    }
}
