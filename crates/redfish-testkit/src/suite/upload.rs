//! Pushed images: framing, retries, early refusals.

use std::io::{self, Cursor, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use redfish_proto::driver::Failure;
use redfish_proto::ops::{Outcome, PushUpdate, SimpleUpdate};
use redfish_proto::{Credentials, ErrorKind, Service, Session};
use redfish_tls::Trust;

use crate::adapter::{Adapter, Builder as _, Source as _, Transport as _};
use crate::bmc::{Bmc, Connection, Head};
use crate::full_text;
use crate::script::{Peer, ServerIdentity};

suite! {
    ($) upload:
    the_parts_are_in_order_and_the_length_is_exact,
    parameters_and_parts_are_pushed_with_the_image,
    each_push_has_its_own_boundary,
    the_plain_image_is_pushed_if_multipart_is_not_supported,
    a_file_is_read_from_the_start_up_to_its_original_length,
    an_early_refusal_does_not_open_the_image,
    a_read_once_image_that_was_not_read_is_sent_after_a_417_and_with_a_new_session,
    a_read_once_image_that_was_read_is_not_sent_again_after_a_417,
    a_connection_is_not_reused_after_an_early_refusal,
    a_push_is_not_repeated_after_a_reset,
    a_401_after_a_read_once_image_reports_it,
    an_expired_token_is_renewed_before_the_image_is_opened,
    a_replayable_image_is_sent_again_with_a_new_session,
    an_unreadable_image_is_an_invalid_request_and_not_retried,
    a_push_without_an_image_is_an_invalid_request,
    progress_reports_the_bytes_read_up_to_the_end,
    a_failed_connection_does_not_read_a_read_once_image,
    simple_update_sends_uri_targets_and_credentials,
}

const ROOT: &str = r#"{"UpdateService": {"@odata.id": "/redfish/v1/UpdateService"},
    "Tasks": {"@odata.id": "/redfish/v1/TaskService"},
    "Links": {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}}}"#;
const MULTIPART: &str = r#"{"MultipartHttpPushUri": "/push", "HttpPushUri": "/plain"}"#;
const PLAIN: &str = r#"{"HttpPushUri": "/plain"}"#;
const IMAGE: &[u8] = b"--an image\r\n\0 of a few bytes";

/// A service with this update service, which passes pushed images to a handler.
fn serve(
    update_service: &'static str,
    push: impl Fn(&mut Connection, &Head) -> io::Result<()> + Send + Sync + 'static,
) -> Bmc {
    Bmc::start(move |connection, head| match head.target.as_str() {
        "/redfish/v1/" => connection.respond("200 OK", "", ROOT),
        "/redfish/v1/UpdateService" => connection.respond("200 OK", "", update_service),
        _ => push(connection, head),
    })
}

/// The same, with the bodies that are pushed.
fn recording(update_service: &'static str) -> (Bmc, Arc<Mutex<Vec<Vec<u8>>>>) {
    let pushed = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let record = pushed.clone();
    let bmc = serve(update_service, move |connection, head| {
        record.lock().unwrap().push(connection.body(head)?);
        connection.respond("202 Accepted", "Location: /redfish/v1/TaskService/TaskMonitors/1\r\n", "")
    });
    (bmc, pushed)
}

fn client<A: Adapter>(bmc: &Bmc) -> A {
    A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap()
}

/// A client that resumes a session and has credentials to renew it.
fn client_with_token<A: Adapter>(bmc: &Bmc, token: &str) -> A {
    let service = Service::new(&bmc.url()).unwrap();
    let session = Session::from_token(&service, token, None).unwrap();
    let credentials = Credentials::new("ada", "engine No. 1");
    A::builder(service).login(credentials).resume(session).build().unwrap()
}

fn once<A: Adapter>() -> A::Source {
    A::Source::once(IMAGE.len() as u64, IMAGE)
}

/// A payload, and the number of times that it is opened.
fn counted<A: Adapter>() -> (A::Source, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let source = A::Source::reopened(IMAGE.len() as u64, move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Cursor::new(IMAGE)))
    });
    (source, opened)
}

fn pushes(bmc: &Bmc) -> usize {
    bmc.requests().iter().filter(|request| *request == "POST /push").count()
}

