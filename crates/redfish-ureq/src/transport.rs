//! The transport, which clients share: connections, trust, limits and clock.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use redfish_proto::driver::{MAX_IDLE, TransportLimits};
use redfish_tls::Trust;
use rustls::ClientConfig;
use ureq::Agent;
use ureq::config::Config;

use crate::cancel::Cancel;
use crate::clock::{Clock, SystemClock};
use crate::concurrency::Concurrency;
use crate::connector::{SocketConnector, SystemResolver};

/// Maximum number of idle connections to all services.
const MAX_IDLE_TOTAL: usize = 64;

/// Maximum number of headers that ureq accepts.
const MAX_HEADERS: usize = 128;

/// Connections, trust, limits and a clock for any number of clients. Cheap to clone.
///
/// Proxies of the environment are ignored, since controllers are on a separate network.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    agent: RwLock<Agent>,
    tls: Result<Arc<ClientConfig>, redfish_tls::Error>,
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

    pub(crate) fn agent(&self) -> Agent {
        self.0.agent.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Drops all idle connections. One of them must not be reused, and ureq has no way to close a single one.
    pub(crate) fn drop_idle_connections(&self) {
        let agent = pooling_agent(self.0.tls.clone(), &self.0.limits);
        *self.0.agent.write().unwrap_or_else(PoisonError::into_inner) = agent;
    }

    /// Returns an agent for a single connection, which is not reused and which `cancel` can shut down.
    pub(crate) fn single_use_agent(&self, cancel: Cancel) -> Agent {
        let limits = self.0.limits.idle_connections(0);
        let connector = SocketConnector::cancellable(self.0.tls.clone(), limits, cancel);
        Agent::with_parts(agent_config(&limits), connector, SystemResolver)
    }

    pub(crate) fn limits(&self) -> &TransportLimits {
        &self.0.limits
    }

    pub(crate) fn concurrency(&self) -> &Concurrency {
        &self.0.concurrency
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }
}

/// Returns an agent that reuses its connections.
fn pooling_agent(tls: Result<Arc<ClientConfig>, redfish_tls::Error>, limits: &TransportLimits) -> Agent {
    Agent::with_parts(agent_config(limits), SocketConnector::new(tls, *limits), SystemResolver)
}

/// Turns off everything in ureq that the core decides. Timeouts are set for each request.
fn agent_config(limits: &TransportLimits) -> Config {
    Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .proxy(None)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_response_header_size(limits.head)
        .max_idle_connections(MAX_IDLE_TOTAL)
        .max_idle_connections_per_host(limits.idle_connections)
        .max_idle_age(MAX_IDLE)
        .build()
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
    /// `connect_timeout` applies to name resolution and to connecting separately. ureq accepts at most 128 headers, so a
    /// larger limit has no effect. The headers of an interim response count with those of the final one.
    #[must_use]
    pub fn limits(mut self, limits: TransportLimits) -> Self {
        self.limits = limits.normalized();
        self.limits.headers = self.limits.headers.min(MAX_HEADERS);
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
        let tls = trust.config();
        let agent = pooling_agent(tls.clone(), &limits);
        Transport(Arc::new(Inner {
            agent: RwLock::new(agent),
            tls,
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
