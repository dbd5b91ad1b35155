//! The client of one service, and its builder.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use redfish_proto::driver::{ClientAuth, Closing, Observer, SessionRequest, Trace};
use redfish_proto::ops::{Get, Logout, LogoutOutcome, Raw};
use redfish_proto::view::Decode;
use redfish_proto::{Body, Call, Credentials, Error, ErrorKind, Operation, Service, Session};
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::login_coordinator::LoginCoordinator;
use crate::stream::Stream;
use crate::transport::Transport;

/// A client of one service. Cheap to clone; all clones share one session.
///
/// The client connects and logs in when the first request needs it. The session stays open until
/// [`close`](Client::close), or until the end of [`scoped`](Client::scoped). Dropping a client sends nothing.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    service: Arc<Service>,
    transport: Transport,
    coordinator: LoginCoordinator,
    observer: Option<Observer>,
    close_lock: tokio::sync::Mutex<()>,
}

impl Client {
    /// Returns a builder for a client of this service.
    ///
    /// ```
    /// use redfish_hyper::{Client, Credentials, Service};
    ///
    /// let client = Client::builder(Service::new("bmc.example")?)
    ///     .login(Credentials::new("admin", "a password from somewhere safe"))
    ///     .build()?;
    /// # Ok::<(), redfish_hyper::Error>(())
    /// ```
    pub fn builder(service: impl Into<Arc<Service>>) -> Builder {
        Builder { service: service.into(), transport: None, auth: ClientAuth::default(), observer: None }
    }

    /// The service of this client.
    pub fn service(&self) -> &Arc<Service> {
        &self.0.service
    }

    /// Reads a resource as a type: a view of [`schema`](crate::schema), a custom one, or a type of serde. `serde_json::Value` accepts
    /// any resource.
    ///
    /// # Errors
    /// Fails if the service refuses the request, the connection fails, or the response does not fit the type.
    pub async fn get<T: Decode + Send>(&self, path: &str) -> Result<T, Error> {
        self.run(Get::new(self.service().target(path)?)).await
    }

    /// Reads a resource and returns the response as the service sends it.
    ///
    /// # Errors
    /// Fails if the service refuses the request or the connection fails.
    pub async fn get_raw(&self, path: &str) -> Result<Response<Bytes>, Error> {
        self.run(Raw::get(&self.service().target(path)?)).await
    }

    /// Sends a request that no operation covers: any method, with a JSON body or an [empty](Body::empty) one.
    ///
    /// After a 401 the request is sent again with a new session, and after a 307 or 308 to the new target, with its
    /// body. Both apply to a POST too, which the service has not carried out (RFC 9110, sections 15.5.2 and 15.4.8).
    /// After a 429 with `Retry-After` it is sent once more, after that wait (RFC 6585, section 4).
    ///
    /// The success of a write whose body broke off or cannot be decoded is returned with an empty body, and with the
    /// [`Error`] in its extensions, as [`Raw`] describes.
    ///
    /// # Errors
    /// Fails if the service refuses the request or the connection fails, and with
    /// [`OutcomeUnknown`](redfish_proto::ErrorKind::OutcomeUnknown) if a write was sent but no response arrived. The
    /// write is not sent again.
    pub async fn send(&self, method: Method, path: &str, body: Body) -> Result<Response<Bytes>, Error> {
        let request = Raw::new(method, &self.service().target(path)?);
        self.run(if body.is_empty() { request } else { request.json(body) }).await
    }