fn the_parts_are_in_order_and_the_length_is_exact<A: Adapter>() {
    let (bmc, pushed) = recording(MULTIPART);
    let targets = ["/redfish/v1/Systems/1".to_owned()];
    let Outcome::Accepted(monitor) =
        client::<A>(&bmc).update_firmware("bios.bin", &once::<A>(), &targets).unwrap()
    else {
        panic!("a monitor")
    };
    assert_eq!(monitor.target().as_str(), "/redfish/v1/TaskService/TaskMonitors/1");
    let heads = bmc.heads();
    let head = heads.last().unwrap();
    assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/push"));
    assert_eq!(head.header("transfer-encoding"), None);
    let boundary =
        head.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    let mut expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"UpdateParameters\"\r\n\
         Content-Type: application/json\r\n\r\n{{\"Targets\":[\"/redfish/v1/Systems/1\"]}}\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"UpdateFile\"; filename=\"bios.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    expected.extend_from_slice(IMAGE);
    expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    assert_eq!(*pushed.lock().unwrap(), [expected.clone()]);
    assert_eq!(head.length(), expected.len() as u64);
}

fn parameters_and_parts_are_pushed_with_the_image<A: Adapter>() {
    let (bmc, pushed) = recording(MULTIPART);
    let client = client::<A>(&bmc);
    let source = once::<A>();
    let update = source.push_update("bios.bin").unwrap().parameter("ForceUpdate", true.into());
    let update = update.part("OemAcme", "text/plain", b"a part".to_vec()).unwrap();
    let _ = client.push(client.service().call(update), &source).unwrap();
    let pushed = pushed.lock().unwrap();
    let body = String::from_utf8_lossy(&pushed[0]);
    let [parameters, image, part] = ["{\"ForceUpdate\":true}", "of a few bytes", "name=\"OemAcme\""]
        .map(|text| body.find(text).unwrap_or_else(|| panic!("no {text} in {body}")));
    assert!(parameters < image && image < part && body.contains("\r\n\r\na part\r\n--"), "{body}");
}

fn each_push_has_its_own_boundary<A: Adapter>() {
    let (bmc, _) = recording(MULTIPART);
    for _ in 0..2 {
        let _ = client::<A>(&bmc).update_firmware("bios.bin", &once::<A>(), &[]).unwrap();
    }
    let mut kinds: Vec<String> =
        bmc.heads().iter().filter_map(|head| head.header("content-type").map(str::to_owned)).collect();
    kinds.dedup();
    assert_eq!(kinds.len(), 2);
}

fn the_plain_image_is_pushed_if_multipart_is_not_supported<A: Adapter>() {
    let (bmc, pushed) = recording(PLAIN);
    let _ = client::<A>(&bmc).update_firmware("bios.bin", &once::<A>(), &[]).unwrap();
    let heads = bmc.heads();
    let head = heads.last().unwrap();
    assert_eq!((head.target.as_str(), head.header("transfer-encoding")), ("/plain", None));
    assert_eq!(head.header("content-type"), Some("application/octet-stream"));
    assert_eq!(head.length(), IMAGE.len() as u64);
    assert_eq!(*pushed.lock().unwrap(), [IMAGE]);
}

