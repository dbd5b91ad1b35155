//! The Redfish protocol without I/O: it makes requests and interprets responses.
//!
//! It has no sockets, clocks, threads, locks or async code. A [`Call`] of an [`Operation`] is a state machine. It returns
//! a [`Step`](driver::Step), which is what its driver must do next, and consumes the result:
//!
//! ```text
//!   Service::call(operation)
//!          │ start(now)
//!          ▼
//!        Step ──┬─ Send(outgoing, reply)     perform one exchange:   reply.receive(head, body, now)
//!               │                                                    reply.fail(failure, now)
//!               ├─ Wait(time, timer)         wait:                   timer.fire(now)
//!               ├─ Session(request, reply)   provide a session:      reply.give(session, now)
//!               │                                                    reply.decline(now)
//!               └─ Done(result)              return the result
//! ```
//!
//! | part | does | does not know |
//! |---|---|---|
//! | an [`Operation`] | makes a request and interprets its response | hosts, credentials, retries |
//! | a [`Call`] | runs one operation: sessions, replay after a 401, redirects, retries, deadlines | sockets, clocks |
//! | an [`Authenticator`](driver::Authenticator) | decides when to log in and what to close | sockets, clocks |
//! | a driver | runs the loop around an HTTP library, in about a dozen lines | Redfish |
//!
//! # An example without a network
//!
//! A login, a read and a logout, with every request and response:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use redfish_proto::{Credentials, Service};
//! use redfish_proto::driver::{Authenticator, Now, SessionSource, Step};
//! use redfish_proto::ops::Get;
//! use serde_json::{Value, json};
//!
//! let response = |status: u16, token: Option<&str>| {
//!     let mut response = http::Response::builder().status(status);
//!     if let Some(token) = token {
//!         response = response.header("X-Auth-Token", token).header("Location", "https://ilo.local/redfish/v1/Sessions/7");
//!     }
//!     response.body(()).unwrap().into_parts().0
//! };
//! let now = Now(Duration::ZERO);
//! let service = Arc::new(Service::new("bmc.example")?);
//! let credentials = Arc::new(Credentials::new("admin", "secret"));
//! let mut authenticator = Authenticator::session(Arc::clone(&service), credentials, None);
//!
//! // A read needs a session, and a session needs a login.
//! let read = service.call(Get::<Value>::new(service.target("/redfish/v1/Systems/1")?));
//! let Step::Session(request, session_reply) = read.start(now) else { panic!() };
//! let SessionSource::Login(login) = authenticator.renew(&request)? else { panic!() };
//!
//! // The service root contains the link to the sessions. It gets no credentials.
//! let Step::Send(outgoing, reply) = login.start(now) else { panic!() };
//! assert_eq!(outgoing.request.method(), "GET");
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/");
//! let root = r#"{"Links": {"Sessions": {"@odata.id": "/redfish/v1/Sessions"}}}"#;
//! let step = reply.receive(response(200, None), Ok(root.into()), now);
//!
//! // The login. Its loggable body has no password.
//! let Step::Send(outgoing, reply) = step else { panic!() };
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/Sessions");
//! assert_eq!(&outgoing.request.body().bytes().unwrap()[..], br#"{"UserName": "admin", "Password": "secret"}"#);
//! assert_eq!(outgoing.body().unwrap(), r#"{"UserName": "admin", "Password": "[redacted]"}"#);
//! let Step::Done(opened) = reply.receive(response(201, Some("t0ken")), Ok("".into()), now) else { panic!() };
//! let session = authenticator.accept(opened)?;
//!
//! // The service calls itself by another name. Only the path of its `Location` is used.
//! assert_eq!(session.target().unwrap().as_str(), "/redfish/v1/Sessions/7");
//!
//! // The read continues with the token.
//! let Step::Send(outgoing, reply) = session_reply.give(Ok(session.into()), now) else { panic!() };
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/Systems/1");
//! assert_eq!(outgoing.request.headers()["x-auth-token"], "t0ken");
//! let Step::Done(read) = reply.receive(response(200, None), Ok(r#"{"Id": "1"}"#.into()), now) else { panic!() };
//! assert_eq!(read?, json!({"Id": "1"}));
//!
//! // The session is closed with its own token. A driver calls `close` until it returns `None`.
//! let Some(logout) = authenticator.close() else { panic!() };
//! let Step::Send(outgoing, reply) = logout.start(now) else { panic!() };
//! assert_eq!(outgoing.request.method(), "DELETE");
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/Sessions/7");
//! let Step::Done(Ok(_)) = reply.receive(response(204, None), Ok("".into()), now) else { panic!() };
//! # Ok::<(), redfish_proto::Error>(())
//! ```
//!
//! # The loop of a driver
//!
//! A driver is this loop, with its own `exchange` and `sleep`:
//!
//! ```
//! # use redfish_proto::{*, driver::*};
//! # struct Bmc { authenticator: Authenticator }
//! # impl Bmc {
//! #     fn exchange(&self, _: Outgoing) -> Result<(http::response::Parts, Result<bytes::Bytes, TransportError>), TransportError> {
//! #         Err(Failure::NotSent.into())
//! #     }
//! #     fn sleep(&self, _: std::time::Duration) {}
//! #     fn now(&self) -> Now { Now::default() }
//! # }
//! fn run<O: Operation>(bmc: &mut Bmc, call: Call<O>) -> Result<O::Output, Error> {
//!     let mut step = call.start(bmc.now());
//!     loop {
//!         step = match step {
//!             Step::Send(outgoing, reply) => match bmc.exchange(outgoing) {
//!                 Ok((head, body)) => reply.receive(head, body, bmc.now()),
//!                 Err(failure) => reply.fail(failure, bmc.now()),
//!             },
//!             Step::Wait(time, timer) => {
//!                 bmc.sleep(time);
//!                 timer.fire(bmc.now())
//!             }
//!             Step::Session(request, reply) => match bmc.authenticator.renew(&request) {
//!                 Ok(SessionSource::Ready(session)) => reply.give(Ok(session), bmc.now()),
//!                 Ok(SessionSource::Unavailable) => reply.decline(bmc.now()),
//!                 Ok(SessionSource::Login(login)) => {
//!                     let opened = run(bmc, login);
//!                     reply.give(bmc.authenticator.accept(opened).map(Into::into), bmc.now())
//!                 }
//!                 Err(error) => reply.give(Err(error), bmc.now()),
//!             },
//!             Step::Done(result) => return result,
//!         };
//!     }
//! }
//! ```
//!
//! # The operations
//!
//! | to | operation |
//! |---|---|
//! | open and close a session | [`Login`](ops::Login), [`Logout`](ops::Logout), [`CheckSession`](ops::CheckSession); [`ListSessions`](ops::ListSessions) |
//! | find out whether a service responds | [`CheckService`](ops::CheckService) |
//! | read a resource, a collection, a message | [`Get`](ops::Get) a type, [`Read`](ops::Read) with ETag and raw JSON, [`GetPage`](ops::GetPage), [`LookupMessage`](ops::LookupMessage) |
//! | use query parameters | a [`Query`](query::Query) with [`NegotiateQuery`](query::NegotiateQuery) |
//! | change a resource | [`Write`](ops::Write): PATCH, PUT, POST, DELETE |
//! | invoke an action | [`Actions`](ops::Actions), [`Invoke`](ops::Invoke), [`Reset`](ops::Reset) |
//! | wait for an operation, a power state, a resource | [`Watch`](ops::Watch) a [`Monitor`](ops::Monitor), [`WaitForPower`](ops::WaitForPower), [`WaitUntil`](ops::WaitUntil) |
//! | update firmware, download a large body | [`PushUpdate`](ops::PushUpdate), [`SimpleUpdate`](ops::SimpleUpdate), [`Download`](ops::Download) |
//! | listen to events | [`FindEvents`](events::FindEvents), [`Subscribe`](events::Subscribe) with a [`Listener`](events::Listener) |
//! | receive pushed events | [`CreateSubscription`](events::CreateSubscription), [`ListSubscriptions`](events::ListSubscriptions), [`DeleteSubscription`](events::DeleteSubscription); [`Notification::parse`](events::Notification::parse) |
//! | read a whole service | a [`Walk`](walk::Walk), which makes many calls |
//! | anything else | [`Raw`](ops::Raw), a [`Chain`](ops::Chain) of operations, or a custom [`Operation`] |
//!
//! # Guarantees
//!
//! Whatever the service responds, no credential leaves the origin, a write that may have been received is never
//! repeated, every wait is bounded, and no text that is shown contains a secret. A 401 leads to at most one login, and
//! only if the session is not alive. A request that was answered with a 401 is then sent again, even a POST, and a 307 or
//! 308 is followed with the body: according to RFC 9110, neither was carried out.

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::string_slice))]

