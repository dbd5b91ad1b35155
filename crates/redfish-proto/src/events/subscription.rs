//! Subscriptions: what a service is to push, and where to (DSP0266, "Eventing"). What comes there is read by
//! [`Notification::parse`](crate::events::Notification::parse).
//!
//! ```text
//!   root ─▶ EventService ─▶ Subscriptions ──▶ CreateSubscription: POST ─────▶ the URI of the new one
//!                                         └─▶ ListSubscriptions: each page, each member
//! ```

use std::collections::VecDeque;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::body::Body;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Answer, Operation, Request, Transition};
use crate::ops::get::Read;
use crate::ops::get_page::{self, GetPage, Page};
use crate::ops::watch::{TaskOutcome, Watch};
use crate::ops::write::Outcome;
use crate::redact::Redactor;
use crate::resource::Resource;
use crate::schema::EventDestination;
use crate::target::Target;

/// Subscriptions that are looked at. A service has a few dozen at the most.
const MOST: usize = 1_000;

/// What to push, and where to (DSP0268, EventDestination). What is not set is not sent, and is the service's to choose.
///
/// ```
/// use redfish_proto::events::Subscription;
///
/// let subscription = Subscription::new("https://receiver.example/events")
///     .context("night run 7")
///     .header("Authorization", "Bearer a token of the receiver")
///     .registry_prefixes(["ResourceEvent", "TaskEvent"]);
/// assert!(!format!("{subscription:?}").contains("token"));
/// ```
#[derive(Clone)]
pub struct Subscription {
    members: Map<String, Value>,
    headers: Vec<Header>,
}

#[derive(Clone)]
struct Header {
    name: String,
    value: Zeroizing<String>,
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut member = serializer.serialize_map(Some(1))?;
        member.serialize_entry(&self.name, self.value.as_str())?;
        member.end()
    }
}

impl Subscription {
    /// To that URL, by HTTP as Redfish has it: `Destination`, and the `Protocol` `Redfish`.
    pub fn new(destination: impl Into<String>) -> Subscription {
        let members = Map::new();
        Subscription { members, headers: Vec::new() }
            .member("Destination", Value::String(destination.into()))
            .member("Protocol", json!("Redfish"))
    }

    /// `Context`: what each push repeats, and what tells this subscription from others in their list. Some services
    /// want one.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> Subscription {
        self.member("Context", Value::String(text.into()))
    }

    /// `EventFormatType`: `Event`, or `MetricReport`.
    #[must_use]
    pub fn format(self, format: impl Into<String>) -> Subscription {
        self.member("EventFormatType", Value::String(format.into()))
    }

    /// `HttpHeaders`: a header that each push carries, such as an `Authorization`. Its value counts as a secret, and no
    /// service shows it again.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Subscription {
        self.headers.push(Header { name: name.into(), value: Zeroizing::new(value.into()) });
        self
    }

    /// `RegistryPrefixes`: only messages of these registries.
    #[must_use]
    pub fn registry_prefixes<S: Into<String>>(self, prefixes: impl IntoIterator<Item = S>) -> Subscription {
        self.list("RegistryPrefixes", prefixes)
    }

    /// `ResourceTypes`: only what happens to resources of these schemas.
    #[must_use]
    pub fn resource_types<S: Into<String>>(self, types: impl IntoIterator<Item = S>) -> Subscription {
        self.list("ResourceTypes", types)
    }

    /// `EventTypes`: only these, such as `Alert`. Deprecated by the standard, and all that older services choose by.
    #[must_use]
    pub fn event_types<S: Into<String>>(self, types: impl IntoIterator<Item = S>) -> Subscription {
        self.list("EventTypes", types)
    }

    /// `MessageIds`: only these messages, such as `ResourceEvent.ResourceChanged`.
    #[must_use]
    pub fn message_ids<S: Into<String>>(self, ids: impl IntoIterator<Item = S>) -> Subscription {
        self.list("MessageIds", ids)
    }

    /// `OriginResources`: only what happens to the resources at these URIs.
    #[must_use]
    pub fn origin_resources<S: Into<String>>(self, uris: impl IntoIterator<Item = S>) -> Subscription {
        let links = uris.into_iter().map(|uri| json!({"@odata.id": uri.into()}));
        let links = links.collect();
        self.member("OriginResources", links)
    }

    /// Any other member, such as `DeliveryRetryPolicy`.
    #[must_use]
    pub fn member(mut self, name: impl Into<String>, value: Value) -> Subscription {
        self.members.insert(name.into(), value);
        self
    }

    fn list<S: Into<String>>(self, name: &str, texts: impl IntoIterator<Item = S>) -> Subscription {
        let texts = texts.into_iter().map(|text| Value::String(text.into()));
        let texts = texts.collect();
        self.member(name, texts)
    }

    fn body(&self) -> Body {
        #[derive(serde::Serialize)]
        struct Document<'a> {
            #[serde(flatten)]
            members: &'a Map<String, Value>,
            #[serde(rename = "HttpHeaders", skip_serializing_if = "<[_]>::is_empty")]
            headers: &'a [Header],
        }
        let document = Document { members: &self.members, headers: &self.headers };
        // There is nothing in it that JSON cannot say.
        Body::secret(Zeroizing::new(serde_json::to_vec(&document).unwrap_or_default()))
    }

    fn hide(&self, known: &mut Redactor) {
        self.body().register_secrets(known);
        for Header { value, .. } in &self.headers {
            // What follows the scheme may be echoed alone.
            let Some((scheme, credentials)) = value.trim().split_once(' ') else { continue };
            known.add(credentials.trim());
            let pair = STANDARD.decode(credentials.trim()).map(Zeroizing::new).unwrap_or_default();
            if let (true, Ok(pair)) = (scheme.eq_ignore_ascii_case("Basic"), std::str::from_utf8(&pair)) {
                known.add(pair.split_once(':').map_or("", |(_, password)| password));
            }
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({} members, {} headers)", self.members.len(), self.headers.len())
    }
}

