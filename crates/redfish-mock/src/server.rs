//! The HTTP server: a [`Mock`](crate::Mock) behind a socket, with or without TLS, on its own thread.

mod body;
mod budget;
mod certificate;
mod client_stream;
mod connection;
mod connections;
mod delivery;
mod fleet;
mod limits;
mod options;
mod pace;
mod plain_http;
mod port;
mod receive;
mod service_kind;
mod shared;
mod single_service;
mod ssdp;
mod thread;

pub(crate) use certificate::is_usable_certificate;
pub use fleet::{Fleet, FleetService};
pub use options::{ObservedRequest, Observer, ServeOptions, Tls};
pub use service_kind::ServiceKind;
pub use single_service::Server;
