//! One exchange: sends a request, reads the response, and classifies failures.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{StatusCode, Uri, Version, response};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::ext::{ReasonPhrase, on_informational};
use redfish_proto::driver::{
    Failure, Framing, Outgoing, PayloadCut, PayloadUnread, TlsFailure, TransportError,
};
use redfish_tls::{HandshakeFailure, Untrusted};
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::connector::BoxError;
use crate::continue_gate::{ContinueGate, GateGuard};
use crate::decode::{Decoder, PIECE_SIZE, compressed_limit};
use crate::pool::{PooledConnection, UploadGuard};
use crate::source::{PayloadError, Source};
use crate::stream::Stream;
use crate::transport::Transport;

/// How long a connection may take to be ready again after a response. It is ready at once, unless the service has
/// refused a request that it has not read completely.
const REUSE_TIMEOUT: Duration = Duration::from_millis(100);

/// A head, and a body that may have failed: the status is valid even then.
pub(crate) type RawResponse = (response::Parts, Result<Bytes, TransportError>);

impl Transport {
    /// Performs one exchange. The core handles redirects, statuses and retries.
    pub(crate) async fn exchange(
        &self,
        outgoing: Outgoing,
        source: Option<&Source>,
        stream: &mut Option<Stream>,
    ) -> Result<RawResponse, TransportError> {
        *stream = None;
        let limits = outgoing.limits;
        let mut deadline = pin!(sleep(limits.timeout));
        let mut permit = self.concurrency().permit(outgoing.request.uri(), outgoing.purpose);
        if !permit.is_complete() && with_deadline(deadline.as_mut(), pin!(permit.wait())).await.is_none() {
            return Err(not_sent_in_time("the exchange timed out while waiting for other requests"));
        }
        let (head, body) = outgoing.request.into_parts();
        let method = head.method.clone();
        let gate = head.headers.contains_key(EXPECT).then(Arc::<ContinueGate>::default);
        let _guard = GateGuard(gate.clone());
        let (length, sent) = (body.len(), Arc::<AtomicU64>::default());
        let Some(body) = Source::request_body(source, &body, gate.clone(), sent.clone()) else {
            return Err(TransportError::new(Failure::Unreadable, "the payload was not given"));
        };
        let mut request = http::Request::from_parts(head, body);
        if let Some(gate) = gate.clone() {
            on_informational(&mut request, move |interim| {
                if interim.status() == StatusCode::CONTINUE {
                    gate.open();
                }
            });
        }
        let uri = std::mem::take(request.uri_mut());
        *request.uri_mut() = origin_form(&uri);
        let (response, mut connection) = loop {
            let idle = permit.idle().take(outgoing.purpose).await;
            let was_idle = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => {
                    let connecting = pin!(self.pool().connect(&uri, permit.idle()));
                    let connected = with_deadline(deadline.as_mut(), connecting).await;
                    connected
                        .ok_or_else(|| not_sent_in_time("the exchange timed out while connecting"))?
                        .map_err(classify_connect)?
                }
            };
            match with_deadline(deadline.as_mut(), pin!(connection.sender.try_send_request(request))).await {
                Some(Ok(response)) => break (response, connection),
                Some(Err(mut error)) => match error.take_message() {
                    // The idle connection was closed before it accepted the request: try another one.
                    Some(unsent) if was_idle => request = unsent,
                    Some(_) => return Err(with_cause(Failure::NotSent, error.into_error())),
                    None => return Err(self.classify_head(error.into_error())),
                },
                None => return Err(timed_out()),
            }
        };
        gate.iter().for_each(|gate| gate.responded());
        let (mut head, body) = response.into_parts();
        let is_upload = source.is_some();
        let is_refused_upload = is_upload && !head.status.is_success();
        let is_early = is_upload && sent.load(Ordering::Relaxed) < length;
        let mut upload = if is_upload { UploadGuard::of(&connection) } else { UploadGuard::default() };
        let end = deadline.deadline();
        if is_upload {
            deadline.as_mut().reset(end.min(Instant::now() + limits.body_timeout));
        }
        // Behind the gate, the payload is not read any more.
        let is_held_back = gate.as_ref().is_some_and(|gate| !gate.is_open());
        if source.is_some_and(Source::is_unread) && is_held_back {
            head.extensions.insert(PayloadUnread);
        }
        // hyper checks the size of its buffer, which may hold a larger head by then.
        if head_size(&head) > self.limits().head {
            return Err(self.limits().head_too_large().into());
        }
        let framing = Framing::of(&head, &method)
            .map_err(|failure| TransportError::new(failure, "the length of the body is ambiguous"))?;
        let decoder = Decoder::new(&mut head.headers);
        let Some(limit) = limits.body_limit(head.status) else {
            *stream = Some(Stream::new(body, decoder, self.limits().stream_idle, connection));
            return Ok((head, Ok(Bytes::new())));
        };
        let body = if !framing.is_readable {
            let reason = "the transfer coding of the body is not supported";
            Err(TransportError::new(Failure::Undecodable, reason))
        } else if content_length(&head).is_some_and(|length| length > limit as u64) {
            Err(body_too_large(limit))
        } else {
            let collected = with_deadline(deadline.as_mut(), pin!(collect(body, decoder, limit))).await;
            collected.unwrap_or_else(|| Err(timed_out()))
        };
        let is_body_awaited = gate.is_none_or(|gate| gate.is_open());
        if is_early && !is_refused_upload && is_body_awaited {
            if self.send_rest(&mut connection, &sent, length, end).await {
                // What is left in buffers is still to be sent.
                upload.disarm();
            } else {
                head.extensions.insert(PayloadCut);
            }
        }
        // HTTP/1.0 peers serve one connection at a time, whatever their headers say. After a response that came before the
        // gate opened, the service may still expect the body.
        let is_reusable = framing.is_reusable && head.version != Version::HTTP_10;
        // After an early response, the next request would wait behind what is left of the body.
        if body.is_ok() && is_reusable && is_body_awaited && !is_early {
            deadline.as_mut().reset(Instant::now() + REUSE_TIMEOUT);
            let put_back = pin!(self.pool().put_back(connection, permit.idle()));
            if with_deadline(deadline, put_back).await.is_some() {
                upload.disarm();
            }
        }
        Ok((head, body))
    }
}

