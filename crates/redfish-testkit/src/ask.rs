//! What a transcript asks beyond a read, as one operation, so that every driver plays it the same way.

use http::StatusCode;
use redfish_proto::schema::{ComputerSystem, EventDestination};
use redfish_proto::{
    Access, Action, Actions, Answer, Body, CreateSubscription, DeleteSubscription, Ended, Error, ErrorKind,
    Expand, FitQuery, GetPage, Invoke, ListSessions, ListSubscriptions, ListedSession, Lookup, Match,
    Message, Monitor, Operation, Outcome, PowerChange, Query, Read, Redactor, Request, Reset, Resource,
    Service, Subscription, Until, UntilPower, Verdict, Watch, Write, Written,
};
use serde_json::{Map, Value, json};

/// An operation by its name, with its outcome as JSON.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Ask {
    /// `members PATH`: all of a collection.
    Members(GetPage, Vec<Value>),
    /// `patch`, `put`, `post`, `delete`.
    Write(Write),
    /// `watch URI`.
    Watch(Watch),
    /// `actions PATH`.
    Actions(Actions),
    /// `invoke PATH NAME [JSON]`.
    Invoke(Invoke),
    /// `reread PATH`: reads twice, the second time only what has changed.
    Reread(Read<ComputerSystem>, Option<Resource<ComputerSystem>>),
    /// `power PATH STATE`: waits for a power state.
    Power(Until<fn(&Value) -> bool>),
    /// `reached TYPE PATH`: waits until a reset of that type has done its work.
    Reached(UntilPower),
    /// `reset TYPE [PATH]`.
    Reset(Reset),
    /// `query PATH EXPRESSION`: expanded and filtered, as far as that is offered.
    Query(FitQuery),
    /// `lookup ID [ARGUMENTS]`.
    Lookup(Lookup),
    /// `sessions CONTEXT`: each with whose it is.
    Sessions(ListSessions, String),
    /// `subscribe DESTINATION [JSON]`.
    Subscribe(CreateSubscription),
    /// `subscriptions all`.
    Subscriptions(ListSubscriptions),
    /// `unsubscribe PATH`.
    Unsubscribe(DeleteSubscription),
}

impl Ask {
    /// The operation of that name; `None` where there is none.
    ///
    /// # Errors
    /// A path that is none.
    pub fn parse(service: &Service, name: &str, rest: &str) -> Result<Option<Ask>, Error> {
        let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let at = || service.target(first);
        let body = || Body::from(rest.trim().as_bytes().to_vec());
        Ok(Some(match name {
            "members" => Ask::Members(GetPage::first(at()?), Vec::new()),
            "patch" => Ask::Write(Write::patch(&at()?, body()).matching(Match::Current)),
            "patch-anyway" => Ask::Write(Write::patch(&at()?, body())),
            "patch-if-required" => Ask::Write(Write::patch(&at()?, body()).matching(Match::IfRequired)),
            "put" => Ask::Write(Write::put(&at()?, body())),
            "post" => Ask::Write(Write::post(&at()?, body())),
            "delete" => Ask::Write(Write::delete(&at()?)),
            "watch" => Ask::Watch(Monitor::at(at()?).watch()),
            "actions" => Ask::Actions(Actions::new(at()?)),
            "invoke" => {
                let (name, parameters) = rest.split_once(' ').unwrap_or((rest, "{}"));
                let parameters: Map<String, Value> = serde_json::from_str(parameters).unwrap_or_default();
                Ask::Invoke(Invoke::new(at()?, name, parameters))
            }
            "reread" => Ask::Reread(Read::new(at()?), None),
            "power-on" => Ask::Power(Until::new(at()?, |system| system["PowerState"] == "On")),
            "reached" => {
                let change = Reset::leads_to(first).unwrap_or(PowerChange::Restart);
                Ask::Reached(UntilPower::new(service.target(rest)?, change))
            }
            "reset" if rest.is_empty() => Ask::Reset(Reset::new(first)),
            "reset" => Ask::Reset(Reset::new(first).system(service.target(rest)?)),
            "query" => {
                let query = Query::new().expand(Expand::Links, 1);
                let filter = if rest.is_empty() { query } else { query.filter(rest) };
                Ask::Query(FitQuery::new(at()?, filter))
            }
            "lookup" => {
                let mut message = Message::default();
                message.id = first.to_owned();
                message.args = serde_json::from_str(rest).unwrap_or_default();
                Ask::Lookup(Lookup::new(message))
            }
            "sessions" => Ask::Sessions(ListSessions::default(), first.to_owned()),
            "subscribe" => Ask::Subscribe(CreateSubscription::new(subscription(first, rest))),
            "subscriptions" => Ask::Subscriptions(ListSubscriptions::default()),
            "unsubscribe" => Ask::Unsubscribe(DeleteSubscription::new(at()?)),
            _ => return Ok(None),
        }))
    }
}

