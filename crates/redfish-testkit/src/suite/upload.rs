//! Images that are pushed: framed right, sent once, refused early.

use std::io::{self, Cursor, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use redfish_proto::driver::Failure;
use redfish_proto::ops::{Outcome, PushUpdate, SimpleUpdate};
use redfish_proto::{Credentials, ErrorKind, Service, Session};
use redfish_tls::Trust;

use crate::adapter::{Adapter, Builder as _, Source as _, Transport as _};
use crate::bmc::{Bmc, Head, Line};
use crate::full_text;
use crate::script::{Identity, Peer};

suite! {
    ($) upload:
    the_parts_stand_in_their_order_and_the_length_is_exact,
    two_pushes_have_two_boundaries,
    the_image_goes_as_it_is_where_only_that_is_offered,
    a_file_is_read_from_its_beginning_each_time_and_no_further_than_it_was_long,
    a_refusal_comes_before_the_image_is_opened,
    a_connection_whose_push_was_refused_early_is_not_used_again,
    a_push_that_was_reset_may_have_happened_and_is_not_sent_again,
    a_401_after_an_image_that_is_spent_says_so,
    a_dead_token_is_renewed_before_the_image_is_opened,
    an_image_that_can_be_read_again_is_sent_again_with_another_session,
    an_image_that_cannot_be_read_whole_is_the_callers_fault_and_tried_once,
    a_push_without_its_image_is_no_request,
    progress_counts_what_was_read_up_to_the_end,
    a_connection_that_was_refused_has_not_touched_an_image_that_can_be_read_once,
    a_service_fetches_an_image_by_itself,
}

const ROOT: &str = r#"{"UpdateService": {"@odata.id": "/redfish/v1/UpdateService"},
    "Tasks": {"@odata.id": "/redfish/v1/TaskService"},
    "Links": {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}}}"#;
const MULTIPART: &str = r#"{"MultipartHttpPushUri": "/push", "HttpPushUri": "/plain"}"#;
const PLAIN: &str = r#"{"HttpPushUri": "/plain"}"#;
const IMAGE: &[u8] = b"--an image\r\n\0 of a few bytes";

/// An update service that offers this, and what it does with what is pushed.
fn serve(
    offers: &'static str,
    push: impl Fn(&mut Line, &Head) -> io::Result<()> + Send + Sync + 'static,
) -> Bmc {
    Bmc::start(move |line, head| match head.target.as_str() {
        "/redfish/v1/" => line.answer("200 OK", "", ROOT),
        "/redfish/v1/UpdateService" => line.answer("200 OK", "", offers),
        _ => push(line, head),
    })
}

/// The same, and it keeps what is pushed.
fn keep(offers: &'static str) -> (Bmc, Arc<Mutex<Vec<Vec<u8>>>>) {
    let kept = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let keeping = kept.clone();
    let bmc = serve(offers, move |line, head| {
        keeping.lock().unwrap().push(line.body(head)?);
        line.answer("202 Accepted", "Location: /redfish/v1/TaskService/TaskMonitors/1\r\n", "")
    });
    (bmc, kept)
}

fn client<A: Adapter>(bmc: &Bmc) -> A {
    A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap()
}

/// A client whose session can be renewed.
fn client_with<A: Adapter>(bmc: &Bmc, token: &str) -> A {
    let service = Service::new(&bmc.url()).unwrap();
    let session = Session::from_token(&service, token, None).unwrap();
    let credentials = Credentials::new("ada", "engine No. 1");
    A::builder(service).login(credentials).resume(session).build().unwrap()
}

fn once<A: Adapter>() -> A::Source {
    A::Source::once(IMAGE.len() as u64, IMAGE)
}

/// A payload that counts how often it is opened.
fn counted<A: Adapter>() -> (A::Source, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let counting = opened.clone();
    let source = A::Source::reopened(IMAGE.len() as u64, move || {
        counting.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Cursor::new(IMAGE)))
    });
    (source, opened)
}

fn pushes(bmc: &Bmc) -> usize {
    bmc.seen().iter().filter(|request| *request == "POST /push").count()
}