/// How far the collection of subscriptions is found.
#[derive(Clone, Debug)]
enum Discover {
    Root,
    Service(Target),
    Found(Target),
}

impl Discover {
    fn request(&self) -> Request {
        match self {
            Discover::Root => Request::get(&Target::well_known("/redfish/v1/")),
            Discover::Service(at) | Discover::Found(at) => Request::get(at),
        }
    }

    /// Goes on behind an answer.
    fn follow(self, answer: Answer) -> Result<Discover, Error> {
        let answer = answer.success()?;
        let what = "subscriptions to events";
        match self {
            Discover::Root => Ok(Discover::Service(super::linked(&answer, "/EventService/@odata.id", what)?)),
            Discover::Service(_) => {
                Ok(Discover::Found(super::linked(&answer, "/Subscriptions/@odata.id", what)?))
            }
            Discover::Found(at) => Ok(Discover::Found(at)),
        }
    }
}

/// Makes a subscription, and returns its URI. It is a write: where its answer is lost it is not sent again, and the
/// error says where to look for it.
#[derive(Debug)]
pub struct CreateSubscription {
    subscription: Subscription,
    stage: Creating,
}

#[derive(Debug)]
enum Creating {
    Find(Discover),
    Post(Target, Body),
    /// The service takes its time (202).
    Wait(Target, Watch),
}

impl CreateSubscription {
    /// Subscribes to that.
    pub fn new(subscription: Subscription) -> CreateSubscription {
        CreateSubscription { subscription, stage: Creating::Find(Discover::Root) }
    }

    /// Goes on with what a watch says.
    fn watched(
        self,
        at: Target,
        verdict: Transition<Watch>,
        told: Option<Target>,
    ) -> Result<Transition<Self>, Error> {
        match verdict {
            Transition::Done(TaskOutcome::Completed(_)) => made(told),
            Transition::Done(TaskOutcome::Failed(error)) => Err(error),
            Transition::Next(watch) => Ok(Transition::Next(self.waiting(at, watch))),
            Transition::Later(watch, time) => Ok(Transition::Later(self.waiting(at, watch), time)),
        }
    }

    fn waiting(self, at: Target, watch: Watch) -> CreateSubscription {
        CreateSubscription { stage: Creating::Wait(at, watch), ..self }
    }
}

/// The URI of what was made. Only a member of the collection is one: it is what will be deleted one day.
fn told(answer: &Answer, collection: &Target) -> Option<Target> {
    let collection = collection.without_final_slash();
    get_page::created_uri(answer, &collection, |target| {
        let (parent, member) = target.split_member();
        !member.is_empty() && parent.eq_ignore_ascii_case(collection.path())
    })
}

/// The end of a creation. It was made, also where its URI is not told.
fn made(at: Option<Target>) -> Result<Transition<CreateSubscription>, Error> {
    at.map(Transition::Done).ok_or_else(|| {
        Error::malformed("", "the subscription was created, but its URI is not known")
            .with_advice("Look for it among the subscriptions.")
    })
}

impl Operation for CreateSubscription {
    type Output = Target;

    fn request(&self) -> Request {
        match &self.stage {
            Creating::Find(way) => way.request(),
            Creating::Post(at, body) => Request::post(at).json(body.clone()),
            Creating::Wait(_, watch) => watch.request(),
        }
    }

