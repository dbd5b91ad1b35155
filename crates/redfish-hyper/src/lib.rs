//! A Redfish client for async programs, on hyper.
//!
//! ```text
//!   Client ── drive ──▶ redfish_proto::Call           the protocol without I/O: decides the next step
//!     │  │
//!     │  └─ LoginCoordinator ──▶ Authenticator        one login for all callers that need a session
//!     ▼
//!   Transport ── exchange ──▶ hyper ──▶ Connection    one request and its response, over TCP or TLS
//! ```
//!
//! [`redfish_proto`] makes all decisions of the protocol. This crate sends requests, waits, and reports how an exchange
//! failed, above all whether anything was sent. Its names and methods are those of the sync client, `redfish-ureq`.
//! It requires a Tokio runtime with time and I/O enabled.
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
//! Every read and every wait is bounded: an exchange has a timeout and a size limit, and so does connecting.

mod client;
mod clock;
mod concurrency;
mod connection;
mod connector;
mod continue_gate;
mod decode;
mod drive;
mod events;
mod exchange;
mod login;
mod login_coordinator;
mod members;
mod pool;
mod resource;
mod source;
mod stream;
mod tcp;
mod transfer;
mod transport;
mod typed;
mod walk;

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

// The examples of both files are compiled and run here, where both adapters are dependencies.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../ARCHITECTURE.md")]
struct Architecture;
