//! What a driver needs: the steps of a call, requests and responses, and sessions.
//!
//! A driver is the loop around an HTTP library. The [front page](crate) shows one.

mod addresses;
pub(crate) mod authenticator;
mod body_error;
pub(crate) mod call;
mod client_auth;
mod closing;
mod coding;
pub(crate) mod engine;
pub(crate) mod exchange;
mod framing;
pub(crate) mod session_request;
pub(crate) mod time;
mod trace;
mod transport_limits;

pub use crate::body::{Payload, PayloadCut, PayloadUnread, Segment};
pub use crate::cause::TransportError;
pub use crate::kind::{Failure, HeadLimits, Phase, TlsFailure};
pub use addresses::{CONNECT_ATTEMPT_DELAY, interleave_families};
pub use authenticator::{Authenticator, SessionSource};
pub use call::{Reply, SessionReply, Step, Timer};
pub use client_auth::ClientAuth;
pub use closing::Closing;
pub use coding::ContentCoding;
pub use exchange::{BodyMode, Outgoing, Purpose, RequestLine, ResponseHead, ResponseLimits};
pub use framing::Framing;
pub use session_request::SessionRequest;
pub use time::Now;
pub use trace::{Observer, Trace};
pub use transport_limits::{MAX_IDLE, TransportLimits};
