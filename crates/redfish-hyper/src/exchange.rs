//! One exchange: a request out, an answer in, and how it failed as far as can be known.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{StatusCode, Uri, Version, response};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::ext::{ReasonPhrase, on_informational};
use redfish_proto::driver::{Failure, Framing, Outgoing, TlsFailure, TransportError};
use redfish_tls::{HandshakeFailure, Untrusted};
use tokio::time::{Instant, Sleep, sleep};

use crate::connector::BoxError;
use crate::decode::{Decoder, PIECE, compressed_limit};
use crate::gate::{ContinueGate, GateGuard};
use crate::source::{Source, Unreadable};
use crate::stream::Stream;
use crate::transport::Transport;

/// How long a connection may take to be ready again behind its answer, which it is at once unless the service has answered
/// what it has not read.
const PATIENCE: Duration = Duration::from_millis(100);

/// A head, and a body that may have broken off: the status counts even then.
pub(crate) type Received = (response::Parts, Result<Bytes, TransportError>);

impl Transport {
    /// Performs one exchange. Redirects, statuses and repetition are the core's.
    pub(crate) async fn exchange(
        &self,
        outgoing: Outgoing,
        source: Option<&Source>,
        stream: &mut Option<Stream>,
    ) -> Result<Received, TransportError> {
        *stream = None;
        let limits = outgoing.limits;
        let mut deadline = pin!(sleep(limits.timeout));
        let mut permit = self.concurrency().permit(outgoing.request.uri(), outgoing.purpose);
        if !permit.is_whole() && before(deadline.as_mut(), pin!(permit.wait())).await.is_none() {
            return Err(ExchangeError::NoPermit.into());
        }
        let (head, body) = outgoing.request.into_parts();
        let method = head.method.clone();
        let gate = head.headers.contains_key(EXPECT).then(Arc::<ContinueGate>::default);
        let _closing = GateGuard(gate.clone());
        let Some(body) = Source::fill(source, &body, gate.clone()) else {
            return Err(ExchangeError::NoPayload.into());
        };
        let mut request = http::Request::from_parts(head, body);
        if let Some(gate) = gate.clone() {
            on_informational(&mut request, move |told| {
                if told.status() == StatusCode::CONTINUE {
                    gate.open();
                }
            });
        }
        let uri = std::mem::take(request.uri_mut());
        *request.uri_mut() = origin_form(&uri);
        let (answer, sender) = loop {
            let kept = permit.idle().take(outgoing.purpose).await;
            let was_kept = kept.is_some();
            let mut sender = match kept {
                Some(sender) => sender,
                None => match before(deadline.as_mut(), pin!(self.pool().connect(&uri, permit.idle()))).await
                {
                    Some(Ok(sender)) => sender,
                    Some(Err(error)) => return Err(ExchangeError::Connect(error).into()),
                    None => return Err(ExchangeError::NoConnection.into()),
                },
            };
            match before(deadline.as_mut(), pin!(sender.try_send_request(request))).await {
                Some(Ok(answer)) => break (answer, sender),
                Some(Err(mut error)) => match error.take_message() {
                    // It was closed before it took the request.
                    Some(same) if was_kept => request = same,
                    Some(_) => return Err(ExchangeError::Unsent(error.into_error()).into()),
                    None => return Err(ExchangeError::Exchange(error.into_error()).into()),
                },
                None => return Err(ExchangeError::TimedOut.into()),
            }
        };
        gate.iter().for_each(|gate| gate.answered());
        let (mut head, body) = answer.into_parts();
        // hyper's own limit is that of its buffer, which may hold more than was allowed by the time it looks.
        if size(&head) > self.limits().head {
            return Err(ExchangeError::HeadTooLarge(self.limits().head).into());
        }
        let framing = Framing::of(&head, &method).map_err(|_| ExchangeError::Lengths)?;
        let decoder = Decoder::of(&mut head.headers);
        let Some(limit) = limits.body_limit(head.status) else {
            *stream = Some(Stream::new(body, decoder, self.limits().stream_idle, sender));
            return Ok((head, Ok(Bytes::new())));
        };
        let body = match announced(&head).is_some_and(|length| length > limit as u64) {
            _ if !framing.is_readable => Err(ExchangeError::Coding),
            // What announces itself as too large need not be read first.
            true => Err(ExchangeError::TooLarge(limit)),
            false => match before(deadline.as_mut(), pin!(collect(body, decoder, limit))).await {
                Some(collected) => collected,
                None => Err(ExchangeError::TimedOut),
            },
        };
        // Peers of HTTP/1.0 serve one connection at a time, whatever their headers say; and where the service answered
        // before it had the payload, the rest of that is still to come.
        let is_reusable = framing.is_reusable && head.version != Version::HTTP_10;
        if body.is_ok() && is_reusable && gate.is_none_or(|gate| gate.is_open()) {
            deadline.as_mut().reset(Instant::now() + PATIENCE);
            before(deadline, pin!(self.pool().keep(sender, permit.idle()))).await;
        }
        Ok((head, body.map_err(TransportError::from)))
    }
}

/// What some work yields, or `None` where the deadline comes first. One timer serves all of an exchange.
fn before<'a, W: Future>(
    mut deadline: Pin<&'a mut Sleep>,
    mut work: Pin<&'a mut W>,
) -> impl Future<Output = Option<W::Output>> + use<'a, W> {
    poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => deadline.as_mut().poll(context).map(|()| None),
    })
}

/// What stands in the first line of a request.
fn origin_form(uri: &Uri) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_default()
}

