//! Connections: passes each request to the [`Mock`](crate::Mock), and sends its answer with the effects of faults.

use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::body::ResponseBody;
use super::budget::Reservation;
use super::client_stream::{ClientStream, Closing};
use super::connections::{Busy, Connection};
use super::limits::Limits;
use super::options::{ObservedRequest, Observer};
use super::plain_http;
use super::port::Port;
use super::receive::{Received, receive};
use super::shared::SharedMock;
use super::thread::StopSignal;
use crate::pending_request::{Begun, PendingRequest};
use crate::protocol::answer::{Answer, Ending};
use crate::protocol::event::EventStream;

/// Timeout of a TLS handshake, and of the head of a request.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);
/// The delay before accepting again if the system has no sockets left.
pub(super) const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);
/// The maximum size of the head of a request in bytes. A longer head is answered 431.
const HEAD_LIMIT: usize = 64 << 10;
/// The maximum size of an unwanted body that is received all the same, so that the connection stays open.
const MAX_DISCARDED: u64 = 64 << 10;

/// What all connections of a server share.
pub(super) struct Frontend {
    pub(super) shared: Arc<SharedMock>,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) address: SocketAddr,
    pub(super) limits: Limits,
    pub(super) observer: Option<Observer>,
    pub(super) stop: StopSignal,
}

/// The reason why a connection ended early.
type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