    /// Runs an operation.
    ///
    /// # Errors
    /// Fails if the operation or the connection fails.
    pub async fn run<O>(&self, operation: O) -> Result<O::Output, Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.run_call(self.service().call(operation)).await
    }

    /// Runs a call, which is an operation with its own deadline or session.
    ///
    /// # Errors
    /// Fails if the operation or the connection fails, or the deadline passes.
    pub async fn run_call<O>(&self, call: Call<O>) -> Result<O::Output, Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.drive(call).await.map(|(output, _)| output)
    }

    /// Runs an operation whose response body is streamed. The stream is `None` if the operation does not stream.
    ///
    /// # Errors
    /// Fails if the operation fails, or if the connection fails before the body begins.
    pub async fn stream<O>(&self, operation: O) -> Result<(O::Output, Option<Stream>), Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.drive(self.service().call(operation)).await
    }

    /// Returns the session that calls use, and opens it if necessary. Returns `None` if the client uses no sessions.
    ///
    /// Another process can [`resume`](Builder::resume) the session with its [token](Session::token).
    ///
    /// # Errors
    /// Fails if the login fails.
    pub async fn session(&self) -> Result<Option<Session>, Error> {
        let identity = self.find_session(&SessionRequest::any()).await?;
        Ok(identity.and_then(|identity| identity.session()))
    }

    /// Returns the session that calls use, if there is one. Sends nothing.
    pub fn current(&self) -> Option<Session> {
        self.0.coordinator.current()
    }

    /// Replaces the credentials, including rejected ones, and closes the session that they opened.
    ///
    /// # Errors
    /// Fails if the logout fails. The credentials are replaced in any case.
    pub async fn replace(&self, credentials: Credentials) -> Result<Option<LogoutOutcome>, Error> {
        match self.0.coordinator.replace(credentials) {
            Some(logout) => self.run_call(logout).await.map(Some),
            None => Ok(None),
        }
    }

    /// Closes the session that this client opened or resumed, and shuts down the client and its clones: later calls
    /// fail with [`Closed`](redfish_proto::ErrorKind::Closed). Returns `None` if there was nothing to close.
    ///
    /// The session of a login in progress is closed too. Takes at most
    /// [`logout_deadline`](redfish_proto::Policy::logout_deadline).
    ///
    /// # Errors
    /// Fails if a logout fails.
    pub async fn close(&self) -> Result<Option<LogoutOutcome>, Error> {
        // In its own task: if the caller drops this future, the session is closed all the same.
        let client = self.clone();
        let task = tokio::spawn(async move {
            let mut closing = Closing::new(client.service(), client.clock().now());
            // A second call of `close` waits for the first.
            let _guard = client.0.close_lock.lock().await;
            // The known sessions first, then what a login in progress leaves.
            for waits_for_login in [false, true] {
                if waits_for_login {
                    client.0.coordinator.login_ended(closing.remaining(client.clock().now())).await;
                }
                client.0.coordinator.close(&mut closing);
                while let Some(logout) = closing.next_logout(client.clock().now()) {
                    closing.record(client.run_call(logout).await);
                }
            }
            closing.outcome()
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down.
                Err(_) => Err(self.service().error(ErrorKind::Closed)),
            },
        }
    }

    /// Runs `work`, then closes the client: after a success, an error, an early return or a panic, and if the future is
    /// dropped.
    ///
    /// Returns the result of `work`. A failed logout never replaces it, and is reported to the observer only. Use
    /// [`close`](Client::close) to get it as an error.
    ///
    /// ```no_run
    /// # use redfish_hyper::{Client, Credentials, Error, Service};
    /// # async fn example() -> Result<(), Error> {
    /// # let client = Client::builder(Service::new("bmc.example")?).build()?;
    /// let state = client.scoped(async |client| {
    ///     let system: serde_json::Value = client.get("/redfish/v1/Systems/1").await?;
    ///     Ok::<_, Error>(system["PowerState"].to_string())
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A signal ends a program without closing anything, unless `work` ends with it: the example `sensors` shows how.
    ///
    /// If the future is dropped or `work` panics, the logout runs in a task on the current runtime, which must stay
    /// alive until the logout has ended. Without a runtime, the session stays open.
    ///
    /// # Errors
    /// Fails if `work` fails.
    pub async fn scoped<T, E, W>(self, work: impl FnOnce(Client) -> W) -> Result<T, E>
    where
        W: Future<Output = Result<T, E>>,
    {
        let guard = CloseGuard(Some(self.clone()));
        let result = work(self).await;
        guard.close().await;
        result
    }

    async fn close_and_observe(&self) {
        if let Err(error) = self.close().await {
            self.observe(|| Trace::LogoutFailed(&error));
        }
    }

    /// Closes a session whose login ended after the client was closed.
    pub(crate) async fn close_late_session(&self, logout: Call<Logout>) {
        if let Err(error) = self.run_call(logout).await {
            self.observe(|| Trace::LogoutFailed(&error));
        }
    }

    pub(crate) fn observe<'a>(&self, trace: impl FnOnce() -> Trace<'a>) {
        if let Some(observer) = &self.0.observer {
            observer(&trace());
        }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.0.transport
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.transport.clock()
    }

    pub(crate) fn coordinator(&self) -> &LoginCoordinator {
        &self.0.coordinator
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.service())
    }
}

