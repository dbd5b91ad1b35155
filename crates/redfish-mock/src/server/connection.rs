//! Connections: passes each request to the [`Mock`](crate::Mock), and sends its answer with the effects of faults.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::body::ResponseBody;
use super::options::{ObservedRequest, Observer};
use super::plain_http;
use super::port::Port;
use super::shared::SharedMock;
use super::thread::StopSignal;
use crate::protocol::answer::{Answer, Ending};

/// Timeout of a TLS handshake, and of the head of a request.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);
/// The delay before accepting again if the system has no sockets left.
pub(super) const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);
/// The maximum size of the head of a request in bytes. A longer head is answered 431.
const HEAD_LIMIT: usize = 64 << 10;

/// What all connections of a server share.
pub(super) struct Frontend {
    pub(super) shared: Arc<SharedMock>,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) address: SocketAddr,
    pub(super) body_limit: usize,
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
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
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

    /// Serves a connection until it ends, or until an outage breaks it.
    async fn connection(self: Arc<Frontend>, stream: TcpStream) -> Result<(), ConnectionError> {
        let outage = self.shared.outage_started.notified();
        tokio::select! {
            done = self.clone().serve_stream(stream) => done,
            () = outage => Ok(()),
        }
    }

    async fn serve_stream(self: Arc<Frontend>, stream: TcpStream) -> Result<(), ConnectionError> {
        stream.set_nodelay(true)?;
        let reset = Arc::new(AtomicBool::new(false));
        let stream = Resettable { stream, reset: reset.clone() };
        match &self.acceptor {
            None => self.clone().serve_http(stream, reset).await,
            Some(acceptor) => {
                let mut stop = self.stop.clone();
                let mut first = [0];
                let peeked = tokio::time::timeout(CLIENT_TIMEOUT, stream.stream.peek(&mut first));
                let seen = tokio::select! {
                    seen = peeked => seen??,
                    () = stop.stopped() => return Ok(()),
                };
                if seen == 1 && first[0] != plain_http::TLS_HANDSHAKE {
                    let connection =
                        http1().serve_connection(TokioIo::new(stream), service_fn(plain_http::redirect));
                    return Ok(tokio::time::timeout(CLIENT_TIMEOUT, connection).await??);
                }
                let handshake = tokio::time::timeout(CLIENT_TIMEOUT, acceptor.accept(stream));
                let stream = tokio::select! {
                    stream = handshake => stream??,
                    () = stop.stopped() => return Ok(()),
                };
                self.clone().serve_http(stream, reset).await
            }
        }
    }

    async fn serve_http<S>(
        self: Arc<Frontend>,
        stream: S,
        reset: Arc<AtomicBool>,
    ) -> Result<(), ConnectionError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let frontend = &self;
        let service = service_fn(|request| frontend.handle_request(request, &reset));
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
        reset: &AtomicBool,
    ) -> io::Result<Response<ResponseBody>> {
        let (mut head, body) = request.into_parts();
        head.uri = self.absolute_uri(&head);
        let answer = match self.read_body(body).await {
            Ok(body) => {
                let request = Request::from_parts(head.clone(), body);
                self.shared.handle(&request)
            }
            Err(BodyError::TooLong) => {
                let response = self.shared.lock().payload_too_large();
                Answer::whole(response)
            }
            Err(BodyError::Broken) => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        // From here on, the stream is closed when the client disconnects.
        let stream = answer.stream();
        let events =
            stream.map(|stream| ResponseBody::events(stream, self.shared.clone(), self.stop.clone()));
        let Answer { response, delay, ending } = answer;
        if !delay.is_zero() {
            let mut stop = self.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stop.stopped() => {}
            }
        }
        let is_sent = matches!(ending, Ending::Whole | Ending::Cut(_));
        if let Some(observer) = &self.observer {
            let status = is_sent.then(|| response.status());
            observer(&ObservedRequest { method: &head.method, path: head.uri.path(), status });
        }
        match ending {
            Ending::Whole => Ok(response.map(|body| events.unwrap_or_else(|| ResponseBody::whole(body)))),
            Ending::Cut(bytes) => Ok(response.map(|body| ResponseBody::cut(body, bytes))),
            Ending::Closed => Err(io::ErrorKind::ConnectionAborted.into()),
            Ending::Reset => {
                reset.store(true, Ordering::Relaxed);
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
    }

    async fn read_body(&self, body: Incoming) -> Result<Bytes, BodyError> {
        // A body whose Content-Length exceeds the limit is rejected before it is read.
        if body.size_hint().lower() > self.body_limit as u64 {
            return Err(BodyError::TooLong);
        }
        match Limited::new(body, self.body_limit).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLong),
            Err(_) => Err(BodyError::Broken),
        }
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

/// The reason why a body could not be read.
enum BodyError {
    TooLong,
    Broken,
}

/// A TCP connection that can be reset instead of closed.
struct Resettable {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Resettable {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // With a linger time of zero, closing discards unsent data and resets. If this fails, the connection is closed.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Resettable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Resettable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
