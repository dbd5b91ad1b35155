//! The service as a value: a request and the time in, an answer out.

use std::collections::VecDeque;
use std::time::Duration;

use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::faults::Fault;
use crate::handlers;
use crate::handlers::clock::advance_to;
use crate::protocol::answer::Answer;
use crate::protocol::event::{Delivery, EventStream};
use crate::protocol::message::Base;
use crate::protocol::render::render;
use crate::protocol::request::Request;
use crate::protocol::response;
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
/// The interval at which events are sent to destinations.
#[cfg(feature = "serve")]
const DELIVERY_INTERVAL: Duration = Duration::from_millis(200);

/// A Redfish service as a value.
///
/// It reads no clock and opens no socket. Each request comes with the time, as the duration since any start that the caller
/// chooses. All randomness comes from [`Settings::seed`]. Copies are independent and cheap.
#[derive(Clone)]
pub struct Mock {
    state: State,
    handled: VecDeque<HandledRequest>,
    max_handled: usize,
}

/// A request that was handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandledRequest {
    /// The method.
    pub method: Method,
    /// The path, as the client wrote it.
    pub path: String,
    /// The status of the response, even if a fault prevented the client from receiving it.
    pub status: StatusCode,
}

impl Mock {
    /// Creates a service.
    pub fn new(settings: Settings) -> Mock {
        Mock { state: State::new(settings), handled: VecDeque::new(), max_handled: MAX_HANDLED }
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

    /// Answers a request that arrives at `now`. While the service is unavailable, the connection is reset: see
    /// [`Mock::unavailable_until`].
    pub fn handle<B: AsRef<[u8]>>(&mut self, request: &http::Request<B>, now: Duration) -> Answer {
        let request = Request::new(request);
        if self.unavailable_until(now).is_some() {
            return Answer::reset();
        }
        let answer = handlers::handle(&mut self.state, &request, now);
        if self.handled.len() == self.max_handled {
            self.handled.pop_front();
        }
        self.handled.push_back(HandledRequest {
            method: request.method.clone(),
            path: request.uri.path().to_owned(),
            status: answer.status(),
        });
        answer
    }

    /// The response to a request whose body exceeds the limit of the server. The request is not handled.
    pub fn payload_too_large(&self) -> Response<Vec<u8>> {
        let error = response::Response::error(StatusCode::PAYLOAD_TOO_LARGE, Base::PayloadTooLarge, []);
        let mut response = render(self.state.profile, error, &Method::POST, "");
        // The rest of the body would be parsed as the next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
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
    /// action. Logins count at the collection of sessions. For logouts, see [`Mock::session_count`].
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
