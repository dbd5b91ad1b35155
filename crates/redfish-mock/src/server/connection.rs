//! Connections: each request goes to the [`Mock`](crate::Mock), each answer out as it is meant to arrive, faults and all.

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

use super::body::Sent;
use super::port::Port;
use super::shared::Shared;
use super::thread::Stop;
use super::{Observed, Observer, plain};
use crate::protocol::answer::{Answer, Ending};

/// How long a client may take for its TLS handshake, and how long for a request's head.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to rest where the system has no sockets left.
pub(super) const REST: Duration = Duration::from_millis(50);
/// The longest head of a request; a longer one is answered 431.
const HEAD_LIMIT: usize = 64 << 10;

/// What all connections of a server share.
pub(super) struct Front {
    pub(super) shared: Arc<Shared>,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) address: SocketAddr,
    pub(super) body_limit: usize,
    pub(super) observer: Option<Observer>,
    pub(super) stop: Stop,
}

/// Why a connection ended early.
type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Front {
    /// Serves until it is told to end. Its connections go on, each until it is done.
    pub(super) async fn serve(self: Arc<Front>, mut listener: TcpListener) {
        let mut stop = self.stop.clone();
        let mut absences = 0;
        loop {
            let outlook = self.shared.tick();
            if absences != outlook.absences {
                absences = outlook.absences;
                self.shared.gone.notify_waiters();
            }
            if outlook.away.is_some() {
                drop(listener);
                match self.come_back().await {
                    Some(there) => listener = there,
                    None => return,
                }
                continue;
            }
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.shared.changed.notified() => continue,
                () = self.shared.clock.reach(outlook.due) => continue,
                () = stop.told() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let front = self.clone();
                    // A connection that fails is the client's to notice.
                    tokio::spawn(async move { drop(front.connection(stream).await) });
                }
                // No sockets left, or a client that went away already: others may still come.
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
    }

    /// Refuses connections until the service is there again; nothing where it ends before.
    async fn come_back(&self) -> Option<TcpListener> {
        let mut stop = self.stop.clone();
        let back = async {
            loop {
                let port = Port::again(self.address).await;
                while let Some(until) = self.shared.tick().away {
                    self.shared.clock.reach(Some(until)).await;
                }
                if let Ok(listener) = port.listen() {
                    return listener;
                }
            }
        };
        tokio::select! {
            listener = back => Some(listener),
            () = stop.told() => None,
        }
    }

    /// A connection from its first byte to its last, which comes early where the service goes away.
    async fn connection(self: Arc<Front>, stream: TcpStream) -> Result<(), Failed> {
        let gone = self.shared.gone.notified();
        tokio::select! {
            done = self.clone().converse(stream) => done,
            () = gone => Ok(()),
        }
    }

    async fn converse(self: Arc<Front>, stream: TcpStream) -> Result<(), Failed> {
        stream.set_nodelay(true)?;
        let reset = Arc::new(AtomicBool::new(false));
        let stream = Resettable { stream, reset: reset.clone() };
        match &self.acceptor {
            None => self.clone().http(stream, reset).await,
            Some(acceptor) => {
                let mut stop = self.stop.clone();
                let mut first = [0];
                let peeked = tokio::time::timeout(PATIENCE, stream.stream.peek(&mut first));
                let seen = tokio::select! {
                    seen = peeked => seen??,
                    () = stop.told() => return Ok(()),
                };
                if seen == 1 && first[0] != plain::HANDSHAKE {
                    let connection =
                        http1().serve_connection(TokioIo::new(stream), service_fn(plain::redirect));
                    return Ok(tokio::time::timeout(PATIENCE, connection).await??);
                }
                let handshake = tokio::time::timeout(PATIENCE, acceptor.accept(stream));
                let stream = tokio::select! {
                    stream = handshake => stream??,
                    () = stop.told() => return Ok(()),
                };
                self.clone().http(stream, reset).await
            }
        }
    }

    async fn http<S>(self: Arc<Front>, stream: S, reset: Arc<AtomicBool>) -> Result<(), Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let front = &self;
        let service = service_fn(|request| front.request(request, &reset));
        let connection = http1().serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let mut stop = self.stop.clone();
        tokio::select! {
            done = connection.as_mut() => return Ok(done?),
            () = stop.told() => connection.as_mut().graceful_shutdown(),
        }
        Ok(connection.await?)
    }

    /// One request. An error closes the connection without an answer.
    async fn request(&self, request: Request<Incoming>, reset: &AtomicBool) -> io::Result<Response<Sent>> {
        let (mut head, body) = request.into_parts();
        head.uri = self.absolute(&head);
        let answer = match self.collect(body).await {
            Ok(body) => {
                let request = Request::from_parts(head.clone(), body);
                self.shared.handle(&request)
            }
            Err(Unread::TooLong) => {
                let response = self.shared.mock().refuse_body();
                Answer { response, delay: Duration::ZERO, ending: Ending::Whole }
            }
            Err(Unread::Broken) => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        // From here on a stream is closed when the client goes.
        let stream = answer.stream();
        let events = stream.map(|stream| Sent::events(stream, self.shared.clone(), self.stop.clone()));
        let Answer { response, delay, ending } = answer;
        if !delay.is_zero() {
            let mut stop = self.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stop.told() => {}
            }
        }
        let arrives = matches!(ending, Ending::Whole | Ending::Cut(_));
        if let Some(observer) = &self.observer {
            let status = arrives.then(|| response.status());
            observer(&Observed { method: &head.method, path: head.uri.path(), status });
        }
        match ending {
            Ending::Whole => Ok(response.map(|body| events.unwrap_or_else(|| Sent::whole(body)))),
            Ending::Cut(bytes) => Ok(response.map(|body| Sent::cut(body, bytes))),
            Ending::Closed => Err(io::ErrorKind::ConnectionAborted.into()),
            Ending::Reset => {
                reset.store(true, Ordering::Relaxed);
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
    }

    async fn collect(&self, body: Incoming) -> Result<Bytes, Unread> {
        // Said to be too long: refused before a byte of it is asked for.
        if body.size_hint().lower() > self.body_limit as u64 {
            return Err(Unread::TooLong);
        }
        match Limited::new(body, self.body_limit).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLong),
            Err(_) => Err(Unread::Broken),
        }
    }

    /// The request's URI with scheme and host, so that an answer can name the service as the client does.
    fn absolute(&self, head: &http::request::Parts) -> Uri {
        let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok().map(str::to_owned));
        let mut parts = head.uri.clone().into_parts();
        parts.scheme =
            Some(if self.acceptor.is_some() { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP });
        let named = host.and_then(|host| host.parse().ok()).or(parts.authority.take());
        parts.authority = named.or_else(|| self.address.to_string().parse().ok());
        // The form `*` of OPTIONS has no place in an absolute URI.
        Uri::from_parts(parts).unwrap_or_else(|_| head.uri.clone())
    }
}

fn http1() -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        // As people write them, and as documentation shows them.
        .title_case_headers(true)
        .max_buf_size(HEAD_LIMIT);
    builder
}

/// Why a body could not be taken.
enum Unread {
    TooLong,
    Broken,
}

/// A connection that can end with a reset instead of an orderly close.
struct Resettable {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Resettable {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Without lingering, closing drops what is unsent and resets. Where it cannot be set, it closes.
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
