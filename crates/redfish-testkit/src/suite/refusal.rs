//! Responses that arrive while the body of a request is being sent (RFC 9112, section 9.5).

use std::io;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use redfish_proto::driver::{Failure, TransportLimits};
use redfish_proto::ops::Outcome;
use redfish_proto::{ErrorKind, Policy, Service};
use redfish_tls::Trust;

use crate::adapter::{Adapter, Builder as _, Source as _, Transport as _, TransportBuilder as _};
use crate::script::{HttpConnection, Peer, ServerIdentity, TcpConnection};

suite! {
    ($) refusal:
    a_refusal_is_returned_at_once_from_a_service_that_reads_no_more,
    a_refusal_is_returned_from_a_service_that_closes,
    a_body_is_sent_to_its_end_after_an_early_success,
    a_success_ends_an_upload_of_which_the_service_reads_no_more,
    an_upload_that_the_service_closes_after_an_early_success_is_not_known_to_have_succeeded,
    a_response_to_an_upload_that_breaks_off_has_its_status_soon,
}

const ROOT: &str = r#"{"UpdateService": {"@odata.id": "/redfish/v1/UpdateService"}}"#;
const UPDATE_SERVICE: &str = r#"{"HttpPushUri": "/push"}"#;

/// How much of an image the service reads before it responds.
const READ: usize = 1 << 20;

/// An image that takes a while.
const IMAGE: u64 = 2 << 30;

/// What a client may read of it: the buffers of both sides.
const BUFFERS: u64 = 64 << 20;

/// A service, and a client of it.
struct Bench<A: Adapter> {
    peer: Peer,
    client: A,
}

impl<A: Adapter> Bench<A> {
    /// Passes a connection to the handler after the head of a push and the beginning of its body have arrived.
    fn start(
        is_encrypted: bool,
        push: impl Fn(HttpConnection, usize) -> io::Result<()> + Send + Sync + 'static,
    ) -> Bench<A> {
        let identity = ServerIdentity::self_signed(&["127.0.0.1"]).unwrap();
        let pem = identity.certificate_pem();
        let serve = move |connection: TcpConnection| {
            let mut connection =
                if is_encrypted { connection.encrypt(&identity) } else { connection.plain() }?;
            while let Some(request) = connection.request_head()? {
                let body = match request.target.as_str() {
                    "/redfish/v1/" => ROOT,
                    "/redfish/v1/UpdateService" => UPDATE_SERVICE,
                    _ => {
                        connection.fill_to(READ)?;
                        return push(connection, request.length());
                    }
                };
                respond(&mut connection, "200 OK", body)?;
            }
            Ok::<(), io::Error>(())
        };
        let peer =
            Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| drop(serve(connection))).unwrap();
        let limits = TransportLimits::default().upload_idle(Duration::from_millis(300));
        let transport = A::Transport::builder().limits(limits);
        let transport = transport.trust(&Trust::system_and_pem(pem.as_bytes()).unwrap()).build();
        let scheme = if is_encrypted { "https" } else { "http" };
        // Each with one of the two ways of sending a body.
        let policy =
            Policy::default().with_expect_continue(is_encrypted).with_timeout(Duration::from_secs(2));
        let service = Service::with_policy(&peer.url(scheme), policy).unwrap();
        let client = A::builder(service).transport(&transport).build().unwrap();
        Bench { peer, client }
    }
}

