//! The service as a value: a request and the time in, an answer out.

use std::collections::VecDeque;
use std::time::Duration;

use http::{Method, StatusCode, request};

use crate::faults::Fault;
use crate::handlers;
use crate::handlers::clock::advance_to;
#[cfg(feature = "serve")]
use crate::inventory::machine_ids;
use crate::pending_request::{Begun, PendingRequest};
use crate::protocol::answer::Answer;
use crate::protocol::event::{Delivery, EventStream};
use crate::protocol::payload::Payload;
#[cfg(feature = "serve")]
use crate::protocol::render::render;
use crate::protocol::request::Request;
#[cfg(feature = "serve")]
use crate::protocol::response::Response;
use crate::state::State;
#[cfg(feature = "serve")]
use crate::state::random::Seed;
use crate::state::sessions::{Session, SessionCount};
use crate::state::settings::Settings;

/// The number of handled requests that are recorded.
const MAX_HANDLED: usize = 1_000;
/// The same for a member of a fleet, which must be small.
#[cfg(feature = "serve")]
const FLEET_MEMBER_MAX_HANDLED: usize = 8;
/// The maximum length of a recorded path in bytes.
const MAX_RECORDED_PATH: usize = 1_024;
/// The interval at which events are sent to destinations.
#[cfg(feature = "serve")]
const DELIVERY_INTERVAL: Duration = Duration::from_millis(200);

/// A Redfish service as a value.
///
/// It reads no clock and opens no socket. Each request comes with the time, as the duration since any start that the caller
/// chooses. All randomness comes from [`Settings::seed`], except the key of a certificate signing
/// request. Copies are independent and cheap.
#[derive(Clone)]
pub struct Mock {
    state: State,
    handled: VecDeque<HandledRequest>,
    max_handled: usize,
    /// The maximum size of a body that is not an image, in bytes.
    body_limit: u64,
}

/// A request that was handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandledRequest {
    /// The method.
    pub method: Method,
    /// The path, as the client wrote it, up to 1,024 bytes.
    pub path: String,
    /// The status of the response, even if a fault prevented the client from receiving it.
    pub status: StatusCode,
}

impl Mock {
    /// Creates a service.
    pub fn new(settings: Settings) -> Mock {
        Mock {
            state: State::new(settings),
            handled: VecDeque::new(),
            max_handled: MAX_HANDLED,
            body_limit: u64::MAX,
        }
    }

    /// Creates a member of a fleet. It shares with the others what none of them changes, and has its own seed.
    #[cfg(feature = "serve")]
    pub(crate) fn fleet_member(&self, seed: &Seed) -> Mock {
        let mut member = self.clone();
        member.state.sessions.reseed(seed);
        member.state.events.limit_history();
        member.max_handled = FLEET_MEMBER_MAX_HANDLED;
        member
    }

    /// Shows in the resources that the service can be found by SSDP.
    #[cfg(feature = "serve")]
    pub(crate) fn enable_ssdp(&mut self) {
        for id in machine_ids() {
            let path = format!("/redfish/v1/Managers/{id}/NetworkProtocol");
            self.state.change(&path, |protocols| {
                if protocols.get("SSDP").is_some() {
                    protocols["SSDP"]["ProtocolEnabled"] = true.into();
                }
            });
        }
    }

    /// Makes the certificate of HTTPS that of the server.
    #[cfg(feature = "serve")]
    pub(crate) fn enable_tls(&mut self) {
        self.state.serves_tls = true;
    }

    /// Removes and returns the certificate that replaces the one in use, and its key, both in PEM.
    #[cfg(feature = "serve")]
    pub(crate) fn take_certificate(&mut self) -> Option<(String, String)> {
        self.state.new_certificate.take()
    }

    /// The UUID of the service.
    #[cfg(feature = "serve")]
    pub(crate) fn uuid(&self) -> String {
        let root = self.state.tree.document("/redfish/v1");
        root.and_then(|root| root["UUID"].as_str()).unwrap_or_default().to_owned()
    }

