//! The client as the shared suites see it: its futures run on a runtime that all tests share.

mod clock;

use std::future::Future;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use redfish_hyper::{Client, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use clock::clock;

redfish_testkit::adapter!(redfish_hyper, "hyper");

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

fn wait<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// A reader or writer that is not ready every other time.
struct Halting<T> {
    inner: T,
    ready: bool,
}

impl<T> Halting<T> {
    fn new(inner: T) -> Self {
        Halting { inner, ready: false }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.ready = !self.ready;
        if self.ready {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<R: Read + Unpin> AsyncRead for Halting<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poll(context).is_pending() {
            return Poll::Pending;
        }
        let read = self.inner.read(buffer.initialize_unfilled())?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<W: Write + Unpin> AsyncWrite for Halting<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.poll(context) {
            Poll::Ready(()) => Poll::Ready(self.inner.write(bytes)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.inner.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn reader(reader: impl Read + Send + 'static) -> impl AsyncRead + Send + Unpin + 'static {
    Halting::new(Box::new(reader))
}

fn writer<W: Write>(writer: &mut W) -> Halting<&mut W> {
    Halting::new(writer)
}

/// A stream's pieces, as a reader.
struct Pieces {
    stream: Stream,
    rest: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match wait(self.stream.chunk())? {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.rest.len());
        self.rest.split_to(length).copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

fn stream(stream: Stream) -> Pieces {
    Pieces { stream, rest: Bytes::new() }
}

fn scoped<T, E>(client: Client, work: impl FnOnce(Client) -> Result<T, E>) -> Result<T, E> {
    // The work calls the client's methods, which wait on the same runtime.
    wait(client.scoped(async |client| tokio::task::block_in_place(|| work(client))))
}
