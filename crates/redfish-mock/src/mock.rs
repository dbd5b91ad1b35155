//! The service: a request and the time in, an answer out.
//!
//! ```text
//!  request ─► faults that come before ─► door ─► place ─► method ─► role ─► condition ─► what the place does
//!                                                                                              │
//!  answer  ◄─ faults that come after  ◄─ profile (spells it) ◄──────────────── reply ◄─────────┘
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::faults::fault::{Fault, FaultKind, Faults};
use crate::inventory::tree::Tree;
use crate::protocol::answer::{Answer, Ending};
use crate::protocol::message::{Base, Message};
use crate::protocol::profile::Profile;
use crate::protocol::request::{Credentials, Request};
use crate::protocol::response::{Content, Reply};
use crate::routing::route::Place;
use crate::state::accounts::{self, ACCOUNT_SERVICE, Account, Accounts, Lockout, Role};
use crate::state::events::Events;
use crate::state::outage::Absence;
use crate::state::schedule::{Effect, Later};
use crate::state::sessions::{SESSION_SERVICE, Session, SessionCount, Sessions};
use crate::state::settings::Settings;
use crate::state::tasks::Tasks;

/// How many handled requests are remembered; of each service of many, so many that they cost little.
const REMEMBERED: usize = 1_000;
#[cfg(feature = "serve")]
const REMEMBERED_OF_MANY: usize = 8;

/// A Redfish service as a value.
///
/// It reads no clock and opens no socket: the time comes with each request, as the duration since any moment the caller
/// likes, and its randomness comes from [`Settings::seed`]. Copies are independent, and cheap.
#[derive(Clone)]
pub struct Mock {
    pub(crate) profile: Profile,
    pub(crate) tree: Tree,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Accounts,
    bearer_token: Option<String>,
    pub(crate) tasks: Tasks,
    pub(crate) events: Events,
    pub(crate) later: Later,
    /// The latest moment that it was told of.
    pub(crate) now: Duration,
    pub(crate) reset_delay: Duration,
    pub(crate) update_time: Duration,
    pub(crate) restart_time: Duration,
    pub(crate) absence: Absence,
    pub(crate) faults: Faults,
    writes: BTreeMap<String, u64>,
    handled: VecDeque<Handled>,
    remembered: usize,
}

/// A request that was handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// Its method.
    pub method: Method,
    /// Its path, as the client wrote it.
    pub path: String,
    /// The answer's status, also where a fault kept the answer from arriving.
    pub status: StatusCode,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) account: u32,
    pub(crate) session: Option<u64>,
    pub(crate) role: Role,
}

impl Mock {
    /// A service that was just started.
    pub fn new(settings: Settings) -> Mock {
        let Settings {
            user,
            password,
            accounts,
            bearer_token,
            profile,
            mockup,
            session_limit,
            session_timeout,
            reset_delay,
            update_time,
            restart_time,
            seed,
            faults,
        } = settings;
        let administrator = Account::new(user, password, Role::Administrator);
        let mut mock = Mock {
            profile,
            tree: mockup.map_or_else(|| Tree::machine_room(profile), |mockup| mockup.tree(profile)),
            sessions: Sessions::new(session_limit, session_timeout, seed),
            accounts: Accounts::new(std::iter::once(administrator).chain(accounts)),
            bearer_token,
            tasks: Tasks::default(),
            events: Events::default(),
            later: Later::default(),
            now: Duration::ZERO,
            reset_delay: reset_delay.unwrap_or(profile.reset_delay()),
            update_time,
            restart_time,
            absence: Absence::default(),
            faults: Faults::new(faults),
            writes: BTreeMap::new(),
            handled: VecDeque::new(),
            remembered: REMEMBERED,
        };
        mock.show_session_timeout(session_timeout);
        mock
    }

    /// One of many services, which shares with the others what none of them changes. It has tokens of its own.
    #[cfg(feature = "serve")]
    pub(crate) fn one_of_many(&self, seed: u64) -> Mock {
        let mut one = self.clone();
        one.sessions.reseed(seed);
        one.remembered = REMEMBERED_OF_MANY;
        one.events.keep_few();
        one
    }

