//! Connections: each request goes to the [`Mock`](crate::Mock), each answer out as it is meant to arrive, faults and all.

use std::convert::Infallible;
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
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::{Observed, Observer, Shared};
use crate::answer::{Answer, Ending};

/// How long a client may take for its TLS handshake, and how long for a request's head.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long connections may go on after the service was told to end.
const GRACE: Duration = Duration::from_secs(5);
/// How long to rest where the system has no sockets left.
const REST: Duration = Duration::from_millis(50);
/// The longest head of a request; a longer one is answered 431.
const HEAD_LIMIT: usize = 64 << 10;

/// What all connections of a server share.
pub(super) struct Front {
    pub(super) shared: Arc<Shared>,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) address: SocketAddr,
    pub(super) body_limit: usize,
    pub(super) observer: Option<Observer>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Front {
    /// Serves until it is told to stop, and then until the last connection is done.
    pub(super) async fn serve(self: Arc<Front>, listener: TcpListener) {
        // Each connection holds a sender: when the last is gone, the receiver says so.
        let (busy, mut idle) = mpsc::channel::<Infallible>(1);
        let mut stopped = self.stopped.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (front, busy) = (self.clone(), busy.clone());
                    tokio::spawn(async move {
                        // A connection that fails is the client's to notice.
                        let _ = front.connection(stream).await;
                        drop(busy);
                    });
                }
                // No sockets left, or a client that went away already: others may still come.
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
        drop((listener, busy));
        let _ = tokio::time::timeout(GRACE, idle.recv()).await;
    }

    async fn connection(
        self: Arc<Front>,
        stream: TcpStream,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        stream.set_nodelay(true)?;
        let reset = Arc::new(AtomicBool::new(false));
        let stream = Resettable { stream, reset: reset.clone() };
        match &self.acceptor {
            None => self.clone().http(stream, reset).await,
            Some(acceptor) => {
                let mut stopped = self.stopped.clone();
                let handshake = tokio::time::timeout(PATIENCE, acceptor.accept(stream));
                let stream = tokio::select! {
                    stream = handshake => stream??,
                    _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
                };
                self.clone().http(stream, reset).await
            }
        }
    }

    async fn http<S>(
        self: Arc<Front>,
        stream: S,
        reset: Arc<AtomicBool>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let front = &self;
        let service = service_fn(|request| front.request(request, &reset));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            // As people write them, and as documentation shows them.
            .title_case_headers(true)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let mut stopped = self.stopped.clone();
        tokio::select! {
            done = connection.as_mut() => return Ok(done?),
            _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
        }
        Ok(connection.await?)
    }

    /// One request. An error closes the connection without an answer.
    async fn request(&self, request: Request<Incoming>, reset: &AtomicBool) -> io::Result<Response<Sent>> {
        let (mut head, body) = request.into_parts();
        head.uri = self.absolute(&head);
        let Answer { response, delay, ending } = match self.collect(body).await {
            Ok(body) => {
                let request = Request::from_parts(head.clone(), body);
                self.shared.mock().handle(&request, self.shared.now())
            }
            Err(Unread::TooLong) => {
                let response = self.shared.mock().refuse_body();
                Answer { response, delay: Duration::ZERO, ending: Ending::Whole }
            }
            Err(Unread::Broken) => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        if !delay.is_zero() {
            let mut stopped = self.stopped.clone();
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        let arrives = matches!(ending, Ending::Whole | Ending::Cut(_));
        if let Some(observer) = &self.observer {
            let status = arrives.then(|| response.status());
            observer(&Observed { method: &head.method, path: head.uri.path(), status });
        }
        match ending {
            Ending::Whole => Ok(response.map(Sent::whole)),
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

/// Why a body could not be taken.
enum Unread {
    TooLong,
    Broken,
}

/// A body that is sent whole, or breaks off.
struct Sent {
    bytes: Option<Bytes>,
    length: u64,
    cut: Cut,
}

/// How far a body is with breaking off.
#[derive(PartialEq)]
enum Cut {
    Never,
    /// What there is has to leave the buffers first.
    AfterFlush,
    Now,
}

impl Sent {
    fn whole(body: Vec<u8>) -> Sent {
        let length = body.len() as u64;
        Sent { bytes: (length > 0).then(|| body.into()), length, cut: Cut::Never }
    }

    fn cut(mut body: Vec<u8>, bytes: usize) -> Sent {
        let length = body.len() as u64;
        body.truncate(bytes);
        Sent { bytes: (!body.is_empty()).then(|| body.into()), length, cut: Cut::AfterFlush }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.cut {
            Cut::Never => Poll::Ready(None),
            // hyper writes out what it has when a body is not ready, and drops it when a body fails.
            Cut::AfterFlush => {
                self.cut = Cut::Now;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Cut::Now => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && self.cut == Cut::Never
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
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
