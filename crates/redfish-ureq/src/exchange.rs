//! One exchange: sends a request, reads the response, and classifies failures.

use std::error::Error as StdError;
use std::io::{self, Read};
use std::time::Instant;

use bytes::Bytes;
use http::response;
use redfish_proto::driver::{
    BodyMode, Failure, Framing, Outgoing, PayloadCut, PayloadUnread, ResponseLimits, TlsFailure,
    TransportError,
};
use redfish_tls::{HandshakeFailure, Untrusted};
use ureq::{Agent, SendBody};

use crate::cancel::Cancel;
use crate::chunks::NotChunked;
use crate::decode::Decoder;
use crate::refusal::{self, RefusalScope};
use crate::source::{PayloadError, Source};
use crate::stream::Stream;
use crate::transport::Transport;
use crate::unsent::Unsent;

/// A head, and a body that may have failed: the status is valid even then.
pub(crate) type RawResponse = (response::Parts, Result<Bytes, TransportError>);

impl Transport {
    /// Performs one exchange. The core handles redirects, statuses and retries.
    pub(crate) fn exchange(
        &self,
        outgoing: Outgoing,
        source: Option<&Source>,
        cancel: Option<&Cancel>,
        stream: &mut Option<Stream>,
    ) -> Result<RawResponse, TransportError> {
        *stream = None;
        let limits = outgoing.limits;
        let deadline = Instant::now().checked_add(limits.timeout);
        let permit = self.concurrency().permit(outgoing.request.uri(), outgoing.purpose, deadline);
        let Some(_permit) = permit else {
            let reason = "the exchange timed out while waiting for other requests";
            let error = io::Error::new(io::ErrorKind::TimedOut, reason);
            return Err(TransportError::new(Failure::NotSent, error));
        };
        let method = outgoing.request.method().clone();
        let cancel = match limits.body_mode {
            BodyMode::Buffered => None,
            BodyMode::Streamed => Some(cancel.cloned().unwrap_or_default()),
        };
        let _scope = RefusalScope::enter();
        let response = match &cancel {
            None => self.perform(&self.agent(), outgoing, source),
            Some(cancel) => self.perform(&self.single_use_agent(cancel.clone()), outgoing, source),
        };
        let (mut head, body) = response.map_err(|error| self.classify_head(error))?.into_parts();
        if source.is_some_and(Source::is_unread) {
            head.extensions.insert(PayloadUnread);
        }
        if refusal::is_noted() && head.status.is_success() {
            head.extensions.insert(PayloadCut);
        }
        let framing = Framing::of(&head, &method).map_err(|failure| {
            self.drop_idle_connections();
            TransportError::new(failure, "the length of the body is ambiguous")
        })?;
        if !framing.is_reusable {
            self.drop_idle_connections();
        }
        if !framing.is_readable {
            let reason = "the transfer coding of the body is not supported";
            return Ok((head, Err(TransportError::new(Failure::Undecodable, reason))));
        }
        if head.headers.len() > self.limits().headers {
            return Err(self.limits().head_too_large().into());
        }
        let content_length = body.content_length();
        let limit = limits.body_limit(head.status);
        let body = Decoder::new(&mut head.headers, body.into_reader(), limit);
        let body = match (limit, cancel) {
            (None, Some(cancel)) => {
                *stream = Some(Stream::new(body, cancel));
                Ok(Bytes::new())
            }
            (limit, cancel) => {
                // An error response in place of a stream is read within the timeout of the exchange.
                cancel.iter().for_each(|cancel| cancel.set_read_deadline(deadline));
                let length = content_length.filter(|_| matches!(body, Decoder::Plain(_)));
                collect(body, length, limit.unwrap_or(limits.limit)).map_err(classify)
            }
        };
        Ok((head, body))
    }

    /// Classifies an error of ureq before the head of the response has arrived.
    fn classify_head(&self, error: ureq::Error) -> TransportError {
        let is_too_large = match &error {
            ureq::Error::LargeResponseHeader(..) => true,
            // ureq does not export this type. Its `Debug` is the name of the variant.
            ureq::Error::Protocol(error) => format!("{error:?}") == "HttpParseTooManyHeaders",
            _ => false,
        };
        if is_too_large { self.limits().head_too_large().into() } else { classify(error) }
    }

