//! Single flight: of all callers that need a new session, one logs in.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redfish_proto::driver::{Authenticator, SessionRequest, SessionSource};
use redfish_proto::ops::{Login, Logout, Opened};
use redfish_proto::query::Features;
use redfish_proto::{Call, Error, ErrorKind, Identity, Session};

use crate::clock::Clock;

/// The authenticator, and whose turn it is.
///
/// The lock is held for the authenticator's own methods alone, never while anything is sent: so a call can be
/// closed, or a session closed from a signal's thread, whatever the network does.
pub(crate) struct LoginCoordinator {
    state: Mutex<State>,
    landed: Condvar,
}

struct State {
    authenticator: Authenticator,
    /// A login is on its way, or the logout of one that came too late.
    flying: bool,
    /// How many logins have ended, and how the last one did.
    landings: u64,
    last: Result<(), Error>,
}

impl LoginCoordinator {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        let state = State { authenticator, flying: false, landings: 0, last: Ok(()) };
        Self { state: Mutex::new(state), landed: Condvar::new() }
    }

    /// What holds the lock has no way to leave it half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session that calls use now.
    pub(crate) fn current(&self) -> Option<Session> {
        self.lock().authenticator.current()
    }

    /// The session for a call that wants one: the present one, or a new one, by a login of this caller or of
    /// another that is at it already.
    ///
    /// # Errors
    /// Those of the login, for all who waited while it ran; [`ErrorKind::Deadline`] for one whose time is over.
    pub(crate) fn session(
        &self,
        request: &SessionRequest,
        clock: &dyn Clock,
        log_in: impl FnOnce(Call<Login>) -> Result<Opened, Error>,
        log_out: impl FnOnce(Call<Logout>),
    ) -> Result<Option<Identity>, Error> {
        let mut state = self.lock();
        loop {
            if state.flying {
                state = self.wait(state, request, clock)?;
                continue;
            }
            let login = match state.authenticator.renew(request)? {
                SessionSource::Ready(session) => return Ok(Some(session)),
                SessionSource::Unavailable => return Ok(None),
                SessionSource::Login(login) => login,
            };
            state.flying = true;
            drop(state);
            return self.fly(request, clock, login, log_in, log_out).map(|session| Some(session.into()));
        }
    }

    fn fly(
        &self,
        request: &SessionRequest,
        clock: &dyn Clock,
        login: Call<Login>,
        log_in: impl FnOnce(Call<Login>) -> Result<Opened, Error>,
        log_out: impl FnOnce(Call<Logout>),
    ) -> Result<Session, Error> {
        let mut turn = LoginGuard { flight: self, outcome: Ok(()) };
        let login = match request.remaining(clock.now()) {
            Some(left) => login.deadline(left),
            None => login,
        };
        let opened = log_in(login);
        let mut state = self.lock();
        let accepted = state.authenticator.accept(opened);
        let late = match &accepted {
            Err(error) if *error.kind() == ErrorKind::Closed => state.authenticator.close(),
            _ => None,
        };
        drop(state);
        // The client was closed while the login ran: nobody else will close its session.
        if let Some(late) = late {
            log_out(late);
        }
        turn.outcome = match &accepted {
            // Those who wait ask again, with the new credentials.
            Err(error) if *error.kind() == ErrorKind::CredentialsReplaced => Ok(()),
            // This caller's time was over, not that of those who wait: one of them tries again.
            Err(_) if request.remaining(clock.now()).is_some_and(|left| left.is_zero()) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Deadline(_)) => Ok(()),
            accepted => accepted.as_ref().map(|_| ()).map_err(Clone::clone),
        };
        accepted
    }

    /// Waits for the login that is on its way, as long as the call can.
    fn wait<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        request: &SessionRequest,
        clock: &dyn Clock,
    ) -> Result<MutexGuard<'a, State>, Error> {
        let before = state.landings;
        let state = match request.remaining(clock.now()) {
            None => self.landed.wait_while(state, |state| state.landings == before),
            Some(left) => self
                .landed
                .wait_timeout_while(state, left, |state| state.landings == before)
                .map(|(state, _)| state)
                .map_err(|poisoned| PoisonError::new(poisoned.into_inner().0)),
        };
        let state = state.unwrap_or_else(PoisonError::into_inner);
        if state.landings == before {
            return Err(request.expired());
        }
        state.last.clone()?;
        Ok(state)
    }

    /// What queries the service supports, if that is known.
    pub(crate) fn features(&self) -> Option<Features> {
        self.lock().authenticator.features()
    }

    pub(crate) fn remember_features(&self, features: Option<Features>) {
        self.lock().authenticator.remember_features(features);
    }

    /// Ends it, and returns how to close the session that was open. A login on its way is waited for, this long
    /// at the most: it closes its session itself.
    pub(crate) fn close(&self, patience: Duration) -> Option<Call<Logout>> {
        let mut state = self.lock();
        let logout = state.authenticator.close();
        let _ = self.landed.wait_timeout_while(state, patience, |state| state.flying);
        logout
    }

    /// Takes other credentials, and returns how to close the session of the former.
    pub(crate) fn replace(&self, credentials: redfish_proto::Credentials) -> Option<Call<Logout>> {
        self.lock().authenticator.replace(credentials.into())
    }
}

