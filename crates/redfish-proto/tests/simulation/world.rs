//! The simulated world: clients, their calls, the network, the service, and the queue of events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header, response};
use redfish_mock::{Fault, Mock, Settings};
use redfish_proto::driver::{Authenticator, Failure, Now, Outgoing, SessionRequest, SessionSource};
use redfish_proto::ops::Raw;
use redfish_proto::{Body, Credentials, Error, ErrorKind, Identity, Service};

use crate::process::{self, End, ExchangeResult, Next, Process, Resume};
use crate::random::Random;

const PASSWORD: &str = "a password, 1 of many";

/// Counts what happened, to check that every case occurred.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) cancelled: u64,
    pub(crate) exchanges: u64,
    pub(crate) logins: u64,
    pub(crate) lost_logins: u64,
    pub(crate) expiries: u64,
    /// 401s although the session is alive.
    pub(crate) denials: u64,
    pub(crate) reboots: u64,
    pub(crate) writes: u64,
    pub(crate) unknown: u64,
    pub(crate) late_closes: u64,
    pub(crate) failed_logouts: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Tally) {
        let Tally { calls, cancelled, exchanges, logins, lost_logins, expiries, reboots, .. } = other;
        self.calls += calls;
        self.cancelled += cancelled;
        self.exchanges += exchanges;
        self.logins += logins;
        self.lost_logins += lost_logins;
        self.expiries += expiries;
        self.reboots += reboots;
        self.denials += other.denials;
        self.writes += other.writes;
        self.unknown += other.unknown;
        self.late_closes += other.late_closes;
        self.failed_logouts += other.failed_logouts;
    }
}

enum Event {
    Call(usize),
    Cancel(usize),
    Close(usize),
    Reboot,
    /// A request reaches the service. The response returns along `path`.
    Arrive {
        process: usize,
        ticket: u64,
        request: http::Request<Vec<u8>>,
        path: ResponsePath,
    },
    Resume {
        process: usize,
        ticket: u64,
        with: Resume,
    },
}

/// How a response returns.
enum ResponsePath {
    Whole(Duration),
    Cut(Duration),
    Lost(Failure, Duration),
}

struct Running {
    client: usize,
    process: Box<dyn Process>,
    /// The number of the event that it waits for; other events are too late.
    ticket: u64,
    is_write: bool,
    cancellable: bool,
}

struct Client {
    authenticator: Authenticator,
    /// The adapters' lock: one login at a time, and the calls that wait for it.
    is_logging_in: bool,
    waiting: Vec<(usize, SessionRequest)>,
    /// Number of calls that have not ended, including planned ones.
    open: usize,
    closed: bool,
    rejections: u64,
}