    /// Answers a request that arrives at `now`. While the service restarts nobody is there to answer: the connection is
    /// reset, see [`Mock::away_until`].
    pub fn handle<B: AsRef<[u8]>>(&mut self, request: &http::Request<B>, now: Duration) -> Answer {
        let request = Request::new(request);
        if self.away_until(now).is_some() {
            return Answer::reset();
        }
        let delay = self.strike(&request, |kind| match kind {
            FaultKind::Slow(delay) => Some(*delay),
            _ => None,
        });
        let mut answer = self.answer(&request, now);
        answer.delay = delay.unwrap_or_default();
        self.fault_after(&request, now + answer.delay);

        if self.handled.len() == self.remembered {
            self.handled.pop_front();
        }
        self.handled.push_back(Handled {
            method: request.method.clone(),
            path: request.uri.path().to_owned(),
            status: answer.status(),
        });
        answer
    }

    /// The answer to a request with a body longer than the front end takes. Nobody has looked at the request.
    pub fn refuse_body(&self) -> Response<Vec<u8>> {
        let reply = Reply::refusal(StatusCode::PAYLOAD_TOO_LARGE, Base::PayloadTooLarge, []);
        let mut response = self.profile.spell(reply, &Method::POST, "");
        // What is left of the body would be taken for the next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }

    /// Adds a fault; it strikes from the next request on.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// How many sessions are open.
    pub fn open_sessions(&self, now: Duration) -> usize {
        self.sessions(now).count()
    }

    /// The sessions that are open.
    pub fn sessions(&self, now: Duration) -> impl Iterator<Item = &Session> {
        let lost = self.will_restart_by(now);
        self.sessions.open_at(now).filter(move |_| !lost)
    }

    /// What became of all sessions up to the last request.
    pub fn session_count(&self) -> SessionCount {
        self.sessions.count()
    }

    /// How many writes were applied at a path: PATCH and DELETE of the resource there, POST to the collection or action
    /// there. Logins count at the Sessions collection; for a session's DELETE see [`Mock::session_count`].
    pub fn writes(&self, path: &str) -> u64 {
        self.writes.get(path).copied().unwrap_or(0)
    }

    /// The requests that were handled, the last thousand of them, oldest first. A service of many remembers eight.
    pub fn handled(&self) -> impl ExactSizeIterator<Item = &Handled> {
        self.handled.iter()
    }

    pub(crate) fn wrote(&mut self, path: &str) {
        *self.writes.entry(path.to_owned()).or_insert(0) += 1;
    }

    /// Makes the timeout in force and the one that SessionService shows the same.
    pub(crate) fn show_session_timeout(&mut self, timeout: Duration) {
        self.sessions.set_timeout(timeout);
        if let Some(service) = self.tree.at(SESSION_SERVICE) {
            let mut document = service.document().clone();
            if document.is_object() && document["SessionTimeout"] != timeout.as_secs() {
                document["SessionTimeout"] = timeout.as_secs().into();
                self.tree.write(SESSION_SERVICE, document);
            }
        }
    }

    pub(crate) fn strike<T>(
        &mut self,
        request: &Request<'_>,
        asked_for: impl Fn(&FaultKind) -> Option<T>,
    ) -> Option<T> {
        self.faults.strike(&request.path, self.profile, asked_for)
    }

    pub(crate) fn strikes(&mut self, request: &Request<'_>, kind: &FaultKind) -> bool {
        self.strike(request, |candidate| (candidate == kind).then_some(())).is_some()
    }

    /// The answer, with all faults but slowness.
    fn answer(&mut self, request: &Request<'_>, now: Duration) -> Answer {
        if self.strikes(request, &FaultKind::Reset) {
            return Answer::reset();
        }
        let mut reply = match self.fault_before(request) {
            Some(reply) => reply,
            None => self.reply(request, now),
        };
        if let Content::Messages(messages) = &mut reply.content {
            if self.strikes(request, &FaultKind::BareMessages) {
                *messages = std::mem::take(messages).into_iter().map(Message::bare).collect();
            }
        }
        if reply.created.is_some() && self.strikes(request, &FaultKind::NoLocation) {
            reply.created = None;
        }
        let response = self.profile.spell(reply, request.method, &request.host());
        let mut answer = Answer { response, delay: Duration::ZERO, ending: Ending::Whole };
        if !request.reads() && self.strikes(request, &FaultKind::LostAnswer) {
            answer.ending = Ending::Closed;
            return answer;
        }
        let length = answer.response.body().len();
        if length > 0 {
            let cut = self.strike(request, |kind| match kind {
                FaultKind::CutBody(bytes) => Some(bytes.unwrap_or(length / 2)),
                _ => None,
            });
            if let Some(bytes) = cut.filter(|bytes| *bytes < length) {
                answer.ending = Ending::Cut(bytes);
            }
        }
        answer
    }

    /// A fault that takes the place of the answer, or makes the right one come out wrong.
    fn fault_before(&mut self, request: &Request<'_>) -> Option<Reply> {
        let redirect = self.strike(request, |kind| match kind {
            FaultKind::RedirectOffOrigin(url) => Some(url.clone()),
            _ => None,
        });
        if let Some(url) = redirect {
            let url = url.unwrap_or_else(|| format!("https://redfish.invalid{}", request.uri.path()));
            let reply = Reply::new(StatusCode::TEMPORARY_REDIRECT, Content::Nothing);
            return Some(reply.with(header::LOCATION, &url));
        }
        let unavailable = self.strike(request, |kind| match kind {
            FaultKind::Unavailable(when) => Some(when.clone()),
            _ => None,
        });
        if let Some(when) = unavailable {
            let seconds = when.as_deref().unwrap_or("some");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let reply = Reply::refusal(status, Base::ServiceTemporarilyUnavailable, [seconds]);
            return Some(match &when {
                Some(when) => reply.with(header::RETRY_AFTER, when),
                None => reply,
            });
        }
        if self.strikes(request, &FaultKind::Unauthorized) {
            return Some(Reply::refusal(StatusCode::UNAUTHORIZED, Base::NoValidSession, []));
        }
        if self.strikes(request, &FaultKind::InternalError) {
            return Some(Reply::refusal(StatusCode::INTERNAL_SERVER_ERROR, Base::InternalError, []));
        }
        let place = Place::find(self, request);
        let login = request.method == Method::POST && matches!(place, Some(Place::Sessions));
        if login && self.strikes(request, &FaultKind::SessionLimit) {
            return Some(Reply::refusal(StatusCode::SERVICE_UNAVAILABLE, Base::SessionLimitExceeded, []));
        }
        if let Credentials::Token(token) = request.credentials() {
            let live = self.sessions.with_token(&token).map(Session::id);
            if let Some(id) = live.filter(|_| self.strikes(request, &FaultKind::ExpireToken)) {
                let gone = self.sessions.forget(|session| session.id() == id);
                self.tell_of_the_end(&gone);
            }
        }
        None
    }

    /// What goes wrong once the request is answered, at `answered`.
    fn fault_after(&mut self, request: &Request<'_>, answered: Duration) {
        if let Credentials::Token(token) = request.credentials() {
            let live = self.sessions.with_token(&token).map(Session::id);
            if let Some(id) = live.filter(|_| self.strikes(request, &FaultKind::LoseSession)) {
                let gone = self.sessions.forget(|session| session.id() == id);
                self.tell_of_the_end(&gone);
            }
        }
        let restart = self.strike(request, |kind| match kind {
            FaultKind::Restart(lasts) => Some(*lasts),
            _ => None,
        });
        if let Some(lasts) = restart {
            self.later.add(answered, Effect::Restart { lasts, task: None });
        }
    }

    /// The right answer.
    fn reply(&mut self, request: &Request<'_>, now: Duration) -> Reply {
        if request.wants_other_odata() {
            return Reply::refusal(StatusCode::PRECONDITION_FAILED, Base::PreconditionFailed, []);
        }
        let place = Place::find(self, request);
        if let Some(place) = place.as_ref().filter(|place| place.is_open_to(request.method)) {
            // Who is asking matters to what a query shows, not to whether there is an answer.
            let caller = self.identify(request);
            return self.act(request, place, caller, now);
        }
        let Some(caller) = self.authenticate(request, now) else {
            return Reply::refusal(StatusCode::UNAUTHORIZED, Base::NoValidSession, []);
        };
        let Some(place) = place else {
            let path = request.uri.path();
            return Reply::refusal(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, [path]);
        };
        self.carry_out(request, &place, caller, now)
    }

    /// Who sends the request. A session that is used starts its time anew.
    fn authenticate(&mut self, request: &Request<'_>, now: Duration) -> Option<Caller> {
        if let Credentials::Basic { user, password } = request.credentials() {
            self.open_account(&user, &password, now)?;
        }
        let caller = self.identify(request)?;
        if let Some(id) = caller.session {
            self.sessions.touch(id, now);
        }
        Some(caller)
    }

    /// The account that credentials open. Too many wrong ones lock it.
    pub(crate) fn open_account(&mut self, user: &str, password: &str, now: Duration) -> Option<u32> {
        let opened = self.accounts.open(user, password);
        match opened {
            Some(id) => self.accounts.opened(id),
            None => {
                let service = self.tree.at(ACCOUNT_SERVICE).map(|service| service.document());
                let number =
                    |name: &str| service.and_then(|service| service[name].as_u64()).unwrap_or_default();
                let lockout = Lockout {
                    threshold: number("AccountLockoutThreshold"),
                    lasts: Duration::from_secs(number("AccountLockoutDuration")),
                    forgotten: Duration::from_secs(number("AccountLockoutCounterResetAfter")),
                };
                self.accounts.failed(user, lockout, now);
            }
        }
        opened
    }

    fn identify(&self, request: &Request<'_>) -> Option<Caller> {
        let found = match request.credentials() {
            Credentials::Token(token) => {
                self.sessions.with_token(&token).map(|session| (session.account(), Some(session.id())))
            }
            Credentials::Basic { user, password } => {
                self.accounts.open(&user, &password).map(|id| (id, None))
            }
            Credentials::Bearer(token) if self.bearer_token.as_ref() == Some(&token) => Some((1, None)),
            Credentials::Bearer(_) | Credentials::Nothing | Credentials::Unreadable => None,
        };
        let (account, session) = found?;
        let role = self.accounts.role(account)?;
        Some(Caller { account, session, role })
    }

    /// Method, role and condition, then what the place does.
    pub(crate) fn act(
        &mut self,
        request: &Request<'_>,
        place: &Place,
        caller: Option<Caller>,
        now: Duration,
    ) -> Reply {
        let methods = place.methods();
        let mut reply = if !methods.contains(request.method) {
            Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, Base::OperationNotAllowed, [])
        } else if let Some(refusal) = caller
            .filter(|_| !place.is_open_to(request.method))
            .and_then(|caller| self.forbid(request.method, place, caller))
        {
            refusal
        } else if let (Place::Monitor(id), true) = (place, request.reads()) {
            return self.poll(request, *id, now);
        } else if let (Place::Stream, true) = (place, request.reads()) {
            self.open_stream(request, now)
        } else if request.reads() {
            self.read(request, place, caller, now)
        } else if request.method != Method::POST && request.misses(|| place.etag(self, caller, now)) {
            Reply::refusal(StatusCode::PRECONDITION_FAILED, Base::PreconditionFailed, [])
        } else {
            self.write(request, place, caller, now)
        };
        if request.reads() || reply.status.is_success() || reply.status == StatusCode::METHOD_NOT_ALLOWED {
            reply.allow = methods;
        }
        reply
    }

    /// What the caller's role, or a password that is due, forbids.
    pub(crate) fn forbid(&self, method: &Method, place: &Place, caller: Caller) -> Option<Reply> {
        let owner = match place {
            Place::Account(id) => Some(*id),
            Place::Session(id) => self.sessions.find(*id).map(Session::account),
            Place::Task(id) | Place::Monitor(id) => self.tasks.account(*id),
            _ => None,
        };
        let own = owner == Some(caller.account);

        let must_change =
            self.accounts.get(caller.account).is_some_and(|entry| entry.account.password_change_required);
        let deletes = method == Method::DELETE;
        let still_may = match place {
            Place::Account(_) => own && !deletes,
            Place::Session(_) => own && deletes,
            _ => false,
        };
        if must_change && !still_may {
            let account = accounts::path(caller.account);
            return Some(Reply::refusal(StatusCode::FORBIDDEN, Base::PasswordChangeRequired, [&account]));
        }
        (!caller.role.may(place.privilege(method, own)))
            .then(|| Reply::refusal(StatusCode::FORBIDDEN, Base::InsufficientPrivilege, []))
    }
}
