//! What subscriptions and streams do: opened, told, closed.

use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::mock::Mock;
use crate::protocol::date::date_time;
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::patch::Patch;
use crate::protocol::profile::Profile;
use crate::protocol::query::Query;
use crate::protocol::request::Request;
use crate::protocol::response::{Content, Reply};
use crate::routing::route::Place;
use crate::state::accounts::ACCOUNTS;
use crate::state::events::{self, Delivery, EventStream, SUBSCRIPTIONS};
use crate::state::sessions::{SESSIONS, Session};
use crate::state::tasks::TASKS;

impl Mock {
    /// What a stream of server-sent events has to send by `now`; nothing yet where the text is empty, and `None` when it has
    /// ended, as its subscription was deleted.
    pub fn events(&mut self, stream: EventStream, now: Duration) -> Option<String> {
        self.pass(now);
        self.events.read(stream, now)
    }

    /// Closes a stream, as its client has gone.
    pub fn close_stream(&mut self, stream: EventStream) {
        self.events.remove(stream.0);
    }

    /// The events that wait to be sent to their subscribers' destinations. Only `http` at loopback is among these.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        self.events.take_outbox()
    }

    /// Tells who asked that something happened to a resource. Of one that is removed, before it is.
    pub(crate) fn tell(&mut self, message: Message, origin: &str) {
        let schema = self.schema(origin);
        self.events.tell(message, origin, schema, self.now, self.profile);
    }

    /// Tells who asked that these sessions have ended.
    pub(crate) fn tell_of_the_end(&mut self, sessions: &[Session]) {
        for session in sessions {
            self.tell(Message::new(ResourceEvent::ResourceRemoved, []), &session.path());
        }
    }

    /// The name of a resource's schema, without version.
    fn schema(&self, path: &str) -> String {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let passing = [(SESSIONS, "Session"), (ACCOUNTS, "ManagerAccount"), (TASKS, "Task")];
        let found = passing.iter().find(|(collection, _)| *collection == above).map(|(_, schema)| *schema);
        let kind = self.tree.at(path).and_then(|resource| resource.document()["@odata.type"].as_str());
        let named = kind.and_then(|kind| kind.trim_start_matches('#').split('.').next());
        named.or(found).unwrap_or_default().to_owned()
    }

    pub(crate) fn subscribe(&mut self, body: &Map<String, Value>) -> Reply {
        let missing =
            events::REQUIRED.iter().filter(|property| !body.contains_key(property.path)).map(|property| {
                Message::new(Base::CreateFailedMissingReqProperties, [property.path]).about(property.path)
            });
        let wrong = body.iter().filter(|(name, _)| !name.contains('@')).filter_map(|(name, value)| {
            match events::TAKEN.iter().find(|property| property.path == name) {
                Some(property) => property.kind.check(name, value).err(),
                None => Some(Message::new(Base::PropertyUnknown, [name])),
            }
            .map(|message| message.about(name))
        });
        let problems: Vec<Message> = missing.chain(wrong).collect();
        if !problems.is_empty() {
            return Reply::refusals(StatusCode::BAD_REQUEST, problems);
        }
        let Some(id) = self.events.subscribe(body) else { return full() };
        self.wrote(SUBSCRIPTIONS);
        let content = match self.profile {
            Profile::Standard => {
                self.events.render(id, self.profile).map_or(Content::Nothing, Content::Document)
            }
            Profile::IloAmplifier => Content::Messages(vec![Message::new(Base::Created, [])]),
        };
        let mut reply = Reply::new(StatusCode::CREATED, content);
        reply.created = Some(events::path(id));
        reply
    }

    pub(crate) fn patch_subscription(&mut self, id: u64, change: &Map<String, Value>) -> Reply {
        let Some(document) = self.events.document(id) else {
            return Reply::refusal(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, [&events::path(id)]);
        };
        let patch = Patch::new(document, change, events::WRITABLE);
        if let Some(failure) = patch.failure() {
            return Reply::refusals(StatusCode::BAD_REQUEST, failure);
        }
        self.events.write(id, patch.document.clone());
        self.wrote(&events::path(id));
        self.changed(&patch, &Place::Subscription(id))
    }

    /// Opens a stream for who accepts one, from where an earlier one broke off. A HEAD opens none.
    pub(crate) fn open_stream(&mut self, request: &Request<'_>, now: Duration) -> Reply {
        if !request.accepts("text/event-stream") {
            return Reply::refusal(
                StatusCode::NOT_ACCEPTABLE,
                Base::HeaderInvalid,
                [header::ACCEPT.as_str()],
            );
        }
        let filter = match Query::of_stream(request.uri.query().unwrap_or_default()) {
            Ok(filter) => filter,
            Err(refusal) => return *refusal,
        };
        let mut reply = Reply::new(StatusCode::OK, Content::Nothing);
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        if request.method == Method::HEAD {
            return reply;
        }
        let Some(stream) = self.events.open(filter, now) else { return full() };
        if let Some(last) = request.headers.get("last-event-id") {
            self.events.replay(stream, last.to_str().unwrap_or_default().trim(), now, self.profile);
        }
        self.events.greet(stream, self.metric_report(now), now, self.profile);
        reply.stream = Some(stream);
        reply
    }

    /// What the room's sensors measure.
    fn metric_report(&self, now: Duration) -> Value {
        let time = date_time(now);
        let measured = |id: &str| {
            let path = format!("/redfish/v1/Chassis/{id}/Sensors/TotalPower");
            let reading = self.tree.at(&path)?.document()["Reading"].to_string();
            Some(json!({
                "MetricId": format!("TotalPower {id}"),
                "MetricProperty": format!("{path}#/Reading"),
                "MetricValue": reading,
                "Timestamp": time,
            }))
        };
        let values: Vec<Value> = crate::inventory::ids().filter_map(measured).collect();
        json!({
            "@odata.type": "#MetricReport.v1_5_1.MetricReport",
            "Id": "TotalPower",
            "Name": "What the machines draw",
            "Timestamp": time,
            "MetricValues": values,
        })
    }
}

fn full() -> Reply {
    Reply::refusal(StatusCode::SERVICE_UNAVAILABLE, Base::EventSubscriptionLimitExceeded, [])
}
