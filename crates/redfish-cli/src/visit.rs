//! A visit to a service: a client does the work of one command, closes its session and its connections. A single command is
//! one visit, a sweep is many.
//!
//! ```text
//!   service, Access ──▶ Visit ──▶ a job, unless a signal or the deadline stops it ──▶ close ──▶ VisitResult
//! ```

mod ending;
mod job;
mod saved;
mod walk;

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redfish_hyper::{Builder, Client, Transport};
use redfish_proto::driver::SessionRequest;
use redfish_proto::ops::{Logout, LogoutOutcome};
use redfish_proto::{Call, Error, ErrorKind, Operation, Redactor, Service, Session, Target};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::authentication::{AuthMethod, Authentication};
use crate::failure::Failure;
use crate::observer::SessionObserver;
use crate::options::Options;
use crate::sink::Sink;
use saved::Replaced;

pub(crate) use ending::VisitResult;
pub(crate) use job::Job;

/// How long a command that ends early waits for the response to a login, to be able to close its session.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The same in a sweep, where logins compete with those of other services.
const LOGIN_TIMEOUT_IN_SWEEP: Duration = Duration::from_secs(3);

/// A visit to a service.
pub(crate) struct Visit {
    options: Arc<Options>,
    service: Arc<Service>,
    transport: Transport,
    client: Client,
    auth: AuthMethod,
    replaced: Replaced,
    observer: Arc<SessionObserver>,
    limit: TimeLimit,
    /// During the renewal of a session, the deadline of the operation.
    operation_deadline: Option<Instant>,
    /// The monitor of the task that the job waits for, which it has started itself.
    monitor: Option<Target>,
    /// What no text may contain.
    secrets: Redactor,
    /// The last token that was added to the secrets.
    token: Zeroizing<String>,
    /// The output.
    pub(crate) sink: Sink,
}

/// The time limit of requests.
#[derive(Clone, Copy)]
enum TimeLimit {
    /// Of each operation.
    Each(Duration),
    /// Of all operations together, without those of `--wait`.
    Total { began: Instant, time: Duration },
}

impl Visit {
    /// The visit of a single command. Prints the output.
    pub(crate) fn single(
        options: &Arc<Options>,
        service: Arc<Service>,
        access: Access,
    ) -> Result<Visit, Failure> {
        let observer = SessionObserver::new(service.to_string(), LOGIN_TIMEOUT, None, options.trace);
        let limit = TimeLimit::Each(options.timeout);
        Visit::new(options, service, access, observer, limit, Sink::print(options))
    }

    /// One visit of a sweep. Collects the output.
    pub(crate) fn in_sweep(options: &Arc<Options>, url: &str, access: Access) -> Result<Visit, Failure> {
        let service = options.service_at(url)?;
        let name = service.to_string();
        let sink = Sink::collect(&name);
        let observer = SessionObserver::new(name.clone(), LOGIN_TIMEOUT_IN_SWEEP, Some(name), options.trace);
        let limit = TimeLimit::Total { began: Instant::now(), time: options.timeout };
        Visit::new(options, service, access, observer, limit, sink)
    }

    fn new(
        options: &Arc<Options>,
        service: Arc<Service>,
        access: Access,
        observer: Arc<SessionObserver>,
        limit: TimeLimit,
        sink: Sink,
    ) -> Result<Visit, Failure> {
        // Each visit has its own connections, so that they end with it. This is cheap: trusted certificates are shared.
        let transport = options.transport().trust(&access.trust).build();
        let Access { authentication, mut secrets, .. } = access;
        let (client_auth, method) = authentication.redacting(&mut secrets);
        Ok(Visit {
            client: builder(&service, &transport, &observer).auth(client_auth).build()?,
            auth: method,
            replaced: Replaced::default(),
            options: options.clone(),
            token: Zeroizing::default(),
            service,
            transport,
            observer,
            limit,
            operation_deadline: None,
            monitor: None,
            secrets,
            sink,
        })
    }

