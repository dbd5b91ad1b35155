//! The common interface of both adapters' clients, so that their tests are written once.
//!
//! [`Adapter`] and the other traits have the methods of an adapter's `Client` and related types, with the same names. The
//! [`adapter!`](crate::adapter!) macro implements them for both crates, and does not compile if an adapter lacks a method.

mod implement;

use std::fmt;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use redfish_proto::driver::{Now, Payload, Trace, TransportLimits};
use redfish_proto::enumerations::ResetType;
use redfish_proto::events::{EventSource, StreamItem, Subscription};
use redfish_proto::ops::{
    Action, Listed, LogoutOutcome, Member, Monitor, Outcome, PowerChange, PushUpdate, ResetAccepted,
    TaskOutcome, Watch, Written,
};
use redfish_proto::query::Query;
use redfish_proto::view::{Collection, Create, Decode, Link, Patch, View};
use redfish_proto::walk::{Event, Place, Walk};
use redfish_proto::{Body, Call, Credentials, Error, Message, Operation, Resource, Service, Session, Target};
use redfish_schema::{Chassis, ComputerSystem, EventDestination, Manager, ServiceRoot};
use redfish_tls::Trust;
use serde::Serialize;
use serde_json::{Map, Value};

/// An adapter's client. The methods of an async adapter block until the future completes.
#[allow(missing_docs, reason = "each method is documented in the adapters")]
pub trait Adapter: Clone + fmt::Debug + Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;
    type Builder: Builder<Self>;
    type Transport: Transport;
    type Source: Source;

    fn builder(service: impl Into<Arc<Service>>) -> Self::Builder;
    fn service(&self) -> &Arc<Service>;

    fn get<T: Decode + Send>(&self, path: &str) -> Result<T, Error>;
    fn get_raw(&self, path: &str) -> Result<Response<Bytes>, Error>;
    fn send(&self, method: Method, path: &str, body: Body) -> Result<Response<Bytes>, Error>;
    fn run<O: Operation<Output: Send> + Send>(&self, operation: O) -> Result<O::Output, Error>;
    fn run_call<O: Operation<Output: Send> + Send>(&self, call: Call<O>) -> Result<O::Output, Error>;
    fn run_watching<O: Operation<Output: Send> + Send>(
        &self,
        call: Call<O>,
        waits: impl FnMut(&O) + Send,
    ) -> Result<O::Output, Error>;
    fn stream<O: Operation<Output: Send> + Send>(
        &self,
        operation: O,
    ) -> Result<(O::Output, Option<Stream>), Error>;

    fn session(&self) -> Result<Option<Session>, Error>;
    fn current(&self) -> Option<Session>;
    fn replace(&self, credentials: Credentials) -> Result<Option<LogoutOutcome>, Error>;
    fn close(&self) -> Result<Option<LogoutOutcome>, Error>;
    fn scoped<T, E>(self, work: impl FnOnce(Self) -> Result<T, E>) -> Result<T, E>;

    fn read<T: Decode + Send>(&self, path: &str) -> Result<Resource<T>, Error>;
    fn reread<T: Decode + Send>(&self, earlier: Resource<T>) -> Result<Resource<T>, Error>;
    fn members(&self, path: &str) -> Result<Members, Error>;
    fn query(&self, path: &str, query: Query) -> Result<Members, Error>;
    fn patch<T: Serialize + ?Sized + Sync>(&self, path: &str, change: &T) -> Result<Outcome, Error>;
    fn put<T: Serialize + ?Sized + Sync>(&self, path: &str, resource: &T) -> Result<Outcome, Error>;
    fn post<T: Serialize + ?Sized + Sync>(&self, path: &str, member: &T) -> Result<Outcome, Error>;
    fn delete(&self, path: &str) -> Result<Outcome, Error>;
    fn actions(&self, path: &str) -> Result<Vec<Action>, Error>;
    fn invoke(&self, path: &str, name: &str, parameters: Map<String, Value>) -> Result<Outcome, Error>;
    fn lookup(&self, message: &Message) -> Result<Option<Message>, Error>;
    fn watch(
        &self,
        monitor: Monitor,
        deadline: Duration,
        progress: impl FnMut(&Watch) + Send,
    ) -> Result<TaskOutcome, Error>;
    fn finish(&self, outcome: Outcome, deadline: Duration) -> Result<Written, Error>;
    fn reset(&self, kind: impl Into<ResetType> + Send, system: Option<&str>) -> Result<ResetAccepted, Error>;
    fn wait_for_power(
        &self,
        system: &Target,
        change: impl Into<PowerChange> + Send,
        deadline: Duration,
    ) -> Result<(), Error>;

    fn update_firmware(
        &self,
        name: &str,
        source: &Self::Source,
        targets: &[String],
    ) -> Result<Outcome, Error>;
    fn push(&self, call: Call<PushUpdate>, source: &Self::Source) -> Result<Outcome, Error>;
    fn download(&self, path: &str, into: &mut (impl Write + Send), limit: u64) -> Result<u64, Error>;

    fn events(&self, filter: Option<&str>) -> Result<Events, Error>;
    fn events_at(&self, source: EventSource) -> Events;
    fn subscribe(&self, subscription: Subscription) -> Result<Target, Error>;
    fn subscriptions(&self) -> Result<Listed<Resource<EventDestination>>, Error>;
    fn unsubscribe(&self, path: &str) -> Result<Outcome, Error>;

    fn walk(&self, walk: Walk) -> Walking;

    fn root(&self) -> Result<Resource<ServiceRoot>, Error>;
    fn systems(&self) -> Result<Vec<Resource<ComputerSystem>>, Error>;
    fn chassis(&self) -> Result<Vec<Resource<Chassis>>, Error>;
    fn managers(&self) -> Result<Vec<Resource<Manager>>, Error>;
    fn follow<T: Decode + Send>(&self, link: &Link<T>) -> Result<Resource<T>, Error>;
    fn fetch_all<T: View + Decode + Clone + Send>(
        &self,
        links: &[Link<T>],
    ) -> Vec<Result<Resource<T>, Error>>;
    fn fetch_members<C: Collection<Member: Decode + Send>>(
        &self,
        collection: impl Into<Option<Link<C>>> + Send,
    ) -> Vec<Result<Resource<C::Member>, Error>>;
    fn update<P: Patch + Send>(&self, resource: &Resource<P::Resource>, patch: P) -> Result<Outcome, Error>;
    fn create<P: Create + Send, C: Collection<Member = P::Resource>>(
        &self,
        collection: &Link<C>,
        body: P,
    ) -> Result<Outcome, Error>;
}

