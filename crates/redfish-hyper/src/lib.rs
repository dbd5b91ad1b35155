//! A Redfish client for async programs, on hyper.
//!
//! ```text
//!   Client ── drive ──▶ redfish_proto::Call     what to do next: the protocol, without I/O
//!     │  │
//!     │  └─ LoginCoordinator ───▶ Authenticator           one login for all who need one
//!     ▼
//!   Transport ── exchange ──▶ hyper ─▶ Connection     one request and its answer; TCP and TLS
//! ```
//!
//! All that is Redfish is decided in [`redfish_proto`]; here requests are sent, waits are waited, and what became of
//! an exchange is told as far as it can be known. The names and methods are those of the sync client, `redfish-ureq`.
//! It needs a Tokio runtime with time and I/O.
//!
//! ```no_run
//! use redfish_hyper::{Client, Credentials, Error, Service, Trust};
//!
//! # async fn example() -> Result<(), Error> {
//! let client = Client::builder(Service::new("https://bmc.example")?)
//!     .login(Credentials::new("admin", std::env::var("BMC_PASSWORD").unwrap()))
//!     .trust(&Trust::system())
//!     .build()?;
//!
//! client.scoped(async |client| {
//!     let system: serde_json::Value = client.get("/redfish/v1/Systems/1").await?;
//!     println!("{}", system["PowerState"]);
//!     Ok::<_, Error>(())
//! })
//! .await
//! # }
//! ```
//!
//! Nothing is read or waited for without end: each exchange has its time-out and its limit, and so has connecting.

mod client;
mod clock;
mod concurrency;
mod connector;
mod decode;
mod drive;
mod events;
mod exchange;
mod flight;
mod gate;
mod members;
mod pool;
mod resource;
mod source;
mod stream;
mod transfer;
mod transport;
mod wire;

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

// The examples there are compiled and run here: both adapters are at hand.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../ARCHITECTURE.md")]
struct Architecture;