fn a_file_is_read_from_the_start_up_to_its_original_length<A: Adapter>() {
    let path = std::env::temp_dir().join(format!("redfish-{}-upload-{}", A::NAME, std::process::id()));
    std::fs::write(&path, IMAGE).unwrap();
    let source = A::Source::file(&path).unwrap();
    std::fs::write(&path, [IMAGE, b" and more"].concat()).unwrap();
    let (bmc, pushed) = recording(PLAIN);
    for _ in 0..2 {
        let _ = client::<A>(&bmc).update_firmware("bios.bin", &source, &[]).unwrap();
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(*pushed.lock().unwrap(), [IMAGE, IMAGE]);
}

fn an_early_refusal_does_not_open_the_image<A: Adapter>() {
    let table = [
        ("413 Payload Too Large", ErrorKind::Refused),
        ("401 Unauthorized", ErrorKind::NotAuthenticated),
        ("503 Service Unavailable", ErrorKind::Busy),
    ];
    for (status, kind) in table {
        let bmc = serve(MULTIPART, move |connection, _| connection.respond_and_close(status, "", "not this"));
        let (source, opened) = counted::<A>();
        let error = client::<A>(&bmc).update_firmware("bios.bin", &source, &[]).unwrap_err();
        assert_eq!(*error.kind(), kind, "{error}");
        assert!(!error.to_string().contains("cannot be read again"), "{error}");
        assert_eq!(error.status().unwrap().as_str(), &status[..3]);
        assert_eq!((opened.load(Ordering::SeqCst), pushes(&bmc)), (0, 1));
    }
}

fn a_read_once_image_that_was_not_read_is_sent_after_a_417_and_with_a_new_session<A: Adapter>() {
    let pushed = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let record = pushed.clone();
    let bmc = Bmc::start(move |connection, head| match (head.method.as_str(), head.target.as_str()) {
        ("POST", "/redfish/v1/SessionService/Sessions") => {
            connection.body(head)?;
            connection.respond("201 Created", "X-Auth-Token: new\r\nLocation: /redfish/v1/S/2\r\n", "{}")
        }
        ("GET", "/redfish/v1/") => connection.respond("200 OK", "", ROOT),
        ("GET", _) => connection.respond("200 OK", "", MULTIPART),
        _ if head.header("x-auth-token") != Some("new") => {
            connection.respond_and_close("401 Unauthorized", "", "")
        }
        _ if head.header("expect").is_some() => {
            connection.respond_and_close("417 Expectation Failed", "", "")
        }
        _ => {
            record.lock().unwrap().push(connection.body(head)?);
            connection.respond("204 No Content", "", "")
        }
    });
    let _ = client_with_token::<A>(&bmc, "old").update_firmware("bios.bin", &once::<A>(), &[]).unwrap();
    let pushed = pushed.lock().unwrap();
    assert!(pushed.len() == 1 && pushed[0].windows(IMAGE.len()).any(|bytes| bytes == IMAGE));
    assert_eq!(pushes(&bmc), 3);
}

fn a_read_once_image_that_was_read_is_not_sent_again_after_a_417<A: Adapter>() {
    let bmc = serve(MULTIPART, |connection, head| {
        connection.body(head)?;
        connection.respond("417 Expectation Failed", "", "")
    });
    let error = client::<A>(&bmc).update_firmware("bios.bin", &once::<A>(), &[]).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Refused);
    assert!(
        error.to_string().contains("417") && error.to_string().contains("cannot be read again"),
        "{error}"
    );
    assert_eq!(pushes(&bmc), 1);
}

