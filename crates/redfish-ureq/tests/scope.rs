//! A scope that ends with a panic.

use std::thread;

use redfish_mock::{ServeOptions, Server, Settings};
use redfish_ureq::{Client, Credentials, Error, Service, Trust};
use serde_json::Value;

#[test]
fn a_scope_closes_its_session_before_a_panic_propagates() {
    let settings = Settings { user: "ada".into(), password: "engine No. 1".into(), ..Settings::default() };
    let server = Server::start(settings, ServeOptions::default()).unwrap();
    let pem = server.certificate_pem().unwrap();
    let client = Client::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("ada", "engine No. 1"))
        .trust(&Trust::system_and_pem(pem.as_bytes()).unwrap())
        .build()
        .unwrap();
    let panicking = || {
        client.scoped(|client| {
            client.get::<Value>("/redfish/v1/Systems")?;
            if server.open_sessions() == 1 {
                panic!("expected by the test");
            }
            Ok::<_, Error>(())
        })
    };
    assert!(thread::scope(|scope| scope.spawn(panicking).join()).is_err());
    assert_eq!((server.open_sessions(), server.mock(|mock| mock.session_count().opened)), (0, 1));
}