pub(crate) struct World {
    random: Random,
    now: Duration,
    mock: Mock,
    service: Arc<Service>,
    clients: Vec<Client>,
    running: HashMap<usize, Running>,
    queue: BinaryHeap<Reverse<(Duration, u64)>>,
    events: BTreeMap<u64, Event>,
    numbers: u64,
    /// Tokens that reached a client and whose sessions it has not closed or found dead.
    open_tokens: HashSet<String>,
    applied: HashMap<usize, u64>,
    tally: Tally,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut settings = Settings {
            user: "admin".into(),
            password: PASSWORD.into(),
            session_limit: 12,
            session_timeout: Duration::from_secs(45),
            seed: seed.into(),
            ..Settings::default()
        };
        let mut random = Random(seed);
        // A service that answers 401 for a resource that the account may not read, at first.
        if random.one_in(4) {
            settings.faults.push("401@/redfish/v1/Systems/E1D8B426".parse::<Fault>().unwrap().times(4));
        }
        let service = Arc::new(Service::new("https://bmc.example").unwrap());
        let mut world = World {
            now: Duration::ZERO,
            mock: Mock::new(settings),
            clients: Vec::new(),
            running: HashMap::new(),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            numbers: 0,
            open_tokens: HashSet::new(),
            applied: HashMap::new(),
            tally: Tally::default(),
            service: Arc::clone(&service),
            random: Random(random.next()),
        };
        for client in 0..1 + random.below(4) as usize {
            let wrong = random.one_in(8);
            let credentials = Credentials::new("admin", if wrong { "another password" } else { PASSWORD });
            let authenticator = Authenticator::session(Arc::clone(&service), Arc::new(credentials), None);
            let calls = 1 + random.below(6) as usize;
            world.clients.push(Client {
                authenticator,
                is_logging_in: false,
                waiting: Vec::new(),
                open: calls,
                closed: false,
                rejections: 0,
            });
            for _ in 0..calls {
                let after = random.time(Duration::from_secs(150));
                world.schedule(after, Event::Call(client));
            }
            if random.one_in(5) {
                let after = random.time(Duration::from_secs(100));
                world.schedule(after, Event::Close(client));
            }
        }
        while random.one_in(2) {
            let after = random.time(Duration::from_secs(150));
            world.schedule(after, Event::Reboot);
        }
        world
    }

    /// Processes all events and checks the invariants.
    pub(crate) fn run(mut self) -> Tally {
        while let Some(Reverse((at, number))) = self.queue.pop() {
            assert!(self.numbers < 100_000, "the simulation does not end");
            self.now = at;
            if let Some(event) = self.events.remove(&number) {
                self.handle(event);
            }
        }
        assert!(self.running.is_empty(), "{} calls have not ended", self.running.len());
        assert!(self.clients.iter().all(|client| client.closed && client.waiting.is_empty()));
        assert!(
            self.open_tokens.is_empty(),
            "{} sessions were left by clients that knew them",
            self.open_tokens.len()
        );
        self.tally
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.numbers += 1;
        self.queue.push(Reverse((self.now + after, self.numbers)));
        self.events.insert(self.numbers, event);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Reboot => {
                self.tally.reboots += 1;
                self.mock.reboot(self.now);
            }
            Event::Call(client) => self.call(client),
            Event::Close(client) => self.close(client),
            Event::Cancel(number) => {
                if let Some(cancelled) = self.running.remove(&number) {
                    self.tally.cancelled += 1;
                    self.clients[cancelled.client].waiting.retain(|(waiting, _)| *waiting != number);
                    self.ended(cancelled.client);
                }
            }
            Event::Arrive { process, ticket, request, path } => self.arrive(process, ticket, &request, path),
            Event::Resume { process, ticket, with } => {
                if self.running.get(&process).is_some_and(|running| running.ticket == ticket) {
                    self.resume(process, with);
                }
            }
        }
    }

    /// Starts a call of a client.
    fn call(&mut self, client: usize) {
        self.tally.calls += 1;
        let system = self.service.target("/redfish/v1/Systems/E1D8B426").unwrap();
        let reset = self.service.target("/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset").unwrap();
        let kind = self.random.below(3);
        let json = |text: &'static str| Body::from(Bytes::from_static(text.as_bytes()));
        let raw = match kind {
            0 => Raw::get(&system),
            1 => Raw::new(Method::PATCH, &system).json(json("{\"AssetTag\": \"a\"}")),
            _ => Raw::new(Method::POST, &reset).json(json("{\"ResetType\": \"ForceRestart\"}")),
        };
        let mut call = self.service.call(raw);
        if self.random.one_in(2) {
            call = call.deadline(Duration::from_secs(5) + self.random.time(Duration::from_secs(60)));
        }
        let number = self.spawn(client, process::raw(call), kind > 0, true);
        if self.random.one_in(6) {
            let after = self.random.time(Duration::from_secs(10));
            self.schedule(after, Event::Cancel(number));
        }
    }

    fn spawn(
        &mut self,
        client: usize,
        process: Box<dyn Process>,
        is_write: bool,
        cancellable: bool,
    ) -> usize {
        self.numbers += 1;
        let number = self.numbers as usize;
        self.running.insert(number, Running { client, process, ticket: 0, is_write, cancellable });
        self.schedule(Duration::ZERO, Event::Resume { process: number, ticket: 0, with: Resume::Start });
        number
    }

    fn resume(&mut self, number: usize, with: Resume) {
        self.numbers += 1;
        let ticket = self.numbers;
        let Some(running) = self.running.get_mut(&number) else { return };
        running.ticket = ticket;
        let client = running.client;
        match running.process.resume(with, Now(self.now)) {
            Next::Exchange(outgoing) => self.exchange(number, ticket, outgoing),
            Next::Wait(time) => {
                // A timer may fire early.
                let time = if self.random.one_in(10) { time / 2 } else { time };
                self.schedule(time, Event::Resume { process: number, ticket, with: Resume::Timer });
            }
            Next::Session(request) => self.session(client, number, ticket, request),
            Next::Done(end) => self.end(number, client, end),
        }
    }

    /// Sends a request over the network.
    fn exchange(&mut self, process: usize, ticket: u64, outgoing: Outgoing) {
        self.tally.exchanges += 1;
        let timeout = outgoing.limits.timeout;
        let (parts, body) = outgoing.request.into_parts();
        let token = parts.headers.get("x-auth-token").and_then(|v| v.to_str().ok());
        if let Some(token) = token.filter(|_| parts.method == Method::DELETE) {
            self.open_tokens.remove(token);
        }
        let request = http::Request::from_parts(parts, body.bytes().cloned().unwrap_or_default().to_vec());
        let delay_there = self.random.time(Duration::from_millis(400));
        let failed = |failure| Resume::Answer(Err(failure));
        match self.random.below(24) {
            0 => {
                self.schedule(delay_there, Event::Resume { process, ticket, with: failed(Failure::NotSent) })
            }
            // It never arrives, and the connection either breaks or times out.
            1 => self.schedule(delay_there, Event::Resume { process, ticket, with: failed(Failure::Broken) }),
            2 => self.schedule(timeout, Event::Resume { process, ticket, with: failed(Failure::TimedOut) }),
            n => {
                let left = timeout.saturating_sub(delay_there);
                let delay = self.random.time(Duration::from_millis(400));
                let path = match n {
                    3 => ResponsePath::Lost(Failure::Broken, delay.min(left)),
                    4 => ResponsePath::Lost(Failure::TimedOut, left),
                    5 => ResponsePath::Cut(delay.min(left)),
                    _ if delay > left => ResponsePath::Lost(Failure::TimedOut, left),
                    _ => ResponsePath::Whole(delay),
                };
                self.schedule(delay_there, Event::Arrive { process, ticket, request, path });
            }
        }
    }

    /// The service performs a request, whether or not the response arrives.
    fn arrive(&mut self, process: usize, ticket: u64, request: &http::Request<Vec<u8>>, path: ResponsePath) {
        let answer = self.mock.handle(request, self.now);
        let status = answer.status();
        let target = request.uri().path();
        let is_session = target.contains("/Sessions");
        if !request.method().is_safe() && !is_session && status.is_success() {
            self.tally.writes += 1;
            let applied = self.applied.entry(process).or_default();
            *applied += 1;
            assert!(*applied == 1, "{} {target} was applied twice", request.method());
        }
        let (head, body) = answer.response.into_parts();
        let opened = *request.method() == Method::POST && is_session && status == StatusCode::CREATED;
        let (after, result): (Duration, ExchangeResult) = match path {
            ResponsePath::Whole(after) => (after, Ok((head, Ok(body.into())))),
            ResponsePath::Cut(after) => (after, Ok((head, Err(Failure::Broken)))),
            ResponsePath::Lost(failure, after) => (after, Err(failure)),
        };
        self.tally.lost_logins += u64::from(opened && result.is_err());
        if let (true, Ok((head, _))) = (opened, &result) {
            self.tally.logins += 1;
            self.open_tokens.insert(token_of(&head.headers).unwrap().to_owned());
        }
        if let (Ok((head, _)), Some(token)) = (&result, token_of(request.headers())) {
            // A 401 ends the session for the client only if it has ended at the service; otherwise it must still be
            // closed.
            if head.status == StatusCode::UNAUTHORIZED {
                let token = token.to_owned();
                if self.is_alive(&token) {
                    self.tally.denials += 1;
                } else {
                    self.tally.expiries += 1;
                    self.open_tokens.remove(&token);
                }
            }
        }
        self.count_rejection(process, request, &result);
        self.schedule(after, Event::Resume { process, ticket, with: Resume::Answer(result) });
    }

    /// Whether the service still knows the session with this token.
    fn is_alive(&mut self, token: &str) -> bool {
        let request = http::Request::get("/redfish/v1/SessionService/Sessions").header("x-auth-token", token);
        let answer = self.mock.handle(&request.body(Vec::new()).unwrap(), self.now);
        answer.status() == StatusCode::OK
    }

    /// Checks that a client never sends a rejected password again.
    fn count_rejection(&mut self, process: usize, request: &http::Request<Vec<u8>>, result: &ExchangeResult) {
        let Ok((response::Parts { status: StatusCode::UNAUTHORIZED, .. }, _)) = result else { return };
        let login =
            request.headers().contains_key(header::CONTENT_TYPE) && token_of(request.headers()).is_none();
        if let (true, Some(running)) = (login, self.running.get(&process)) {
            let client = &mut self.clients[running.client];
            client.rejections += 1;
            assert!(client.rejections == 1, "a wrong password was sent again");
        }
    }

    /// Handles a session request of a call, like the adapters.
    fn session(&mut self, client: usize, number: usize, ticket: u64, request: SessionRequest) {
        if let Some(left) = request.remaining(Now(self.now)) {
            let expired = Resume::Session(Err(request.expired()));
            self.schedule(left, Event::Resume { process: number, ticket, with: expired });
        }
        self.clients[client].waiting.push((number, request));
        if !self.clients[client].is_logging_in {
            self.serve_waiting(client);
        }
    }

    /// Serves the waiting calls until one needs a login.
    fn serve_waiting(&mut self, client: usize) {
        while let Some((number, request)) = self.clients[client].waiting.first().cloned() {
            let renewed = self.clients[client].authenticator.renew(&request);
            let session = match renewed {
                Ok(SessionSource::Login(login)) => {
                    self.clients[client].is_logging_in = true;
                    self.spawn(client, process::login(login), false, false);
                    return;
                }
                Ok(SessionSource::Ready(session)) => Ok(Some(session)),
                Ok(SessionSource::Unavailable) => Ok(None),
                Err(error) => Err(error),
            };
            self.clients[client].waiting.remove(0);
            self.give(number, session);
        }
    }

    fn give(&mut self, number: usize, session: Result<Option<Identity>, Error>) {
        if let Some(running) = self.running.get(&number) {
            let with = Resume::Session(session);
            self.schedule(Duration::ZERO, Event::Resume { process: number, ticket: running.ticket, with });
        }
    }

    fn end(&mut self, number: usize, client: usize, end: End) {
        let Some(running) = self.running.remove(&number) else { return };
        match end {
            End::Call(result) => {
                let applied = self.applied.get(&number).copied().unwrap_or_default();
                if running.is_write {
                    self.check_write(applied, result);
                }
                self.clients[client].waiting.retain(|(waiting, _)| *waiting != number);
                self.ended(client);
            }
            End::Login(opened) => {
                self.clients[client].is_logging_in = false;
                let accepted = self.clients[client].authenticator.accept(opened);
                match accepted {
                    Ok(_) => {}
                    Err(error) if *error.kind() == ErrorKind::Closed => {
                        // The client was closed during the login, which closes its session itself.
                        self.tally.late_closes += 1;
                        self.log_out(client);
                    }
                    Err(error) => {
                        // All calls that waited for the login get its error.
                        for (waiting, _) in std::mem::take(&mut self.clients[client].waiting) {
                            self.give(waiting, Err(error.clone()));
                        }
                    }
                }
                self.serve_waiting(client);
            }
            End::Logout(result) => self.tally.failed_logouts += u64::from(result.is_err()),
        }
        assert!(running.cancellable || !running.is_write);
    }

    /// Checks that the result of a write is true.
    fn check_write(&mut self, applied: u64, result: Result<StatusCode, Error>) {
        match result {
            Ok(_) => assert_eq!(applied, 1, "a write that was not applied is reported as done"),
            Err(error) => match error.kind() {
                ErrorKind::OutcomeUnknown(_) => self.tally.unknown += 1,
                // The head reported that it was applied; only the body is missing.
                ErrorKind::Transport(_) if error.status().is_some_and(|s| s.is_success()) => {
                    assert_eq!(applied, 1)
                }
                _ => assert_eq!(applied, 0, "a write that was applied is reported as failed: {error}"),
            },
        }
    }

    fn ended(&mut self, client: usize) {
        self.clients[client].open -= 1;
        if self.clients[client].open == 0 {
            self.close(client);
        }
    }

    fn close(&mut self, client: usize) {
        if !std::mem::replace(&mut self.clients[client].closed, true) {
            self.log_out(client);
        }
    }

    fn log_out(&mut self, client: usize) {
        while let Some(logout) = self.clients[client].authenticator.close() {
            self.spawn(client, process::logout(logout), false, false);
        }
    }
}

fn token_of(headers: &http::HeaderMap) -> Option<&str> {
    headers.get("x-auth-token").and_then(|value| value.to_str().ok())
}
