//! The client as the shared tests use it. Its futures run on a runtime that all tests share.

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

/// A reader or writer whose every other poll is pending.
struct AlternatelyPending<T> {
    inner: T,
    ready: bool,
}

impl<T> AlternatelyPending<T> {
    fn new(inner: T) -> Self {
        AlternatelyPending { inner, ready: false }
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

impl<R: Read + Unpin> AsyncRead for AlternatelyPending<R> {
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

impl<W: Write + Unpin> AsyncWrite for AlternatelyPending<W> {
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
    AlternatelyPending::new(Box::new(reader))
}

fn writer<W: Write>(writer: &mut W) -> AlternatelyPending<&mut W> {
    AlternatelyPending::new(writer)
}

/// A reader of a stream's chunks.
struct StreamReader {
    stream: Stream,
    rest: Bytes,
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match wait(self.stream.chunk())? {
                Some(chunk) => self.rest = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.rest.len());
        self.rest.split_to(length).copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

fn stream(stream: Stream) -> StreamReader {
    StreamReader { stream, rest: Bytes::new() }
}

fn scoped<T, E>(client: Client, work: impl FnOnce(Client) -> Result<T, E>) -> Result<T, E> {
    // The work calls methods of the client, which block on the same runtime.
    wait(client.scoped(async |client| tokio::task::block_in_place(|| work(client))))
}
