//! Coordination of logins: of all callers that need a new session, one logs in.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redfish_proto::driver::{Authenticator, Closing, SessionRequest, SessionSource};
use redfish_proto::ops::{Login, Logout, Opened};
use redfish_proto::query::Features;
use redfish_proto::{Call, Credentials, Error, ErrorKind, Identity, Redactor, Session};

use crate::clock::Clock;

/// The authenticator and the state of logins.
///
/// The lock is held only while the authenticator's methods run, never during I/O: so another thread, for example that of
/// a signal handler, can close the session whatever the network does.
pub(crate) struct LoginCoordinator {
    state: Mutex<State>,
    login_ended: Condvar,
}

struct State {
    authenticator: Authenticator,
    /// Whether a login is in progress, including the logout of a session that was opened too late.
    in_progress: bool,
    /// Number of logins that have ended.
    logins_ended: u64,
    last_result: Result<(), Error>,
}

impl LoginCoordinator {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        let state = State { authenticator, in_progress: false, logins_ended: 0, last_result: Ok(()) };
        Self { state: Mutex::new(state), login_ended: Condvar::new() }
    }

    /// Locks the state. A poisoned lock is usable: no holder can leave the state inconsistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the session that calls use, if there is one.
    pub(crate) fn current(&self) -> Option<Session> {
        self.lock().authenticator.current()
    }

    /// Returns a session for a call: the current one, or that of a login, which this caller runs or which another caller
    /// is already running. Returns `None` if there is no other session than the one that the call had.
    ///
    /// # Errors
    /// Fails if the login fails, and with [`ErrorKind::Deadline`] if the call's deadline passes first.
    pub(crate) fn session(
        &self,
        request: &SessionRequest,
        clock: &dyn Clock,
        log_in: impl FnOnce(Call<Login>) -> Result<Opened, Error>,
        log_out: impl FnOnce(Call<Logout>),
    ) -> Result<Option<Identity>, Error> {
        let mut state = self.lock();
        loop {
            if state.in_progress {
                state = self.wait(state, request, clock)?;
                continue;
            }
            let login = match state.authenticator.renew(request)? {
                SessionSource::Ready(session) => return Ok(Some(session)),
                SessionSource::Unavailable => return Ok(None),
                SessionSource::Login(login) => login,
            };
            state.in_progress = true;
            drop(state);
            let session = self.run_login(request, clock, login, log_in, log_out)?;
            return Ok(Some(session.into()));
        }
    }

    fn run_login(
        &self,
        request: &SessionRequest,
        clock: &dyn Clock,
        login: Call<Login>,
        log_in: impl FnOnce(Call<Login>) -> Result<Opened, Error>,
        log_out: impl FnOnce(Call<Logout>),
    ) -> Result<Session, Error> {
        let mut guard = LoginGuard { coordinator: self, result: Ok(()) };
        let login = match request.remaining(clock.now()) {
            Some(remaining) => login.deadline(remaining),
            None => login,
        };
        let opened = log_in(login);
        let mut state = self.lock();
        let accepted = state.authenticator.accept(opened);
        let late_logout = match &accepted {
            Err(error) if *error.kind() == ErrorKind::Closed => state.authenticator.close(),
            _ => None,
        };
        drop(state);
        // The client was closed during the login. Nothing else closes its session.
        if let Some(logout) = late_logout {
            log_out(logout);
        }
        guard.result = match &accepted {
            // Waiting callers try again, with the new credentials.
            Err(error) if *error.kind() == ErrorKind::CredentialsReplaced => Ok(()),
            // Only this caller's deadline has passed. One of the waiting callers tries again.
            Err(_) if request.remaining(clock.now()).is_some_and(|remaining| remaining.is_zero()) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Deadline(_)) => Ok(()),
            accepted => accepted.as_ref().map(|_| ()).map_err(Clone::clone),
        };
        accepted
    }

    /// Waits for the login in progress, up to the call's deadline.
    fn wait<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        request: &SessionRequest,
        clock: &dyn Clock,
    ) -> Result<MutexGuard<'a, State>, Error> {
        let before = state.logins_ended;
        let timeout = request.remaining(clock.now()).unwrap_or(Duration::MAX);
        let waited =
            self.login_ended.wait_timeout_while(state, timeout, |state| state.logins_ended == before);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.logins_ended == before {
            return Err(request.expired());
        }
        state.last_result.clone()?;
        Ok(state)
    }

    /// Returns what queries the service supports, if that is known.
    pub(crate) fn features(&self) -> Option<Features> {
        self.lock().authenticator.features()
    }

    pub(crate) fn remember_features(&self, features: Option<Features>) {
        self.lock().authenticator.remember_features(features);
    }

    /// Returns what the texts of calls must not show.
    pub(crate) fn secrets(&self) -> Arc<Redactor> {
        Arc::clone(self.lock().authenticator.secrets())
    }

    /// Closes the authenticator.
    pub(crate) fn close(&self, closing: &mut Closing) {
        closing.close(&mut self.lock().authenticator);
    }

    /// Waits up to `timeout` for a login in progress, which closes its own session if the authenticator is closed.
    pub(crate) fn login_ended(&self, timeout: Duration) {
        let _ = self.login_ended.wait_timeout_while(self.lock(), timeout, |state| state.in_progress);
    }

    /// Replaces the credentials, and returns the logout of the session that they opened.
    pub(crate) fn replace(&self, credentials: Credentials) -> Option<Call<Logout>> {
        self.lock().authenticator.replace(credentials.into())
    }
}

/// Ends the login in progress, also when the login panics. Then one of the waiting callers tries again.
struct LoginGuard<'a> {
    coordinator: &'a LoginCoordinator,
    result: Result<(), Error>,
}

