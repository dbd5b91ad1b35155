//! A Redfish client for sync programs, on ureq.
//!
//! ```text
//!   Client ── drive ──▶ redfish_proto::Call     what to do next: the protocol, without I/O
//!     │  │
//!     │  └─ LoginCoordinator ───▶ Authenticator           one login for all who need one
//!     ▼
//!   Transport ── exchange ──▶ ureq ──▶ Socket     one request and its answer; TCP and TLS
//! ```
//!
//! All that is Redfish is decided in [`redfish_proto`]; here requests are sent, waits are waited, and what became of
//! an exchange is told as far as it can be known. The names and methods are those of the async client, `redfish-hyper`.
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
//! What ureq would do by itself is off: it follows no redirect, makes no error of a status, uses no proxy, and reads
//! and waits for nothing without end.

mod cancel;
mod client;
mod clock;
mod concurrency;
mod connector;
mod decode;
mod drive;
mod events;
mod exchange;
mod flight;
mod members;
mod resource;
mod source;
mod stream;
mod transfer;
mod transport;
mod wire;

pub use cancel::Cancel;
/// The protocol: operations, events, queries, errors, and what a driver needs.
pub use redfish_proto as proto;
/// Trust in certificates: pins, inspection, failures of a handshake.
pub use redfish_tls as tls;
pub use {bytes, http};

pub use client::{Builder, Client};
pub use clock::{Clock, SystemClock};
pub use events::Events;
pub use members::Members;
pub use redfish_proto::{Credentials, Error, Service};
pub use redfish_tls::Trust;
pub use source::Source;
pub use stream::Stream;
pub use transport::{Transport, TransportBuilder};
