//! What many clients share: connections, trust, the limits of connecting, a clock.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redfish_tls::Trust;
use rustls::ClientConfig;
use ureq::Agent;
use ureq::config::Config;

use crate::cancel::Cancel;
use crate::clock::{Clock, SystemClock};
use crate::concurrency::{Concurrency, Limits};
use crate::connector::{SocketConnector, SystemResolver};

/// Bytes the head of an answer may have.
const HEAD_LIMIT: usize = 64 << 10;

/// Headers an answer may have.
const HEADERS_LIMIT: usize = 100;

/// Connections kept open, to all services together.
const KEPT: usize = 64;

/// Connections kept open for each service: one for a caller, one for a login beside it. Controllers have few.
const KEPT_PER_SERVICE: usize = 2;

/// Requests to one service at once. Each needs a connection.
const OF_SERVICE: usize = 2;

/// Writes to one service at once: controllers answer a second one with an error, or mix the two up.
const WRITES_PER_SERVICE: usize = 1;

/// Requests to all services at once.
const MAX_TOTAL: usize = 256;

/// How long a connection is kept. Controllers close theirs after some seconds, and one that is closed while a
/// request is on its way has lost it.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// The connections, the trust and the clock that many clients share. Cheap to clone.
///
/// Proxies are not used, whatever the environment says: a controller is on a network of its own.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    agent: RwLock<Agent>,
    tls: Result<Arc<ClientConfig>, redfish_tls::Error>,
    concurrency: Concurrency,
    connect_timeout: Duration,
    stream_idle: Duration,
    head_limit: usize,
    headers_limit: usize,
    kept_per_service: usize,
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

    pub(crate) fn agent(&self) -> Agent {
        self.0.agent.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses none of the present connections again: one of them must not be, and ureq offers no way to close that alone.
    pub(crate) fn forget_connections(&self) {
        let Inner { tls, head_limit, kept_per_service, .. } = &*self.0;
        let agent = pooled(tls.clone(), *head_limit, *kept_per_service);
        *self.0.agent.write().unwrap_or_else(PoisonError::into_inner) = agent;
    }

    /// An agent for one connection, which others don't share and which can be ended from outside.
    pub(crate) fn agent_of_one(&self, cancel: Cancel) -> Agent {
        let Inner { tls, head_limit, .. } = &*self.0;
        Agent::with_parts(
            settings(0, *head_limit),
            SocketConnector::once(tls.clone(), *head_limit, cancel),
            SystemResolver,
        )
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.0.connect_timeout
    }

    pub(crate) fn headers_limit(&self) -> usize {
        self.0.headers_limit
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

/// An agent whose connections are kept and shared.
fn pooled(
    tls: Result<Arc<ClientConfig>, redfish_tls::Error>,
    head_limit: usize,
    kept_per_service: usize,
) -> Agent {
    Agent::with_parts(
        settings(kept_per_service, head_limit),
        SocketConnector::new(tls, head_limit),
        SystemResolver,
    )
}

/// Everything that ureq would do by itself and the core decides is off. The time-outs are set for each request.
fn settings(kept_per_service: usize, head_limit: usize) -> Config {
    Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .proxy(None)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_response_header_size(head_limit)
        .max_idle_connections(KEPT)
        .max_idle_connections_per_host(kept_per_service)
        .max_idle_age(KEPT_FOR)
        .build()
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

    /// How long it may take to find a name, and again to connect and shake hands. Default: 10 s.
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
    /// Exact; an interim answer counts with the one it announces.
    #[must_use]
    pub fn head_limit(mut self, bytes: usize) -> Self {
        self.head_limit = bytes;
        self
    }

    /// Headers an answer may have. Default: 100. ureq takes 128 at the most: a larger limit is that one.
    #[must_use]
    pub fn headers_limit(mut self, count: usize) -> Self {
        self.headers_limit = count;
        self
    }

    /// Connections kept open for each service. Default: 2, one for a caller and one for a login beside it. Controllers have
    /// few. None is used again after ten seconds; it is closed when the next is looked for, or with the transport.
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
        let tls = trust.config();
        let agent = pooled(tls.clone(), head_limit, kept_per_service);
        Transport(Arc::new(Inner {
            agent: RwLock::new(agent),
            tls,
            concurrency: Concurrency::new(limits),
            connect_timeout,
            stream_idle,
            head_limit,
            headers_limit,
            kept_per_service,
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