impl Drop for LoginGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.coordinator.lock();
        state.in_progress = false;
        state.logins_ended += 1;
        state.last_result = std::mem::replace(&mut self.result, Ok(()));
        drop(state);
        self.coordinator.login_ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::channel;
    use std::sync::{Arc, mpsc};
    use std::thread;

    use redfish_proto::Service;
    use redfish_proto::driver::{Phase, Step};
    use redfish_proto::ops::Raw;

    use super::*;
    use crate::clock::SystemClock;

    struct Fixture {
        service: Arc<Service>,
        clock: SystemClock,
        coordinator: LoginCoordinator,
    }

    impl Fixture {
        fn new() -> Self {
            let service = Arc::new(Service::new("bmc.example").unwrap());
            let credentials = Arc::new(Credentials::new("admin", "pw"));
            let authenticator = Authenticator::session(service.clone(), credentials, None);
            let coordinator = LoginCoordinator::new(authenticator);
            Self { service, clock: SystemClock::default(), coordinator }
        }

        fn request_with_deadline(&self, time: Duration) -> SessionRequest {
            let root = self.service.target("/redfish/v1/Systems").unwrap();
            match self.service.call(Raw::get(&root)).deadline(time).start(self.clock.now()) {
                Step::Session(request, _) => request,
                step => panic!("{step:?}"),
            }
        }

        fn session(
            &self,
            request: &SessionRequest,
            log_in: impl FnOnce(Call<Login>) -> Result<Opened, Error>,
        ) -> Result<Option<Identity>, Error> {
            self.coordinator.session(request, &self.clock, log_in, |_| panic!("a logout"))
        }

        /// Responds to a login's requests as a service does.
        fn respond_to(&self, login: Call<Login>) -> Result<Opened, Error> {
            let mut step = login.start(self.clock.now());
            loop {
                step = match step {
                    Step::Send(_, reply) => {
                        let response =
                            http::Response::builder().header("X-Auth-Token", "t").body(()).unwrap();
                        reply.receive(response.into_parts().0, Ok("{}".into()), self.clock.now())
                    }
                    Step::Done(opened) => return opened,
                    step => panic!("{step:?}"),
                }
            }
        }
    }

    /// Reports each call of `now`.
    struct ReportingClock(mpsc::Sender<()>);

    impl Clock for ReportingClock {
        fn now(&self) -> redfish_proto::driver::Now {
            let _ = self.0.send(());
            redfish_proto::driver::Now::default()
        }

        fn sleep(&self, _: Duration) {}
    }

    /// Returns a login that reports its start, and ends with what it receives.
    fn controlled_login<T>(started: mpsc::Sender<()>, end: mpsc::Receiver<T>) -> impl FnOnce() -> T {
        move || {
            started.send(()).unwrap();
            end.recv().unwrap()
        }
    }

    #[test]
    fn another_caller_logs_in_after_a_login_that_panics() {
        let fixture = Fixture::new();
        let panics = |_: Call<Login>| -> Result<Opened, Error> { panic!("a test panic") };
        let panicked = catch_unwind(AssertUnwindSafe(|| fixture.session(&SessionRequest::any(), panics)));
        assert!(panicked.is_err());
        let session =
            fixture.session(&SessionRequest::any(), |login| fixture.respond_to(login)).unwrap().unwrap();
        assert_eq!(fixture.coordinator.current(), session.session());
    }

    #[test]
    fn a_caller_waits_for_the_login_of_another_caller_until_its_own_deadline() {
        let fixture = Fixture::new();
        let ((started, has_started), (end, ended)) = (channel(), channel());
        let first = controlled_login(started, ended);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                fixture.session(&SessionRequest::any(), |login| {
                    first();
                    fixture.respond_to(login)
                })
            });
            has_started.recv().unwrap();
            let request = fixture.request_with_deadline(Duration::from_millis(20));
            let error = fixture.session(&request, |_| panic!("a second login")).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Deadline(Phase::Session));
            end.send(()).unwrap();
            assert!(leader.join().unwrap().is_ok());
        });
    }

    #[test]
    fn callers_share_every_failure_of_a_login_except_a_deadline() {
        for (kind, second_login) in
            [(ErrorKind::Deadline(Phase::Answer), true), (ErrorKind::SessionLimit, false)]
        {
            let fixture = Fixture::new();
            let ((started, has_started), (end, ended)) = (channel(), channel());
            let first = controlled_login(started, ended);
            let error = Error::new(kind.clone());
            thread::scope(|scope| {
                let leader = scope.spawn(|| {
                    fixture.session(&SessionRequest::any(), |_| {
                        first();
                        Err(error)
                    })
                });
                has_started.recv().unwrap();
                let (asked, is_waiting) = channel();
                let fixture = &fixture;
                let waiter = scope.spawn(move || {
                    let mut logins = 0;
                    let clock = ReportingClock(asked);
                    let log_in = |login| {
                        logins += 1;
                        fixture.respond_to(login)
                    };
                    let session =
                        fixture.coordinator.session(&SessionRequest::any(), &clock, log_in, |_| panic!());
                    (session.map_err(|error| error.kind().clone()), logins)
                });
                // `now` is called under the lock, so the leader's login cannot end before the other caller waits.
                is_waiting.recv().unwrap();
                end.send(()).unwrap();
                assert!(leader.join().unwrap().is_err());
                match (second_login, waiter.join().unwrap()) {
                    (true, (Ok(Some(_)), 1)) => {}
                    (false, (Err(found), 0)) => assert_eq!(found, kind),
                    (_, outcome) => panic!("{kind:?}: {outcome:?}"),
                }
            });
        }
    }
}
