//! A service in memory, and a driver whose responses arrive in any order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redfish_proto::driver::{Failure, Now, Reply, Step};
use redfish_proto::walk::{Event, Fetch, Place, Ticket, Unread, Walk};
use redfish_proto::{Error, Service, Session};
use serde_json::{Value, json};

/// The response to a request.
pub(crate) enum Response {
    Json(Value),
    Text(String),
    Status(u16),
    /// A 503 that asks for a wait.
    Busy(u64),
    /// No connection.
    Refused,
    /// The connection broke.
    Broken,
    /// No response in time.
    Late,
}

/// What a walk did.
#[derive(Default)]
pub(crate) struct Walked {
    /// Each resource that was read, with its number.
    pub(crate) found: Vec<(usize, String)>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) failed_pages: Vec<Error>,
    pub(crate) shortened: usize,
    pub(crate) end: Option<Error>,
    pub(crate) depth_exceeded: Option<Error>,
    /// Each request, without `/redfish/v1` before it.
    pub(crate) requests: Vec<String>,
    pub(crate) max_in_flight: usize,
    /// The number in flight when each request was sent.
    pub(crate) in_flight: Vec<usize>,
    /// The number of events that were taken before each request was sent.
    pub(crate) taken: Vec<usize>,
    pub(crate) places: BTreeMap<usize, Place>,
    pub(crate) elapsed: Duration,
}

impl Walked {
    /// The URIs of what was read, sorted.
    pub(crate) fn uris(&self) -> Vec<&str> {
        let mut uris: Vec<&str> = self.found.iter().map(|(_, uri)| uri.as_str()).collect();
        uris.sort_unstable();
        uris
    }

    /// Each resource with its parent, position and depth, sorted.
    pub(crate) fn tree(&self) -> Vec<(String, String, usize, usize)> {
        let unread = self.unread.iter().map(|unread| (unread.number, unread.uri.to_string()));
        let uris: BTreeMap<usize, String> = self.found.iter().cloned().chain(unread).collect();
        let mut tree: Vec<_> = uris
            .iter()
            .map(|(number, uri)| {
                let Place { parent, position, depth } = self.places[number];
                let parent = parent.map_or("", |parent| uris.get(&parent).map_or("?", String::as_str));
                (uri.clone(), parent.to_owned(), position, depth)
            })
            .collect();
        tree.sort();
        tree
    }

