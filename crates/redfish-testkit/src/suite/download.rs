//! Downloads into a writer: limits, streaming, truncated bodies, failing writers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};

use redfish_proto::driver::Failure;
use redfish_proto::{Error, ErrorKind, Service};

use crate::adapter::{Adapter, Builder as _};
use crate::bmc::{Bmc, Connection};
use crate::full_text;

suite! {
    ($) download:
    a_body_up_to_the_limit_is_accepted,
    an_empty_body_is_accepted_with_a_limit_of_zero,
    a_truncated_body_is_an_error_and_not_requested_again,
    invalid_gzip_is_malformed,
    a_coding_that_is_not_supported_is_malformed_and_writes_nothing,
    an_error_status_writes_nothing,
    a_slow_writer_gets_each_chunk_on_arrival,
    a_failing_writer_is_the_cause_of_the_error,
}

fn serve<A: Adapter>(
    handler: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
) -> (Bmc, A) {
    let bmc = Bmc::start(move |connection, _| handler(connection));
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    (bmc, client)
}

fn download<A: Adapter>(client: &A, limit: u64) -> (Result<u64, Error>, Vec<u8>) {
    let mut written = Vec::new();
    let read = client.download("/dump", &mut written, limit);
    (read, written)
}

fn a_body_up_to_the_limit_is_accepted<A: Adapter>() {
    let whole = "x".repeat(100_000);
    for chunked in [false, true] {
        let sent = whole.clone();
        let (_bmc, client) = serve::<A>(move |connection| {
            if !chunked {
                return connection.respond("200 OK", "", &sent);
            }
            connection.write(&format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{sent}\r\n0\r\n\r\n",
                sent.len()
            ))
        });
        let (read, written) = download(&client, 100_000);
        assert_eq!((read.unwrap(), written.len()), (100_000, 100_000));
        let (read, written) = download(&client, 99_999);
        let error = read.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::TooLarge { limit: 99_999, .. }), "{error:?}");
        assert!(written.len() <= 99_999);
    }
}

fn an_empty_body_is_accepted_with_a_limit_of_zero<A: Adapter>() {
    let (_bmc, client) = serve::<A>(|connection| connection.respond("200 OK", "", ""));
    let (read, written) = download(&client, 0);
    assert_eq!((read.unwrap(), written.len()), (0, 0));
}

fn a_truncated_body_is_an_error_and_not_requested_again<A: Adapter>() {
    let (bmc, client) = serve::<A>(|connection| {
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")?;
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    let (read, written) = download(&client, 100);
    let error = read.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Transport(Failure::Broken));
    assert!(error.cause().is_some());
    assert_eq!((written.as_slice(), bmc.requests().len()), (&b"half"[..], 1));
}

fn invalid_gzip_is_malformed<A: Adapter>() {
    let (_bmc, client) = serve::<A>(|connection| {
        connection.respond("200 OK", "Content-Encoding: gzip\r\n", "this is not gzip data")
    });
    let error = download(&client, 100).0.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error:?}");
    assert!(error.to_string().contains("the body cannot be decoded"), "{error}");
}

fn a_coding_that_is_not_supported_is_malformed_and_writes_nothing<A: Adapter>() {
    for coding in ["Content-Encoding: br", "Content-Encoding: gzip, br", "Transfer-Encoding: compress"] {
        let (bmc, client) = serve::<A>(move |connection| {
            connection.respond_and_close("200 OK", &format!("{coding}\r\n"), "not data")
        });
        let (read, written) = download(&client, 100);
        let error = read.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains(&coding.replace(':', " is")), "{error}");
        assert_eq!((written.len(), bmc.requests().len()), (0, 1), "{coding}");
    }
    let (_bmc, client) =
        serve::<A>(|connection| connection.respond("200 OK", "Content-Encoding: br\r\n", ""));
    assert_eq!(download(&client, 100).0.unwrap(), 0, "there is no body");
}

fn an_error_status_writes_nothing<A: Adapter>() {
    let (_bmc, client) = serve::<A>(|connection| connection.respond("403 Forbidden", "", "not for you"));
    let (read, written) = download(&client, 100);
    assert_eq!((read.unwrap_err().kind(), written.len()), (&ErrorKind::Forbidden, 0));
}

/// A writer that accepts a few bytes per call, and signals the first call.
struct SlowWriter {
    written: Arc<Mutex<Vec<u8>>>,
    first_write: Option<mpsc::Sender<()>>,
}

impl Write for SlowWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let few = &bytes[..bytes.len().min(7)];
        self.written.lock().unwrap().extend_from_slice(few);
        if let Some(first_write) = self.first_write.take() {
            first_write.send(()).map_err(io::Error::other)?;
        }
        Ok(few.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn a_slow_writer_gets_each_chunk_on_arrival<A: Adapter>() {
    let (first_write, first_written) = mpsc::channel::<()>();
    let first_written = Mutex::new(first_written);
    let (_bmc, client) = serve::<A>(move |connection| {
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 50010\r\n\r\nfirst")?;
        first_written.lock().unwrap().recv().map_err(io::Error::other)?;
        connection.write(&"x".repeat(50_000))?;
        connection.write("-last")
    });
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let mut slow = SlowWriter { written: written.clone(), first_write: Some(first_write) };
    assert_eq!(client.download("/dump", &mut slow, 50_010).unwrap(), 50_010);
    let expected = format!("first{}-last", "x".repeat(50_000));
    assert!(*written.lock().unwrap() == expected.as_bytes());
}

/// A writer with this capacity.
struct LimitedWriter(usize);

impl Write for LimitedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0 {
            0 => Err(io::Error::new(io::ErrorKind::StorageFull, "no room")),
            room => {
                let some = room.min(bytes.len());
                self.0 -= some;
                Ok(some)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn a_failing_writer_is_the_cause_of_the_error<A: Adapter>() {
    let (_bmc, client) = serve::<A>(|connection| connection.respond("200 OK", "", &"x".repeat(1_000)));
    let error = client.download("/dump", &mut LimitedWriter(10), 1_000).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
    assert!(full_text(&error).contains("no room"), "{error}");
    assert_eq!(
        error.cause().unwrap().downcast_ref::<io::Error>().unwrap().kind(),
        io::ErrorKind::StorageFull
    );
}
