//! The Redfish protocol as values: requests are built, answers are read, and nothing does any I/O.
//!
//! There is no socket, clock, thread, lock or async here. A [`Call`] of an [`Operation`] is a state machine that
//! asks its driver for one thing at a time, a [`Step`], and takes the answer by value.
//!
//! PICTURE

mod authenticator;
mod body;
mod call;
mod core;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod json;
mod login;
mod logout;
mod message;
mod operation;
mod redact;
mod resource;
mod service;
mod session;
mod target;
mod time;

pub use authenticator::{Authenticator, Renewed};
pub use body::{Body, Payload, Segment};
pub use call::{Call, Grant, Heading, Outgoing, Reading, Reply, Step, Timer, Wanted};
pub use error::{Error, ErrorKind, Failure, Phase};
pub use login::{Login, Opened};
pub use logout::{Closed, Logout};
pub use message::Message;
pub use operation::{Access, Answer, Delivery, Operation, Request, Retry, Verdict};
pub use redact::Redactor;
pub use resource::{Get, Raw};
pub use service::{Links, Policy, Service};
pub use session::{Credentials, Session, Standing};
pub use target::Target;
pub use time::Now;