    fn secrets(&self, known: &mut Redactor) {
        self.subscription.hide(known);
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        match self.stage {
            Creating::Find(way) => {
                self.stage = match way.follow(answer)? {
                    Discover::Found(at) => Creating::Post(at, self.subscription.body()),
                    way => Creating::Find(way),
                };
                Ok(Transition::Next(self))
            }
            Creating::Post(at, _) => match Outcome::read(&answer)? {
                Outcome::Finished(_) => made(told(&answer, &at)),
                Outcome::Accepted(monitor) => {
                    self.stage = Creating::Wait(at, monitor.watch());
                    Ok(Transition::Later(self, None))
                }
            },
            Creating::Wait(at, watch) => {
                let told = told(&answer, &at);
                CreateSubscription::new(self.subscription).watched(at, watch.respond(answer)?, told)
            }
        }
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        match (self.stage, error.kind()) {
            (Creating::Post(..), ErrorKind::OutcomeUnknown(_)) => {
                Err(error.with_advice("Look for it among the subscriptions before it is created again."))
            }
            (Creating::Wait(at, watch), _) => {
                CreateSubscription::new(self.subscription).watched(at, watch.fail(error)?, None)
            }
            _ => Err(error),
        }
    }
}

/// Reads all subscriptions of a service, page after page; streams of server-sent events are among them.
#[derive(Debug)]
pub struct ListSubscriptions {
    gathered: SubscriptionSearch,
    stage: Listing,
}

#[derive(Debug, Default)]
struct SubscriptionSearch {
    found: Vec<Resource<EventDestination>>,
    unread: VecDeque<Target>,
    next: Option<GetPage>,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, in a call")]
enum Listing {
    Find(Discover),
    Page(GetPage),
    Member(Read<EventDestination>),
}

impl Default for ListSubscriptions {
    fn default() -> ListSubscriptions {
        ListSubscriptions { gathered: SubscriptionSearch::default(), stage: Listing::Find(Discover::Root) }
    }
}

impl SubscriptionSearch {
    /// Takes what is whole in a page, and keeps the links to the others.
    fn add(&mut self, page: Page, answer: &Answer) -> Result<(), Error> {
        for member in page.members {
            let Some(link) = member.link() else { continue };
            let at = answer.resolve(&link)?;
            match member.is_link() {
                true => self.unread.push_back(at),
                false => self.found.push(member.resource(at)?),
            }
        }
        self.unread.truncate(MOST);
        self.next = page.next?;
        Ok(())
    }

    fn go_on(mut self) -> Transition<ListSubscriptions> {
        let stage = if let Some(at) = self.unread.pop_front() {
            Listing::Member(Read::new(at))
        } else if let Some(page) = self.next.take().filter(|_| self.found.len() < MOST) {
            Listing::Page(page)
        } else {
            return Transition::Done(self.found);
        };
        Transition::Next(ListSubscriptions { gathered: self, stage })
    }
}

impl Operation for ListSubscriptions {
    type Output = Vec<Resource<EventDestination>>;

    fn request(&self) -> Request {
        match &self.stage {
            Listing::Find(way) => way.request(),
            Listing::Page(page) => page.request(),
            Listing::Member(read) => read.request(),
        }
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let ListSubscriptions { mut gathered, stage } = self;
        match stage {
            Listing::Find(way) => {
                let stage = match way.follow(answer)? {
                    Discover::Found(at) => Listing::Page(GetPage::first(at)),
                    way => Listing::Find(way),
                };
                return Ok(Transition::Next(ListSubscriptions { gathered, stage }));
            }
            Listing::Page(page) => gathered.add(page.read(&answer)?, &answer)?,
            Listing::Member(read) => match read.respond(answer) {
                Ok(Transition::Done(subscription)) => gathered.found.push(subscription),
                Ok(Transition::Next(_) | Transition::Later(..)) => {}
                // It ended while the others were read.
                Err(error) if *error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            },
        }
        Ok(gathered.go_on())
    }
}

/// Ends a subscription, or a stream that shows as one. A write as any other: never sent again.
#[derive(Clone, Debug)]
pub struct DeleteSubscription {
    at: Target,
}

impl DeleteSubscription {
    /// The one there.
    pub fn new(at: Target) -> DeleteSubscription {
        DeleteSubscription { at }
    }
}

impl Operation for DeleteSubscription {
    type Output = Outcome;

    fn request(&self) -> Request {
        Request::delete(&self.at)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(Outcome::read(&answer)?))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        Err(match error.kind() {
            ErrorKind::OutcomeUnknown(_) => {
                error.with_advice("List the subscriptions to find out whether it is gone.")
            }
            _ => error,
        })
    }
}
