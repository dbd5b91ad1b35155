//! Subscriptions: what a service pushes, and where (DSP0266, "Eventing"). A receiver reads the pushes with
//! [`Notification::parse`](crate::events::Notification::parse).
//!
//! ```text
//!   root ─▶ EventService ─▶ Subscriptions ──▶ CreateSubscription: POST ─────▶ the URI of the new one
//!                                         └─▶ ListSubscriptions: each page, each member
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::body::Body;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::operation::{Auth, Operation, Request, Transition};
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::ops::get_page;
use crate::ops::read_pages::{Listed, ReadPages, Resources};
use crate::ops::watch::{TaskOutcome, Watch};
use crate::outcome::Outcome;
use crate::reason::Feature;
use crate::redact::Redactor;
use crate::resource::Resource;
use crate::target::Target;
use crate::view::Decode;

/// What to push, and where (DSP0268, EventDestination). Members that are not set are not sent, so the service chooses.
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
    /// Pushes to this URL over HTTP: `Destination`, and the `Protocol` `Redfish`.
    pub fn new(destination: impl Into<String>) -> Subscription {
        let members = Map::new();
        Subscription { members, headers: Vec::new() }
            .member("Destination", Value::String(destination.into()))
            .member("Protocol", json!("Redfish"))
    }

    /// `Context`: a text that each push repeats and that identifies the subscription. Some services require one.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> Subscription {
        self.member("Context", Value::String(text.into()))
    }

    /// `EventFormatType`: `Event`, or `MetricReport`.
    #[must_use]
    pub fn format(self, format: impl Into<String>) -> Subscription {
        self.member("EventFormatType", Value::String(format.into()))
    }

    /// `HttpHeaders`: a header of each push, such as an `Authorization`. Its value counts as a secret, and no service
    /// returns it.
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

    /// `ResourceTypes`: only events of resources of these schemas.
    #[must_use]
    pub fn resource_types<S: Into<String>>(self, types: impl IntoIterator<Item = S>) -> Subscription {
        self.list("ResourceTypes", types)
    }

    /// `EventTypes`: only events of these types, such as `Alert`. Deprecated by the standard; the only choice at
    /// older services.
    #[must_use]
    pub fn event_types<S: Into<String>>(self, types: impl IntoIterator<Item = S>) -> Subscription {
        self.list("EventTypes", types)
    }

    /// `MessageIds`: only these messages, such as `ResourceEvent.ResourceChanged`.
    #[must_use]
    pub fn message_ids<S: Into<String>>(self, ids: impl IntoIterator<Item = S>) -> Subscription {
        self.list("MessageIds", ids)
    }

    /// `OriginResources`: only events of the resources at these URIs.
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
        // The document always has a JSON form.
        Body::secret(Zeroizing::new(serde_json::to_vec(&document).unwrap_or_default()))
    }

    fn register_secrets(&self, known: &mut Redactor) {
        self.body().register_secrets(known);
        for Header { value, .. } in &self.headers {
            // The service may echo the credentials without the scheme.
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

/// Finds the collection of subscriptions.
fn find_subscriptions() -> FollowLinks {
    let missing = Missing::NotSupported(Feature::Subscriptions);
    FollowLinks::new("/EventService/@odata.id", missing).then(&["/Subscriptions/@odata.id"])
}

/// Creates a subscription and returns its URI. If the response is lost, it is not sent again, and the hint names
/// where to look for it.
#[derive(Debug)]
pub struct CreateSubscription {
    subscription: Subscription,
    chain: Chain<Target>,
}

impl CreateSubscription {
    /// Creates this subscription.
    pub fn new(subscription: Subscription) -> CreateSubscription {
        let body = subscription.body();
        let chain = Chain::new(find_subscriptions(), |(collection, _)| {
            Chain::next(Exchange(Request::post(&collection).json(body)), |received| {
                creation_outcome(received, collection)
            })
        });
        CreateSubscription { subscription, chain }
    }

    fn register_secrets(&self, known: &mut Redactor) {
        self.subscription.register_secrets(known);
    }
}

/// The outcome of the POST: the subscription exists, or the service creates it later (202).
fn creation_outcome(
    received: Result<Answer, Error>,
    collection: Target,
) -> Result<Transition<Chain<Target>>, Error> {
    let answer = received.map_err(|error| match error.kind() {
        ErrorKind::OutcomeUnknown(_) => {
            error.with_hint("Look for it among the subscriptions before it is created again.")
        }
        _ => error,
    })?;
    match Outcome::read(&answer)? {
        Outcome::Finished(_) | Outcome::AcceptedWithoutMonitor(_) => {
            Chain::done(require_uri(member_uri(&answer, &collection))?)
        }
        Outcome::Accepted(monitor) => {
            let watch = WatchCreation { watch: monitor.watch(), collection };
            Ok(Transition::Later(Chain::new(watch, Chain::done), None))
        }
    }
}

/// Waits for an accepted creation. The last response contains the URI of the new subscription.
struct WatchCreation {
    watch: Watch,
    collection: Target,
}

impl WatchCreation {
    fn follow(
        transition: Transition<Watch>,
        collection: Target,
        uri: Option<Target>,
    ) -> Result<Transition<Self>, Error> {
        Ok(match transition {
            Transition::Done(TaskOutcome::Completed(_)) => Transition::Done(require_uri(uri)?),
            Transition::Done(TaskOutcome::Failed(error)) => return Err(error),
            Transition::Next(watch) => Transition::Next(WatchCreation { watch, collection }),
            Transition::Later(watch, time) => Transition::Later(WatchCreation { watch, collection }, time),
        })
    }
}

impl Operation for WatchCreation {
    type Output = Target;

    fn request(&self) -> Request {
        self.watch.request()
    }

    fn auth(&self) -> Auth {
        self.watch.auth()
    }

    fn secrets(&self, known: &mut Redactor) {
        self.watch.secrets(known);
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let uri = member_uri(&answer, &self.collection);
        WatchCreation::follow(self.watch.respond(answer)?, self.collection, uri)
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        WatchCreation::follow(self.watch.fail(error)?, self.collection, None)
    }
}

/// The URI of the new subscription. It must be a member of the collection, since it may be deleted later.
fn member_uri(answer: &Answer, collection: &Target) -> Option<Target> {
    let collection = collection.without_final_slash();
    get_page::created_uri(answer, &collection, |target| {
        let (parent, member) = target.split_member();
        !member.is_empty() && parent.eq_ignore_ascii_case(collection.path())
    })
}

/// Fails without a URI. The subscription exists nevertheless.
fn require_uri(uri: Option<Target>) -> Result<Target, Error> {
    uri.ok_or_else(|| {
        Error::malformed("", "the subscription was created, but its URI is not known")
            .with_hint("Look for it among the subscriptions.")
    })
}

impl Operation for CreateSubscription {
    type Output = Target;

    forward_to!(chain, register_secrets);
}

/// Reads all subscriptions of a service, including streams of server-sent events, as a type: a view, or a type of serde.
#[derive(Debug)]
pub struct ListSubscriptions<T> {
    chain: Chain<Listed<Resource<T>>>,
}

impl<T: Decode + Send + Sync + 'static> Default for ListSubscriptions<T> {
    fn default() -> ListSubscriptions<T> {
        let chain = Chain::new(find_subscriptions(), |(collection, _)| {
            let pages = ReadPages::new(collection, Resources::default());
            Chain::next(pages, |(members, failure)| Chain::done(members.listed(failure)))
        });
        ListSubscriptions { chain }
    }
}

impl<T: Decode + Send + Sync + 'static> Operation for ListSubscriptions<T> {
    type Output = Listed<Resource<T>>;

    forward_to!(chain);
}

/// Ends a subscription, or a stream that is listed as one. Like any write, it is never sent again.
#[derive(Clone, Debug)]
pub struct DeleteSubscription {
    target: Target,
}

impl DeleteSubscription {
    /// Deletes the subscription at this target.
    pub fn new(target: Target) -> DeleteSubscription {
        DeleteSubscription { target }
    }
}

impl Operation for DeleteSubscription {
    type Output = Outcome;

    fn request(&self) -> Request {
        Request::delete(&self.target)
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(Outcome::read(&answer)?))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        Err(match error.kind() {
            ErrorKind::OutcomeUnknown(_) => {
                error.with_hint("List the subscriptions to find out whether it is gone.")
            }
            _ => error,
        })
    }
}
