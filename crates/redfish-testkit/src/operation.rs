//! The operations that a transcript names. Their output is JSON, so that all drivers play them the same way.

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

/// Creates the operation with this name, and with arguments from the rest of the line.
///
/// | verb | operation |
/// |---|---|
/// | `members PATH` · `query PATH [FILTER]` | all members of a collection, expanded and filtered as far as supported |
/// | `patch` · `put` · `post` · `delete` `PATH [JSON]` | a write; `patch` sends `If-Match` |
/// | `patch-anyway` · `patch-if-required` `PATH JSON` | without `If-Match`, or only if the service requires it |
/// | `reread PATH` | reads twice, the second time with `If-None-Match` |
/// | `watch URI` | watches a task until it ends |
/// | `actions PATH` · `invoke PATH NAME [JSON]` · `reset TYPE [PATH]` | actions |
/// | `power-on PATH` · `reached TYPE PATH` | waits for a power state, or for the effect of a reset |
/// | `simple-update URI [JSON]` | SimpleUpdate; `Username` and `Password` in the JSON are the image server's credentials |
/// | `lookup ID [ARGUMENTS]` | looks up a message in the registries |
/// | `sessions CONTEXT` | lists the sessions and their ownership |
/// | `subscribe URL [JSON]` · `subscriptions all` · `unsubscribe PATH` | subscriptions |
///
/// # Errors
/// The path is not valid.
///
/// # Panics
/// If the name is unknown or the JSON is malformed.
pub fn parse(service: &Service, name: &str, rest: &str) -> Result<Chain<Value>, Error> {
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let rest = rest.trim();
    let target = || service.target(first);
    let body = || Body::from(rest.as_bytes().to_vec());
    let write = |write| Chain::new(write, outcome);
    Ok(match name {
        "members" => members(GetPage::first(target()?), Vec::new()),
        "query" => {
            let query = Query::new().expand(Expand::Links, 1);
            let query = if rest.is_empty() { query } else { query.filter(rest) };
            Chain::new(NegotiateQuery::new(target()?, query)?, |target| {
                Ok(Transition::Next(members(GetPage::first(target), Vec::new())))
            })
        }
        "patch" => write(Write::patch(&target()?, body()).if_match(IfMatch::Current)),
        "patch-anyway" => write(Write::patch(&target()?, body())),
        "patch-if-required" => write(Write::patch(&target()?, body()).if_match(IfMatch::IfRequired)),
        "put" => write(Write::put(&target()?, body())),
        "post" => write(Write::post(&target()?, body())),
        "delete" => write(Write::delete(&target()?)),
        "reread" => reread(target()?),
        "watch" => Chain::new(Monitor::new(target()?).watch(), task_outcome),
        "actions" => Chain::new(Actions::new(target()?), |actions| {
            done(actions.into_iter().map(action_json).collect())
        }),
        "invoke" => {
            let (name, parameters) = rest.split_once(' ').unwrap_or((rest, ""));
            Chain::new(Invoke::new(target()?, name, parse_object(parameters)), outcome)
        }
        "reset" => {
            let reset = Reset::new(first);
            let reset = if rest.is_empty() { reset } else { reset.system(service.target(rest)?) };
            Chain::new(reset, |accepted| outcome(accepted.outcome))
        }
        "power-on" => {
            Chain::new(WaitUntil::new(target()?, |system: &Value| system["PowerState"] == "On"), |_| {
                done(Value::Null)
            })
        }
        "reached" => {
            let change = Reset::expected_power_change(first).unwrap_or(PowerChange::Restart);
            Chain::new(WaitForPower::new(service.target(rest)?, change), |()| done(Value::Null))
        }
        "simple-update" => Chain::new(simple_update(first, parse_object(rest)), outcome),
        "lookup" => {
            let mut message = Message::default();
            message.id = Redactor::default().clean(first);
            let args: Vec<String> = if rest.is_empty() { Vec::new() } else { parse_json(rest) };
            message.args = args.iter().map(|arg| Redactor::default().clean(arg)).collect();
            Chain::new(LookupMessage::new(message), |found| done(json!(found.map(|message| message.text))))
        }
        "sessions" => {
            let context = first.to_owned();
            Chain::new(ListSessions::default(), move |found| {
                done(found.iter().map(|one| session_json(one, &context)).collect())
            })
        }
        "subscribe" => {
            let create = CreateSubscription::new(subscription(first, parse_object(rest)));
            Chain::new(create, |target| done(json!(target)))
        }
        "subscriptions" => Chain::new(ListSubscriptions::default(), |found| {
            let json = |one: &Resource<EventDestination>| {
                json!([one.target(), one.value().destination, one.value().context])
            };
            done(found.iter().map(json).collect())
        }),
        "unsubscribe" => Chain::new(DeleteSubscription::new(target()?), outcome),
        _ => panic!("unknown operation {name}"),
    })
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
        let body = earlier.body().clone();
        Ok(Transition::Next(Chain::new(Read::again(earlier), move |now| {
            // The same allocation, not only an equal body: a 304 reuses the earlier body.
            let unchanged = now.body().as_ptr() == body.as_ptr();
            done(json!({"unchanged": unchanged, "id": now.value().id}))
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

fn session_json(listed: &ListedSession, context: &str) -> Value {
    json!([listed.target(), listed.text("UserName"), format!("{:?}", listed.ownership(None, Some(context)))])
}

fn written_json(written: &Written) -> Value {
    let mut json = json!({"status": written.status.as_u16()});
    if let Some(created) = &written.created {
        json["location"] = json!(created);
    }
    if !written.rejected.is_empty() {
        json["rejected"] = written.rejected.iter().map(|(at, _)| at.as_str()).collect();
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

/// The JSON of a stream item in a transcript.
pub fn stream_item_json(item: &StreamItem) -> Value {
    match item {
        StreamItem::Event(event) => json!([event.id, event.data]),
        StreamItem::Gap { after, before } => json!({"after": after, "before": before}),
    }
}

/// The JSON of a write's outcome in a transcript.
///
/// # Panics
/// If the outcome is of an unknown kind.
pub fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Finished(end) => written_json(end),
        Outcome::Accepted(monitor) => json!({"monitor": monitor}),
        other => panic!("unknown outcome: {other:?}"),
    }
}