fn the_parts_stand_in_their_order_and_the_length_is_exact<A: Adapter>() {
    let (bmc, kept) = keep(MULTIPART);
    let targets = ["/redfish/v1/Systems/1".to_owned()];
    let Outcome::Accepted(monitor) = client::<A>(&bmc).update("bios.bin", &once::<A>(), &targets).unwrap()
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
    assert_eq!(*kept.lock().unwrap(), [expected.clone()]);
    assert_eq!(head.length(), expected.len() as u64);
}

fn two_pushes_have_two_boundaries<A: Adapter>() {
    let (bmc, _) = keep(MULTIPART);
    for _ in 0..2 {
        client::<A>(&bmc).update("bios.bin", &once::<A>(), &[]).unwrap();
    }
    let mut kinds: Vec<String> =
        bmc.heads().iter().filter_map(|head| head.header("content-type").map(str::to_owned)).collect();
    kinds.dedup();
    assert_eq!(kinds.len(), 2);
}

fn the_image_goes_as_it_is_where_only_that_is_offered<A: Adapter>() {
    let (bmc, kept) = keep(PLAIN);
    client::<A>(&bmc).update("bios.bin", &once::<A>(), &[]).unwrap();
    let heads = bmc.heads();
    let head = heads.last().unwrap();
    assert_eq!((head.target.as_str(), head.header("transfer-encoding")), ("/plain", None));
    assert_eq!(head.header("content-type"), Some("application/octet-stream"));
    assert_eq!(head.length(), IMAGE.len() as u64);
    assert_eq!(*kept.lock().unwrap(), [IMAGE]);
}

