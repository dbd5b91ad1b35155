//! A Redfish service to test clients against: sessions that expire, tasks, events, and faults on demand.
//!
//! [`Mock`] is the service as a value: a request and the time in, an [`Answer`] out. It has no socket, clock or thread, so a
//! test plays hours of a session's life in microseconds, and repeats them from the same seed. [`Server`] puts it behind a
//! socket, with or without TLS. A [`Fleet`] is thousands of services, some of which misbehave.
//!
//! ```text
//!              Settings                      ServeOptions
//!                 │                               │
//!  request ──► ┌──┴───┐      TLS, HTTP/1.1   ┌────┴───┐
//!  now     ──► │ Mock │ ◄──────────────────► │ Server │ ◄──► any client
//!  Answer  ◄── └──────┘                      └────────┘
//! ```
//!
//! There are two [`Profile`]s: `standard` answers as DSP0266 requires, and `ilo-amplifier` as iLO Amplifier Pack is documented,
//! with `MySession`, weak ETags, messages without text, and case-insensitive paths. [`Fault`]s make it misbehave. A [`Mockup`]
//! replaces its invented servers, and is changed only in memory.
//!
//! # Modules
//!
//! Each module depends only on those below it:
//!
//! | module | contents |
//! |---|---|
//! | `server` | sockets, TLS, fleets |
//! | `mock`, `pending_request` | the public [`Mock`], and a request whose body it receives |
//! | `handlers` | what answers a request: `get`, `patch`, `actions`, `update`, … |
//! | `routing` | what is at a path |
//! | `state` | what the service remembers: sessions, accounts, tasks, events, … |
//! | `inventory` | the resource tree: systems, chassis, managers, …, or a mockup |
//! | `faults` | the table of faults |
//! | `protocol` | formats: requests, responses, messages, queries, ETags, dates |
//!
//! # Time
//!
//! `now` determines everything that takes time, so a test does not have to wait: sessions expire, a reset changes the power
//! state some seconds after its response, a monitor answers 202 while its task runs, and a locked account is unlocked. After
//! an update the service restarts: [`Mock::unavailable_until`] returns the end of the outage, and a [`Server`] refuses
//! connections meanwhile.
//!
//! ```
//! use std::time::Duration;
//! use redfish_mock::{Fault, FaultKind, Mock, Settings};
//!
//! let fault = Fault::new(FaultKind::Task(Duration::from_secs(5)));
//! let mut mock = Mock::new(Settings { bearer_token: Some("t".into()), faults: vec![fault], ..Settings::default() });
//! let mut send = |method: &str, path: &str, body: &'static str, seconds| {
//!     let request = http::Request::builder().method(method).uri(path).header("Authorization", "Bearer t");
//!     let request = request.header("Content-Type", "application/json").body(body).expect("a request");
//!     mock.handle(&request, Duration::from_secs(seconds))
//! };
//!
//! let accepted = send("PATCH", "/redfish/v1/Systems/E1D8B426", r#"{"AssetTag": "R09-U01"}"#, 0);
//! assert_eq!(accepted.status(), 202);
//! let monitor = accepted.header("Location").expect("a monitor").to_owned();
//! assert_eq!(send("GET", &monitor, "", 4).json()["PercentComplete"], 80);
//! let answer = send("GET", &monitor, "", 5);
//! assert_eq!((answer.status().as_u16(), &answer.json()["AssetTag"]), (200, &"R09-U01".into()));
//! assert_eq!(send("GET", &monitor, "", 5).status(), 404, "the response was read");
//! ```
//!
//! # The life of a session
//!
//! ```
//! use std::time::Duration;
//! use redfish_mock::{Mock, Settings};
//!
//! let mut mock = Mock::new(Settings { user: "ada".into(), password: "engine No. 1".into(), ..Settings::default() });
//! let now = Duration::ZERO;
//!
//! let login = http::Request::post("/redfish/v1/SessionService/Sessions")
//!     .header("Content-Type", "application/json")
//!     .body(r#"{"UserName": "ada", "Password": "engine No. 1"}"#)?;
//! let login = mock.handle(&login, now);
//! assert_eq!(login.status(), 201);
//! let token = login.header("X-Auth-Token").expect("a token").to_owned();
//! let location = login.header("Location").expect("a location").to_owned();
//!
//! let systems = http::Request::get("/redfish/v1/Systems").header("X-Auth-Token", &token).body("")?;
//! assert_eq!(mock.handle(&systems, now).json()["Members@odata.count"], 3);
//!
//! // The session expires after half an hour without a request.
//! let later = now + Duration::from_secs(1800);
//! assert_eq!(mock.open_sessions(now), 1);
//! assert_eq!(mock.handle(&systems, later).status(), 401);
//! assert_eq!(mock.open_sessions(later), 0);
//! # Ok::<(), http::Error>(())
//! ```
#![cfg_attr(
    feature = "serve",
    doc = r#"
# A server

```
use redfish_mock::{ServeOptions, Server, Settings, Tls};

let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
let server = Server::start(Settings::default(), options)?;
assert!(server.url().starts_with("http://127.0.0.1:"));
assert_eq!(server.open_sessions(), 0);
server.shutdown();
# Ok::<(), std::io::Error>(())
```
"#
)]

mod faults;
mod handlers;
mod inventory;
mod mock;
mod pending_request;
mod protocol;
mod routing;
#[cfg(feature = "serve")]
mod server;
mod state;

pub use faults::{Fault, FaultError, FaultKind};
pub use inventory::mockup::Mockup;
pub use mock::{HandledRequest, Mock};
pub use pending_request::{Begun, PendingRequest};
pub use protocol::answer::{Answer, Ending};
pub use protocol::event::{Delivery, EventStream};
pub use protocol::privilege::Role;
pub use protocol::profile::{Profile, UnknownProfile};
#[cfg(feature = "serve")]
pub use server::{Fleet, FleetService, ObservedRequest, Observer, ServeOptions, Server, ServiceKind, Tls};
pub use state::accounts::Account;
pub use state::random::Seed;
pub use state::sessions::{Session, SessionCount};
pub use state::settings::Settings;
