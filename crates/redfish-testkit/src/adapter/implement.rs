//! A macro that forwards the methods of the adapter traits.

/// Implements [`Adapter`](crate::adapter::Adapter) for a crate's client: `adapter!(redfish_ureq, "ureq")`.
///
/// The caller defines the functions that differ: `wait` for a method's result, `clock`, `reader`, `writer`, `stream` and
/// `scoped`. The macro creates a module `adapted` with the types.
#[macro_export]
macro_rules! adapter {
    ($krate:ident, $name:literal) => {
        pub(crate) mod adapted {
            use std::io::{self, Read, Write};
            use std::path::PathBuf;
            use std::sync::Arc;
            use std::time::Duration;

            use bytes::Bytes;
            use http::{Method, Response};
            use redfish_proto::driver::{Payload, Trace, TransportLimits};
            use redfish_proto::enumerations::ResetType;
            use redfish_proto::events::{EventSource, Subscription};
            use redfish_proto::ops::{
                Action, Listed, LogoutOutcome, Monitor, Outcome, PowerChange, PushUpdate, ResetAccepted,
                TaskOutcome, Watch, Written,
            };
            use redfish_proto::query::Query;
            use redfish_proto::view::{Collection, Create, Decode, Link, Patch, View};
            use redfish_proto::walk::{Event, Place, Walk};
            use redfish_proto::{
                Body, Call, Credentials, Error, Message, Operation, Resource, Service, Session, Target,
            };
            use redfish_schema::{Chassis, ComputerSystem, EventDestination, Manager, ServiceRoot};
            use redfish_tls::Trust;
            use serde::Serialize;
            use serde_json::{Map, Value};
            use $crate::adapter::{self, Events, Members, Reader, Stream};

            use super::{clock, reader, scoped, stream, wait, writer};

            #[derive(Clone, Debug)]
            pub(crate) struct Client($krate::Client);
            pub(crate) struct Builder($krate::Builder);
            #[derive(Clone)]
            pub(crate) struct Transport($krate::Transport);
            pub(crate) struct TransportBuilder($krate::TransportBuilder);
            pub(crate) struct Source($krate::Source);
            pub(crate) struct Walking($krate::Walking);

            // There is one error for the core and both adapters.
            const _: fn($krate::Error) -> redfish_proto::Error = |error| error;

            fn members(mut members: $krate::Members) -> Members {
                Box::new(std::iter::from_fn(move || wait(members.next())))
            }

            fn events(mut events: $krate::Events) -> Events {
                Box::new(std::iter::from_fn(move || wait(events.next())))
            }

            impl adapter::Adapter for Client {
                const NAME: &'static str = $name;
                type Builder = Builder;
                type Transport = Transport;
                type Source = Source;

                fn builder(service: impl Into<Arc<Service>>) -> Builder {
                    Builder($krate::Client::builder(service))
                }

                fn service(&self) -> &Arc<Service> {
                    self.0.service()
                }

                fn get<T: Decode + Send>(&self, path: &str) -> Result<T, Error> {
                    wait(self.0.get(path))
                }

                fn get_raw(&self, path: &str) -> Result<Response<Bytes>, Error> {
                    wait(self.0.get_raw(path))
                }

                fn send(&self, method: Method, path: &str, body: Body) -> Result<Response<Bytes>, Error> {
                    wait(self.0.send(method, path, body))
                }

                fn run<O: Operation<Output: Send> + Send>(&self, operation: O) -> Result<O::Output, Error> {
                    wait(self.0.run(operation))
                }

                fn run_call<O: Operation<Output: Send> + Send>(
                    &self,
                    call: Call<O>,
                ) -> Result<O::Output, Error> {
                    wait(self.0.run_call(call))
                }

                fn run_watching<O: Operation<Output: Send> + Send>(
                    &self,
                    call: Call<O>,
                    waits: impl FnMut(&O) + Send,
                ) -> Result<O::Output, Error> {
                    wait(self.0.run_watching(call, waits))
                }

                fn stream<O: Operation<Output: Send> + Send>(
                    &self,
                    operation: O,
                ) -> Result<(O::Output, Option<Stream>), Error> {
                    let (output, body) = wait(self.0.stream(operation))?;
                    Ok((output, body.map(|body| Box::new(stream(body)) as Stream)))
                }

                fn session(&self) -> Result<Option<Session>, Error> {
                    wait(self.0.session())
                }

                fn current(&self) -> Option<Session> {
                    self.0.current()
                }

                fn replace(&self, credentials: Credentials) -> Result<Option<LogoutOutcome>, Error> {
                    wait(self.0.replace(credentials))
                }

                fn close(&self) -> Result<Option<LogoutOutcome>, Error> {
                    wait(self.0.close())
                }

                fn scoped<T, E>(self, work: impl FnOnce(Self) -> Result<T, E>) -> Result<T, E> {
                    scoped(self.0, |client| work(Client(client)))
                }

                fn read<T: Decode + Send>(&self, path: &str) -> Result<Resource<T>, Error> {
                    wait(self.0.read(path))
                }

                fn reread<T: Decode + Send>(&self, earlier: Resource<T>) -> Result<Resource<T>, Error> {
                    wait(self.0.reread(earlier))
                }

                fn members(&self, path: &str) -> Result<Members, Error> {
                    Ok(members(self.0.members(path)?))
                }

                fn query(&self, path: &str, query: Query) -> Result<Members, Error> {
                    Ok(members(wait(self.0.query(path, query))?))
                }

                fn patch<T: Serialize + ?Sized + Sync>(
                    &self,
                    path: &str,
                    change: &T,
                ) -> Result<Outcome, Error> {
                    wait(self.0.patch(path, change))
                }

                fn put<T: Serialize + ?Sized + Sync>(
                    &self,
                    path: &str,
                    resource: &T,
                ) -> Result<Outcome, Error> {
                    wait(self.0.put(path, resource))
                }

                fn post<T: Serialize + ?Sized + Sync>(
                    &self,
                    path: &str,
                    member: &T,
                ) -> Result<Outcome, Error> {
                    wait(self.0.post(path, member))
                }

                fn delete(&self, path: &str) -> Result<Outcome, Error> {
                    wait(self.0.delete(path))
                }

                fn actions(&self, path: &str) -> Result<Vec<Action>, Error> {
                    wait(self.0.actions(path))
                }

                fn invoke(
                    &self,
                    path: &str,
                    name: &str,
                    parameters: Map<String, Value>,
                ) -> Result<Outcome, Error> {
                    wait(self.0.invoke(path, name, parameters))
                }

                fn lookup(&self, message: &Message) -> Result<Option<Message>, Error> {
                    wait(self.0.lookup(message))
                }

                fn watch(
                    &self,
                    monitor: Monitor,
                    deadline: Duration,
                    progress: impl FnMut(&Watch) + Send,
                ) -> Result<TaskOutcome, Error> {
                    wait(self.0.watch(monitor, deadline, progress))
                }

                fn finish(&self, outcome: Outcome, deadline: Duration) -> Result<Written, Error> {
                    wait(self.0.finish(outcome, deadline))
                }

                fn reset(
                    &self,
                    kind: impl Into<ResetType> + Send,
                    system: Option<&str>,
                ) -> Result<ResetAccepted, Error> {
                    wait(self.0.reset(kind, system))
                }

                fn wait_for_power(
                    &self,
                    system: &Target,
                    change: impl Into<PowerChange> + Send,
                    deadline: Duration,
                ) -> Result<(), Error> {
                    wait(self.0.wait_for_power(system, change, deadline))
                }

                fn root(&self) -> Result<Resource<ServiceRoot>, Error> {
                    wait(self.0.root())
                }

                fn systems(&self) -> Result<Vec<Resource<ComputerSystem>>, Error> {
                    wait(self.0.systems())
                }

                fn chassis(&self) -> Result<Vec<Resource<Chassis>>, Error> {
                    wait(self.0.chassis())
                }

                fn managers(&self) -> Result<Vec<Resource<Manager>>, Error> {
                    wait(self.0.managers())
                }

                fn follow<T: Decode + Send>(&self, link: &Link<T>) -> Result<Resource<T>, Error> {
                    wait(self.0.follow(link))
                }

                fn fetch_all<T: View + Decode + Clone + Send>(
                    &self,
                    links: &[Link<T>],
                ) -> Vec<Result<Resource<T>, Error>> {
                    wait(self.0.fetch_all(links))
                }

                fn fetch_members<C: Collection<Member: Decode + Send>>(
                    &self,
                    collection: impl Into<Option<Link<C>>> + Send,
                ) -> Vec<Result<Resource<C::Member>, Error>> {
                    wait(self.0.fetch_members(collection))
                }

                fn update<P: Patch + Send>(
                    &self,
                    resource: &Resource<P::Resource>,
                    patch: P,
                ) -> Result<Outcome, Error> {
                    wait(self.0.update(resource, patch))
                }

                fn create<P: Create + Send, C: Collection<Member = P::Resource>>(
                    &self,
                    collection: &Link<C>,
                    body: P,
                ) -> Result<Outcome, Error> {
                    wait(self.0.create(collection, body))
                }

                fn update_firmware(
                    &self,
                    name: &str,
                    source: &Source,
                    targets: &[String],
                ) -> Result<Outcome, Error> {
                    wait(self.0.update_firmware(name, &source.0, targets))
                }

                fn push(&self, call: Call<PushUpdate>, source: &Source) -> Result<Outcome, Error> {
                    wait(self.0.push(call, &source.0))
                }

                fn download(
                    &self,
                    path: &str,
                    into: &mut (impl Write + Send),
                    limit: u64,
                ) -> Result<u64, Error> {
                    wait(self.0.download(path, &mut writer(into), limit))
                }

                fn events(&self, filter: Option<&str>) -> Result<Events, Error> {
                    Ok(events(wait(self.0.events(filter))?))
                }

                fn events_at(&self, source: EventSource) -> Events {
                    events(self.0.events_at(source))
                }

                fn subscribe(&self, subscription: Subscription) -> Result<Target, Error> {
                    wait(self.0.subscribe(subscription))
                }

                fn subscriptions(&self) -> Result<Listed<Resource<EventDestination>>, Error> {
                    wait(self.0.subscriptions())
                }

                fn unsubscribe(&self, path: &str) -> Result<Outcome, Error> {
                    wait(self.0.unsubscribe(path))
                }

                fn walk(&self, walk: Walk) -> adapter::Walking {
                    Box::new(Walking(self.0.walk(walk)))
                }
            }

            impl Iterator for Walking {
                type Item = Result<Event, Error>;

                fn next(&mut self) -> Option<Self::Item> {
                    wait(self.0.next())
                }
            }

            impl adapter::DrivenWalk for Walking {
                fn place(&self, number: usize) -> Option<Place> {
                    self.0.place(number)
                }

                fn known(&self) -> usize {
                    self.0.known()
                }

                fn into_walk(self: Box<Self>) -> Walk {
                    self.0.into_walk()
                }
            }

            impl adapter::Builder<Client> for Builder {
                fn login(self, credentials: Credentials) -> Self {
                    Builder(self.0.login(credentials))
                }

                fn resume(self, session: Session) -> Self {
                    Builder(self.0.resume(session))
                }

                fn basic(self, credentials: Credentials) -> Self {
                    Builder(self.0.basic(credentials))
                }

                fn bearer(self, token: &str) -> Self {
                    Builder(self.0.bearer(token))
                }

                fn anonymous(self) -> Self {
                    Builder(self.0.anonymous())
                }

                fn context(self, context: &str) -> Self {
                    Builder(self.0.context(context))
                }

                fn sessions(self, path: &str) -> Self {
                    Builder(self.0.sessions(path))
                }

                fn transport(self, transport: &Transport) -> Self {
                    Builder(self.0.transport(&transport.0))
                }

                fn trust(self, trust: &Trust) -> Self {
                    Builder(self.0.trust(trust))
                }

                fn observer(self, observer: impl Fn(&Trace<'_>) + Send + Sync + 'static) -> Self {
                    Builder(self.0.observer(observer))
                }

                fn build(self) -> Result<Client, Error> {
                    Ok(Client(self.0.build()?))
                }
            }

            impl adapter::Transport for Transport {
                type Builder = TransportBuilder;

                fn new(trust: &Trust) -> Self {
                    Transport($krate::Transport::new(trust))
                }

                fn builder() -> TransportBuilder {
                    TransportBuilder($krate::Transport::builder())
                }
            }

            impl adapter::TransportBuilder<Transport> for TransportBuilder {
                fn trust(self, trust: &Trust) -> Self {
                    TransportBuilder(self.0.trust(trust))
                }

                fn limits(self, limits: TransportLimits) -> Self {
                    TransportBuilder(self.0.limits(limits))
                }

                fn clock(self, time: Arc<dyn adapter::Clock>) -> Self {
                    TransportBuilder(self.0.clock(clock(time)))
                }

                fn build(self) -> Transport {
                    Transport(self.0.build())
                }
            }

            impl adapter::Source for Source {
                fn file(path: impl Into<PathBuf>) -> io::Result<Self> {
                    Ok(Source($krate::Source::file(path)?))
                }

                fn reopened(
                    length: u64,
                    open: impl Fn() -> io::Result<Reader> + Send + Sync + 'static,
                ) -> Self {
                    Source($krate::Source::reopened(length, move || Ok(Box::new(reader(open()?)))))
                }

                fn once(length: u64, read: impl Read + Send + Sync + 'static) -> Self {
                    Source($krate::Source::once(length, reader(read)))
                }

                fn progress(self, report: impl Fn(u64) + Send + Sync + 'static) -> Self {
                    Source(self.0.progress(report))
                }

                fn payload(&self) -> Payload {
                    self.0.payload()
                }

                fn push_update(&self, name: &str) -> Result<PushUpdate, Error> {
                    self.0.push_update(name)
                }
            }
        }
    };
}
