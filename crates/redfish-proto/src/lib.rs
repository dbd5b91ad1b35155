//! The Redfish protocol as values: requests are built, answers are read, and nothing does any I/O.
//!
//! There is no socket, clock, thread, lock or async here. A [`Call`] of an [`Operation`] is a state machine that
//! asks its driver for one thing at a time, a [`Step`], and takes the answer by value:
//!
//! ```text
//!   Service::call(operation)
//!          │ start(now)
//!          ▼
//!        Step ──┬─ Send(outgoing, reply)     perform one exchange:   reply.receive(head, body, now)
//!               │                                                    reply.fail(failure, now)
//!               ├─ Wait(time, timer)         let time pass:          timer.fire(now)
//!               ├─ Session(wanted, grant)    find a session:         grant.give(session, now)
//!               │                                                    grant.decline(now)
//!               └─ Done(result)              the end
//! ```
//!
//! | who | writes | knows |
//! |---|---|---|
//! | an [`Operation`] | what to ask, what the answer means | no host, no credentials, no retries |
//! | a [`Call`] | nothing: its rules are written once | sessions, 401 and replay, redirects, retries, deadlines |
//! | an [`Authenticator`] | when to log in, and what to close | credentials, the current session |
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
//! use redfish_proto::{Authenticator, Credentials, Get, Now, Renewed, Service, Step};
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
//! let Step::Session(wanted, grant) = read.start(now) else { panic!() };
//! let Renewed::Login(login) = authenticator.renew(&wanted)? else { panic!() };
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
//! assert_eq!(session.location().unwrap().as_str(), "/redfish/v1/Sessions/7");
//!
//! // The read goes on with the token.
//! let Step::Send(outgoing, reply) = grant.give(Ok(session), now) else { panic!() };
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
//! # use redfish_proto::*;
//! # struct Bmc { authenticator: Authenticator }
//! # impl Bmc {
//! #     fn exchange(&self, _: Outgoing) -> Result<(http::response::Parts, Result<bytes::Bytes, Failure>), Failure> {
//! #         Err(Failure::NotSent)
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
//!             Step::Session(wanted, grant) => match bmc.authenticator.renew(&wanted) {
//!                 Ok(Renewed::Ready(session)) => grant.give(Ok(session), bmc.now()),
//!                 Ok(Renewed::Unavailable) => grant.decline(bmc.now()),
//!                 Ok(Renewed::Login(login)) => {
//!                     let opened = run(bmc, login);
//!                     grant.give(bmc.authenticator.accept(opened), bmc.now())
//!                 }
//!                 Err(error) => grant.give(Err(error), bmc.now()),
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
//! | open and close a session | [`Login`], [`Logout`], [`CheckSession`]; [`ListSessions`] says which are ours |
//! | read | [`Get`] a type, [`Read`] with ETag and raw JSON, [`GetPage`] of a collection, [`Lookup`] of a message |
//! | ask | a [`Query`] by [`FitQuery`] |
//! | change | [`Write`]: PATCH, PUT, POST, DELETE |
//! | act | [`Actions`], [`Invoke`], [`Reset`] |
//! | wait | [`Watch`] a [`Monitor`], [`UntilPower`] a reset has done its work, [`Until`] a resource is as wanted |
//! | push and listen | [`Update`], [`Download`], [`FindEvents`], [`Subscribe`] with a [`Listener`] |
//! | be pushed to | [`CreateSubscription`], [`ListSubscriptions`], [`DeleteSubscription`]; [`Notification::parse`] |
//! | anything else | [`Raw`], or an [`Operation`] of your own |
//!
//! What holds whatever the service answers: no credential leaves the origin, a write that may have been received is
//! not sent again, every wait has an end, and no secret stands in a text that is shown. A 401 leads to one login at the
//! most, and only if the session is not alive. A request that was answered 401 is then sent again, a POST too, and a 307
//! or 308 is followed with the body: by the protocol (RFC 9110), neither was carried out.

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::string_slice))]

mod action;
mod authenticator;
mod body;
mod call;
mod check;
mod collection;
mod credentials;
mod engine;
mod error;
mod etag;
mod event;
mod exchange;
mod framing;
#[cfg(feature = "fuzzing")]
#[allow(clippy::panic, clippy::indexing_slicing, reason = "a rule that is broken is a panic")]
pub mod fuzzing;
mod headers;
mod json;
mod kind;
mod lenient;
mod link;
mod login;
mod logout;
mod message;
mod operation;
mod origin;
mod policy;
mod query;
mod redact;
mod registry;
mod reset;
mod resource;
pub mod schema;
mod service;
mod session;
mod sessions;
mod target;
mod task;
mod time;
mod update;
mod wanted;
mod write;

pub use action::{Action, Actions, Invoke, Parameter};
pub use authenticator::{Authenticator, Renewed};
pub use body::{Body, Payload, Segment};
pub use call::{Call, Grant, Reply, Step, Timer};
pub use check::{CheckSession, Liveness};
pub use collection::{GetPage, Member, Page};
pub use credentials::Credentials;
pub use error::Error;
pub use etag::{ETag, ETagForm};
pub use event::{
    CreateSubscription, Decoder, DeleteSubscription, EventRecord, EventSource, FindEvents, Incoming, Limits,
    ListSubscriptions, Listener, Notification, ServerSentEvent, Subscribe, Subscription,
};
pub use exchange::{Delivery, Heading, Outgoing, Purpose, Reading};
pub use framing::Framing;
pub use kind::{ErrorKind, Failure, Phase, TlsFailure};
pub use login::{Login, Opened};
pub use logout::{Closed, Logout};
pub use message::Message;
pub use operation::{Access, Answer, Operation, Request, Retry, Verdict};
pub use policy::{Links, Policy};
pub use query::{Expand, Features, FitQuery, Query};
pub use redact::Redactor;
pub use registry::Lookup;
pub use reset::{PowerChange, Reset, ResetTaken, UntilPower};
pub use resource::{Get, Raw, Read, Resource};
pub use service::Service;
pub use session::{Session, Standing};
pub use sessions::{ListSessions, ListedSession, Whose};
pub use target::Target;
pub use task::{Ended, Monitor, Progress, Until, Watch};
pub use time::Now;
pub use update::{Download, Image, SimpleUpdate, Update};
pub use wanted::Wanted;
pub use write::{Match, Outcome, Write, Written};