    /// Limits the size of bodies that are not images and that arrive in chunks.
    #[cfg(feature = "serve")]
    pub(crate) fn limit_body(&mut self, bytes: usize) {
        self.body_limit = bytes as u64;
    }

    /// Answers a request that arrives with its whole body at `now`. While the service is unavailable, the connection is reset:
    /// see [`Mock::unavailable_until`].
    pub fn handle<B: AsRef<[u8]>>(&mut self, request: &http::Request<B>, now: Duration) -> Answer {
        let mut head = http::Request::new(Payload::default());
        head.method_mut().clone_from(request.method());
        head.uri_mut().clone_from(request.uri());
        head.headers_mut().clone_from(request.headers());
        let body = request.body().as_ref();
        // The limit of a server does not concern a body that is in memory.
        match self.begin_request(head, Some(body.len() as u64), u64::MAX, now) {
            Begun::Answered(answer) => *answer,
            Begun::Pending(mut pending) => {
                // If the rest of the body does not matter, the answer is certain, too.
                let _ = pending.push(body);
                self.end(*pending, now)
            }
        }
    }

    /// Begins a request whose head arrives at `now`. What the head decides is answered at once, so that a client need not send
    /// a body that is refused: 401, 403, 404, 405, 412, 413 and 415, and the responses of faults.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redfish_mock::{Begun, Mock, Settings};
    ///
    /// let mut mock = Mock::new(Settings { bearer_token: Some("t".into()), ..Settings::default() });
    /// let push = http::Request::post("/redfish/v1/UpdateService/push").header("Content-Length", "6000000000");
    /// let (head, ()) = push.body(())?.into_parts();
    /// let Begun::Answered(answer) = mock.begin(head, Duration::ZERO) else { panic!("not authenticated") };
    /// assert_eq!(answer.status(), 401);
    ///
    /// let push = http::Request::post("/redfish/v1/UpdateService/push").header("Authorization", "Bearer t");
    /// let (head, ()) = push.header("Content-Length", "3000000").body(())?.into_parts();
    /// let Begun::Pending(mut pending) = mock.begin(head, Duration::ZERO) else { panic!("refused") };
    /// for _ in 0..3 {
    ///     assert!(pending.push(&[7; 1_000_000]).is_continue());
    /// }
    /// assert_eq!(mock.end(*pending, Duration::from_secs(1)).status(), 202);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn begin(&mut self, head: request::Parts, now: Duration) -> Begun {
        let request = http::Request::from_parts(head, Payload::default());
        let length = Request::new(&request).content_length();
        self.begin_request(request, length, self.body_limit, now)
    }

    fn begin_request(
        &mut self,
        request: http::Request<Payload>,
        length: Option<u64>,
        body_limit: u64,
        now: Duration,
    ) -> Begun {
        if self.unavailable_until(now).is_some() {
            return Begun::Answered(Box::new(Answer::reset()));
        }
        match handlers::begin(&mut self.state, &Request::new(&request), length, body_limit, now) {
            Ok(admission) => {
                let outages = self.state.outage.count();
                Begun::Pending(Box::new(PendingRequest { request, admission, outages }))
            }
            Err(answer) => {
                self.record(request.method(), request.uri().path(), answer.status());
                Begun::Answered(answer)
            }
        }
    }

    /// Answers a request whose body has arrived at `now`. The answer to a part of a body that breaks off is the one that
    /// [`PendingRequest::push`] announced; otherwise the part counts as the body.
    pub fn end(&mut self, pending: PendingRequest, now: Duration) -> Answer {
        let is_unavailable = self.unavailable_until(now).is_some();
        let PendingRequest { mut request, admission, outages } = pending;
        if is_unavailable || outages != self.state.outage.count() {
            return Answer::reset();
        }
        let received = admission.intake.finish().map(|payload| *request.body_mut() = payload);
        let received = received.map(|()| admission.caller).map_err(|refusal| *refusal);
        let answer = handlers::end(&mut self.state, &Request::new(&request), received, admission.delay, now);
        self.record(request.method(), request.uri().path(), answer.status());
        answer
    }

    fn record(&mut self, method: &Method, path: &str, status: StatusCode) {
        if self.handled.len() == self.max_handled {
            self.handled.pop_front();
        }
        let end = (0..=path.len().min(MAX_RECORDED_PATH)).rfind(|end| path.is_char_boundary(*end));
        let path = path[..end.unwrap_or_default()].to_owned();
        self.handled.push_back(HandledRequest { method: method.clone(), path, status });
    }

    /// The response to a read when the server has no memory left for the correct one.
    #[cfg(feature = "serve")]
    pub(crate) fn busy(&self) -> http::Response<Vec<u8>> {
        render(self.state.profile, Response::busy(), &Method::GET, "")
    }

    /// Adds a fault, which affects the next request.
    pub fn add_fault(&mut self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.state.faults.clear();
    }

    /// The number of open sessions.
    pub fn open_sessions(&self, now: Duration) -> usize {
        self.sessions(now).count()
    }

    /// The open sessions.
    pub fn sessions(&self, now: Duration) -> impl Iterator<Item = &Session> {
        let restarted = self.state.has_restarted_by(now);
        self.state.sessions.open_at(now).filter(move |_| !restarted)
    }

    /// The number of sessions by their end, at the time of the last request.
    pub fn session_count(&self) -> SessionCount {
        self.state.sessions.count()
    }

    /// The number of writes that were carried out at a path: PATCH and DELETE of the resource, POST to the collection or
    /// action. Logins count at the collection of sessions. For logouts, see [`Mock::session_count`]. Only the writes at the first
    /// 10,000 paths are counted.
    pub fn writes(&self, path: &str) -> u64 {
        self.state.write_count(path)
    }

    /// The last 1,000 requests that were handled, oldest first. A member of a fleet records only 8.
    pub fn handled(&self) -> impl ExactSizeIterator<Item = &HandledRequest> {
        self.handled.iter()
    }

    /// The end of the outage if the service is restarting at `now`.
    pub fn unavailable_until(&mut self, now: Duration) -> Option<Duration> {
        advance_to(&mut self.state, now);
        self.state.outage.until(now)
    }

    /// The number of outages until `now`. Each outage breaks all connections.
    pub fn outages(&mut self, now: Duration) -> u64 {
        advance_to(&mut self.state, now);
        self.state.outage.count()
    }

    /// Restarts the service without an outage: it loses all sessions and keeps what was written.
    pub fn reboot(&mut self, now: Duration) {
        advance_to(&mut self.state, now);
        self.state.restart(now, Duration::ZERO);
    }

    /// The text that an event stream has to send at `now`. Empty if there is nothing yet, and `None` if the stream is closed
    /// because its subscription was deleted.
    pub fn events(&mut self, stream: EventStream, now: Duration) -> Option<String> {
        advance_to(&mut self.state, now);
        self.state.events.read_stream(stream, now)
    }

    /// Closes an event stream whose client has disconnected.
    pub fn close_stream(&mut self, stream: EventStream) {
        self.state.events.remove(stream.0);
    }

    /// Removes and returns the events to send to the destinations of subscriptions. All destinations are `http` on loopback.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        self.state.events.take_deliveries()
    }

    /// The next time at which the service must be advanced even without a request.
    #[cfg(feature = "serve")]
    pub(crate) fn next_due(&self, now: Duration) -> Option<Duration> {
        let delivery = self.state.events.has_destinations().then(|| now + DELIVERY_INTERVAL);
        self.state.schedule.next_due().into_iter().chain(delivery).min()
    }
}
