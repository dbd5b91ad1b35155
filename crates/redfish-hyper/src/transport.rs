//! What many clients share: connections, trust, the limits of connecting, a clock.

use std::fmt;
use std::sync::Arc;

use hyper::client::conn::http1;
use redfish_proto::driver::TransportLimits;
use redfish_tls::Trust;

use crate::clock::{Clock, SystemClock};
use crate::concurrency::Concurrency;
use crate::connector::Connector;
use crate::pool::Pool;

/// The smallest buffer that hyper accepts; less is a panic there.
const SMALLEST_BUFFER: usize = 8 << 10;

/// The connections, the trust and the clock that many clients share. Cheap to clone.
///
/// Its connections live on the Tokio runtime that first used them, so it should not outlive that. Proxies are not
/// used, whatever the environment says: a controller is on a network of its own.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    pool: Pool,
    concurrency: Concurrency,
    limits: TransportLimits,
    clock: Arc<dyn Clock>,
}

impl Transport {
    /// One with this trust, and the defaults of [`TransportBuilder`].
    pub fn new(trust: &Trust) -> Self {
        Self::builder().trust(trust).build()
    }

    /// One with settings of its own.
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

/// The settings of a [`Transport`].
pub struct TransportBuilder {
    trust: Trust,
    limits: TransportLimits,
    clock: Arc<dyn Clock>,
}

impl TransportBuilder {
    /// Which certificates are accepted. Default: those that the system's CAs have signed.
    #[must_use]
    pub fn trust(mut self, trust: &Trust) -> Self {
        self.trust = trust.clone();
        self
    }

    /// The limits of connections and exchanges.
    ///
    /// The size of a head is exact for heads that are written without superfluous spaces, which hyper does not show.
    #[must_use]
    pub fn limits(mut self, limits: TransportLimits) -> Self {
        self.limits = limits.normalized();
        self
    }

    /// The clock that calls wait by. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The transport. Nothing is connected yet. Where the [`Trust`] has no cryptography, connections by TLS fail and say so.
    pub fn build(self) -> Transport {
        let Self { trust, limits, clock } = self;
        let mut http = http1::Builder::new();
        http.max_buf_size(limits.head.max(SMALLEST_BUFFER));
        // hyper's own limit needs no memory of its own.
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
