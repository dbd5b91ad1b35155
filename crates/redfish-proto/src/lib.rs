//! The Redfish protocol as values: requests are built, answers are read, and nothing does any I/O.
//!
//! There is no socket, clock, thread, lock or async here. A [`Call`] of an [`Operation`] is a state machine that
//! asks its driver for one thing at a time, a [`Step`](driver::Step), and takes the answer by value:
//!
//! ```text
//!   Service::call(operation)
//!          │ start(now)
//!          ▼
//!        Step ──┬─ Send(outgoing, reply)     perform one exchange:   reply.receive(head, body, now)
//!               │                                                    reply.fail(failure, now)
//!               ├─ Wait(time, timer)         let time pass:          timer.fire(now)
//!               ├─ Session(request, reply)    find a session:         reply.give(session, now)
//!               │                                                    reply.decline(now)
//!               └─ Done(result)              the end
//! ```
//!
//! | who | writes | knows |
//! |---|---|---|
//! | an [`Operation`] | what to ask, what the answer means | no host, no credentials, no retries |
//! | a [`Call`] | nothing: its rules are written once | sessions, 401 and replay, redirects, retries, deadlines |
//! | an [`Authenticator`](driver::Authenticator) | when to log in, and what to close | credentials, the current session |
//! | a driver, yours | a dozen lines round an HTTP library | sockets, time, nothing of Redfish |
//!
//! # A dialogue
//!
//! Every byte that leaves, and every decision, without a network:
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
//! let answer = |status: u16, token: Option<&str>| {
//!     let mut answer = http::Response::builder().status(status);
//!     if let Some(token) = token {
//!         answer = answer.header("X-Auth-Token", token).header("Location", "https://ilo.local/redfish/v1/Sessions/7");
//!     }
//!     answer.body(()).unwrap().into_parts().0
//! };
//! let now = Now(Duration::ZERO);
//! let service = Arc::new(Service::new("bmc.example")?);
//! let credentials = Arc::new(Credentials::new("admin", "secret"));
//! let mut authenticator = Authenticator::session(Arc::clone(&service), credentials, None);
//!
//! // A read needs a session first, and a session needs a login.
//! let read = service.call(Get::<Value>::new(service.target("/redfish/v1/Systems/1")?));
//! let Step::Session(request, session_reply) = read.start(now) else { panic!() };
//! let SessionSource::Login(login) = authenticator.renew(&request)? else { panic!() };
//!
//! // The service root says where sessions are; it gets no credentials.
//! let Step::Send(outgoing, reply) = login.start(now) else { panic!() };
//! assert_eq!(outgoing.request.method(), "GET");
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/");
//! let root = r#"{"Links": {"Sessions": {"@odata.id": "/redfish/v1/Sessions"}}}"#;
//! let step = reply.receive(answer(200, None), Ok(root.into()), now);
//!
//! // The login: what a log may show of it has no password.
//! let Step::Send(outgoing, reply) = step else { panic!() };
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/Sessions");
//! assert_eq!(&outgoing.request.body().bytes().unwrap()[..], br#"{"UserName": "admin", "Password": "secret"}"#);
//! assert_eq!(outgoing.body().unwrap(), r#"{"UserName": "admin", "Password": "[redacted]"}"#);
//! let Step::Done(opened) = reply.receive(answer(201, Some("t0ken")), Ok("".into()), now) else { panic!() };
//! let session = authenticator.accept(opened)?;
//!
//! // The service knows itself by another name; the session is closed at ours.
//! assert_eq!(session.target().unwrap().as_str(), "/redfish/v1/Sessions/7");
//!
//! // The read goes on with the token.
//! let Step::Send(outgoing, reply) = session_reply.give(Ok(session.into()), now) else { panic!() };
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/Systems/1");
//! assert_eq!(outgoing.request.headers()["x-auth-token"], "t0ken");
//! let Step::Done(read) = reply.receive(answer(200, None), Ok(r#"{"Id": "1"}"#.into()), now) else { panic!() };
//! assert_eq!(read?, json!({"Id": "1"}));
//!
//! // The end: the session is closed with its own token. A driver calls `close` until it returns `None`.
//! let Some(logout) = authenticator.close() else { panic!() };
//! let Step::Send(outgoing, reply) = logout.start(now) else { panic!() };
//! assert_eq!(outgoing.request.method(), "DELETE");
//! assert_eq!(outgoing.request.uri(), "https://bmc.example/redfish/v1/Sessions/7");
//! let Step::Done(Ok(_)) = reply.receive(answer(204, None), Ok("".into()), now) else { panic!() };
//! # Ok::<(), redfish_proto::Error>(())
//! ```
//!
//! # The loop
//!
//! This is all a driver is; `exchange` and `sleep` are its own:
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
//! | open and close a session | [`Login`](ops::Login), [`Logout`](ops::Logout), [`CheckSession`](ops::CheckSession); [`ListSessions`](ops::ListSessions) says which are ours |
//! | read | [`Get`](ops::Get) a type, [`Read`](ops::Read) with ETag and raw JSON, [`GetPage`](ops::GetPage) of a collection, [`LookupMessage`](ops::LookupMessage) of a message |
//! | ask | a [`Query`](query::Query) by [`NegotiateQuery`](query::NegotiateQuery) |
//! | change | [`Write`](ops::Write): PATCH, PUT, POST, DELETE |
//! | act | [`Actions`](ops::Actions), [`Invoke`](ops::Invoke), [`Reset`](ops::Reset) |
//! | wait | [`Watch`](ops::Watch) a [`Monitor`](ops::Monitor), [`WaitForPower`](ops::WaitForPower) a reset has done its work, [`WaitUntil`](ops::WaitUntil) a resource reaches a state |
//! | push and listen | [`PushUpdate`](ops::PushUpdate), [`Download`](ops::Download), [`FindEvents`](events::FindEvents), [`Subscribe`](events::Subscribe) with a [`Listener`](events::Listener) |
//! | be pushed to | [`CreateSubscription`](events::CreateSubscription), [`ListSubscriptions`](events::ListSubscriptions), [`DeleteSubscription`](events::DeleteSubscription); [`Notification::parse`](events::Notification::parse) |
//! | anything else | [`Raw`](ops::Raw), a [`Chain`](ops::Chain) of operations, or an [`Operation`] of your own |
//!
//! What holds whatever the service answers: no credential leaves the origin, a write that may have been received is
//! not sent again, every wait has an end, and no secret stands in a text that is shown. A 401 leads to one login at the
//! most, and only if the session is not alive. A request that was answered 401 is then sent again, a POST too, and a 307
//! or 308 is followed with the body: by the protocol (RFC 9110), neither was carried out.

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::string_slice))]

mod body;
mod cause;
mod credentials;
pub mod driver;
mod error;
mod etag;
pub mod events;
mod features;
#[cfg(feature = "fuzzing")]
#[allow(clippy::panic, clippy::indexing_slicing, reason = "a rule that is broken is a panic")]
pub mod fuzzing;
mod headers;
mod identity;
mod json;
mod kind;
mod lenient;
mod link;
mod message;
mod operation;
pub mod ops;
mod origin;
mod policy;
pub mod query;
pub mod reason;
mod redact;
mod resource;
pub mod schema;
mod service;
mod session;
mod target;

pub use body::Body;
pub use cause::Cause;
pub use credentials::Credentials;
pub use driver::call::Call;
pub use driver::exchange::{BodyMode, Purpose};
pub use error::Error;
pub use etag::{ETag, ETagForm};
pub use identity::{Identity, SessionState};
pub use kind::ErrorKind;
pub use message::Message;
pub use operation::{Answer, Auth, Operation, Request, Retry, Transition};
pub use policy::{Links, Policy};
pub use redact::{Redactor, SafeText};
pub use resource::Resource;
pub use service::Service;
pub use session::Session;
pub use target::Target;
