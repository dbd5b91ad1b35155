//! Connection setup: name resolution, TCP, TLS. After a failure here, no byte of a request was sent.

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

use crate::connection::Connection;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections. One timeout covers name resolution, TCP and TLS.
///
/// A timeout for TCP alone would miss a peer that accepts a connection and never starts TLS. The exchange would then
/// time out without showing that nothing was sent.
pub(crate) struct Connector {
    tcp: HttpConnector<SystemResolver>,
    /// TLS over TCP, or why it is not available.
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

    /// Connects to the service of `uri`.
    pub(crate) async fn connect(&self, uri: Uri) -> Result<Connection, BoxError> {
        let connecting = async {
            Ok::<_, BoxError>(if uri.scheme() == Some(&Scheme::HTTPS) {
                self.tls.clone()?.call(uri).await?
            } else {
                MaybeHttpsStream::Http(self.tcp.clone().call(uri).await?)
            })
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(stream) => Ok(Connection::new(stream?)),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "timeout while connecting").into()),
        }
    }
}

/// The name that the certificate must have.
fn server_name(uri: &Uri) -> Result<ServerName<'static>, BoxError> {
    Ok(redfish_tls::server_name(uri.host().unwrap_or_default())?)
}

/// The system's resolver, with support for zones. To hyper, an address with a zone is a name.
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
