//! The client: one service, one way to authenticate, and what can be asked.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use redfish_proto::driver::{ClientAuth, Observer, SessionRequest, Trace};
use redfish_proto::ops::{Get, Logout, LogoutOutcome, Raw};
use redfish_proto::{Body, Call, Credentials, Error, ErrorKind, Operation, Service, Session};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::flight::LoginCoordinator;
use crate::stream::Stream;
use crate::transport::Transport;

/// A client of one service. Cheap to clone and to share: its clones use one session.
///
/// Nothing is sent before it is needed, the login neither. The session it opens stays open until
/// [`close`](Client::close), or the end of [`scoped`](Client::scoped); dropping a client sends nothing.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    service: Arc<Service>,
    transport: Transport,
    flight: LoginCoordinator,
    observer: Option<Observer>,
    closing: tokio::sync::Mutex<()>,
}

impl Client {
    /// A client of this service, to be given credentials and more.
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

    /// The service.
    pub fn service(&self) -> &Arc<Service> {
        &self.0.service
    }

    /// Reads a resource into a type; `serde_json::Value` takes any.
    ///
    /// # Errors
    /// Whatever the service refused, a connection that failed, an answer that does not fit the type.
    pub async fn get<T: DeserializeOwned + Send>(&self, path: &str) -> Result<T, Error> {
        self.run(Get::new(self.service().target(path)?)).await
    }

    /// Reads a resource as the service sends it.
    ///
    /// # Errors
    /// Whatever the service refused, and a connection that failed.
    pub async fn get_raw(&self, path: &str) -> Result<Response<Bytes>, Error> {
        self.run(Raw::get(&self.service().target(path)?)).await
    }

    /// Sends a request of any method, with a JSON body or [none](Body::empty), for what no operation does.
    ///
    /// A request that is answered 401 is sent again after a login, and one that is answered 307 or 308 goes on with its
    /// body, a POST too: by the protocol (RFC 9110, sections 15.5.2 and 15.4.8), neither was carried out.
    ///
    /// # Errors
    /// Whatever the service refused, and a connection that failed.
    /// [`OutcomeUnknown`](redfish_proto::ErrorKind::OutcomeUnknown) where a write was sent and no answer came: it
    /// is not sent again.
    pub async fn send(&self, method: Method, path: &str, body: Body) -> Result<Response<Bytes>, Error> {
        let request = Raw::new(method, &self.service().target(path)?);
        self.run(if body.is_empty() { request } else { request.json(body) }).await
    }

    /// Runs any operation.
    ///
    /// # Errors
    /// Those of the operation, and a connection that failed.
    pub async fn run<O>(&self, operation: O) -> Result<O::Output, Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.run_call(self.service().call(operation)).await
    }

    /// Runs a call, which is an operation with a deadline or a session of its own.
    ///
    /// # Errors
    /// Those of the operation, a deadline that passed, and a connection that failed.
    pub async fn run_call<O>(&self, call: Call<O>) -> Result<O::Output, Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.drive(call).await.map(|(output, _)| output)
    }

    /// Runs an operation whose answer is read as it comes. `None` where the operation does not stream.
    ///
    /// # Errors
    /// Those of the operation, and a connection that failed before the body began.
    pub async fn stream<O>(&self, operation: O) -> Result<(O::Output, Option<Stream>), Error>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.drive(self.service().call(operation)).await
    }

    /// The session that calls use, opened if there is none yet; `None` for a client that uses none. Keep its
    /// [token](Session::token) to [resume](Builder::resume) it in another process.
    ///
    /// # Errors
    /// Those of the login.
    pub async fn session(&self) -> Result<Option<Session>, Error> {
        let identity = self.find_session(&SessionRequest::any()).await?;
        Ok(identity.and_then(|identity| identity.session()))
    }

    /// The session that calls use, if there is one.
    pub fn current(&self) -> Option<Session> {
        self.0.flight.current()
    }

    /// Takes other credentials from now on, also where the former were rejected, and closes their session.
    ///
    /// # Errors
    /// Those of the logout; the credentials are taken in any case.
    pub async fn replace(&self, credentials: Credentials) -> Result<Option<LogoutOutcome>, Error> {
        match self.0.flight.replace(credentials) {
            Some(logout) => self.run_call(logout).await.map(Some),
            None => Ok(None),
        }
    }

    /// Closes the session this client opened or resumed, and ends the client: every call after it, and every clone,
    /// gets [`LogoutOutcome`](redfish_proto::ErrorKind::Closed). A login that another task waits for is closed too.
    /// `None` where there was nothing to close.
    ///
    /// # Errors
    /// Those of the logout. It takes the policy's `logout_deadline` at the most.
    pub async fn close(&self) -> Result<Option<LogoutOutcome>, Error> {
        // In a task of its own: dropped half way, the session would stay open.
        let client = self.clone();
        let closing = tokio::spawn(async move {
            let (limit, began) = (client.service().policy().logout_deadline, client.clock().now());
            let left = || limit.saturating_sub(client.clock().now().since(began));
            // Who closes it a second time waits for the first.
            let _closing = client.0.closing.lock().await;
            let mut closed = Ok(None);
            // There are further sessions if some were replaced that may be alive. All share the time limit.
            while let Some(logout) = client.0.flight.close(left()).await {
                let next = client.run_call(logout.deadline(left())).await.map(Some);
                closed = closed.and_then(|first| next.map(|next| first.or(next)));
            }
            closed
        });
        match closing.await {
            Ok(closed) => closed,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down, and whoever asked with it.
                Err(_) => Err(Error::new(ErrorKind::Closed)),
            },
        }
    }

    /// Runs a piece of work, and closes the client on every way out of it: success, error, early return, panic,
    /// and a future that is dropped.
    ///
    /// What the work returns is returned. A logout that fails is told to the observer alone: it never hides what
    /// the work did. Use [`close`](Client::close) to have it as an error.
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
    /// Where the future is dropped, or the work panics, the logout runs in a task on the current runtime; it needs
    /// that runtime to go on for the moment it takes, and where there is none the session stays open.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn scoped<T, E, W>(self, work: impl FnOnce(Client) -> W) -> Result<T, E>
    where
        W: Future<Output = Result<T, E>>,
    {
        let guard = Guard(Some(self.clone()));
        let done = work(self).await;
        guard.close().await;
        done
    }

    async fn close_quietly(&self) {
        if let Err(error) = self.close().await {
            self.observe(|| Trace::LogoutFailed(&error));
        }
    }

    /// The logout of a session whose login ended after the client was closed.
    pub(crate) async fn log_out_late(&self, logout: Call<Logout>) {
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

    pub(crate) fn flight(&self) -> &LoginCoordinator {
        &self.0.flight
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.service())
    }
}

