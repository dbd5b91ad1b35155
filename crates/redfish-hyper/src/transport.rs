//! What many clients share: connections, trust, the limits of connecting, a clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1;
use redfish_tls::Trust;

use crate::clock::{Clock, SystemClock};
use crate::concurrency::{Concurrency, Limits};
use crate::connector::Connector;
use crate::pool::Pool;

/// Bytes the head of an answer may have. hyper reads a whole head into its buffer, so this is the buffer's.
const HEAD_LIMIT: usize = 64 << 10;

/// The smallest buffer that hyper takes; less is a panic there.
const SMALLEST_BUFFER: usize = 8 << 10;

/// Headers an answer may have: hyper's own limit, for which it needs no memory of its own.
const HEADERS_LIMIT: usize = 100;

/// Connections kept open for each service: one for a caller, one for a login beside it. Controllers have few.
const KEPT_PER_SERVICE: usize = 2;

/// Requests to one service at once. Each needs a connection.
const OF_SERVICE: usize = 2;

/// Writes to one service at once: controllers answer a second one with an error, or mix the two up.
const WRITES_PER_SERVICE: usize = 1;

/// Requests to all services at once.
const MAX_TOTAL: usize = 256;

/// The connections, the trust and the clock that many clients share. Cheap to clone.
///
/// Its connections live on the Tokio runtime that first used them, so it should not outlive that. Proxies are not
/// used, whatever the environment says: a controller is on a network of its own.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    pool: Pool,
    concurrency: Concurrency,
    stream_idle: Duration,
    head_limit: usize,
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
            connect_timeout: Duration::from_secs(10),
            stream_idle: Duration::from_secs(600),
            head_limit: HEAD_LIMIT,
            headers_limit: HEADERS_LIMIT,
            kept_per_service: KEPT_PER_SERVICE,
            limits: Limits {
                per_service: OF_SERVICE,
                writes_of_service: WRITES_PER_SERVICE,
                of_all: MAX_TOTAL,
            },
            clock: Arc::new(SystemClock::default()),
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    pub(crate) fn head_limit(&self) -> usize {
        self.0.head_limit
    }

    pub(crate) fn concurrency(&self) -> &Concurrency {
        &self.0.concurrency
    }

    pub(crate) fn stream_idle(&self) -> Duration {
        self.0.stream_idle
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }
}

/// The settings of a [`Transport`]. The time-outs of whole exchanges and the limits of bodies are the
/// [`Policy`](redfish_proto::Policy)'s of each service.
pub struct TransportBuilder {
    trust: Trust,
    connect_timeout: Duration,
    stream_idle: Duration,
    head_limit: usize,
    headers_limit: usize,
    kept_per_service: usize,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl TransportBuilder {
    /// Which certificates are accepted. Default: what the system's roots vouch for.
    #[must_use]
    pub fn trust(mut self, trust: &Trust) -> Self {
        self.trust = trust.clone();
        self
    }

    /// How long it may take to find a name, connect and shake hands. Default: 10 s.
    ///
    /// What takes longer has provably not been sent, and is tried again as the policy says; so it should be
    /// shorter than the policy's time-out of the whole exchange, which may leave the outcome open.
    #[must_use]
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// How long a stream may be silent. Default: 10 min.
    #[must_use]
    pub fn stream_idle(mut self, time: Duration) -> Self {
        self.stream_idle = time;
        self
    }

    /// Bytes the head of an answer may have. Default: 64 KiB.
    ///
    /// Exact for heads that are written without superfluous spaces, which hyper does not show.
    #[must_use]
    pub fn head_limit(mut self, bytes: usize) -> Self {
        self.head_limit = bytes;
        self
    }

    /// Headers an answer may have. Default: 100.
    #[must_use]
    pub fn headers_limit(mut self, count: usize) -> Self {
        self.headers_limit = count;
        self
    }

    /// Connections kept open for each service. Default: 2, one for a caller and one for a login beside it. Controllers have
    /// few. None is used again after ten seconds; it is closed within fifteen, or with the transport.
    #[must_use]
    pub fn kept_per_service(mut self, count: usize) -> Self {
        self.kept_per_service = count;
        self
    }

    /// Requests on their way to one service at once, each on a connection of its own; at least 1. Default: 2.
    ///
    /// More wait for their turn, within the policy's time-out of an exchange. What opens and closes sessions does not
    /// wait, and a stream counts until its head is there.
    #[must_use]
    pub fn requests_per_service(mut self, count: usize) -> Self {
        self.limits.per_service = count.max(1);
        self
    }

    /// Writes among them; at least 1, the default: controllers answer a second one with an error, or mix the two up.
    #[must_use]
    pub fn writes_per_service(mut self, count: usize) -> Self {
        self.limits.writes_of_service = count.max(1);
        self
    }

    /// Requests on their way to all services at once; at least 1. Default: 256.
    #[must_use]
    pub fn requests(mut self, count: usize) -> Self {
        self.limits.of_all = count.max(1);
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
        let Self {
            trust,
            connect_timeout,
            stream_idle,
            head_limit,
            headers_limit,
            kept_per_service,
            limits,
            clock,
        } = self;
        let mut http = http1::Builder::new();
        http.max_buf_size(head_limit.max(SMALLEST_BUFFER));
        if headers_limit != HEADERS_LIMIT {
            http.max_headers(headers_limit);
        }
        Transport(Arc::new(Inner {
            pool: Pool::new(Connector::new(trust.config(), connect_timeout), http, kept_per_service),
            concurrency: Concurrency::new(limits),
            stream_idle,
            head_limit,
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
