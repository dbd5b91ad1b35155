//! The limits that every driver applies.

use std::time::Duration;

use crate::kind::{Failure, HeadLimits};

/// Limits of a transport's connections and exchanges. The timeout of an exchange and the maximum size of a body are
/// in the [`Policy`](crate::Policy) of each service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportLimits {
    /// Timeout of name resolution, connecting and the TLS handshake. Default: 10 s.
    ///
    /// A request that fails here was certainly not sent, and is retried according to the policy. So this should be
    /// shorter than the policy's timeout of an exchange, which may leave the outcome open.
    pub connect_timeout: Duration,
    /// Maximum silence of a stream. Default: 10 min.
    pub stream_idle: Duration,
    /// How long a service that has responded to an upload with a success may read nothing of the rest. Then the rest is not sent.
    /// Default: 90 s, since the system takes megabytes ahead of a service that reads 64 KiB/s.
    pub upload_idle: Duration,
    /// Maximum size of the head of a response, in bytes. Default: 64 KiB.
    pub head: usize,
    /// Maximum number of headers of a response. Default: 100.
    pub headers: usize,
    /// Maximum number of idle connections to one service. Default: 2, one for a request and one for a concurrent login.
    pub idle_connections: usize,
    /// Maximum number of concurrent requests to one service; at least 1. Default: 2, since controllers have few
    /// connections. Opening and closing sessions does not wait. A stream counts until its head has arrived.
    pub per_service: usize,
    /// Maximum number of concurrent writes to one service; at least 1. Default: 1, since controllers refuse a second
    /// write or confuse the two.
    pub writes_per_service: usize,
    /// Maximum number of concurrent requests to all services; at least 1. Default: 256.
    pub total: usize,
}

/// Maximum age of an idle connection. Controllers close theirs after some seconds, and a request that is being sent
/// at that moment is lost.
pub const MAX_IDLE: Duration = Duration::from_secs(10);

impl Default for TransportLimits {
    fn default() -> TransportLimits {
        TransportLimits {
            connect_timeout: Duration::from_secs(10),
            stream_idle: Duration::from_secs(600),
            upload_idle: Duration::from_secs(90),
            head: 64 << 10,
            headers: 100,
            idle_connections: 2,
            per_service: 2,
            writes_per_service: 1,
            total: 256,
        }
    }
}

impl TransportLimits {
    /// The failure of an exchange whose response has a larger head.
    pub fn head_too_large(&self) -> Failure {
        Failure::HeadTooLarge(HeadLimits { bytes: self.head, headers: self.headers })
    }

    /// Raises the limits of concurrent requests and writes to at least 1.
    #[must_use]
    pub fn normalized(mut self) -> TransportLimits {
        for count in [&mut self.per_service, &mut self.writes_per_service, &mut self.total] {
            *count = (*count).max(1);
        }
        self
    }
}

macro_rules! setters {
    ($($name:ident: $type:ty,)*) => {
        impl TransportLimits {$(
            #[doc = concat!("Sets [`", stringify!($name), "`](TransportLimits#structfield.", stringify!($name), ").")]
            #[must_use]
            pub fn $name(mut self, $name: $type) -> TransportLimits {
                self.$name = $name;
                self
            }
        )*}
    };
}

setters! {
    connect_timeout: Duration,
    stream_idle: Duration,
    upload_idle: Duration,
    head: usize,
    headers: usize,
    idle_connections: usize,
    per_service: usize,
    writes_per_service: usize,
    total: usize,
}