/// Closes a client at the end of its scope, however that comes.
struct Guard(Option<Client>);

impl Guard {
    async fn close(mut self) {
        if let Some(client) = self.0.take() {
            client.close_quietly().await;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let (Some(client), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move { client.close_quietly().await });
        }
    }
}

/// The settings of a [`Client`]. Made by [`Client::builder`].
#[must_use = "a builder does nothing until it builds"]
pub struct Builder {
    service: Arc<Service>,
    transport: Option<Transport>,
    auth: ClientAuth,
    observer: Option<Observer>,
}

impl Builder {
    /// How the client authenticates, in one value.
    pub fn auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// Opens a session with these credentials when one is needed, and again when it has expired.
    pub fn login(self, credentials: Credentials) -> Self {
        self.with_auth(|auth| auth.login(credentials))
    }

    /// Uses a session of another process, made by [`Session::from_token`]. With [`login`](Builder::login) as well, it is
    /// renewed when it has expired, and closed in the end; without, neither.
    pub fn resume(self, session: Session) -> Self {
        self.with_auth(|auth| auth.resume(session))
    }

    /// Sends these credentials with each request (RFC 7617), for services without sessions.
    pub fn basic(self, credentials: Credentials) -> Self {
        self.with_auth(|auth| auth.basic(credentials))
    }

    /// Sends this token with each request, as `Authorization: Bearer`. It is never renewed and never closed.
    pub fn bearer(self, token: &str) -> Self {
        self.with_auth(|auth| auth.bearer(token))
    }

    /// Sends no credentials, which is the default.
    pub fn anonymous(self) -> Self {
        self.with_auth(ClientAuth::anonymous)
    }

    /// Marks the sessions that are opened with a `Context` that no other client uses, so that one whose login was not
    /// answered is found and closed at the end. Services that do not know it may refuse the login.
    pub fn context(self, context: impl Into<Arc<str>>) -> Self {
        self.with_auth(|auth| auth.context(context))
    }

    /// The path of the collection of sessions, if it is known: `/redfish/v1/SessionService/Sessions`. The service root is
    /// then read only if it is not there.
    pub fn sessions(self, path: impl Into<String>) -> Self {
        self.with_auth(|auth| auth.sessions(path))
    }

    fn with_auth(mut self, change: impl FnOnce(ClientAuth) -> ClientAuth) -> Self {
        self.auth = change(self.auth);
        self
    }

    /// The connections, trust and clock to use, perhaps with other clients. Default: its own, with the system's
    /// roots.
    pub fn transport(mut self, transport: &Transport) -> Self {
        self.transport = Some(transport.clone());
        self
    }

    /// Which certificates are accepted, with a transport of its own.
    pub fn trust(self, trust: &redfish_tls::Trust) -> Self {
        self.transport(&Transport::new(trust))
    }

    /// Called for every request, response, failure and wait. A call waits for it, so it should be quick.
    pub fn observer(mut self, observer: impl Fn(&Trace<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`InvalidCredentials`](redfish_proto::ErrorKind::InvalidCredentials) for what can't be sent, and
    /// [`InvalidTarget`](redfish_proto::ErrorKind::InvalidTarget) where [`sessions`](Builder::sessions) is no path of
    /// the service.
    pub fn build(self) -> Result<Client, Error> {
        let Self { service, transport, auth, observer } = self;
        let authenticator = auth.authenticator(&service)?;
        let transport = transport.unwrap_or_default();
        let (flight, closing) = (LoginCoordinator::new(authenticator), tokio::sync::Mutex::default());
        Ok(Client(Arc::new(Inner { service, transport, flight, observer, closing })))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Builder({})", self.service)
    }
}