fn a_file_is_read_from_its_beginning_each_time_and_no_further_than_it_was_long<A: Adapter>() {
    let path = std::env::temp_dir().join(format!("redfish-{}-upload-{}", A::NAME, std::process::id()));
    std::fs::write(&path, IMAGE).unwrap();
    let source = A::Source::file(&path).unwrap();
    std::fs::write(&path, [IMAGE, b" and more"].concat()).unwrap();
    let (bmc, kept) = keep(PLAIN);
    for _ in 0..2 {
        client::<A>(&bmc).update("bios.bin", &source, &[]).unwrap();
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(*kept.lock().unwrap(), [IMAGE, IMAGE]);
}

fn a_refusal_comes_before_the_image_is_opened<A: Adapter>() {
    let table = [
        ("413 Payload Too Large", ErrorKind::Refused),
        ("401 Unauthorized", ErrorKind::NotAuthenticated),
        ("503 Service Unavailable", ErrorKind::Busy),
    ];
    for (status, kind) in table {
        let bmc = serve(MULTIPART, move |line, _| line.last_answer(status, "", "not this"));
        let (source, opened) = counted::<A>();
        let error = client::<A>(&bmc).update("bios.bin", &source, &[]).unwrap_err();
        assert_eq!(*error.kind(), kind, "{error}");
        assert!(!error.to_string().contains("cannot be read again"), "{error}");
        assert_eq!(error.status().unwrap().as_str(), &status[..3]);
        assert_eq!((opened.load(Ordering::SeqCst), pushes(&bmc)), (0, 1));
    }
}

fn a_connection_whose_push_was_refused_early_is_not_used_again<A: Adapter>() {
    let bmc = serve(MULTIPART, |line, _| line.answer("413 Payload Too Large", "", "not this"));
    let client = client::<A>(&bmc);
    for _ in 0..2 {
        let (source, opened) = counted::<A>();
        assert_eq!(*client.update("bios.bin", &source, &[]).unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(opened.load(Ordering::SeqCst), 0);
    }
    let root = "GET /redfish/v1/";
    let service = "GET /redfish/v1/UpdateService";
    assert_eq!(bmc.seen(), [root, service, "POST /push", root, service, "POST /push"]);
}

fn a_push_that_was_reset_may_have_happened_and_is_not_sent_again<A: Adapter>() {
    let bmc = serve(MULTIPART, |line, head| {
        line.go_on(head)?;
        line.reset()
    });
    // More than the sockets hold, so that the reset comes while it is sent.
    let (source, opened) = counted::<A>();
    for source in [A::Source::once(64 << 20, io::repeat(7).take(64 << 20)), source] {
        let before = pushes(&bmc);
        let error = client::<A>(&bmc).update("bios.bin", &source, &[]).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::OutcomeUnknown(Failure::Broken), "{error}");
        assert!(full_text(&error).contains("Look for its task at /redfish/v1/TaskService"), "{error}");
        assert_eq!(pushes(&bmc), before + 1);
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

fn a_401_after_an_image_that_is_spent_says_so<A: Adapter>() {
    let bmc = serve(MULTIPART, |line, head| {
        line.body(head)?;
        line.answer("401 Unauthorized", "", "")
    });
    let error = client_with::<A>(&bmc, "old").update("bios.bin", &once::<A>(), &[]).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotAuthenticated);
    assert!(error.to_string().contains("it cannot be read again"), "{error}");
    assert_eq!(bmc.seen().iter().filter(|request| request.starts_with("POST")).count(), 1);
}

/// A service that knows one token, and what it does with what is pushed.
fn knows(
    token: &'static str,
    push: impl Fn(&mut Line, &Head) -> io::Result<()> + Send + Sync + 'static,
) -> Bmc {
    Bmc::start(move |line, head| match (head.method.as_str(), head.target.as_str()) {
        ("POST", "/redfish/v1/SessionService/Sessions") => {
            line.body(head)?;
            let at = "/redfish/v1/SessionService/Sessions/2";
            line.answer("201 Created", &format!("X-Auth-Token: new\r\nLocation: {at}\r\n"), "{}")
        }
        ("GET", "/redfish/v1/") => line.answer("200 OK", "", ROOT),
        _ if head.header("x-auth-token") != Some(token) => line.answer("401 Unauthorized", "", ""),
        ("GET", _) => line.answer("200 OK", "", MULTIPART),
        _ => push(line, head),
    })
}

fn a_dead_token_is_renewed_before_the_image_is_opened<A: Adapter>() {
    let (source, opened) = counted::<A>();
    let sees = opened.clone();
    let bmc = knows("new", move |line, head| {
        assert_eq!(sees.load(Ordering::SeqCst), 0);
        line.body(head)?;
        line.answer("204 No Content", "", "")
    });
    client_with::<A>(&bmc, "old").update("bios.bin", &source, &[]).unwrap();
    assert_eq!((opened.load(Ordering::SeqCst), pushes(&bmc)), (1, 1));
    assert!(bmc.heads().last().unwrap().header("x-auth-token") == Some("new"));
}

fn an_image_that_can_be_read_again_is_sent_again_with_another_session<A: Adapter>() {
    let received = Arc::new(AtomicUsize::new(0));
    let receiving = received.clone();
    let bmc = Bmc::start(move |line, head| match (head.method.as_str(), head.target.as_str()) {
        ("POST", "/redfish/v1/SessionService/Sessions") => {
            line.body(head)?;
            line.answer("201 Created", "X-Auth-Token: new\r\nLocation: /redfish/v1/S/2\r\n", "{}")
        }
        ("GET", "/redfish/v1/") => line.answer("200 OK", "", ROOT),
        ("GET", _) => line.answer("200 OK", "", MULTIPART),
        _ => {
            line.body(head)?;
            receiving.fetch_add(1, Ordering::SeqCst);
            match head.header("x-auth-token") {
                Some("new") => line.answer("204 No Content", "", ""),
                _ => line.answer("401 Unauthorized", "", ""),
            }
        }
    });
    let (source, opened) = counted::<A>();
    client_with::<A>(&bmc, "old").update("bios.bin", &source, &[]).unwrap();
    assert_eq!((opened.load(Ordering::SeqCst), received.load(Ordering::SeqCst)), (2, 2));
}

fn an_image_that_cannot_be_read_whole_is_the_callers_fault_and_tried_once<A: Adapter>() {
    let short = A::Source::once(1 << 20, IMAGE);
    let closed =
        A::Source::reopened(5, || Err(io::Error::new(io::ErrorKind::PermissionDenied, "not for you")));
    let spent = once::<A>();
    let (bmc, _) = keep(MULTIPART);
    client::<A>(&bmc).update("bios.bin", &spent, &[]).unwrap();
    let table = [
        (short, io::ErrorKind::UnexpectedEof, "the payload is shorter than declared"),
        (closed, io::ErrorKind::PermissionDenied, "not for you"),
        (spent, io::ErrorKind::Other, "cannot be read again"),
    ];
    for (source, kind, words) in table {
        let before = pushes(&bmc);
        let error = client::<A>(&bmc).update("bios.bin", &source, &[]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
        assert!(error.to_string().contains(": POST /push: ") && full_text(&error).contains(words), "{error}");
        assert_eq!(error.cause().unwrap().downcast_ref::<io::Error>().unwrap().kind(), kind);
        // Not always one: the connection may be closed before the head is flushed.
        assert!(pushes(&bmc) <= before + 1);
    }
}

fn a_push_without_its_image_is_no_request<A: Adapter>() {
    let (bmc, _) = keep(MULTIPART);
    let image = redfish_proto::ops::Image { name: "bios.bin".into(), payload: once::<A>().payload() };
    let error = client::<A>(&bmc).run(PushUpdate::new(image, &[7; 16]).unwrap()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidRequest(_)), "{error}");
    assert!(full_text(&error).contains("the payload was not given"), "{error}");
    assert_eq!(pushes(&bmc), 0);
}

fn progress_counts_what_was_read_up_to_the_end<A: Adapter>() {
    let (bmc, _) = keep(MULTIPART);
    let seen = Arc::<Mutex<Vec<u64>>>::default();
    let seeing = seen.clone();
    let source = A::Source::once(300_000, io::repeat(7).take(300_000));
    let source = source.progress(move |bytes| seeing.lock().unwrap().push(bytes));
    client::<A>(&bmc).update("bios.bin", &source, &[]).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 1 && seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    assert_eq!(seen.last(), Some(&300_000));
}

fn a_connection_that_was_refused_has_not_touched_an_image_that_can_be_read_once<A: Adapter>() {
    let identity = Identity::self_signed(&["127.0.0.1"]).unwrap();
    let pem = identity.certificate_pem();
    let received = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let receiving = received.clone();
    let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
        // LogoutOutcome before TLS: no byte of a request has come.
        if connection.number == 1 {
            return;
        }
        let Ok(mut wire) = connection.encrypt(&identity) else { return };
        while let Ok(Some(request)) = wire.request() {
            let (more, body) = match request.target.as_str() {
                "/redfish/v1/" => ("", ROOT),
                "/redfish/v1/UpdateService" => ("Connection: close\r\n", PLAIN),
                _ => {
                    receiving.lock().unwrap().push(request.body);
                    ("", "{}")
                }
            };
            let head = format!("HTTP/1.1 200 OK\r\n{more}Content-Length: {}\r\n\r\n{body}", body.len());
            if wire.write(head.as_bytes()).is_err() || !more.is_empty() {
                return;
            }
        }
    })
    .unwrap();
    let transport = A::Transport::new(&Trust::system_and_pem(pem.as_bytes()).unwrap());
    let service = Service::new(&peer.url("https")).unwrap();
    let client = A::builder(service).transport(&transport).build().unwrap();
    client.update("bios.bin", &once::<A>(), &[]).unwrap();
    assert_eq!(*received.lock().unwrap(), [IMAGE]);
    assert_eq!(peer.connections(), 3);
}

