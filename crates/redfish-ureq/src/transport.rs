//! What many clients share: connections, trust, the limits of connecting, a clock.

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

/// Connections kept open, to all services together.
const KEPT: usize = 64;

/// The connections, the trust and the clock that many clients share. Cheap to clone.
///
/// Proxies are not used, whatever the environment says: a controller is on a network of its own.
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

    pub(crate) fn agent(&self) -> Agent {
        self.0.agent.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses none of the present connections again: one of them must not be, and ureq offers no way to close that alone.
    pub(crate) fn forget_connections(&self) {
        let agent = pooled(self.0.tls.clone(), &self.0.limits);
        *self.0.agent.write().unwrap_or_else(PoisonError::into_inner) = agent;
    }

    /// An agent for one connection, which is not shared and which can be ended from outside.
    pub(crate) fn agent_of_one(&self, cancel: Cancel) -> Agent {
        let limits = self.0.limits.idle_connections(0);
        let connector = SocketConnector::once(self.0.tls.clone(), limits.head, cancel);
        Agent::with_parts(settings(&limits), connector, SystemResolver)
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

/// An agent whose connections are kept and shared.
fn pooled(tls: Result<Arc<ClientConfig>, redfish_tls::Error>, limits: &TransportLimits) -> Agent {
    Agent::with_parts(settings(limits), SocketConnector::new(tls, limits.head), SystemResolver)
}

/// Everything that ureq would do by itself and the core decides is off. The timeouts are set for each request.
fn settings(limits: &TransportLimits) -> Config {
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
        .max_idle_connections(KEPT)
        .max_idle_connections_per_host(limits.idle_connections)
        .max_idle_age(MAX_IDLE)
        .build()
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
    /// Finding an address and connecting have the connect timeout each. ureq accepts up to 128 headers, so a larger limit
    /// is that one; an interim response counts with the response that it announces.
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
        let tls = trust.config();
        let agent = pooled(tls.clone(), &limits);
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