mod answer;
mod base;
mod body;
mod cause;
mod credentials;
pub mod driver;
pub mod enumerations;
mod error;
mod etag;
pub mod events;
mod features;
#[cfg(feature = "fuzzing")]
#[allow(clippy::panic, clippy::indexing_slicing, reason = "a violated invariant panics")]
pub mod fuzzing;
mod headers;
mod identity;
pub mod json;
mod kind;
mod link;
mod message;
mod operation;
pub mod ops;
mod origin;
mod outcome;
mod policy;
pub mod query;
pub mod reason;
mod redact;
mod resource;
mod service;
mod session;
mod target;
mod target_set;
mod task;
pub mod view;
pub mod walk;

// The crates whose types the signatures contain.
pub use {bytes, http, serde, serde_json, zeroize};

pub use answer::Answer;
pub use body::Body;
pub use cause::Cause;
pub use credentials::Credentials;
pub use driver::call::Call;
pub use error::Error;
pub use etag::{ETag, ETagForm};
pub use identity::{Identity, SessionState};
pub use kind::ErrorKind;
pub use message::Message;
pub use operation::{Auth, Operation, Request, Retry, Transition};
pub use policy::{Links, Policy};
pub use redact::{Redactor, SafeText};
pub use resource::Resource;
pub use service::Service;
pub use session::Session;
pub use target::Target;
