//! A visit to a service: a client is made, does the work of one command, closes its session, and is gone with its
//! connections. A single command is one visit, a sweep is many.
//!
//! ```text
//!   service, identity, trust ──▶ Visit ──▶ a job, unless a signal or the deadline stops it ──▶ close ──▶ VisitResult
//! ```

mod ending;
mod job;
mod saved;

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redfish_hyper::{Builder, Client, Transport};
use redfish_proto::driver::SessionRequest;
use redfish_proto::ops::{Logout, LogoutOutcome};
use redfish_proto::{Call, Error, ErrorKind, Operation, Redactor, Service, Session};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::authentication::{AuthMethod, Authentication};
use crate::failure::Failure;
use crate::observer::SessionObserver;
use crate::options::Options;
use crate::progress::Line;
use crate::redacting::Redacting;
use crate::sink::Sink;
use saved::Replaced;

pub(crate) use ending::VisitResult;
pub(crate) use job::Job;

/// How long a login that was sent is given to be answered when a command ends early, so that its session can be closed.
const LOGIN: Duration = Duration::from_secs(2);

/// The same in a sweep, where a login waits for those of many other services too.
const LOGIN_IN_SWEEP: Duration = Duration::from_secs(3);

/// A client at its service, and where its output goes.
pub(crate) struct Visit {
    options: Arc<Options>,
    service: Arc<Service>,
    transport: Transport,
    client: Client,
    auth: AuthMethod,
    replaced: Replaced,
    observer: Arc<SessionObserver>,
    limit: TimeLimit,
    /// When the operation ends whose session is renewed.
    until: Option<Instant>,
    /// What no text may show.
    secrets: Redactor,
    /// The token that is among them.
    token: Zeroizing<String>,
    /// Where output goes.
    pub(crate) sink: Sink,
}

/// How long requests may take.
#[derive(Clone, Copy)]
enum TimeLimit {
    /// Each operation.
    Each(Duration),
    /// All of them, waits excepted.
    Total { began: Instant, time: Duration },
}

impl Visit {
    /// The visit of a single command. It prints.
    pub(crate) fn single(
        options: &Arc<Options>,
        service: Arc<Service>,
        access: Access,
    ) -> Result<Visit, Failure> {
        let observer = SessionObserver::new(service.to_string(), LOGIN, None, options.trace);
        let limit = TimeLimit::Each(options.timeout);
        Visit::new(options, service, access, observer, limit, Sink::print(options))
    }

    /// One visit of a sweep. Its output is collected.
    pub(crate) fn in_sweep(options: &Arc<Options>, url: &str, access: Access) -> Result<Visit, Failure> {
        let service = options.service_in_sweep(url)?;
        let name = service.to_string();
        let sink = Sink::collect(&name);
        let observer = SessionObserver::new(name.clone(), LOGIN_IN_SWEEP, Some(name), options.trace);
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
        // Its own connections end with it: no service is left with one that waits for nothing, and a sweep with none of
        // thousands. It costs next to nothing: the certificates to trust are read once and shared.
        let transport = options.transport().trust(&access.trust).build();
        let Authentication { client_auth, method } = access.authentication;
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
            until: None,
            secrets: access.secrets,
            sink,
        })
    }

    /// Replaces the client by one that authenticates in another way. There must be no session to close.
    fn authenticate(&mut self, authentication: Authentication) -> Result<(), Failure> {
        let Authentication { client_auth, method } = authentication;
        self.client = builder(&self.service, &self.transport, &self.observer).auth(client_auth).build()?;
        self.auth = method;
        Ok(())
    }
}

