//! A test client that calls a [`Mock`] directly.

// Each test file is its own crate, and uses only a part of this module.
#![allow(dead_code, unreachable_pub)]

pub mod mockups;
pub mod stream;
#[cfg(feature = "serve")]
pub mod wire;

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redfish_mock::{Account, Answer, Mock, Profile, Role, Settings};
use serde_json::{Value, json};

pub const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
pub const SYSTEM: &str = "/redfish/v1/Systems/E1D8B426";

/// Settings with an account for each role: `ada`, `olga` and `bob`, all with the same password.
pub fn settings(profile: Profile) -> Settings {
    Settings {
        user: "ada".into(),
        password: "analytical".into(),
        accounts: vec![
            Account::new("olga", "analytical", Role::Operator),
            Account::new("bob", "analytical", Role::ReadOnly),
        ],
        profile,
        ..Settings::default()
    }
}

/// A client with a virtual clock.
pub struct Client {
    pub mock: Mock,
    pub now: Duration,
    /// The header that is sent with every request.
    pub credentials: Option<(&'static str, String)>,
}

impl Client {
    pub fn new(settings: Settings) -> Client {
        Client { mock: Mock::new(settings), now: Duration::ZERO, credentials: None }
    }

    pub fn standard() -> Client {
        Client::new(settings(Profile::Standard))
    }

    pub fn ilo_amplifier() -> Client {
        Client::new(settings(Profile::IloAmplifier))
    }

    pub fn basic(mut self, user: &str) -> Client {
        self.credentials = Some(basic(user));
        self
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request =
            http::Request::builder().method(method).uri(path).header("Host", "bmc.example:8443");
        if let Some((name, value)) = &self.credentials {
            request = request.header(*name, value);
        }
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.mock.handle(&request.body(body.to_owned()).expect("a request"), self.now)
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "")
    }

    pub fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, &[], &body.to_string())
    }

    pub fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], &body.to_string())
    }

    /// Opens a session and uses its token from now on. Returns its path.
    pub fn log_in(&mut self, user: &str) -> String {
        self.credentials = None;
        let answer = self.mock.handle(&login(user), self.now);
        assert_eq!(answer.status(), 201, "{}", answer.json());
        self.credentials = Some(("X-Auth-Token", token(&answer)));
        path_of(answer.header("Location").expect("a location"))
    }
}

/// A login request for an account of [`settings`].
pub fn login(user: &str) -> http::Request<String> {
    let request = http::Request::post(SESSIONS).header("Content-Type", "application/json");
    request.body(json!({"UserName": user, "Password": "analytical"}).to_string()).expect("a request")
}

pub fn basic(user: &str) -> (&'static str, String) {
    ("Authorization", format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:analytical"))))
}

pub fn token(answer: &Answer) -> String {
    answer.header("X-Auth-Token").expect("a token").to_owned()
}

/// Removes scheme and host from a location.
pub fn path_of(location: &str) -> String {
    location[location.find("/redfish").expect("a path")..].to_owned()
}

/// The keys of the messages of an answer, without registry and version.
pub fn messages(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let entries = body["error"]["@Message.ExtendedInfo"].as_array().cloned().unwrap_or_default();
    let key =
        |entry: &Value| entry["MessageId"].as_str().and_then(|id| id.rsplit('.').next()).map(str::to_owned);
    entries.iter().filter_map(key).collect()
}
