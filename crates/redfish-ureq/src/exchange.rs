//! One exchange: a request out, an answer in, and how it failed as far as can be known.

use std::error::Error as StdError;
use std::io::{self, Read};
use std::time::Instant;

use bytes::Bytes;
use http::response;
use redfish_proto::BodyMode;
use redfish_proto::driver::{Failure, Framing, Outgoing, ResponseLimits, TlsFailure, TransportError};
use redfish_tls::{HandshakeFailure, Untrusted};
use ureq::{Agent, SendBody};

use crate::cancel::Cancel;
use crate::connector::Unsent;
use crate::decode::Decoder;
use crate::source::{Source, Unreadable};
use crate::stream::Stream;
use crate::transport::Transport;

/// A head, and a body that may have broken off: the status counts even then.
pub(crate) type Received = (response::Parts, Result<Bytes, TransportError>);

impl Transport {
    /// Performs one exchange. Redirects, statuses and repetition are the core's.
    pub(crate) fn exchange(
        &self,
        outgoing: Outgoing,
        source: Option<&Source>,
        cancel: Option<&Cancel>,
        stream: &mut Option<Stream>,
    ) -> Result<Received, TransportError> {
        *stream = None;
        let limits = outgoing.limits;
        let deadline = Instant::now().checked_add(limits.timeout);
        let permit = self.concurrency().permit(outgoing.request.uri(), outgoing.purpose, deadline);
        let Some(_permit) = permit else {
            let reason = "the time for this exchange was over before others had left it a connection";
            let error = io::Error::new(io::ErrorKind::TimedOut, reason);
            return Err(TransportError::new(Failure::NotSent, error));
        };
        let method = outgoing.request.method().clone();
        let cancel = match limits.body_mode {
            BodyMode::Buffered => None,
            BodyMode::Streamed => Some(cancel.cloned().unwrap_or_default()),
        };
        let answer = match &cancel {
            None => self.perform(&self.agent(), outgoing, source),
            Some(cancel) => self.perform(&self.agent_of_one(cancel.clone()), outgoing, source),
        };
        let (mut head, body) = answer.map_err(classify)?.into_parts();
        let framing = Framing::of(&head, &method).map_err(|failure| {
            self.forget_connections();
            TransportError::new(failure, "two lengths of the body contradict each other")
        })?;
        if !framing.is_reusable {
            self.forget_connections();
        }
        if !framing.is_readable {
            let reason = "the body has a transfer coding that is not supported";
            return Ok((head, Err(TransportError::new(Failure::Malformed, reason))));
        }
        if head.headers.len() > self.limits().headers {
            return Err(TransportError::new(Failure::TooLarge, "the response has too many headers"));
        }
        let announced = body.content_length();
        let limit = limits.body_limit(head.status);
        let body = Decoder::of(&mut head.headers, body.into_reader(), limit);
        let body = match (limit, cancel) {
            (None, Some(cancel)) => {
                *stream = Some(Stream::new(body, cancel));
                Ok(Bytes::new())
            }
            (limit, cancel) => {
                // A refusal where a stream was asked for: the idle time is not for this.
                cancel.iter().for_each(|cancel| cancel.end_by(deadline));
                // What announces itself as too large need not be read first.
                let announced = announced.filter(|_| matches!(body, Decoder::Plain(_)));
                let collected = collect(body, announced, limit.unwrap_or(limits.limit));
                collected.map_err(classify)
            }
        };
        Ok((head, body))
    }

    fn perform(
        &self,
        agent: &Agent,
        outgoing: Outgoing,
        source: Option<&Source>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let ResponseLimits { timeout, body_mode, .. } = outgoing.limits;
        let (head, body) = outgoing.request.into_parts();
        // The core has set a `Content-Length` wherever a body belongs, an empty one too; ureq goes by it.
        let body = match head.headers.contains_key(http::header::CONTENT_LENGTH) {
            true => SendBody::from_owned_reader(Source::fill(source, &body)?),
            false => SendBody::none(),
        };
        let connect = self.limits().connect_timeout.min(timeout);
        let request = agent
            .configure_request(http::Request::from_parts(head, body))
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect));
        let request = match body_mode {
            BodyMode::Buffered => request.timeout_global(Some(timeout)),
            BodyMode::Streamed => request
                .timeout_send_request(Some(timeout))
                .timeout_send_body(Some(timeout))
                .timeout_recv_response(Some(timeout))
                .timeout_per_read(Some(self.limits().stream_idle)),
        };
        agent.run(request.build())
    }
}

/// Reads a body whole, if it is within the limit.
fn collect(body: impl Read, announced: Option<u64>, limit: usize) -> Result<Bytes, ureq::Error> {
    let limit = limit as u64;
    let mut whole = Vec::new();
    if announced.is_none_or(|length| length <= limit) {
        body.take(limit.saturating_add(1)).read_to_end(&mut whole)?;
        if whole.len() as u64 <= limit {
            return Ok(whole.into());
        }
    }
    Err(ureq::Error::BodyExceedsLimit(limit))
}

/// What an error of ureq means.
fn classify(error: ureq::Error) -> TransportError {
    let failure = to_failure(&error);
    let error = match error {
        ureq::Error::Other(other) => match other.downcast::<Unsent>() {
            Ok(unsent) => unsent.0,
            Err(other) => ureq::Error::Other(other),
        },
        ureq::Error::Io(error) => match Unreadable::unwrap(error) {
            Ok(unreadable) => return TransportError::new(Failure::Unreadable, unreadable),
            Err(error) => ureq::Error::Io(error),
        },
        error => error,
    };
    // ureq's error keeps its sources to itself, and puts its own name before the system's words.
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
        // Found wrong before anything is connected.
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::NotSent,
        ureq::Error::Timeout(_) => Failure::TimedOut,
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => Failure::TooLarge,
        // The type is ureq-proto's own; its `Debug` is the name of the variant.
        ureq::Error::Protocol(error) if format!("{error:?}") == "HttpParseTooManyHeaders" => {
            Failure::TooLarge
        }
        ureq::Error::Protocol(_) => Failure::Malformed,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => Failure::TooLarge,
        // What is no gzip. One that breaks off is an end too early, as of any other body.
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidInput => Failure::Malformed,
        _ => Failure::Broken,
    }
}
