//! The transport, which clients share: connections, trust, limits and clock.

use std::fmt;
use std::sync::Arc;

use hyper::client::conn::http1;
use redfish_proto::driver::TransportLimits;
use redfish_tls::Trust;

use crate::clock::{Clock, SystemClock};
use crate::concurrency::Concurrency;
use crate::connector::Connector;
use crate::pool::Pool;

/// The smallest buffer that hyper accepts, in bytes. It panics below.
const MIN_BUFFER: usize = 8 << 10;

/// Connections, trust, limits and a clock for any number of clients. Cheap to clone.
///
/// A connection belongs to the Tokio runtime that opened it, so the transport should not outlive the runtime. Proxies of
/// the environment are ignored, since controllers are on a separate network.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    pool: Pool,
    concurrency: Concurrency,
    limits: TransportLimits,
    clock: Arc<dyn Clock>,
}

impl Transport {
    /// Creates a transport with this trust, and the defaults of [`TransportBuilder`].
    pub fn new(trust: &Trust) -> Self {
        Self::builder().trust(trust).build()
    }

    /// Returns a builder for a transport.
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            trust: Trust::system(),
            limits: TransportLimits::default(),
            clock: Arc::new(SystemClock::default()),
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    pub(crate) fn concurrency(&self) -> &Concurrency {
        &self.0.concurrency
    }

    pub(crate) fn limits(&self) -> &TransportLimits {
        &self.0.limits
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }
}

/// The settings of a [`Transport`]. Created by [`Transport::builder`].
pub struct TransportBuilder {
    trust: Trust,
    limits: TransportLimits,
    clock: Arc<dyn Clock>,
}

impl TransportBuilder {
    /// Sets which certificates are accepted. Default: those signed by the system's CAs.
    #[must_use]
    pub fn trust(mut self, trust: &Trust) -> Self {
        self.trust = trust.clone();
        self
    }

    /// Sets the limits of connections and exchanges.
    ///
    /// The size of a head does not include redundant spaces, which hyper does not report.
    #[must_use]
    pub fn limits(mut self, limits: TransportLimits) -> Self {
        self.limits = limits.normalized();
        self
    }

    /// Sets the clock of the calls. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the transport. Opens no connection. If the [`Trust`] has no crypto provider, TLS connections fail.
    pub fn build(self) -> Transport {
        let Self { trust, limits, clock } = self;
        let mut http = http1::Builder::new();
        http.max_buf_size(limits.head.max(MIN_BUFFER));
        // With its default limit, hyper does not allocate for the headers.
        if limits.headers != TransportLimits::default().headers {
            http.max_headers(limits.headers);
        }
        let connector = Connector::new(trust.config(), limits.connect_timeout);
        Transport(Arc::new(Inner {
            pool: Pool::new(connector, http, limits.idle_connections),
            concurrency: Concurrency::new(&limits),
            limits,
            clock,
        }))
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransportBuilder")
    }
}
