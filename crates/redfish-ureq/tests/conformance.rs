//! What HTTP can do to a client: the table that both adapters play.

use std::sync::Arc;
use std::time::Duration;

use redfish_mock::script::cases::{self, Case, Outcome, Trusting, Verb};
use redfish_proto::{Now, Policy};
use redfish_ureq::{Body, Client, Clock, Credentials, Error, Pin, Service, SystemClock, Transport, Trust};

/// Waits before another try take no time.
struct Impatient(SystemClock);

impl Clock for Impatient {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn sleep(&self, _: Duration) {}
}

fn client(case: &Case) -> Client {
    let mut policy = Policy::default();
    (policy.timeout, policy.body_limit) = (case.timeout, case.limit);
    let trust = match &case.trust {
        Trusting::System => Trust::system(),
        Trusting::Pem(pem) => Trust::with_pem(pem.as_bytes()).unwrap(),
        Trusting::Pinned(der) => Trust::pinned(Pin::of(der)),
    };
    let transport = Transport::builder()
        .trust(&trust)
        .connect_timeout(case.connect_timeout)
        .clock(Arc::new(Impatient(SystemClock::default())))
        .build();
    let builder = Client::builder(Service::with_policy(case.url(), policy).unwrap()).transport(&transport);
    match case.credentials {
        true => builder.login(Credentials::new("admin", "pw")).build().unwrap(),
        false => builder.build().unwrap(),
    }
}

fn ask(client: &Client, verb: Verb) -> Result<Vec<u8>, Error> {
    match verb {
        Verb::Send(method, path, body) => {
            let answer = client.send(method.parse().unwrap(), path, Body::from(body.as_bytes().to_vec()))?;
            Ok(answer.into_body().into())
        }
        Verb::Session => client.session().map(|_| Vec::new()),
        Verb::Close => client.close().map(|_| Vec::new()),
    }
}

fn play(case: &Case) -> Result<(), String> {
    let client = client(case);
    for asked in &case.asks {
        let outcome = match ask(&client, asked.verb) {
            Ok(body) => Outcome::Done(body),
            Err(error) => Outcome::Error(error.kind().name().to_owned(), error.to_string()),
        };
        asked.check(&outcome).map_err(|problem| format!("{problem}; it was {outcome:?}"))?;
    }
    case.finish()
}

#[test]
fn every_case_holds() {
    let cases = cases::all().unwrap();
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| play(case).err().map(|problem| format!("{}: {problem:.500}", case.name)))
        .collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
    println!("ureq held in {} cases", cases.len());
}
