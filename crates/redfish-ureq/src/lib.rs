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
mod error;
mod events;
mod exchange;
mod flight;
mod members;
mod resource;
mod source;
mod stream;
mod trace;
mod transfer;
mod transport;
mod wire;

pub use cancel::Cancel;
pub use client::{Builder, Client};
pub use clock::{Clock, SystemClock};
pub use error::Error;
pub use events::Events;
pub use members::Members;
pub use redfish_proto::{Body, Credentials, ErrorKind, Identity, Service, Session};
pub use redfish_tls::{Inspection, Pin, Trust};
pub use source::Source;
pub use stream::Stream;
pub use trace::Trace;
pub use transport::{Transport, TransportBuilder};