    /// Replaces the client by one that authenticates in another way. There must be no session to close.
    fn authenticate(&mut self, authentication: Authentication) -> Result<(), Failure> {
        let (client_auth, method) = authentication.redacting(&mut self.secrets);
        self.client = builder(&self.service, &self.transport, &self.observer).auth(client_auth).build()?;
        self.auth = method;
        Ok(())
    }
}

/// What a job uses.
impl Visit {
    /// Runs an operation within its time limit. If the saved session has expired, renews it and runs the operation again.
    pub(crate) async fn run<O>(&mut self, operation: impl Fn() -> O + Send) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.run_within(self.time_left(), operation, |_| {}).await
    }

    /// Runs an operation whose failure is not that of the job, so that it does not change the status of the visit.
    pub(crate) async fn run_aside<O>(
        &mut self,
        operation: impl Fn() -> O + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let status = self.observer.status();
        let result = self.run(operation).await;
        if result.is_err() {
            self.observer.restore_status(status);
        }
        result
    }

    /// Notes that the job waits for the end of a task that it has started.
    pub(crate) fn await_end_at(&mut self, monitor: &Target) {
        self.monitor = Some(monitor.clone());
    }

    /// Runs an operation that waits, within `--deadline`. Calls `on_wait` each time it waits.
    pub(crate) async fn wait_for<O>(
        &mut self,
        operation: impl Fn() -> O + Send,
        on_wait: impl FnMut(&O) + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let began = Instant::now();
        let result = self.run_within(self.options.wait_deadline(), operation, on_wait).await;
        let result = result.map_err(Failure::at_deadline);
        if let TimeLimit::Total { time, .. } = &mut self.limit {
            *time = time.saturating_add(began.elapsed());
        }
        result
    }

    async fn run_within<O>(
        &mut self,
        time: Duration,
        operation: impl Fn() -> O + Send,
        mut on_wait: impl FnMut(&O) + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let (began, mut logged_in) = (Instant::now(), false);
        loop {
            let left = time.saturating_sub(began.elapsed());
            let result = self.run_once(left, operation(), &mut on_wait).await;
            // The renewal counts against the time limit of the operation.
            self.operation_deadline = began.checked_add(time);
            let renewed = self.renew_after(result, &mut logged_in).await;
            self.operation_deadline = None;
            if let Some(output) = renewed? {
                return Ok(output);
            }
        }
    }

    async fn run_once<O>(
        &mut self,
        time: Duration,
        operation: O,
        on_wait: &mut (impl FnMut(&O) + Send),
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        // The service may echo what a request sets, also in responses to later requests.
        operation.secrets(&mut self.secrets);
        let call = self.service.call(operation).deadline(time);
        let result = self.client.run_watching(call, |operation| on_wait(operation)).await;
        self.warn_of_flaws();
        Ok(result?)
    }

    /// Warns of what was wrong with resources that were read.
    fn warn_of_flaws(&mut self) {
        for warning in self.observer.take_warnings() {
            self.warn(warning);
        }
    }

    /// Does work with the client. If the saved session has expired, renews it and does the work again.
    pub(crate) async fn with_client<T, W>(&mut self, work: impl Fn(Client) -> W) -> Result<T, Failure>
    where
        W: Future<Output = Result<T, redfish_hyper::Error>>,
    {
        let mut logged_in = false;
        loop {
            let result = work(self.client.clone()).await.map_err(Failure::from);
            self.warn_of_flaws();
            self.operation_deadline = Instant::now().checked_add(self.options.timeout);
            let renewed = self.renew_after(result, &mut logged_in).await;
            self.operation_deadline = None;
            if let Some(output) = renewed? {
                return Ok(output);
            }
        }
    }

    /// Runs an operation about the current session. A renewal changes the session.
    pub(crate) async fn run_with_session<O>(
        &mut self,
        operation: impl Fn(&Session) -> Result<O, Failure> + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let mut logged_in = false;
        self.operation_deadline = Instant::now().checked_add(self.options.timeout);
        let result = loop {
            let session = match self.open_session().await {
                Ok(session) => session,
                Err(failure) => break Err(failure),
            };
            let operation = match operation(&session) {
                Ok(operation) => operation,
                Err(failure) => break Err(failure),
            };
            let result = self.run_once(self.time_left(), operation, &mut |_| {}).await;
            match self.renew_after(result, &mut logged_in).await {
                Ok(None) => {}
                Ok(Some(output)) => break Ok(output),
                Err(failure) => break Err(failure),
            }
        };
        self.operation_deadline = None;
        result
    }

    /// The current session. Opens one if necessary.
    async fn open_session(&self) -> Result<Session, Failure> {
        match timeout(self.time_left(), self.client.session()).await {
            Ok(session) => session?.ok_or_else(Failure::not_logged_in),
            Err(_) => Err(SessionRequest::any().expired().into()),
        }
    }

    /// Closes a session other than the current one. Continues if the future is dropped.
    pub(crate) async fn log_out(&self, session: &Session) -> Result<LogoutOutcome, Failure> {
        self.run_logout(session.logout(&self.service)).await
    }

    async fn run_logout(&self, logout: Call<Logout>) -> Result<LogoutOutcome, Failure> {
        let (client, observer) = (self.client.clone(), self.observer.clone());
        let closing = tokio::spawn(async move {
            let closed = client.run_call(logout).await;
            observer.logout_ended();
            closed
        });
        match closing.await {
            Ok(closed) => Ok(closed?),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(Error::new(ErrorKind::Closed).into()),
            },
        }
    }

    /// Prints a note on standard error.
    pub(crate) fn note(&mut self, text: impl AsRef<str>) {
        self.sink.note(&self.secrets.clean(text.as_ref()));
    }

    /// Prints a warning on standard error.
    pub(crate) fn warn(&mut self, text: impl AsRef<str>) {
        self.sink.warn(&self.secrets.clean(text.as_ref()));
    }

    /// Removes secrets from text.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.secrets.clean(text).into()
    }

    /// Of two failures, reports one and returns the other.
    pub(crate) fn report_one_of(&mut self, first: Failure, second: Failure) -> Failure {
        let clean = |failure: Failure| {
            failure
                .at_service(&self.service)
                .at_timeout(self.options.timeout_limits_exchanges())
                .redacted(self.secrets.clone())
        };
        self.sink.report_one_of(clean(first), clean(second))
    }

    /// Resolves a link of a resource. A failure names the link.
    pub(crate) fn link(&self, base: &Target, link: &str) -> Result<Target, Failure> {
        let target = self.service.link(base, link);
        target.map_err(|error| Failure::from(error).at_link(&self.redact(link)))
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Whether this is a visit of a sweep.
    pub(crate) fn is_in_sweep(&self) -> bool {
        matches!(self.limit, TimeLimit::Total { .. })
    }

    /// How the client authenticates.
    pub(crate) fn auth(&self) -> &AuthMethod {
        &self.auth
    }

    /// The current session, if there is one.
    pub(crate) fn session(&self) -> Option<Session> {
        self.client.current()
    }

    /// Adds the current token to the secrets, if it has changed.
    /// Removes this secret from texts from now on.
    pub(crate) fn hide(&mut self, secret: &str) {
        self.secrets.add(secret);
    }

    fn register_token(&mut self) {
        let Some(session) = self.client.current() else { return };
        if self.token.as_str() != session.token() {
            self.secrets.add(session.token());
            self.token = Zeroizing::new(session.token().to_owned());
        }
    }

    /// The time left for the next operation.
    pub(crate) fn time_left(&self) -> Duration {
        match self.limit {
            TimeLimit::Each(time) => self
                .operation_deadline
                .map_or(time, |deadline| deadline.saturating_duration_since(Instant::now()).min(time)),
            TimeLimit::Total { began, time } => time.saturating_sub(began.elapsed()),
        }
    }
}

fn builder(service: &Arc<Service>, transport: &Transport, observer: &Arc<SessionObserver>) -> Builder {
    let observer = observer.clone();
    Client::builder(service.clone()).transport(transport).observer(move |trace| observer.observe(trace))
}
