//! From a service's name to a connection: resolving, TCP, TLS. Whatever fails here, no byte of a request was sent.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use redfish_tls::resolvable;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tower_service::Service;

use crate::wire::Connection;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes connections, each within a time-out for all of it: name, TCP and TLS.
///
/// A time-out of TCP alone would miss a peer that accepts and never speaks TLS, and then nobody could say that
/// nothing was sent.
pub(crate) struct Connector {
    tcp: HttpConnector<SystemResolver>,
    /// TLS over that, or why it can't be done.
    tls: Result<HttpsConnector<HttpConnector<SystemResolver>>, redfish_tls::Error>,
    timeout: Duration,
}

impl Connector {
    pub(crate) fn new(tls: Result<Arc<ClientConfig>, redfish_tls::Error>, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(SystemResolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = tls.map(|tls| HttpsConnector::new(tcp.clone(), tls, false, Arc::new(server_name)));
        Self { tcp, tls, timeout }
    }

    /// A connection to the service of this URI.
    pub(crate) async fn connect(&self, uri: Uri) -> Result<Connection, BoxError> {
        let connecting = async {
            Ok::<_, BoxError>(match uri.scheme() == Some(&Scheme::HTTPS) {
                true => self.tls.clone()?.call(uri).await?,
                false => MaybeHttpsStream::Http(self.tcp.clone().call(uri).await?),
            })
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(connected) => Ok(Connection(connected?)),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long").into()),
        }
    }
}

/// The name that a certificate is checked against.
fn server_name(uri: &Uri) -> Result<ServerName<'static>, BoxError> {
    Ok(redfish_tls::server_name(uri.host().unwrap_or_default())?)
}

/// The system's resolver, with zones: to hyper, an address with a zone is a name.
#[derive(Clone)]
struct SystemResolver(GaiResolver);

impl Service<Name> for SystemResolver {
    type Response = GaiAddrs;
    type Error = io::Error;
    type Future = GaiFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> GaiFuture {
        match resolvable(name.as_str()).parse() {
            Ok(name) => self.0.call(name),
            Err(_) => self.0.call(name),
        }
    }
}
