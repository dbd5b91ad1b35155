//! A Redfish client for sync programs, on ureq.
//!
//! ```text
//!   Client ── drive ──▶ redfish_proto::Call           the protocol without I/O: decides the next step
//!     │  │
//!     │  └─ LoginCoordinator ──▶ Authenticator        one login for all callers that need a session
//!     ▼
//!   Transport ── exchange ──▶ ureq ──▶ Socket         one request and its response, over TCP or TLS
//! ```
//!
//! [`redfish_proto`] makes all decisions of the protocol. This crate sends requests, waits, and reports how an exchange
//! failed, above all whether anything was sent. Its names and methods are those of the async client, `redfish-hyper`.
//!
//! ```no_run
//! use redfish_ureq::{Client, Credentials, Error, Service, Trust};
//!
//! let client = Client::builder(Service::new("https://bmc.example")?)
//!     .login(Credentials::new("admin", std::env::var("BMC_PASSWORD").unwrap()))
//!     .trust(&Trust::system())
//!     .build()?;
//!
//! client.scoped(|client| {
//!     let system: serde_json::Value = client.get("/redfish/v1/Systems/1")?;
//!     println!("{}", system["PowerState"]);
//!     Ok::<_, Error>(())
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! Every read and every wait is bounded: an exchange has a timeout and a size limit, and so does connecting. ureq's own
//! redirects, status errors and proxies are turned off.

mod cancel;
mod chunks;
mod client;
mod clock;
mod concurrency;
mod connector;
mod decode;
mod drive;
mod events;
mod exchange;
mod login_coordinator;
mod members;
mod refusal;
mod resource;
mod socket;
mod source;
mod stream;
mod transfer;
mod transport;
mod typed;
mod unsent;
mod walk;

pub use cancel::Cancel;
/// The protocol: operations, events, queries, errors, and the interface for drivers.
pub use redfish_proto as proto;
/// The resources of the standard as types.
pub use redfish_schema as schema;
/// Trust in certificates: pins, inspection, handshake failures.
pub use redfish_tls as tls;
pub use {bytes, http, serde_json};

pub use client::{Builder, Client};
pub use clock::{Clock, SystemClock};
pub use events::Events;
pub use members::Members;
pub use redfish_proto::{Credentials, Error, Service};
pub use redfish_tls::Trust;
pub use source::Source;
pub use stream::Stream;
pub use transport::{Transport, TransportBuilder};
pub use walk::Walking;