    pub(crate) fn end(&self) -> String {
        self.end.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

pub(crate) fn service() -> Arc<Service> {
    Arc::new(Service::new("bmc.example").unwrap())
}

pub(crate) fn walk(start: &str) -> Walk {
    let service = service();
    let start = service.target(start).unwrap();
    Walk::new(service, start)
}

/// A resource with links, as `{"name": ["/uri", ...]}`.
pub(crate) fn resource(uri: &str, members: Value) -> Value {
    let mut resource =
        json!({"@odata.id": uri, "@odata.type": "#Thing.v1_0_0.Thing", "Id": uri, "Name": uri});
    resource.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    resource
}

pub(crate) fn link(uri: &str) -> Value {
    json!({"@odata.id": uri})
}

/// Drives a walk with this many requests in flight. `pick` chooses the response that arrives next.
pub(crate) fn drive(
    walk: Walk,
    room: usize,
    pick: impl FnMut(usize) -> usize,
    respond: impl FnMut(&str) -> Response,
) -> Walked {
    drive_taking(usize::MAX, walk, room, pick, respond)
}

/// The same, if the caller takes no more than this many events between two responses.
pub(crate) fn drive_taking(
    at_most: usize,
    walk: Walk,
    room: usize,
    pick: impl FnMut(usize) -> usize,
    mut respond: impl FnMut(&str) -> Response,
) -> Walked {
    drive_with(at_most, walk, room, pick, |target, _| respond(target), None)
}

/// The last request is answered first, so that those that exceed a limit are dropped. The response may depend on the number in
/// flight.
pub(crate) fn drive_crowded(walk: Walk, room: usize, respond: impl FnMut(&str, usize) -> Response) -> Walked {
    drive_with(usize::MAX, walk, room, |waiting| waiting - 1, respond, None)
}

/// The client has a session. `is_alive` is called after each 401 that it believes to be that of the session, and says whether the
/// session is alive; otherwise the client logs in.
pub(crate) fn drive_with_session(
    walk: Walk,
    room: usize,
    mut is_alive: impl FnMut() -> bool,
    mut respond: impl FnMut(&str) -> Response,
) -> Walked {
    let sessions = Sessions { current: session(), is_alive: &mut is_alive };
    drive_with(usize::MAX, walk, room, |_| 0, |target, _| respond(target), Some(sessions))
}

/// The sessions of a client.
struct Sessions<'a> {
    current: Session,
    is_alive: &'a mut dyn FnMut() -> bool,
}

fn session() -> Session {
    Session::from_token(&service(), "token", None).unwrap()
}

/// Answers requests for a session.
fn with_session(mut step: Step<Fetch>, sessions: &mut Option<Sessions<'_>>, now: Now) -> Step<Fetch> {
    while let Step::Session(request, reply) = step {
        step = match sessions {
            None => reply.decline(now),
            Some(sessions) => {
                let is_refused = request.rejected() == Some(&sessions.current.clone().into());
                if is_refused && !(sessions.is_alive)() {
                    sessions.current = session();
                }
                reply.give(Ok(sessions.current.clone().into()), now)
            }
        };
    }
    step
}

fn drive_with(
    at_most: usize,
    mut walk: Walk,
    room: usize,
    mut pick: impl FnMut(usize) -> usize,
    mut respond: impl FnMut(&str, usize) -> Response,
    mut sessions: Option<Sessions<'_>>,
) -> Walked {
    let (mut walked, mut taken) = (Walked::default(), 0);
    let mut now = Now::default();
    let mut in_flight: Vec<(Ticket, String, Reply<Fetch>)> = Vec::new();
    loop {
        while in_flight.len() < room {
            let Some((ticket, call)) = walk.next_call(now) else { break };
            let step = with_session(call.start(now), &mut sessions, now);
            let Step::Send(outgoing, reply) = step else { panic!("{step:?}") };
            let target = outgoing.request.uri().path_and_query().unwrap().to_string();
            walked.requests.push(target.trim_start_matches("/redfish/v1").to_owned());
            in_flight.push((ticket, target, reply));
            walked.in_flight.push(in_flight.len());
            walked.taken.push(taken);
            walked.max_in_flight = walked.max_in_flight.max(in_flight.len());
        }
        let before = taken;
        while let Some(event) = (taken - before < at_most).then(|| walk.next_event()).flatten() {
            taken += 1;
            match event {
                Ok(Event::Resource(found)) => walked.found.push((found.number(), found.target().to_string())),
                Ok(Event::Unread(unread)) => walked.unread.push(unread),
                Ok(Event::PageFailed { error, .. }) => walked.failed_pages.push(error),
                Ok(Event::LogShortened { .. }) => walked.shortened += 1,
                Ok(_) => {}
                Err(error) => walked.end = Some(error),
            }
        }
        if walked.end.is_some() {
            in_flight.clear();
        }
        if in_flight.is_empty() && taken > before {
            continue;
        }
        if in_flight.is_empty() {
            match walk.pause(now) {
                Some(time) => now = now.after(time),
                None => break,
            }
            continue;
        }
        let together = in_flight.len();
        let (ticket, target, reply) = in_flight.swap_remove(pick(in_flight.len()) % in_flight.len());
        now = now.after(Duration::from_millis(50));
        match with_session(answer(reply, respond(&target, together), now), &mut sessions, now) {
            Step::Done(result) => walk.receive(ticket, result, now),
            Step::Send(outgoing, reply) => {
                // The call itself sends a request again, or the next one.
                let target = outgoing.request.uri().path_and_query().unwrap().to_string();
                walked.requests.push(target.trim_start_matches("/redfish/v1").to_owned());
                in_flight.push((ticket, target, reply));
                walked.in_flight.push(in_flight.len());
                walked.taken.push(taken);
            }
            step => panic!("{step:?}"),
        }
    }
    let unread = walked.unread.iter().map(|unread| unread.number);
    let numbers: Vec<usize> = walked.found.iter().map(|(number, _)| *number).chain(unread).collect();
    walked.places = numbers.into_iter().filter_map(|number| Some((number, walk.place(number)?))).collect();
    walked.elapsed = now.0;
    walked.depth_exceeded = walk.depth_exceeded();
    walked
}

fn answer(reply: Reply<Fetch>, response: Response, now: Now) -> Step<Fetch> {
    let head = |status: u16| http::Response::builder().status(status);
    match response {
        Response::Json(body) => {
            reply.receive(head(200).body(()).unwrap().into_parts().0, Ok(body.to_string().into()), now)
        }
        Response::Text(text) => {
            reply.receive(head(200).body(()).unwrap().into_parts().0, Ok(text.into()), now)
        }
        Response::Status(status) => {
            reply.receive(head(status).body(()).unwrap().into_parts().0, Ok("".into()), now)
        }
        Response::Busy(seconds) => {
            let head = head(503).header("Retry-After", seconds.to_string());
            reply.receive(head.body(()).unwrap().into_parts().0, Ok("".into()), now)
        }
        Response::Refused => reply.fail(Failure::NotSent, now),
        Response::Broken => reply.fail(Failure::Broken, now),
        Response::Late => reply.fail(Failure::TimedOut, now),
    }
}

/// Drives it with one request in flight.
pub(crate) fn drive_alone(walk: Walk, respond: impl FnMut(&str) -> Response) -> Walked {
    drive(walk, 1, |_| 0, respond)
}

/// Responds from a table of URIs; 404 for any other.
pub(crate) fn table(resources: Vec<(&str, Value)>) -> impl FnMut(&str) -> Response + Clone {
    let resources: BTreeMap<String, Value> =
        resources.into_iter().map(|(uri, body)| (uri.to_owned(), body)).collect();
    move |target| match resources.get(target) {
        Some(body) => Response::Json(body.clone()),
        None => Response::Status(404),
    }
}
