//! The TCP connection of a client: it can be reset, lingers after an early answer, and ends if the client does not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::pace::Pace;

/// How long the rest of a request is discarded after an early answer. To close at once could destroy the answer before the
/// client reads it (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(3);

/// How a connection ends.
#[derive(Clone, Default)]
pub(super) struct Closing(Arc<Flags>);

#[derive(Default)]
struct Flags {
    reset: AtomicBool,
    linger: AtomicBool,
}

impl Closing {
    /// The connection will be reset instead of closed.
    pub(super) fn reset(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
    }

    /// The connection will discard what the client still sends before it is closed.
    pub(super) fn linger(&self) {
        self.0.linger.store(true, Ordering::Relaxed);
    }
}

/// The TCP connection of a client.
pub(super) struct ClientStream {
    stream: TcpStream,
    closing: Closing,
    stall_timeout: Duration,
    /// The writes since one was blocked for the first time. Most connections need none.
    stall: Option<Box<Stall>>,
    /// The end of the lingering.
    linger_end: Option<Pin<Box<Sleep>>>,
}

/// The pace of blocked writes. Only the time during which they are blocked counts.
struct Stall {
    pace: Pace,
    blocked: Duration,
    blocked_since: Option<Instant>,
    deadline: Pin<Box<Sleep>>,
}

impl ClientStream {
    /// `stall_timeout` is the maximum time for which a write may be blocked.
    pub(super) fn new(stream: TcpStream, closing: Closing, stall_timeout: Duration) -> ClientStream {
        ClientStream { stream, closing, stall_timeout, stall: None, linger_end: None }
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        &self.stream
    }

    /// Fails a write that has been blocked for too long.
    fn paced(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => {
                let timeout = self.stall_timeout;
                let stall = self.stall.get_or_insert_with(|| Box::new(Stall::new(timeout)));
                ready!(stall.poll_deadline(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Ready(Ok(bytes)) => {
                if let Some(stall) = &mut self.stall {
                    stall.record(bytes);
                }
                Poll::Ready(Ok(bytes))
            }
            failed => failed,
        }
    }
}

impl Stall {
    fn new(timeout: Duration) -> Stall {
        let deadline = Box::pin(tokio::time::sleep(timeout));
        Stall {
            pace: Pace::new(timeout, Duration::ZERO),
            blocked: Duration::ZERO,
            blocked_since: None,
            deadline,
        }
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        let deadline = since + self.pace.deadline().saturating_sub(self.blocked);
        if self.deadline.deadline() != deadline {
            self.deadline.as_mut().reset(deadline);
        }
        self.deadline.as_mut().poll(context)
    }

    fn record(&mut self, bytes: usize) {
        if let Some(since) = self.blocked_since.take() {
            self.blocked += since.elapsed();
        }
        self.pace.record(bytes, self.blocked);
    }
}

impl Drop for ClientStream {
    fn drop(&mut self) {
        if self.closing.0.reset.load(Ordering::Relaxed) {
            // With a linger time of zero, closing discards unsent data and resets. If this fails, the connection is closed.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.paced(context, written)
    }

    // Without vectored writes, hyper would copy each body to a buffer of the connection, which never shrinks.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.paced(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = &mut *self;
        ready!(Pin::new(&mut stream.stream).poll_shutdown(context))?;
        if !stream.closing.0.linger.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let end = stream.linger_end.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        loop {
            if end.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut scratch = [0; 16 << 10];
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut stream.stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (ClientStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (ClientStream::new(server, Closing::default(), Duration::from_secs(30)), client)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_cut_off() {
        let (mut server, _client) = pair().await;
        let started = Instant::now();
        let error = server.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!((error.kind(), started.elapsed().as_secs()), (io::ErrorKind::TimedOut, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn each_pause_of_a_client_has_the_same_limit() {
        let (mut server, mut client) = pair().await;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(20)).await;
            client.read_exact(&mut vec![0; 32 << 20]).await.unwrap();
            std::future::pending::<()>().await;
        });
        let started = Instant::now();
        assert!(server.write_all(&vec![0; 64 << 20]).await.is_err());
        assert_eq!(started.elapsed().as_secs(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_between_writes_does_not_count() {
        let (mut server, mut client) = pair().await;
        let sink = tokio::spawn(async move { tokio::io::copy(&mut client, &mut tokio::io::sink()).await });
        for _ in 0..3 {
            server.write_all(&vec![0; 16 << 20]).await.unwrap();
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        drop(server);
        assert_eq!(sink.await.unwrap().unwrap(), 48 << 20);
    }

    #[tokio::test]
    async fn a_lingering_connection_takes_what_the_client_still_sends() {
        let (mut server, mut client) = pair().await;
        server.closing.linger();
        server.write_all(b"answer").await.unwrap();
        let sent = tokio::spawn(async move {
            client.write_all(&vec![0; 8 << 20]).await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.map(|_| answer)
        });
        server.shutdown().await.unwrap();
        assert_eq!(sent.await.unwrap().unwrap(), "answer");
    }
}