/// Gives the turn back, also when the login panicked: then those who wait try for themselves.
struct LoginGuard<'a> {
    flight: &'a LoginCoordinator,
    outcome: Result<(), Error>,
}

impl Drop for LoginGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.flight.lock();
        state.flying = false;
        state.landings += 1;
        state.last = std::mem::replace(&mut self.outcome, Ok(()));
        drop(state);
        self.flight.landed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::channel;
    use std::sync::{Arc, mpsc};
    use std::thread;

    use redfish_proto::driver::{Phase, Step};
    use redfish_proto::ops::Raw;
    use redfish_proto::{Credentials, Service};

    use super::*;
    use crate::clock::SystemClock;

    struct Fixture {
        service: Arc<Service>,
        clock: SystemClock,
        flight: LoginCoordinator,
    }

    impl Fixture {
        fn new() -> Self {
            let service = Arc::new(Service::new("bmc.example").unwrap());
            let credentials = Arc::new(Credentials::new("admin", "pw"));
            let flight = LoginCoordinator::new(Authenticator::session(service.clone(), credentials, None));
            Self { service, clock: SystemClock::default(), flight }
        }

        fn wanted_within(&self, time: Duration) -> SessionRequest {
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
            self.flight.session(request, &self.clock, log_in, |_| panic!("nothing was closed"))
        }

        /// Answers a login's requests as a service does.
        fn opens(&self, login: Call<Login>) -> Result<Opened, Error> {
            let mut step = login.start(self.clock.now());
            loop {
                step = match step {
                    Step::Send(_, reply) => {
                        let answer = http::Response::builder().header("X-Auth-Token", "t").body(()).unwrap();
                        reply.receive(answer.into_parts().0, Ok("{}".into()), self.clock.now())
                    }
                    Step::Done(opened) => return opened,
                    step => panic!("{step:?}"),
                }
            }
        }
    }

    /// Tells that it was asked for the time.
    struct Telling(mpsc::Sender<()>);

    impl Clock for Telling {
        fn now(&self) -> redfish_proto::driver::Now {
            let _ = self.0.send(());
            redfish_proto::driver::Now::default()
        }

        fn sleep(&self, _: Duration) {}
    }

    /// A login that waits until it is told how to end.
    fn told<T>(begun: mpsc::Sender<()>, end: mpsc::Receiver<T>) -> impl FnOnce() -> T {
        move || {
            begun.send(()).unwrap();
            end.recv().unwrap()
        }
    }

    #[test]
    fn a_login_that_panics_leaves_the_turn_to_another() {
        let fixture = Fixture::new();
        let panics = |_: Call<Login>| -> Result<Opened, Error> { panic!("as the test wants") };
        let panicked = catch_unwind(AssertUnwindSafe(|| fixture.session(&SessionRequest::any(), panics)));
        assert!(panicked.is_err());
        let session = fixture.session(&SessionRequest::any(), |login| fixture.opens(login)).unwrap().unwrap();
        assert_eq!(fixture.flight.current(), session.session());
    }

    #[test]
    fn a_caller_waits_for_the_login_of_another_until_its_own_deadline() {
        let fixture = Fixture::new();
        let ((begun, has_begun), (end, ended)) = (channel(), channel());
        let first = told(begun, ended);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                fixture.session(&SessionRequest::any(), |login| {
                    first();
                    fixture.opens(login)
                })
            });
            has_begun.recv().unwrap();
            let request = fixture.wanted_within(Duration::from_millis(20));
            let error = fixture.session(&request, |_| panic!("a second login")).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Deadline(Phase::Session));
            end.send(()).unwrap();
            assert!(leader.join().unwrap().is_ok());
        });
    }

    #[test]
    fn a_leader_whose_time_is_over_hands_over_and_any_other_failure_is_shared() {
        for (kind, second_login) in
            [(ErrorKind::Deadline(Phase::Answer), true), (ErrorKind::SessionLimit, false)]
        {
            let fixture = Fixture::new();
            let ((begun, has_begun), (end, ended)) = (channel(), channel());
            let first = told(begun, ended);
            let error = Error::new(kind.clone());
            thread::scope(|scope| {
                let leader = scope.spawn(|| {
                    fixture.session(&SessionRequest::any(), |_| {
                        first();
                        Err(error)
                    })
                });
                has_begun.recv().unwrap();
                let (asked, waits) = channel();
                let fixture = &fixture;
                let waiter = scope.spawn(move || {
                    let mut logins = 0;
                    let clock = Telling(asked);
                    let log_in = |login| {
                        logins += 1;
                        fixture.opens(login)
                    };
                    let session =
                        fixture.flight.session(&SessionRequest::any(), &clock, log_in, |_| panic!());
                    (session.map_err(|error| error.kind().clone()), logins)
                });
                // It is asked for the time under the lock, so the leader can run_login only once the other waits.
                waits.recv().unwrap();
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