/// Bytes of a head, as it is written without superfluous spaces.
fn size(head: &response::Parts) -> usize {
    let reason = match head.extensions.get::<ReasonPhrase>() {
        Some(reason) => reason.as_bytes().len(),
        None => head.status.canonical_reason().unwrap_or_default().len(),
    };
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    "HTTP/1.1 200 \r\n\r\n".len() + reason + headers.sum::<usize>()
}

fn announced(head: &response::Parts) -> Option<u64> {
    head.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body whole, if it is within the limit.
async fn collect(mut body: Incoming, mut decoder: Decoder, limit: usize) -> Result<Bytes, ExchangeError> {
    let mut whole = Vec::new();
    let mut received = 0_usize;
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(ExchangeError::Body)?.into_data().unwrap_or_default();
        received = received.saturating_add(data.len());
        // Gzip of blocks without content has no end.
        if received > compressed_limit(limit) {
            return Err(ExchangeError::TooLarge(limit));
        }
        if body.is_end_stream()
            && whole.is_empty()
            && matches!(decoder, Decoder::Plain)
            && data.len() <= limit
        {
            // It came in one piece, as it is wanted.
            return Ok(data);
        }
        for piece in data.chunks(PIECE) {
            decoder.push(piece, &mut whole).map_err(ExchangeError::Gzip)?;
            if whole.len() > limit {
                return Err(ExchangeError::TooLarge(limit));
            }
        }
    }
    decoder.finish(&mut whole).map_err(ExchangeError::Gzip)?;
    match whole.len() > limit {
        true => Err(ExchangeError::TooLarge(limit)),
        false => Ok(whole.into()),
    }
}

impl From<ExchangeError> for TransportError {
    fn from(error: ExchangeError) -> TransportError {
        if let Some(unreadable) = Unreadable::find(&error) {
            return TransportError::shared(Failure::Unreadable, unreadable);
        }
        match Untrusted::find(&error) {
            Some(untrusted) if untrusted.has_unusable_key() => {
                TransportError::new(Failure::Tls(TlsFailure::UnusableKey), untrusted)
            }
            Some(untrusted) => TransportError::new(Failure::Untrusted, untrusted),
            None => TransportError::new(error.to_failure(), error),
        }
    }
}

/// Why there is no answer, or no body.
#[derive(Debug)]
enum ExchangeError {
    Connect(BoxError),
    Unsent(hyper::Error),
    Exchange(hyper::Error),
    Body(hyper::Error),
    Gzip(io::Error),
    TooLarge(usize),
    HeadTooLarge(usize),
    Lengths,
    Coding,
    TimedOut,
    NoConnection,
    NoPermit,
    NoPayload,
}

impl ExchangeError {
    fn to_failure(&self) -> Failure {
        match self {
            Self::NoPayload => Failure::Unreadable,
            Self::NoConnection | Self::NoPermit => Failure::NotSent,
            Self::TimedOut => Failure::TimedOut,
            Self::TooLarge(_) | Self::HeadTooLarge(_) => Failure::TooLarge,
            Self::Gzip(error) if error.kind() == io::ErrorKind::UnexpectedEof => Failure::Broken,
            Self::Gzip(_) | Self::Lengths | Self::Coding => Failure::Malformed,
            Self::Connect(error) => match HandshakeFailure::find(&**error) {
                Some(HandshakeFailure::NoCommonProtocol) => Failure::Tls(TlsFailure::NoCommonProtocol),
                Some(HandshakeFailure::NotTls) => Failure::Tls(TlsFailure::NotTls),
                Some(_) => Failure::Tls(TlsFailure::Other),
                None => Failure::NotSent,
            },
            Self::Unsent(_) => Failure::NotSent,
            Self::Exchange(error) => to_failure(error),
            Self::Body(error) => to_failure(error),
        }
    }
}

fn to_failure(error: &hyper::Error) -> Failure {
    // The question itself is one that hyper answers to servers alone.
    if error.is_parse() && error.to_string() == "message head is too large" {
        return Failure::TooLarge;
    }
    // A chunk's length that is none is an I/O error to hyper.
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let garbled =
        io.is_some_and(|io| matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData));
    match error.is_parse() || garbled {
        true => Failure::Malformed,
        false => Failure::Broken,
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "{}", innermost(&**error)),
            Self::Unsent(error) | Self::Exchange(error) => write!(f, "{}", innermost(error)),
            Self::Body(error) => write!(f, "{}", innermost(error)),
            Self::Gzip(error) => write!(f, "gzip: {error}"),
            Self::TooLarge(limit) => write!(f, "the body is larger than {limit} bytes"),
            Self::HeadTooLarge(limit) => write!(f, "the head is larger than {limit} bytes"),
            Self::Lengths => f.write_str("two lengths of the body contradict each other"),
            Self::Coding => f.write_str("the body has a transfer coding that is not supported"),
            Self::TimedOut => f.write_str("the time for this exchange is over"),
            Self::NoConnection => {
                f.write_str("the time for this exchange was over before there was a connection")
            }
            Self::NoPermit => {
                f.write_str("the time for this exchange was over before others had left it a connection")
            }
            Self::NoPayload => f.write_str("the payload was not given"),
        }
    }
}

impl StdError for ExchangeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) => Some(&**error),
            Self::Unsent(error) | Self::Exchange(error) => Some(error),
            Self::Body(error) => Some(error),
            Self::Gzip(error) => Some(error),
            Self::TooLarge(_)
            | Self::HeadTooLarge(_)
            | Self::Lengths
            | Self::Coding
            | Self::TimedOut
            | Self::NoConnection
            | Self::NoPermit
            | Self::NoPayload => None,
        }
    }
}

/// hyper's own words are kinds alone; what happened is at the end of the chain.
fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}