fn respond(connection: &mut HttpConnection, status: &str, body: &str) -> io::Result<()> {
    connection.write(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

/// A payload of this length, and how much of it was read.
fn payload<A: Adapter>(length: u64) -> (A::Source, Arc<AtomicU64>) {
    let read = Arc::<AtomicU64>::default();
    let record = read.clone();
    let source = A::Source::reopened(length, move || Ok(Box::new(io::repeat(7).take(length))));
    (source.progress(move |bytes| record.store(bytes, Ordering::SeqCst)), read)
}

/// Pushes an image that is refused after its beginning, and checks the error and the connection.
fn check_refusals<A: Adapter>(closes: bool) {
    for (status, kind) in [
        ("413 Payload Too Large", ErrorKind::Refused),
        ("401 Unauthorized", ErrorKind::NotAuthenticated),
        ("415 Unsupported Media Type", ErrorKind::Refused),
    ] {
        for is_encrypted in [false, true] {
            let case = format!("{status}, encrypted: {is_encrypted}");
            let (end, ended) = mpsc::channel::<()>();
            let (rest, rest_is_large) = mpsc::channel();
            let ended = Mutex::new(ended);
            let bench = Bench::<A>::start(is_encrypted, move |mut connection, _| {
                respond(&mut connection, status, "{}")?;
                if closes {
                    return Ok(());
                }
                // Reads nothing until the client has its response.
                let _ = ended.lock().unwrap().recv();
                let is_large = matches!(connection.fill_to(BUFFERS as usize), Ok(true));
                rest.send(is_large).map_err(io::Error::other)
            });
            let (source, read) = payload::<A>(IMAGE);
            let error = bench.client.update_firmware("bios.bin", &source, &[]).unwrap_err();
            assert_eq!(
                (error.kind(), error.status().unwrap().as_str()),
                (&kind, &status[..3]),
                "{case}: {error}"
            );
            assert!(read.load(Ordering::SeqCst) < BUFFERS, "{case}");
            bench.client.get_raw("/redfish/v1/").unwrap();
            assert_eq!(bench.peer.connections(), 2, "{case}: the connection is not used again");
            drop(end);
            assert!(closes || !rest_is_large.recv().unwrap(), "{case}: the body is sent all the same");
        }
    }
}

fn a_refusal_is_returned_at_once_from_a_service_that_reads_no_more<A: Adapter>() {
    check_refusals::<A>(false);
}

fn a_refusal_is_returned_from_a_service_that_closes<A: Adapter>() {
    check_refusals::<A>(true);
}

fn a_body_is_sent_to_its_end_after_an_early_success<A: Adapter>() {
    let length = 32 << 20;
    for is_encrypted in [false, true] {
        let (received, complete) = mpsc::channel();
        let bench = Bench::<A>::start(is_encrypted, move |mut connection, length| {
            connection.write(b"HTTP/1.1 102 Processing\r\n\r\n")?;
            respond(&mut connection, "202 Accepted", "")?;
            received.send(connection.fill_to(length)?).map_err(io::Error::other)
        });
        let (source, read) = payload::<A>(length);
        let outcome = bench.client.update_firmware("bios.bin", &source, &[]).unwrap();
        assert!(matches!(outcome, Outcome::AcceptedWithoutMonitor(_)), "{outcome:?}");
        assert!(complete.recv().unwrap(), "encrypted: {is_encrypted}");
        assert_eq!(read.load(Ordering::SeqCst), length);
        bench.client.get_raw("/redfish/v1/").unwrap();
        assert_eq!(bench.peer.connections(), 2, "nothing waits behind what is left of the body");
    }
}

fn a_success_ends_an_upload_of_which_the_service_reads_no_more<A: Adapter>() {
    for is_encrypted in [false, true] {
        for headers in ["Location: /m/1\r\n", "Location: /m/1\r\nConnection: close\r\n", ""] {
            let (end, ended) = mpsc::channel::<()>();
            let ended = Mutex::new(ended);
            let bench = Bench::<A>::start(is_encrypted, move |mut connection, _| {
                let head = format!("HTTP/1.1 202 Accepted\r\n{headers}Content-Length: 0\r\n\r\n");
                connection.write(head.as_bytes())?;
                let _ = ended.lock().unwrap().recv();
                Ok(())
            });
            let (source, read) = payload::<A>(IMAGE);
            match bench.client.update_firmware("bios.bin", &source, &[]) {
                Ok(Outcome::Accepted(monitor)) => assert_eq!(monitor.target().as_str(), "/m/1"),
                Err(error) => {
                    let unknown = ErrorKind::OutcomeUnknown(Failure::PayloadCut);
                    assert!(headers.is_empty() && *error.kind() == unknown, "{error}");
                }
                other => panic!("{other:?}"),
            }
            assert!(read.load(Ordering::SeqCst) < BUFFERS);
            drop(end);
        }
    }
}

fn an_upload_that_the_service_closes_after_an_early_success_is_not_known_to_have_succeeded<A: Adapter>() {
    for is_encrypted in [false, true] {
        let bench = Bench::<A>::start(is_encrypted, move |mut connection, _| {
            connection.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        });
        let (source, _) = payload::<A>(IMAGE);
        let error = bench.client.update_firmware("bios.bin", &source, &[]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutcomeUnknown(_)), "encrypted: {is_encrypted}: {error}");
    }
}

fn a_response_to_an_upload_that_breaks_off_has_its_status_soon<A: Adapter>() {
    for (status, is_success) in [("413 Payload Too Large", false), ("200 OK", true)] {
        for is_encrypted in [false, true] {
            let (end, ended) = mpsc::channel::<()>();
            let ended = Mutex::new(ended);
            let bench = Bench::<A>::start(is_encrypted, move |mut connection, _| {
                connection.write(format!("HTTP/1.1 {status}\r\nContent-Length: 100\r\n\r\n{{").as_bytes())?;
                let _ = ended.lock().unwrap().recv();
                Ok(())
            });
            let (source, read) = payload::<A>(IMAGE);
            let outcome = bench.client.update_firmware("bios.bin", &source, &[]);
            match outcome {
                Err(error) if is_success => {
                    assert_eq!(*error.kind(), ErrorKind::OutcomeUnknown(Failure::PayloadCut), "{error}");
                }
                Err(error) => assert_eq!(*error.kind(), ErrorKind::Refused, "{error}"),
                other => panic!("{other:?}"),
            }
            assert!(read.load(Ordering::SeqCst) < BUFFERS);
            drop(end);
        }
    }
}
