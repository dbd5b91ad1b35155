//! Connection setup: TCP and TLS. After a failure here, no byte of a request was sent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tower_service::Service;

use crate::connection::Connection;
use crate::tcp::TcpConnector;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections. One timeout covers name resolution, TCP and TLS.
///
/// A timeout for TCP alone would miss a peer that accepts a connection and never starts TLS. The exchange would then
/// time out without showing that nothing was sent.
pub(crate) struct Connector {
    /// TLS over TCP, or why it is not available.
    tls: Result<HttpsConnector<TcpConnector>, redfish_tls::Error>,
    timeout: Duration,
}

impl Connector {
    pub(crate) fn new(tls: Result<Arc<ClientConfig>, redfish_tls::Error>, timeout: Duration) -> Self {
        let tls = tls.map(|tls| HttpsConnector::new(TcpConnector, tls, false, Arc::new(server_name)));
        Self { tls, timeout }
    }

    /// Connects to the service of `uri`.
    pub(crate) async fn connect(&self, uri: Uri) -> Result<Connection, BoxError> {
        let connecting = async {
            Ok::<_, BoxError>(if uri.scheme() == Some(&Scheme::HTTPS) {
                self.tls.clone()?.call(uri).await?
            } else {
                MaybeHttpsStream::Http(TcpConnector.call(uri).await?)
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