impl Transport {
    /// Waits until an upload of `length` bytes is sent, although its success has arrived: some services respond early, and then
    /// read the rest. Returns whether it was sent, which it is not if the service closes or reads nothing for some time.
    async fn send_rest(
        &self,
        connection: &mut PooledConnection,
        sent: &AtomicU64,
        length: u64,
        end: Instant,
    ) -> bool {
        let idle = self.limits().upload_idle;
        let mut ready = pin!(connection.sender.ready());
        let (mut before, mut last_progress) = (sent.load(Ordering::Relaxed), Instant::now());
        loop {
            if let Ok(ready) = timeout(idle / 10, ready.as_mut()).await {
                // A connection that closes after the last byte has taken all of them.
                return ready.is_ok() || sent.load(Ordering::Relaxed) == length;
            }
            let now = Instant::now();
            if sent.load(Ordering::Relaxed) > before {
                (before, last_progress) = (sent.load(Ordering::Relaxed), now);
            }
            if now >= end || now.duration_since(last_progress) >= idle {
                return false;
            }
        }
    }

    /// Classifies an error of hyper before the head of the response has arrived.
    fn classify_head(&self, error: hyper::Error) -> TransportError {
        // `hyper::Error::is_parse_too_large` requires hyper's `server` feature.
        if error.is_parse() && error.to_string() == "message head is too large" {
            return self.limits().head_too_large().into();
        }
        classify(error)
    }
}

/// Awaits `work`, or returns `None` if the deadline passes first. One timer serves a whole exchange.
fn with_deadline<'a, W: Future>(
    mut deadline: Pin<&'a mut Sleep>,
    mut work: Pin<&'a mut W>,
) -> impl Future<Output = Option<W::Output>> + use<'a, W> {
    poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => deadline.as_mut().poll(context).map(|()| None),
    })
}

/// Returns the target of a request line: path and query.
fn origin_form(uri: &Uri) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_default()
}

