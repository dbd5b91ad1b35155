//! The operations that a transcript names, each with its outcome as JSON, so that every driver plays them the same way.

use redfish_proto::events::{
    CreateSubscription, DeleteSubscription, ListSubscriptions, StreamItem, Subscription,
};
use redfish_proto::ops::{
    Action, Actions, Chain, GetPage, IfMatch, Invoke, ListSessions, ListedSession, LookupMessage, Monitor,
    Outcome, Page, PowerChange, Read, Reset, SimpleUpdate, TaskOutcome, WaitForPower, WaitUntil, Write,
    Written,
};
use redfish_proto::query::{Expand, NegotiateQuery, Query};
use redfish_proto::schema::{ComputerSystem, EventDestination};
use redfish_proto::{Body, Error, Message, Redactor, Resource, Service, Target, Transition};
use serde_json::{Map, Value, json};

/// The operation of that name, with the rest of its line.
///
/// | verb | operation |
/// |---|---|
/// | `members PATH` · `query PATH [FILTER]` | all members of a collection, expanded and filtered as far as offered |
/// | `patch` · `put` · `post` · `delete` `PATH [JSON]` | a write; `patch` sends `If-Match` |
/// | `patch-anyway` · `patch-if-required` `PATH JSON` | without `If-Match`, or only where the service requires it |
/// | `reread PATH` | reads twice, the second time only what has changed |
/// | `watch URI` | watches a task to its end |
/// | `actions PATH` · `invoke PATH NAME [JSON]` · `reset TYPE [PATH]` | actions |
/// | `power-on PATH` · `reached TYPE PATH` | waits for a power state, or until a reset has done its work |
/// | `simple-update URI [JSON]` | the service fetches an image; `Username` and `Password` in the JSON are its credentials |
/// | `lookup ID [ARGUMENTS]` | a message in the registries |
/// | `sessions CONTEXT` | the list of sessions, each with whose it is |
/// | `subscribe URL [JSON]` · `subscriptions all` · `unsubscribe PATH` | subscriptions |
///
/// # Errors
/// A path that is not valid.
///
/// # Panics
/// No operation has that name, or what should be JSON is not.
pub fn parse(service: &Service, name: &str, rest: &str) -> Result<Chain<Value>, Error> {
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let rest = rest.trim();
    let at = || service.target(first);
    let body = || Body::from(rest.as_bytes().to_vec());
    let write = |write| Chain::new(write, outcome);
    Ok(match name {
        "members" => members(GetPage::first(at()?), Vec::new()),
        "query" => {
            let query = Query::new().expand(Expand::Links, 1);
            let query = if rest.is_empty() { query } else { query.filter(rest) };
            Chain::new(NegotiateQuery::new(at()?, query)?, |at| {
                Ok(Transition::Next(members(GetPage::first(at), Vec::new())))
            })
        }
        "patch" => write(Write::patch(&at()?, body()).if_match(IfMatch::Current)),
        "patch-anyway" => write(Write::patch(&at()?, body())),
        "patch-if-required" => write(Write::patch(&at()?, body()).if_match(IfMatch::IfRequired)),
        "put" => write(Write::put(&at()?, body())),
        "post" => write(Write::post(&at()?, body())),
        "delete" => write(Write::delete(&at()?)),
        "reread" => reread(at()?),
        "watch" => Chain::new(Monitor::new(at()?).watch(), ended),
        "actions" => {
            Chain::new(Actions::new(at()?), |actions| value(actions.into_iter().map(action).collect()))
        }
        "invoke" => {
            let (name, parameters) = rest.split_once(' ').unwrap_or((rest, ""));
            Chain::new(Invoke::new(at()?, name, object(parameters)), outcome)
        }
        "reset" => {
            let reset = Reset::new(first);
            let reset = if rest.is_empty() { reset } else { reset.system(service.target(rest)?) };
            Chain::new(reset, |taken| outcome(taken.outcome))
        }
        "power-on" => {
            Chain::new(WaitUntil::new(at()?, |system: &Value| system["PowerState"] == "On"), |_| {
                value(Value::Null)
            })
        }
        "reached" => {
            let change = Reset::expected_power_change(first).unwrap_or(PowerChange::Restart);
            Chain::new(WaitForPower::new(service.target(rest)?, change), |()| value(Value::Null))
        }
        "simple-update" => Chain::new(simple_update(first, object(rest)), outcome),
        "lookup" => {
            let mut message = Message::default();
            message.id = Redactor::default().clean(first);
            let args: Vec<String> = if rest.is_empty() { Vec::new() } else { json_of(rest) };
            message.args = args.iter().map(|arg| Redactor::default().clean(arg)).collect();
            Chain::new(LookupMessage::new(message), |found| value(json!(found.map(|message| message.text))))
        }
        "sessions" => {
            let context = first.to_owned();
            Chain::new(ListSessions::default(), move |found| {
                value(found.iter().map(|one| session(one, &context)).collect())
            })
        }
        "subscribe" => {
            let create = CreateSubscription::new(subscription(first, object(rest)));
            Chain::new(create, |at| value(json!(at)))
        }
        "subscriptions" => Chain::new(ListSubscriptions::default(), |found| {
            let shown = |one: &Resource<EventDestination>| {
                json!([one.target(), one.value().destination, one.value().context])
            };
            value(found.iter().map(shown).collect())
        }),
        "unsubscribe" => Chain::new(DeleteSubscription::new(at()?), outcome),
        _ => panic!("no operation has the name {name}"),
    })
}