    fn perform(
        &self,
        agent: &Agent,
        outgoing: Outgoing,
        source: Option<&Source>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let ResponseLimits { timeout, body_timeout, body_mode, .. } = outgoing.limits;
        let (head, body) = outgoing.request.into_parts();
        // The core sets `Content-Length` for every body, including an empty one, and ureq relies on it.
        let body = if head.headers.contains_key(http::header::CONTENT_LENGTH) {
            SendBody::from_owned_reader(Source::request_body(source, &body)?)
        } else {
            SendBody::none()
        };
        let connect = self.limits().connect_timeout.min(timeout);
        let request = agent
            .configure_request(http::Request::from_parts(head, body))
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect));
        let request = match body_mode {
            BodyMode::Buffered => request.timeout_global(Some(timeout)).timeout_recv_body(Some(body_timeout)),
            BodyMode::Streamed => request
                .timeout_send_request(Some(timeout))
                .timeout_send_body(Some(timeout))
                .timeout_recv_response(Some(timeout))
                .timeout_per_read(Some(self.limits().stream_idle)),
        };
        agent.run(request.build())
    }
}

/// Reads a complete body within the limit.
fn collect(body: impl Read, content_length: Option<u64>, limit: usize) -> Result<Bytes, ureq::Error> {
    let limit = limit as u64;
    let mut buffer = Vec::new();
    if content_length.is_none_or(|length| length <= limit) {
        body.take(limit.saturating_add(1)).read_to_end(&mut buffer)?;
        if buffer.len() as u64 <= limit {
            return Ok(buffer.into());
        }
    }
    Err(ureq::Error::BodyExceedsLimit(limit))
}

/// Classifies an error of ureq.
fn classify(error: ureq::Error) -> TransportError {
    let failure = to_failure(&error);
    let error = match error {
        ureq::Error::Other(other) => match other.downcast::<Unsent>() {
            Ok(unsent) => unsent.0,
            Err(other) => ureq::Error::Other(other),
        },
        ureq::Error::Io(error) => match PayloadError::unwrap(error) {
            Ok(error) => return TransportError::new(Failure::Unreadable, error),
            Err(error) => ureq::Error::Io(error),
        },
        error => error,
    };
    // ureq's error has no source, and its text puts a prefix before that of the I/O error.
    let cause: Box<dyn StdError + Send + Sync> = match error {
        ureq::Error::Io(error) => Box::new(error),
        error => Box::new(error),
    };
    if failure != Failure::NotSent {
        return TransportError::new(failure, cause);
    }
    match Untrusted::find(&*cause) {
        Some(untrusted) if untrusted.has_unusable_key() => {
            return TransportError::new(Failure::Tls(TlsFailure::UnusableKey), untrusted);
        }
        Some(untrusted) => return TransportError::new(Failure::Untrusted, untrusted),
        None => {}
    }
    let failure = match HandshakeFailure::find(&*cause) {
        Some(HandshakeFailure::NoCommonProtocol) => Failure::Tls(TlsFailure::NoCommonProtocol),
        Some(HandshakeFailure::NotTls) => Failure::Tls(TlsFailure::NotTls),
        Some(_) => Failure::Tls(TlsFailure::Other),
        None => failure,
    };
    TransportError::new(failure, cause)
}

fn to_failure(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Other(other) if other.is::<Unsent>() => Failure::NotSent,
        // Found before connecting.
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::NotSent,
        ureq::Error::Timeout(_) => Failure::TimedOut,
        ureq::Error::BodyExceedsLimit(_) => Failure::TooLarge,
        ureq::Error::Protocol(_) => Failure::Malformed,
        ureq::Error::Io(error) if NotChunked::is_cause_of(error) => Failure::Malformed,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => Failure::TooLarge,
        // The body is not gzip. A truncated gzip is `UnexpectedEof`, as for any other body.
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidInput => Failure::Undecodable,
        _ => Failure::Broken,
    }
}