fn a_connection_is_not_reused_after_an_early_refusal<A: Adapter>() {
    let bmc = serve(MULTIPART, |connection, _| connection.respond("413 Payload Too Large", "", "not this"));
    let client = client::<A>(&bmc);
    for _ in 0..2 {
        let (source, opened) = counted::<A>();
        assert_eq!(*client.update_firmware("bios.bin", &source, &[]).unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(opened.load(Ordering::SeqCst), 0);
    }
    let root = "GET /redfish/v1/";
    let service = "GET /redfish/v1/UpdateService";
    assert_eq!(bmc.requests(), [root, service, "POST /push", root, service, "POST /push"]);
}

fn a_push_is_not_repeated_after_a_reset<A: Adapter>() {
    let bmc = serve(MULTIPART, |connection, head| {
        connection.send_continue(head)?;
        connection.reset()
    });
    // Larger than the socket buffers, so that the reset arrives during the upload.
    let (source, opened) = counted::<A>();
    for source in [A::Source::once(64 << 20, io::repeat(7).take(64 << 20)), source] {
        let before = pushes(&bmc);
        let error = client::<A>(&bmc).update_firmware("bios.bin", &source, &[]).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::OutcomeUnknown(Failure::Broken), "{error}");
        assert!(full_text(&error).contains("Look for its task at /redfish/v1/TaskService"), "{error}");
        assert_eq!(pushes(&bmc), before + 1);
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

fn a_401_after_a_read_once_image_reports_it<A: Adapter>() {
    let bmc = serve(MULTIPART, |connection, head| {
        connection.body(head)?;
        connection.respond("401 Unauthorized", "", "")
    });
    let error =
        client_with_token::<A>(&bmc, "old").update_firmware("bios.bin", &once::<A>(), &[]).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
    assert!(error.to_string().contains("it cannot be read again"), "{error}");
    assert_eq!(bmc.requests().iter().filter(|request| request.starts_with("POST")).count(), 1);
}

/// A service that accepts one token and passes pushed images to a handler.
fn serve_with_token(
    token: &'static str,
    push: impl Fn(&mut Connection, &Head) -> io::Result<()> + Send + Sync + 'static,
) -> Bmc {
    Bmc::start(move |connection, head| match (head.method.as_str(), head.target.as_str()) {
        ("POST", "/redfish/v1/SessionService/Sessions") => {
            connection.body(head)?;
            let at = "/redfish/v1/SessionService/Sessions/2";
            connection.respond("201 Created", &format!("X-Auth-Token: new\r\nLocation: {at}\r\n"), "{}")
        }
        ("GET", "/redfish/v1/") => connection.respond("200 OK", "", ROOT),
        _ if head.header("x-auth-token") != Some(token) => connection.respond("401 Unauthorized", "", ""),
        ("GET", _) => connection.respond("200 OK", "", MULTIPART),
        _ => push(connection, head),
    })
}

fn an_expired_token_is_renewed_before_the_image_is_opened<A: Adapter>() {
    let (source, opened) = counted::<A>();
    let opened_before_push = opened.clone();
    let bmc = serve_with_token("new", move |connection, head| {
        assert_eq!(opened_before_push.load(Ordering::SeqCst), 0);
        connection.body(head)?;
        connection.respond("204 No Content", "", "")
    });
    let _ = client_with_token::<A>(&bmc, "old").update_firmware("bios.bin", &source, &[]).unwrap();
    assert_eq!((opened.load(Ordering::SeqCst), pushes(&bmc)), (1, 1));
    assert!(bmc.heads().last().unwrap().header("x-auth-token") == Some("new"));
}

fn a_replayable_image_is_sent_again_with_a_new_session<A: Adapter>() {
    let received = Arc::new(AtomicUsize::new(0));
    let record = received.clone();
    let bmc = Bmc::start(move |connection, head| match (head.method.as_str(), head.target.as_str()) {
        ("POST", "/redfish/v1/SessionService/Sessions") => {
            connection.body(head)?;
            connection.respond("201 Created", "X-Auth-Token: new\r\nLocation: /redfish/v1/S/2\r\n", "{}")
        }
        ("GET", "/redfish/v1/") => connection.respond("200 OK", "", ROOT),
        ("GET", _) => connection.respond("200 OK", "", MULTIPART),
        _ => {
            connection.body(head)?;
            record.fetch_add(1, Ordering::SeqCst);
            match head.header("x-auth-token") {
                Some("new") => connection.respond("204 No Content", "", ""),
                _ => connection.respond("401 Unauthorized", "", ""),
            }
        }
    });
    let (source, opened) = counted::<A>();
    let _ = client_with_token::<A>(&bmc, "old").update_firmware("bios.bin", &source, &[]).unwrap();
    assert_eq!((opened.load(Ordering::SeqCst), received.load(Ordering::SeqCst)), (2, 2));
}

fn an_unreadable_image_is_an_invalid_request_and_not_retried<A: Adapter>() {
    let short = A::Source::once(1 << 20, IMAGE);
    let closed =
        A::Source::reopened(5, || Err(io::Error::new(io::ErrorKind::PermissionDenied, "not for you")));
    let spent = once::<A>();
    let (bmc, _) = recording(MULTIPART);
    let _ = client::<A>(&bmc).update_firmware("bios.bin", &spent, &[]).unwrap();
    let table = [
        (short, io::ErrorKind::UnexpectedEof, "the payload is shorter than declared"),
        (closed, io::ErrorKind::PermissionDenied, "not for you"),
        (spent, io::ErrorKind::Other, "cannot be read again"),
    ];
    for (source, kind, words) in table {
        let before = pushes(&bmc);
        let error = client::<A>(&bmc).update_firmware("bios.bin", &source, &[]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
        assert!(error.to_string().contains(": POST /push: ") && full_text(&error).contains(words), "{error}");
        assert_eq!(error.cause().unwrap().downcast_ref::<io::Error>().unwrap().kind(), kind);
        // May be zero: the connection may close before the head is flushed.
        assert!(pushes(&bmc) <= before + 1);
    }
}

fn a_push_without_an_image_is_an_invalid_request<A: Adapter>() {
    let (bmc, _) = recording(MULTIPART);
    let image = redfish_proto::ops::Image { name: "bios.bin".into(), payload: once::<A>().payload() };
    let error = client::<A>(&bmc).run(PushUpdate::new(image, &[7; 16]).unwrap()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
    assert!(full_text(&error).contains("the payload was not given"), "{error}");
    assert_eq!(pushes(&bmc), 0);
}

fn progress_reports_the_bytes_read_up_to_the_end<A: Adapter>() {
    let (bmc, _) = recording(MULTIPART);
    let progress = Arc::<Mutex<Vec<u64>>>::default();
    let record = progress.clone();
    let source = A::Source::once(300_000, io::repeat(7).take(300_000));
    let source = source.progress(move |bytes| record.lock().unwrap().push(bytes));
    let _ = client::<A>(&bmc).update_firmware("bios.bin", &source, &[]).unwrap();
    let progress = progress.lock().unwrap();
    assert!(progress.len() > 1 && progress.is_sorted_by(|one, next| one < next), "{progress:?}");
    assert_eq!(progress.last(), Some(&300_000));
}

fn a_failed_connection_does_not_read_a_read_once_image<A: Adapter>() {
    let identity = ServerIdentity::self_signed(&["127.0.0.1"]).unwrap();
    let pem = identity.certificate_pem();
    let received = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let record = received.clone();
    let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
        // Closes before TLS, so no byte of a request arrives.
        if connection.number == 1 {
            return;
        }
        let Ok(mut connection) = connection.encrypt(&identity) else { return };
        while let Ok(Some(request)) = connection.request() {
            let (headers, body) = match request.target.as_str() {
                "/redfish/v1/" => ("", ROOT),
                "/redfish/v1/UpdateService" => ("Connection: close\r\n", PLAIN),
                _ => {
                    record.lock().unwrap().push(request.body);
                    ("", "{}")
                }
            };
            let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
            if connection.write(head.as_bytes()).is_err() || !headers.is_empty() {
                return;
            }
        }
    })
    .unwrap();
    let transport = A::Transport::new(&Trust::system_and_pem(pem.as_bytes()).unwrap());
    let service = Service::new(&peer.url("https")).unwrap();
    let client = A::builder(service).transport(&transport).build().unwrap();
    let _ = client.update_firmware("bios.bin", &once::<A>(), &[]).unwrap();
    assert_eq!(*received.lock().unwrap(), [IMAGE]);
    assert_eq!(peer.connections(), 3);
}

const SIMPLE: &str = r##"{"Actions": {"#UpdateService.SimpleUpdate": {"target": "/simple",
    "TransferProtocol@Redfish.AllowableValues": ["HTTP", "HTTPS"]}}}"##;

fn simple_update_sends_uri_targets_and_credentials<A: Adapter>() {
    let (bmc, pushed) = recording(SIMPLE);
    let update = |protocol| {
        SimpleUpdate::new("//images/bios.bin").protocol(protocol).targets(["/redfish/v1/Systems/1"])
    };
    let update = |protocol| update(protocol).credentials(&Credentials::new("ada", "engine No. 1"));
    let refused = client::<A>(&bmc).run(update("FTP")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::InvalidParameter { .. }), "{refused}");
    assert!(pushed.lock().unwrap().is_empty());
    let accepted = client::<A>(&bmc).run(update("HTTPS")).unwrap();
    assert!(matches!(accepted, Outcome::Accepted(_)));
    let sent: serde_json::Value = serde_json::from_slice(&pushed.lock().unwrap()[0]).unwrap();
    assert_eq!(sent["ImageURI"], "//images/bios.bin");
    assert_eq!(sent["Targets"][0], "/redfish/v1/Systems/1");
    assert_eq!((&sent["Username"], &sent["Password"]), (&"ada".into(), &"engine No. 1".into()));
    let (none, _) = recording(MULTIPART);
    let refused = client::<A>(&none).run(update("HTTPS")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::ActionNotFound { .. }), "{refused}");
}
