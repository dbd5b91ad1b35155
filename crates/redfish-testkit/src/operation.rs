//! The operations that a transcript names. Their output is JSON, so that all drivers play them the same way.

use redfish_proto::events::{
    CreateSubscription, DeleteSubscription, ListSubscriptions, StreamItem, Subscription,
};
use redfish_proto::ops::{
    Action, Actions, Chain, GetPage, IfMatch, Invoke, ListSessions, Listed, ListedSession, LookupMessage,
    Monitor, Outcome, Page, PowerChange, Read, Reset, SimpleUpdate, TaskOutcome, WaitForPower, WaitUntil,
    Write, Written,
};
use redfish_proto::query::{Expand, NegotiateQuery, Query};
use redfish_proto::{Body, Error, Message, Redactor, Resource, Service, Target, Transition};
use redfish_schema::{ComputerSystem, EventDestination};
use serde_json::{Map, Value, json};

/// The arguments of an operation: the rest of its line in a transcript.
struct Args<'a> {
    service: &'a Service,
    first: &'a str,
    rest: &'a str,
}

impl Args<'_> {
    fn target(&self) -> Result<Target, Error> {
        self.service.target(self.first)
    }

    fn body(&self) -> Body {
        Body::from(self.rest.as_bytes().to_vec())
    }
}

/// A DELETE, with a body if there is one.
fn delete(args: &Args<'_>) -> Result<Write, Error> {
    let write = Write::delete(&args.target()?);
    Ok(if args.rest.is_empty() { write } else { write.json(args.body()) })
}