impl Frontend {
    /// Accepts connections until the server stops. Open connections complete their requests.
    pub(super) async fn serve(self: Arc<Frontend>, mut listener: TcpListener) {
        let mut stop = self.stop.clone();
        let mut outages = 0;
        loop {
            let status = self.shared.advance();
            if outages != status.outages {
                outages = status.outages;
                self.shared.outage_started.notify_waiters();
            }
            if status.unavailable_until.is_some() {
                drop(listener);
                match self.wait_until_available().await {
                    Some(available) => listener = available,
                    None => return,
                }
                continue;
            }
            let accept = async {
                self.limits.connections.until_acceptable().await;
                listener.accept().await
            };
            let accepted = tokio::select! {
                accepted = accept => accepted,
                () = self.shared.changed.notified() => continue,
                () = self.shared.clock.wait_until(status.next_due) => continue,
                () = stop.stopped() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let frontend = self.clone();
                    // The client notices if the connection fails.
                    tokio::spawn(async move { drop(frontend.connection(stream).await) });
                }
                // There are no sockets left, or the client has disconnected. Later connections may succeed.
                Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
            }
        }
    }

    /// Refuses connections until the service is available again. Returns `None` if the server stops first.
    async fn wait_until_available(&self) -> Option<TcpListener> {
        let mut stop = self.stop.clone();
        let available = async {
            loop {
                let port = Port::rebind(self.address).await;
                while let Some(until) = self.shared.advance().unavailable_until {
                    self.shared.clock.wait_until(Some(until)).await;
                }
                if let Ok(listener) = port.listen() {
                    return listener;
                }
            }
        };
        tokio::select! {
            listener = available => Some(listener),
            () = stop.stopped() => None,
        }
    }

    /// Serves a connection until it ends, until it makes room for another, or until an outage breaks it.
    async fn connection(self: Arc<Frontend>, stream: TcpStream) -> Result<(), ConnectionError> {
        let outage = self.shared.outage_started.notified();
        let connection = self.limits.connections.open();
        tokio::select! {
            done = self.serve_stream(stream, &connection) => done,
            () = connection.evicted() => Ok(()),
            () = outage => Ok(()),
        }
    }

    async fn serve_stream(
        self: &Arc<Frontend>,
        stream: TcpStream,
        connection: &Connection,
    ) -> Result<(), ConnectionError> {
        stream.set_nodelay(true)?;
        let closing = Closing::default();
        let stream = ClientStream::new(stream, closing.clone(), self.limits.stall_timeout);
        match &self.acceptor {
            None => self.serve_http(stream, connection, closing).await,
            Some(acceptor) => {
                let mut stop = self.stop.clone();
                let mut first = [0];
                let peeked = tokio::time::timeout(CLIENT_TIMEOUT, stream.tcp().peek(&mut first));
                let seen = tokio::select! {
                    seen = peeked => seen??,
                    () = stop.stopped() => return Ok(()),
                };
                if seen == 1 && first[0] != plain_http::TLS_HANDSHAKE {
                    let connection =
                        http1().serve_connection(TokioIo::new(stream), service_fn(plain_http::redirect));
                    return Ok(tokio::time::timeout(CLIENT_TIMEOUT, connection).await??);
                }
                let replaced = self.shared.acceptor();
                let acceptor = replaced.as_ref().unwrap_or(acceptor);
                let handshake = tokio::time::timeout(CLIENT_TIMEOUT, acceptor.accept(stream));
                let stream = tokio::select! {
                    stream = handshake => stream??,
                    () = stop.stopped() => return Ok(()),
                };
                self.serve_http(stream, connection, closing).await
            }
        }
    }

    async fn serve_http<S>(
        self: &Arc<Frontend>,
        stream: S,
        connection: &Connection,
        closing: Closing,
    ) -> Result<(), ConnectionError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let service = service_fn(|request| self.handle_request(request, connection, &closing));
        let connection = http1().serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let mut stop = self.stop.clone();
        tokio::select! {
            done = connection.as_mut() => return Ok(done?),
            () = stop.stopped() => connection.as_mut().graceful_shutdown(),
        }
        Ok(connection.await?)
    }

    /// Handles a request. An error closes the connection without a response.
    async fn handle_request(
        &self,
        request: Request<Incoming>,
        connection: &Connection,
        closing: &Closing,
    ) -> io::Result<Response<ResponseBody>> {
        let busy = connection.busy();
        let (mut head, mut body) = request.into_parts();
        head.uri = self.absolute_uri(&head);
        let (method, uri) = (head.method.clone(), head.uri.clone());
        let expects_continue = head.headers.contains_key(header::EXPECT);
        let (mut answer, received) = match self.shared.begin(head) {
            Begun::Answered(answer) => (*answer, Received::Partly),
            Begun::Pending(mut pending) => {
                let received = self.receive(&mut body, &mut pending).await?;
                (self.shared.end(*pending), received)
            }
        };
        if received == Received::Partly && !body.is_end_stream() {
            self.discard(body, expects_continue, &mut answer.response, closing);
        }
        let reservation = self.reserve(&mut answer, method.is_safe());
        // The stream is closed when the response is dropped.
        let stream = answer.stream();
        let Answer { response, delay, ending } = answer;
        let response = self.body(response, stream, ending, busy, reservation);
        if !delay.is_zero() {
            let mut stop = self.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stop.stopped() => {}
            }
        }
        if let Some(observer) = &self.observer {
            let is_sent = matches!(ending, Ending::Whole | Ending::Cut(_));
            let status = is_sent.then(|| response.status());
            observer(&ObservedRequest { method: &method, path: uri.path(), status });
        }
        match ending {
            Ending::Whole | Ending::Cut(_) => Ok(response),
            Ending::Closed => Err(io::ErrorKind::ConnectionAborted.into()),
            Ending::Reset => {
                closing.reset();
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
    }

    /// Receives the body of a request, or the part of it that matters.
    async fn receive(&self, body: &mut Incoming, pending: &mut PendingRequest) -> io::Result<Received> {
        let mut reservation = self.limits.bodies.reserve();
        let take = |chunk: &[u8]| {
            let flow = pending.push(chunk);
            if reservation.grow(pending.kept()).is_err() {
                pending.refuse_busy();
                return ControlFlow::Break(());
            }
            flow
        };
        let received = receive(body, self.limits.stall_timeout, take).await;
        received.map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }

    /// Handles the rest of a body that does not matter. A short one is received while the response is sent, so that the
    /// connection stays open. Otherwise the connection is closed after the response.
    fn discard(
        &self,
        mut body: Incoming,
        expects_continue: bool,
        response: &mut Response<Vec<u8>>,
        closing: &Closing,
    ) {
        let is_short = body.size_hint().upper().is_some_and(|length| length <= MAX_DISCARDED);
        if is_short && !expects_continue && response.status() != StatusCode::PAYLOAD_TOO_LARGE {
            let stall_timeout = self.limits.stall_timeout;
            tokio::spawn(async move {
                // If it fails, the connection ends.
                let _ = receive(&mut body, stall_timeout, |_| ControlFlow::Continue(())).await;
            });
        } else {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            closing.linger();
        }
    }

    /// Reserves memory for a response. Without any left, 503 replaces the response to a read, and the connection is closed after
    /// a write, which was carried out.
    fn reserve(&self, answer: &mut Answer, is_read: bool) -> Reservation {
        let mut reservation = self.limits.responses.reserve();
        if reservation.grow(answer.response.body().len()).is_err() {
            if is_read {
                answer.response = self.shared.lock().busy();
            } else {
                answer.ending = Ending::Closed;
            }
        }
        reservation
    }

    fn body(
        &self,
        response: Response<Vec<u8>>,
        stream: Option<EventStream>,
        ending: Ending,
        busy: Busy,
        reservation: Reservation,
    ) -> Response<ResponseBody> {
        response.map(|body| match (stream, ending) {
            (Some(stream), _) => ResponseBody::events(stream, self.shared.clone(), self.stop.clone(), busy),
            (None, Ending::Cut(bytes)) => ResponseBody::cut(body, bytes, busy, reservation),
            (None, _) => ResponseBody::whole(body, busy, reservation),
        })
    }

    /// The URI with scheme and host, so that a response can contain the origin that the client used.
    fn absolute_uri(&self, head: &http::request::Parts) -> Uri {
        let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok().map(str::to_owned));
        let mut parts = head.uri.clone().into_parts();
        parts.scheme =
            Some(if self.acceptor.is_some() { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP });
        let authority = host.and_then(|host| host.parse().ok()).or(parts.authority.take());
        parts.authority = authority.or_else(|| self.address.to_string().parse().ok());
        // The `*` of an OPTIONS request cannot be made absolute.
        Uri::from_parts(parts).unwrap_or_else(|_| head.uri.clone())
    }
}

fn http1() -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(CLIENT_TIMEOUT)
        // As in the documentation of most services.
        .title_case_headers(true)
        .max_buf_size(HEAD_LIMIT);
    builder
}
