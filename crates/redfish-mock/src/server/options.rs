//! How a server listens, and who observes its requests.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

/// How a [`Server`](super::Server) listens.
#[derive(Clone)]
pub struct ServeOptions {
    /// The address. Port 0 chooses a free port. Default: port 0 on loopback.
    pub listen: SocketAddr,
    /// The certificate. Default: [`Tls::SelfSigned`].
    pub tls: Tls,
    /// The maximum size of a request body in bytes, except that of a firmware image, which
    /// [`Settings::max_image`](crate::Settings::max_image) limits. A longer body is answered 413. Default: 16 MiB.
    pub body_limit: usize,
    /// The maximum number of connections of a service. Another one closes the connection that has been idle for the longest
    /// time, or waits if all are busy. Default: 1,000.
    pub max_connections: usize,
    /// The time without a byte after which a connection is closed while a client sends a body or receives a response. It is
    /// also closed if the rate is below 1 KiB/s over twice this time. Default: 30 s.
    pub stall_timeout: Duration,
    /// The UDP port on which a [`Server`](super::Server) answers searches for Redfish services (SSDP), usually 1900. Port 0 chooses
    /// a free port. Default: none.
    pub ssdp_port: Option<u16>,
    /// The observer of all requests. Default: none.
    pub observer: Option<Observer>,
}

/// Called for each request, on the thread of the server.
pub type Observer = Arc<dyn Fn(&ObservedRequest<'_>) + Send + Sync>;

/// A request and its result, without secrets.
#[derive(Clone, Copy, Debug)]
pub struct ObservedRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path, without the query.
    pub path: &'a str,
    /// The status of the response. `None` if the connection is closed without a response.
    pub status: Option<StatusCode>,
}

/// The certificate of a [`Server`](super::Server).
#[derive(Clone)]
pub enum Tls {
    /// No certificate: plain HTTP.
    None,
    /// A new self-signed certificate for `localhost`, `127.0.0.1`, `::1` and the address of the server.
    SelfSigned,
    /// A certificate in PEM form.
    Pem {
        /// The certificate chain.
        certificate_pem: String,
        /// The private key.
        key_pem: String,
    },
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: Tls::SelfSigned,
            body_limit: 16 << 20,
            max_connections: 1_000,
            stall_timeout: Duration::from_secs(30),
            ssdp_port: None,
            observer: None,
        }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("listen", &self.listen)
            .field("tls", &self.tls)
            .field("body_limit", &self.body_limit)
            .field("max_connections", &self.max_connections)
            .field("stall_timeout", &self.stall_timeout)
            .field("ssdp_port", &self.ssdp_port)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tls::None => "None",
            Tls::SelfSigned => "SelfSigned",
            Tls::Pem { .. } => "Pem",
        })
    }
}