const SIMPLE: &str = r##"{"Actions": {"#UpdateService.SimpleUpdate": {"target": "/simple",
    "TransferProtocol@Redfish.AllowableValues": ["HTTP", "HTTPS"]}}}"##;

fn a_service_fetches_an_image_by_itself<A: Adapter>() {
    let (bmc, kept) = keep(SIMPLE);
    let update = |protocol| {
        SimpleUpdate::new("//images/bios.bin").protocol(protocol).targets(["/redfish/v1/Systems/1"])
    };
    let update = |protocol| update(protocol).credentials(&Credentials::new("ada", "engine No. 1"));
    let refused = client::<A>(&bmc).run(update("FTP")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::InvalidParameter { .. }), "{refused}");
    assert!(kept.lock().unwrap().is_empty());
    let taken = client::<A>(&bmc).run(update("HTTPS")).unwrap();
    assert!(matches!(taken, Outcome::Accepted(_)));
    let asked: serde_json::Value = serde_json::from_slice(&kept.lock().unwrap()[0]).unwrap();
    assert_eq!(asked["ImageURI"], "//images/bios.bin");
    assert_eq!(asked["Targets"][0], "/redfish/v1/Systems/1");
    assert_eq!((&asked["Username"], &asked["Password"]), (&"ada".into(), &"engine No. 1".into()));
    let (none, _) = keep(MULTIPART);
    let refused = client::<A>(&none).run(update("HTTPS")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::ActionNotFound { .. }), "{refused}");
}