/// A subscription of a destination and a JSON object of further members.
fn subscription(destination: &str, rest: &str) -> Subscription {
    let members: Map<String, Value> = serde_json::from_str(rest).unwrap_or_default();
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

/// Goes on with what an inner operation says, its output as a value.
fn then<O: Operation>(
    verdict: Result<Verdict<O>, Error>,
    again: impl FnOnce(O) -> Ask,
    done: impl FnOnce(O::Output) -> Result<Verdict<Ask>, Error>,
) -> Result<Verdict<Ask>, Error> {
    match verdict? {
        Verdict::Done(output) => done(output),
        Verdict::Next(operation) => Ok(Verdict::Next(again(operation))),
        Verdict::Later(operation, time) => Ok(Verdict::Later(again(operation), time)),
    }
}

fn value(value: Value) -> Result<Verdict<Ask>, Error> {
    Ok(Verdict::Done(value))
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

fn ended(ended: Ended) -> Result<Verdict<Ask>, Error> {
    match ended {
        Ended::Completed(end) => value(written(&end)),
        Ended::Failed(error) => Err(error),
    }
}

fn outcome(outcome: Outcome) -> Result<Verdict<Ask>, Error> {
    match outcome {
        Outcome::Finished(end) => value(written(&end)),
        Outcome::Accepted(monitor) => value(json!({"monitor": monitor})),
        other => panic!("a new kind of outcome: {other:?}"),
    }
}

impl Operation for Ask {
    type Output = Value;

    fn request(&self) -> Request {
        match self {
            Ask::Members(page, _) => page.request(),
            Ask::Write(write) => write.request(),
            Ask::Watch(watch) => watch.request(),
            Ask::Actions(actions) => actions.request(),
            Ask::Invoke(invoke) => invoke.request(),
            Ask::Reread(read, _) => read.request(),
            Ask::Power(until) => until.request(),
            Ask::Reached(until) => until.request(),
            Ask::Reset(reset) => reset.request(),
            Ask::Query(fit) => fit.request(),
            Ask::Lookup(lookup) => lookup.request(),
            Ask::Sessions(list, _) => list.request(),
            Ask::Subscribe(create) => create.request(),
            Ask::Subscriptions(list) => list.request(),
            Ask::Unsubscribe(delete) => delete.request(),
        }
    }

    fn access(&self) -> Access {
        match self {
            Ask::Query(fit) => fit.access(),
            Ask::Sessions(list, _) => list.access(),
            _ => Access::Session,
        }
    }

    fn secrets(&self, known: &mut Redactor) {
        match self {
            Ask::Write(write) => write.secrets(known),
            Ask::Invoke(invoke) => invoke.secrets(known),
            Ask::Subscribe(create) => create.secrets(known),
            _ => {}
        }
    }

    fn respond(self, answer: Answer) -> Result<Verdict<Self>, Error> {
        match self {
            Ask::Members(page, mut members) => match page.respond(answer)? {
                Verdict::Done(page) => {
                    for member in page.members {
                        members.push(member.json()?);
                    }
                    match page.next? {
                        Some(next) => Ok(Verdict::Next(Ask::Members(next, members))),
                        None => value(Value::Array(members)),
                    }
                }
                Verdict::Next(page) | Verdict::Later(page, _) => {
                    Ok(Verdict::Next(Ask::Members(page, members)))
                }
            },
            Ask::Write(write) => then(write.respond(answer), Ask::Write, outcome),
            Ask::Watch(watch) => then(watch.respond(answer), Ask::Watch, ended),
            Ask::Actions(actions) => then(actions.respond(answer), Ask::Actions, |found| {
                let described = |a: Action| {
                    let allowable = a.parameters.into_iter().map(|p| (p.name, json!(p.allowable)));
                    (a.name, Value::Object(allowable.collect()))
                };
                value(Value::Object(found.into_iter().map(described).collect()))
            }),
            Ask::Invoke(invoke) => then(invoke.respond(answer), Ask::Invoke, outcome),
            Ask::Reread(read, None) => match read.respond(answer)? {
                Verdict::Done(resource) => {
                    Ok(Verdict::Next(Ask::Reread(Read::again(resource.clone()), Some(resource))))
                }
                Verdict::Next(_) | Verdict::Later(..) => Err(Error::new(ErrorKind::Refused)),
            },
            Ask::Reread(read, earlier) => {
                let unchanged = answer.status() == StatusCode::NOT_MODIFIED;
                let again = |read| Ask::Reread(read, earlier);
                then(read.respond(answer), again, |now| value(json!({"unchanged": unchanged, "id": now.id})))
            }
            Ask::Power(until) => then(until.respond(answer), Ask::Power, |_| value(Value::Null)),
            Ask::Reached(until) => then(until.respond(answer), Ask::Reached, |()| value(Value::Null)),
            Ask::Reset(reset) => then(reset.respond(answer), Ask::Reset, |taken| outcome(taken.outcome)),
            Ask::Query(fit) => match fit.respond(answer)? {
                Verdict::Done(at) => Ok(Verdict::Next(Ask::Members(GetPage::first(at), Vec::new()))),
                Verdict::Next(_) | Verdict::Later(..) => Err(Error::new(ErrorKind::Refused)),
            },
            Ask::Lookup(lookup) => then(lookup.respond(answer), Ask::Lookup, |found| {
                value(json!(found.map(|message| message.text)))
            }),
            Ask::Sessions(list, context) => match list.respond(answer)? {
                Verdict::Done(found) => {
                    let whose = |one: &ListedSession| format!("{:?}", one.whose(None, Some(&context)));
                    value(
                        found.iter().map(|one| json!([one.at(), one.text("UserName"), whose(one)])).collect(),
                    )
                }
                Verdict::Next(list) | Verdict::Later(list, _) => {
                    Ok(Verdict::Next(Ask::Sessions(list, context)))
                }
            },
            Ask::Subscribe(create) => then(create.respond(answer), Ask::Subscribe, |at| value(json!(at))),
            Ask::Subscriptions(list) => then(list.respond(answer), Ask::Subscriptions, |found| {
                let shown =
                    |one: &Resource<EventDestination>| json!([one.at(), one.destination, one.context]);
                value(found.iter().map(shown).collect())
            }),
            Ask::Unsubscribe(delete) => then(delete.respond(answer), Ask::Unsubscribe, outcome),
        }
    }

    fn fail(self, error: Error) -> Result<Verdict<Self>, Error> {
        match self {
            Ask::Write(write) => then(write.fail(error), Ask::Write, outcome),
            Ask::Watch(watch) => then(watch.fail(error), Ask::Watch, ended),
            Ask::Subscribe(create) => then(create.fail(error), Ask::Subscribe, |at| value(json!(at))),
            Ask::Unsubscribe(delete) => then(delete.fail(error), Ask::Unsubscribe, outcome),
            Ask::Power(until) => then(until.fail(error), Ask::Power, |_| value(Value::Null)),
            Ask::Reached(until) => then(until.fail(error), Ask::Reached, |()| value(Value::Null)),
            _ => Err(error),
        }
    }
}
