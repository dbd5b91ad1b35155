//! Large bodies into a writer: up to a limit, piece by piece, and what breaks off or cannot be written.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};

use redfish_proto::driver::Failure;
use redfish_proto::{Error, ErrorKind, Service};

use crate::adapter::{Adapter, Builder as _};
use crate::bmc::{Bmc, Line};
use crate::full_text;

suite! {
    ($) download:
    a_body_may_be_as_large_as_the_limit_and_no_larger,
    an_empty_body_is_one_even_with_a_limit_of_nothing,
    a_body_that_breaks_off_is_an_error_and_not_asked_for_again,
    what_is_no_gzip_is_malformed,
    a_refusal_writes_nothing,
    a_writer_gets_each_piece_as_it_comes_and_may_take_it_slowly,
    a_writer_that_fails_is_the_cause,
}

fn serve<A: Adapter>(answer: impl Fn(&mut Line) -> io::Result<()> + Send + Sync + 'static) -> (Bmc, A) {
    let bmc = Bmc::start(move |line, _| answer(line));
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    (bmc, client)
}

fn download<A: Adapter>(client: &A, limit: u64) -> (Result<u64, Error>, Vec<u8>) {
    let mut written = Vec::new();
    let read = client.download("/dump", &mut written, limit);
    (read, written)
}

fn a_body_may_be_as_large_as_the_limit_and_no_larger<A: Adapter>() {
    let whole = "x".repeat(100_000);
    for chunked in [false, true] {
        let sent = whole.clone();
        let (_bmc, client) = serve::<A>(move |line| match chunked {
            false => line.answer("200 OK", "", &sent),
            true => line.write(&format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{sent}\r\n0\r\n\r\n",
                sent.len()
            )),
        });
        let (read, written) = download(&client, 100_000);
        assert_eq!((read.unwrap(), written.len()), (100_000, 100_000));
        let (read, written) = download(&client, 99_999);
        let error = read.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::TooLarge { limit: 99_999, .. }), "{error:?}");
        assert!(written.len() <= 99_999);
    }
}

fn an_empty_body_is_one_even_with_a_limit_of_nothing<A: Adapter>() {
    let (_bmc, client) = serve::<A>(|line| line.answer("200 OK", "", ""));
    let (read, written) = download(&client, 0);
    assert_eq!((read.unwrap(), written.len()), (0, 0));
}

fn a_body_that_breaks_off_is_an_error_and_not_asked_for_again<A: Adapter>() {
    let (bmc, client) = serve::<A>(|line| {
        line.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")?;
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    let (read, written) = download(&client, 100);
    let error = read.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Transport(Failure::Broken));
    assert!(error.cause().is_some());
    assert_eq!((written.as_slice(), bmc.seen().len()), (&b"half"[..], 1));
}

fn what_is_no_gzip_is_malformed<A: Adapter>() {
    let (_bmc, client) =
        serve::<A>(|line| line.answer("200 OK", "Content-Encoding: gzip\r\n", "this is no gzip at all"));
    assert_eq!(*download(&client, 100).0.unwrap_err().kind(), ErrorKind::Transport(Failure::Malformed));
}

fn a_refusal_writes_nothing<A: Adapter>() {
    let (_bmc, client) = serve::<A>(|line| line.answer("403 Forbidden", "", "not for you"));
    let (read, written) = download(&client, 100);
    assert_eq!((read.unwrap_err().kind(), written.len()), (&ErrorKind::Forbidden, 0));
}

/// A writer that takes a few bytes at a time, and lets the service go on after its first.
struct Slow {
    written: Arc<Mutex<Vec<u8>>>,
    go_on: Option<mpsc::Sender<()>>,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let few = &bytes[..bytes.len().min(7)];
        self.written.lock().unwrap().extend_from_slice(few);
        if let Some(go_on) = self.go_on.take() {
            go_on.send(()).map_err(io::Error::other)?;
        }
        Ok(few.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn a_writer_gets_each_piece_as_it_comes_and_may_take_it_slowly<A: Adapter>() {
    let (go_on, waiting) = mpsc::channel::<()>();
    let waiting = Mutex::new(waiting);
    let (_bmc, client) = serve::<A>(move |line| {
        line.write("HTTP/1.1 200 OK\r\nContent-Length: 50010\r\n\r\nfirst")?;
        waiting.lock().unwrap().recv().map_err(io::Error::other)?;
        line.write(&"x".repeat(50_000))?;
        line.write("-last")
    });
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let mut slow = Slow { written: written.clone(), go_on: Some(go_on) };
    assert_eq!(client.download("/dump", &mut slow, 50_010).unwrap(), 50_010);
    let expected = format!("first{}-last", "x".repeat(50_000));
    assert!(*written.lock().unwrap() == expected.as_bytes());
}

/// A writer with room for so much.
struct Full(usize);

impl Write for Full {
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

fn a_writer_that_fails_is_the_cause<A: Adapter>() {
    let (_bmc, client) = serve::<A>(|line| line.answer("200 OK", "", &"x".repeat(1_000)));
    let error = client.download("/dump", &mut Full(10), 1_000).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
    assert!(full_text(&error).contains("no room"), "{error}");
    assert_eq!(
        error.cause().unwrap().downcast_ref::<io::Error>().unwrap().kind(),
        io::ErrorKind::StorageFull
    );
}