/// Returns the size of a head in bytes, without redundant spaces.
fn head_size(head: &response::Parts) -> usize {
    let reason = match head.extensions.get::<ReasonPhrase>() {
        Some(reason) => reason.as_bytes().len(),
        None => head.status.canonical_reason().unwrap_or_default().len(),
    };
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    "HTTP/1.1 200 \r\n\r\n".len() + reason + headers.sum::<usize>()
}

fn content_length(head: &response::Parts) -> Option<u64> {
    head.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a complete body within the limit.
async fn collect(mut body: Incoming, mut decoder: Decoder, limit: usize) -> Result<Bytes, TransportError> {
    let mut decoded = Vec::new();
    let mut received = 0_usize;
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(classify)?.into_data().unwrap_or_default();
        received = received.saturating_add(data.len());
        // Gzip blocks without content could go on without end.
        if received > compressed_limit(limit) {
            return Err(body_too_large(limit));
        }
        if body.is_end_stream()
            && decoded.is_empty()
            && matches!(decoder, Decoder::Plain)
            && data.len() <= limit
        {
            // A plain body that arrived in one piece is not copied.
            return Ok(data);
        }
        for piece in data.chunks(PIECE_SIZE) {
            decoder.push(piece, &mut decoded).map_err(classify_gzip)?;
            if decoded.len() > limit {
                return Err(body_too_large(limit));
            }
        }
    }
    decoder.finish(&mut decoded).map_err(classify_gzip)?;
    if decoded.len() > limit {
        return Err(body_too_large(limit));
    }
    Ok(decoded.into())
}

/// Classifies an error of hyper, after part of a request may have been sent.
fn classify(error: hyper::Error) -> TransportError {
    // hyper reports an invalid chunk size as an I/O error.
    let io_error = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let is_invalid = io_error.is_some_and(|error| {
        matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
    });
    let failure = if error.is_parse() || is_invalid { Failure::Malformed } else { Failure::Broken };
    with_cause(failure, error)
}

/// Classifies a failed attempt to connect.
fn classify_connect(error: BoxError) -> TransportError {
    let failure = match HandshakeFailure::find(&*error) {
        Some(HandshakeFailure::NoCommonProtocol) => Failure::Tls(TlsFailure::NoCommonProtocol),
        Some(HandshakeFailure::NotTls) => Failure::Tls(TlsFailure::NotTls),
        Some(_) => Failure::Tls(TlsFailure::Other),
        None => Failure::NotSent,
    };
    with_cause(failure, error)
}

fn classify_gzip(error: io::Error) -> TransportError {
    let is_truncated = error.kind() == io::ErrorKind::UnexpectedEof;
    TransportError::new(if is_truncated { Failure::Broken } else { Failure::Undecodable }, error)
}

/// Returns `failure` with its cause, unless a payload or an untrusted certificate is the actual cause.
fn with_cause(failure: Failure, error: impl Into<BoxError>) -> TransportError {
    let error = error.into();
    if let Some(error) = PayloadError::find(&*error) {
        return TransportError::shared(Failure::Unreadable, error);
    }
    match Untrusted::find(&*error) {
        Some(untrusted) if untrusted.has_unusable_key() => {
            TransportError::new(Failure::Tls(TlsFailure::UnusableKey), untrusted)
        }
        Some(untrusted) => TransportError::new(Failure::Untrusted, untrusted),
        None => TransportError::new(failure, Innermost(error)),
    }
}

fn not_sent_in_time(reason: &'static str) -> TransportError {
    TransportError::new(Failure::NotSent, io::Error::new(io::ErrorKind::TimedOut, reason))
}

fn timed_out() -> TransportError {
    TransportError::new(Failure::TimedOut, "the exchange timed out")
}

fn body_too_large(limit: usize) -> TransportError {
    TransportError::new(Failure::TooLarge, format!("the body is larger than {limit} bytes"))
}

/// An error with the text of the last error in its chain, which has the details. hyper's own texts only name a kind.
#[derive(Debug)]
struct Innermost(BoxError);

impl fmt::Display for Innermost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut innermost: &dyn StdError = &*self.0;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        write!(f, "{innermost}")
    }
}

impl StdError for Innermost {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}