/// Closes a client at the end of its scope, also when the scope is dropped.
struct CloseGuard(Option<Client>);

impl CloseGuard {
    async fn close(mut self) {
        if let Some(client) = self.0.take() {
            client.close_and_observe().await;
        }
    }
}

impl Drop for CloseGuard {
    fn drop(&mut self) {
        if let (Some(client), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move { client.close_and_observe().await });
        }
    }
}

/// The settings of a [`Client`]. Created by [`Client::builder`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    service: Arc<Service>,
    transport: Option<Transport>,
    auth: ClientAuth,
    observer: Option<Observer>,
}

impl Builder {
    /// Sets how the client authenticates, as one value.
    pub fn auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// Authenticates with a session. Opens one with these credentials when it is needed, and again when it has expired.
    pub fn login(self, credentials: Credentials) -> Self {
        self.with_auth(|auth| auth.login(credentials))
    }

    /// Uses a session that another process has opened, see [`Session::from_token`].
    ///
    /// Combined with [`login`](Builder::login), an expired session is replaced, and the client closes the session at
    /// the end. Without `login`, it does neither.
    pub fn resume(self, session: Session) -> Self {
        self.with_auth(|auth| auth.resume(session))
    }

    /// Sends these credentials with each request (HTTP Basic, RFC 7617). For services without sessions.
    pub fn basic(self, credentials: Credentials) -> Self {
        self.with_auth(|auth| auth.basic(credentials))
    }

    /// Sends this token with each request, as `Authorization: Bearer`. The client neither renews nor closes it.
    pub fn bearer(self, token: &str) -> Self {
        self.with_auth(|auth| auth.bearer(token))
    }

    /// Sends no credentials. This is the default.
    pub fn anonymous(self) -> Self {
        self.with_auth(ClientAuth::anonymous)
    }

    /// Sets the `Context` of the sessions that the client opens, which no other client may use.
    ///
    /// With it, a session whose login got no response is found and closed at the end. A service that does not know
    /// `Context` may refuse the login.
    pub fn context(self, context: impl Into<Arc<str>>) -> Self {
        self.with_auth(|auth| auth.context(context))
    }

    /// Sets the path of the session collection, for example `/redfish/v1/SessionService/Sessions`. The service root is
    /// then read only if the collection is not there.
    pub fn sessions(self, path: impl Into<String>) -> Self {
        self.with_auth(|auth| auth.sessions(path))
    }

    fn with_auth(mut self, change: impl FnOnce(ClientAuth) -> ClientAuth) -> Self {
        self.auth = change(self.auth);
        self
    }

    /// Sets the transport, which several clients can share. Default: a new one that trusts the system's CAs.
    pub fn transport(mut self, transport: &Transport) -> Self {
        self.transport = Some(transport.clone());
        self
    }

    /// Sets which certificates are accepted, with a new transport.
    pub fn trust(self, trust: &redfish_tls::Trust) -> Self {
        self.transport(&Transport::new(trust))
    }

    /// Sets a function that is called for every request, response, failure and wait. It should return quickly, since
    /// the call waits for it.
    pub fn observer(mut self, observer: impl Fn(&Trace<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Builds the client. Sends nothing.
    ///
    /// # Errors
    /// Fails with [`InvalidCredentials`](redfish_proto::ErrorKind::InvalidCredentials) if the credentials cannot be sent,
    /// and with [`InvalidTarget`](redfish_proto::ErrorKind::InvalidTarget) if the path of [`sessions`](Builder::sessions)
    /// is not valid.
    pub fn build(self) -> Result<Client, Error> {
        let Self { service, transport, auth, observer } = self;
        let authenticator = auth.authenticator(&service)?;
        let transport = transport.unwrap_or_default();
        let coordinator = LoginCoordinator::new(authenticator);
        let close_lock = tokio::sync::Mutex::default();
        Ok(Client(Arc::new(Inner { service, transport, coordinator, observer, close_lock })))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Builder({})", self.service)
    }
}