/// The settings of a client.
#[allow(missing_docs, reason = "each method is documented in the adapters")]
pub trait Builder<A: Adapter>: Sized {
    fn login(self, credentials: Credentials) -> Self;
    fn resume(self, session: Session) -> Self;
    fn basic(self, credentials: Credentials) -> Self;
    fn bearer(self, token: &str) -> Self;
    fn anonymous(self) -> Self;
    fn context(self, context: &str) -> Self;
    fn sessions(self, path: &str) -> Self;
    fn transport(self, transport: &A::Transport) -> Self;
    fn trust(self, trust: &Trust) -> Self;
    fn observer(self, observer: impl Fn(&Trace<'_>) + Send + Sync + 'static) -> Self;
    fn build(self) -> Result<A, Error>;
}

/// The connections of clients.
#[allow(missing_docs, reason = "each method is documented in the adapters")]
pub trait Transport: Clone + Send + Sync {
    type Builder: TransportBuilder<Self>;

    fn new(trust: &Trust) -> Self;
    fn builder() -> Self::Builder;
}

/// The settings of a transport.
#[allow(missing_docs, reason = "each method is documented in the adapters")]
pub trait TransportBuilder<T>: Sized {
    fn trust(self, trust: &Trust) -> Self;
    fn limits(self, limits: TransportLimits) -> Self;
    fn clock(self, clock: Arc<dyn Clock>) -> Self;
    fn build(self) -> T;
}

/// The payload of an upload.
#[allow(missing_docs, reason = "each method is documented in the adapters")]
pub trait Source: Sized {
    fn file(path: impl Into<PathBuf>) -> io::Result<Self>;
    fn reopened(length: u64, open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static) -> Self;
    fn once(length: u64, reader: impl Read + Send + Sync + 'static) -> Self;
    fn progress(self, report: impl Fn(u64) + Send + Sync + 'static) -> Self;
    fn payload(&self) -> Payload;
    fn push_update(&self, name: &str) -> Result<PushUpdate, Error>;
}

/// A clock whose waits take no time.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Now;

    /// Advances the clock.
    fn sleep(&self, time: Duration);
}

/// A clock that records its waits.
#[derive(Default)]
pub struct RecordingClock(Mutex<Vec<Duration>>);

impl RecordingClock {
    /// The length of each wait, in seconds.
    pub fn seconds(&self) -> Vec<f32> {
        self.0.lock().unwrap().iter().map(Duration::as_secs_f32).collect()
    }
}

impl Clock for RecordingClock {
    fn now(&self) -> Now {
        Now(self.0.lock().unwrap().iter().sum())
    }

    fn sleep(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }
}

/// The reader of a payload.
pub type Reader = Box<dyn Read + Send + Sync>;
/// A streamed body.
pub type Stream = Box<dyn Read + Send>;
/// A walk that is being driven.
pub type Walking = Box<dyn DrivenWalk>;

/// The methods of an adapter's `Walking`.
#[allow(missing_docs, reason = "each method is documented in the adapters")]
pub trait DrivenWalk: Iterator<Item = Result<Event, Error>> {
    fn place(&self, number: usize) -> Option<Place>;
    fn known(&self) -> usize;
    fn into_walk(self: Box<Self>) -> Walk;
}

/// The members of a collection.
pub type Members = Box<dyn Iterator<Item = Result<Member, Error>>>;
/// Events, across connections.
pub type Events = Box<dyn Iterator<Item = Result<StreamItem, Error>> + Send>;