type Create = fn(&Args<'_>) -> Result<Chain<Value>, Error>;

/// Each operation that a transcript can name, with its arguments.
const OPERATIONS: [(&str, Create); 23] = [
    // PATH: all members of a collection
    ("members", |args| Ok(members(GetPage::first(args.target()?), Vec::new()))),
    // PATH [FILTER]: all members, expanded and filtered as far as the service supports it
    ("query", query),
    // PATH NAME,…: these properties of all members, expanded as far as the service supports it
    ("select", |args| {
        let query = Query::new().expand(Expand::Subordinate, 1).select_members(args.rest.split(','));
        negotiate(args, query)
    }),
    // PATH [JSON]: writes; only `patch` sends `If-Match`
    ("patch", |args| write(Write::patch(&args.target()?, args.body()).if_match(IfMatch::Current))),
    // PATH JSON: says if the change belongs to the settings resource
    ("patch-checking-settings", |args| {
        let patch = Write::patch(&args.target()?, args.body()).if_match(IfMatch::Current);
        write(patch.checking_settings())
    }),
    ("patch-anyway", |args| write(Write::patch(&args.target()?, args.body()))),
    ("patch-if-required", |args| {
        write(Write::patch(&args.target()?, args.body()).if_match(IfMatch::IfRequired))
    }),
    ("put", |args| write(Write::put(&args.target()?, args.body()))),
    ("post", |args| write(Write::post(&args.target()?, args.body()))),
    ("delete", |args| write(delete(args)?)),
    // PATH: reads twice, the second time with `If-None-Match`
    ("reread", |args| Ok(reread(args.target()?))),
    // URI: watches a task until it ends
    ("watch", |args| Ok(Chain::new(Monitor::new(args.target()?).watch(), task_outcome))),
    // PATH
    ("actions", |args| {
        Ok(Chain::new(Actions::new(args.target()?), |actions| {
            done(actions.into_iter().map(action_json).collect())
        }))
    }),
    // PATH NAME [JSON]
    ("invoke", |args| {
        let (name, parameters) = args.rest.split_once(' ').unwrap_or((args.rest, ""));
        Ok(Chain::new(Invoke::new(args.target()?, name, parse_object(parameters)), outcome))
    }),
    // TYPE [PATH]
    ("reset", |args| {
        let reset = Reset::new(args.first);
        let reset = if args.rest.is_empty() { reset } else { reset.system(args.service.target(args.rest)?) };
        Ok(Chain::new(reset, |accepted| outcome(accepted.outcome)))
    }),
    // PATH: waits until the system is on
    ("power-on", |args| {
        let is_on = |system: &Value| system["PowerState"] == "On";
        Ok(Chain::new(WaitUntil::new(args.target()?, is_on), |_| done(Value::Null)))
    }),
    // TYPE PATH: waits for the effect of a reset
    ("reached", |args| {
        let change = Reset::expected_power_change(&args.first.into()).unwrap_or(PowerChange::Restart);
        let system = args.service.target(args.rest)?;
        Ok(Chain::new(WaitForPower::new(system, change), |()| done(Value::Null)))
    }),
    // URI [JSON]: `Username` and `Password` in the JSON are the image server's credentials
    ("simple-update", |args| Ok(Chain::new(simple_update(args.first, parse_object(args.rest)), outcome))),
    // ID [ARGUMENTS]: looks up a message in the registries
    ("lookup", |args| {
        let clean = |text: &str| Redactor::default().clean(text);
        let mut message = Message::default();
        message.id = clean(args.first);
        let texts: Vec<String> = if args.rest.is_empty() { Vec::new() } else { parse_json(args.rest) };
        message.args = texts.iter().map(|text| clean(text)).collect();
        Ok(Chain::new(LookupMessage::new(message), |found| done(json!(found.map(|message| message.text)))))
    }),
    // CONTEXT: lists the sessions and their ownership
    ("sessions", |args| {
        let context = args.first.to_owned();
        Ok(Chain::new(ListSessions::default(), move |found| {
            done(listed_json(&found, |one| session_json(one, &context)))
        }))
    }),
    // URL [JSON]
    ("subscribe", |args| {
        let create = CreateSubscription::new(subscription(args.first, parse_object(args.rest)));
        Ok(Chain::new(create, |target| done(json!(target))))
    }),
    // all
    ("subscriptions", |_| {
        let json = |one: &Resource<EventDestination>| json!([one.target(), one.destination(), one.context()]);
        Ok(Chain::new(ListSubscriptions::<EventDestination>::default(), move |found| {
            done(listed_json(&found, json))
        }))
    }),
    // PATH
    ("unsubscribe", |args| Ok(Chain::new(DeleteSubscription::new(args.target()?), outcome))),
];

/// Creates the operation with this name, and with arguments from the rest of the line.
///
/// # Errors
/// The path is not valid.
///
/// # Panics
/// If the name is unknown or the JSON is malformed.
pub fn parse(service: &Service, name: &str, rest: &str) -> Result<Chain<Value>, Error> {
    let (_, create) = OPERATIONS
        .iter()
        .find(|(listed, _)| *listed == name)
        .unwrap_or_else(|| panic!("unknown operation {name}"));
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    create(&Args { service, first, rest: rest.trim() })
}

fn query(args: &Args<'_>) -> Result<Chain<Value>, Error> {
    let query = Query::new().expand(Expand::Links, 1);
    let query = if args.rest.is_empty() { query } else { query.filter(args.rest) };
    negotiate(args, query)
}

/// Reads all members that match a query, as far as the service supports it.
fn negotiate(args: &Args<'_>, query: Query) -> Result<Chain<Value>, Error> {
    Ok(Chain::new(NegotiateQuery::new(args.target()?, query)?, |target| {
        Ok(Transition::Next(members(GetPage::first(target), Vec::new())))
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a row's function")]
fn write(write: Write) -> Result<Chain<Value>, Error> {
    Ok(Chain::new(write, outcome))
}

fn parse_json<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn parse_object(text: &str) -> Map<String, Value> {
    if text.is_empty() { Map::new() } else { parse_json(text) }
}

/// Reads this page and the following ones, and appends their members.
fn members(page: GetPage, mut collected: Vec<Value>) -> Chain<Value> {
    Chain::new(page, |Page { members: found, next, .. }| {
        for member in found {
            collected.push(member.json()?);
        }
        match next? {
            Some(next) => Ok(Transition::Next(members(next, collected))),
            None => done(Value::Array(collected)),
        }
    })
}

fn reread(target: Target) -> Chain<Value> {
    Chain::new(Read::<ComputerSystem>::new(target), |earlier| {
        let body = earlier.raw().clone();
        Ok(Transition::Next(Chain::new(Read::again(earlier), move |now| {
            // The same allocation, not only an equal body: a 304 reuses the earlier body.
            let unchanged = now.raw().as_ptr() == body.as_ptr();
            done(json!({"unchanged": unchanged, "id": now.id()}))
        })))
    })
}

fn simple_update(image: &str, mut parameters: Map<String, Value>) -> SimpleUpdate {
    let mut text =
        |name: &str| parameters.remove(name).map(|text| text.as_str().unwrap_or_default().to_owned());
    let update = SimpleUpdate::new(image);
    let update = match (text("Username"), text("Password")) {
        (Some(user), Some(password)) => {
            update.credentials(&redfish_proto::Credentials::new(&user, &password))
        }
        _ => update,
    };
    parameters.into_iter().fold(update, |update, (name, value)| update.parameter(name, value))
}

/// Creates a subscription to a destination from a JSON object of further members.
fn subscription(destination: &str, members: Map<String, Value>) -> Subscription {
    let plain = Subscription::new(destination);
    members.into_iter().fold(plain, |subscription, (name, value)| match (name.as_str(), &value) {
        ("HttpHeaders", Value::Object(headers)) => {
            headers.iter().fold(subscription, |subscription, (name, value)| {
                subscription.header(name, value.as_str().unwrap_or_default())
            })
        }
        _ => subscription.member(name, value),
    })
}

fn done(value: Value) -> Result<Transition<Chain<Value>>, Error> {
    Ok(Transition::Done(value))
}

fn action_json(action: Action) -> (String, Value) {
    let allowable =
        action.parameters.into_iter().map(|parameter| (parameter.name, json!(parameter.allowable)));
    (action.name, Value::Object(allowable.collect()))
}

/// A list of the members, or an object with the members and the failure if something is missing.
fn listed_json<T>(listed: &Listed<T>, json: impl Fn(&T) -> Value) -> Value {
    let members: Value = listed.members.iter().map(json).collect();
    match &listed.failure {
        None => members,
        Some(failure) => json!({"members": members, "failure": [failure.kind().name(), failure.uri()]}),
    }
}

fn session_json(listed: &ListedSession, context: &str) -> Value {
    json!([listed.target(), listed.text("UserName"), format!("{:?}", listed.ownership(None, Some(context)))])
}

fn written_json(written: &Written) -> Value {
    let mut json = json!({"status": written.status.as_u16()});
    if let Some(created) = &written.created {
        json["location"] = json!(created);
    }
    if !written.messages.is_empty() {
        json["messages"] = written.messages.iter().map(|message| message.id.as_str()).collect();
    }
    if let Some(settings) = &written.settings {
        json["settings"] = json!(settings);
    }
    if !written.task_status.is_empty() {
        json["task_status"] = written.task_status.as_str().into();
    }
    json
}

fn task_outcome(outcome: TaskOutcome) -> Result<Transition<Chain<Value>>, Error> {
    match outcome {
        TaskOutcome::Completed(end) => done(written_json(&end)),
        TaskOutcome::Failed(error) => Err(error),
    }
}

fn outcome(outcome: Outcome) -> Result<Transition<Chain<Value>>, Error> {
    done(outcome_json(&outcome))
}

/// The JSON of a stream item in a transcript. `None` between two connections, where a transcript has the wait.
pub fn stream_item_json(item: &StreamItem) -> Option<Value> {
    match item {
        StreamItem::Event(event) => Some(json!([event.id, event.data])),
        StreamItem::Gap { after, before } => Some(json!({"after": after, "before": before})),
        StreamItem::Reconnecting(_) => None,
    }
}

/// The JSON of a write's outcome in a transcript.
///
/// # Panics
/// If the outcome is of an unknown kind.
pub fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Finished(end) => written_json(end),
        Outcome::Accepted(monitor) => match monitor.task() {
            Some(task) => json!({"monitor": {"at": monitor.target(), "task": task}}),
            None => json!({"monitor": {"at": monitor.target()}}),
        },
        Outcome::AcceptedWithoutMonitor(written) => json!({"accepted": written_json(written)}),
        other => panic!("unknown outcome: {other:?}"),
    }
}