fn json_of<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn object(text: &str) -> Map<String, Value> {
    if text.is_empty() { Map::new() } else { json_of(text) }
}

fn members(page: GetPage, mut before: Vec<Value>) -> Chain<Value> {
    Chain::new(page, |Page { members: found, next, .. }| {
        for member in found {
            before.push(member.json()?);
        }
        match next? {
            Some(next) => Ok(Transition::Next(members(next, before))),
            None => value(Value::Array(before)),
        }
    })
}

fn reread(at: Target) -> Chain<Value> {
    Chain::new(Read::<ComputerSystem>::new(at), |earlier| {
        let body = earlier.body().clone();
        Ok(Transition::Next(Chain::new(Read::again(earlier), move |now| {
            // Not only equal: what was not sent again is the earlier read's own.
            let unchanged = now.body().as_ptr() == body.as_ptr();
            value(json!({"unchanged": unchanged, "id": now.value().id}))
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

/// A subscription of a destination and a JSON object of further members.
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

fn value(value: Value) -> Result<Transition<Chain<Value>>, Error> {
    Ok(Transition::Done(value))
}

fn action(action: Action) -> (String, Value) {
    let allowable =
        action.parameters.into_iter().map(|parameter| (parameter.name, json!(parameter.allowable)));
    (action.name, Value::Object(allowable.collect()))
}

fn session(listed: &ListedSession, context: &str) -> Value {
    json!([listed.target(), listed.text("UserName"), format!("{:?}", listed.whose(None, Some(context)))])
}

fn written(written: &Written) -> Value {
    let mut value = json!({"status": written.status.as_u16()});
    if let Some(location) = &written.location {
        value["location"] = json!(location);
    }
    if !written.rejected.is_empty() {
        value["rejected"] = written.rejected.iter().map(|(at, _)| at.as_str()).collect();
    }
    value
}

fn ended(ended: TaskOutcome) -> Result<Transition<Chain<Value>>, Error> {
    match ended {
        TaskOutcome::Completed(end) => value(written(&end)),
        TaskOutcome::Failed(error) => Err(error),
    }
}

fn outcome(outcome: Outcome) -> Result<Transition<Chain<Value>>, Error> {
    value(outcome_json(&outcome))
}

/// What a stream of events brings, as a transcript has it.
pub fn incoming_json(incoming: &StreamItem) -> Value {
    match incoming {
        StreamItem::Event(event) => json!([event.id, event.data]),
        StreamItem::Gap { after, before } => json!({"after": after, "before": before}),
    }
}

/// A write's outcome, as a transcript has it.
///
/// # Panics
/// An outcome of a kind that is not known here.
pub fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Finished(end) => written(end),
        Outcome::Accepted(monitor) => json!({"monitor": monitor}),
        other => panic!("a new kind of outcome: {other:?}"),
    }
}