/// What jobs do.
impl Visit {
    /// Runs an operation, within the time for one; with a saved session that the service has forgotten, once more with
    /// another.
    pub(crate) async fn run<O>(&mut self, operation: impl Fn() -> O + Send) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.run_within(self.left(), operation, |_| {}).await
    }

    /// Runs an operation that waits for something, within `--deadline`; `waits` sees the operation each time it waits.
    pub(crate) async fn wait_for<O>(
        &mut self,
        operation: impl Fn() -> O + Send,
        waits: impl FnMut(&O) + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let began = Instant::now();
        let done = self.run_within(self.options.wait_deadline(), operation, waits).await;
        if let TimeLimit::Total { time, .. } = &mut self.limit {
            *time = time.saturating_add(began.elapsed());
        }
        done
    }

    async fn run_within<O>(
        &mut self,
        time: Duration,
        operation: impl Fn() -> O + Send,
        mut waits: impl FnMut(&O) + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let (began, mut logged_in) = (Instant::now(), false);
        loop {
            let left = time.saturating_sub(began.elapsed());
            let done = self.run_once(left, operation(), &mut waits).await;
            // What a renewal takes is a part of the operation's time.
            self.until = began.checked_add(time);
            let renewed = self.renew_after(done, &mut logged_in).await;
            self.until = None;
            match renewed? {
                Some(output) => return Ok(output),
                None => continue,
            }
        }
    }

    async fn run_once<O>(
        &mut self,
        time: Duration,
        operation: O,
        waits: &mut (impl FnMut(&O) + Send),
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let password = match &self.auth {
            AuthMethod::Saved(_, password) => password.as_ref(),
            _ => None,
        };
        let call = self.service.call(Redacting::new(operation, password)).deadline(time);
        let done = self.client.run_watching(call, |redacting| waits(redacting.operation())).await;
        Ok(done?)
    }

    /// Does something with the client; with a saved session that the service has forgotten, once more with another.
    pub(crate) async fn with_client<T, W>(&mut self, work: impl Fn(Client) -> W) -> Result<T, Failure>
    where
        W: Future<Output = Result<T, redfish_hyper::Error>>,
    {
        let mut logged_in = false;
        loop {
            let done = work(self.client.clone()).await.map_err(Failure::from);
            self.until = Instant::now().checked_add(self.options.timeout);
            let renewed = self.renew_after(done, &mut logged_in).await;
            self.until = None;
            if let Some(output) = renewed? {
                return Ok(output);
            }
        }
    }

    /// Reads something about the session in use, whose URI is another after a renewal.
    pub(crate) async fn run_with_session<O>(
        &mut self,
        operation: impl Fn(&Session) -> Result<O, Failure> + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let mut logged_in = false;
        self.until = Instant::now().checked_add(self.options.timeout);
        let done = loop {
            let session = match self.open_session().await {
                Ok(session) => session,
                Err(failure) => break Err(failure),
            };
            let operation = match operation(&session) {
                Ok(operation) => operation,
                Err(failure) => break Err(failure),
            };
            let done = self.run_once(self.left(), operation, &mut |_| {}).await;
            match self.renew_after(done, &mut logged_in).await {
                Ok(None) => {}
                Ok(Some(output)) => break Ok(output),
                Err(failure) => break Err(failure),
            }
        };
        self.until = None;
        done
    }

    /// The session in use, opened if there is none yet.
    async fn open_session(&self) -> Result<Session, Failure> {
        match timeout(self.left(), self.client.session()).await {
            Ok(session) => session?.ok_or_else(Failure::nobody),
            Err(_) => Err(SessionRequest::any().expired().into()),
        }
    }

    /// Closes another session than the one in use. Once it is sent it is not stopped.
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
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(Error::new(ErrorKind::Closed).into()),
            },
        }
    }

    /// Prints something on standard error.
    pub(crate) fn note(&mut self, text: impl AsRef<str>) {
        self.sink.note(&self.secrets.clean(text.as_ref()));
    }

    /// Prints a warning on standard error.
    pub(crate) fn warn(&mut self, text: impl AsRef<str>) {
        self.sink.warn(&self.secrets.clean(text.as_ref()));
    }

    /// A line that shows progress, if a person looks.
    pub(crate) fn progress(&self) -> Line {
        self.sink.progress()
    }

    /// A text without secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.secrets.clean(text).into()
    }

    /// Of two failures, reports one that is not returned.
    pub(crate) fn report_one(&self, first: Failure, second: Failure) -> Failure {
        let [first, second] = [first, second].map(|failure| failure.at(&self.service));
        self.sink.report_one(first.redacted(self.secrets.clone()), second)
    }

    /// The service.
    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// The options.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Whether this is one visit of many.
    pub(crate) fn is_in_sweep(&self) -> bool {
        matches!(self.limit, TimeLimit::Total { .. })
    }

    /// How the client authenticates.
    pub(crate) fn auth(&self) -> &AuthMethod {
        &self.auth
    }

    /// The session in use, if there is one.
    pub(crate) fn session(&self) -> Option<Session> {
        self.client.current()
    }

    /// The token in use, which may be another since the last call, is a secret.
    fn register_token(&mut self) {
        let Some(session) = self.client.current() else { return };
        if self.token.as_str() != session.token() {
            self.secrets.add(session.token());
            self.token = Zeroizing::new(session.token().to_owned());
        }
    }

    fn left(&self) -> Duration {
        match self.limit {
            TimeLimit::Each(time) => {
                self.until.map_or(time, |until| until.saturating_duration_since(Instant::now()).min(time))
            }
            TimeLimit::Total { began, time } => time.saturating_sub(began.elapsed()),
        }
    }
}

fn builder(service: &Arc<Service>, transport: &Transport, observer: &Arc<SessionObserver>) -> Builder {
    let observer = observer.clone();
    Client::builder(service.clone()).transport(transport).observer(move |trace| observer.see(trace))
}
