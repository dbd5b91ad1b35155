//! Reading a whole service, or a part of it, with several requests in flight.
//!
//! ```text
//!                    ┌──────────── Walk ────────────┐
//!   next_call(now) ◀─│ to be read, by rank and depth │◀─ links, pages, members ─┐
//!        │           └──────────────────────────────┘                          │
//!        ▼                                                                     │
//!   the driver runs the call ──▶ receive(ticket, result, now) ─────────────────┤
//!                                                                              ▼
//!   next_event() ◀── a resource with its place, or a failure ──────────────────┘
//! ```

mod collections;
mod document;
mod events;
mod fetch;
mod graph;
mod job;
mod links;
mod members;
mod reader;
mod settings;
mod tree;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::driver::Now;
use crate::driver::call::Call;
use crate::error::Error;
use crate::features::Features;
use crate::kind::ErrorKind;
use crate::reason::SessionAlive;
use crate::redact::SafeText;
use crate::resource::Resource;
use crate::service::Service;
use crate::target::Target;
use crate::view::{Decode, Json};

use events::Events;
use fetch::{Contents, Scanned};
use job::Job;
use members::Members;
use reader::Reader;
use settings::Settings;
use tree::Tree;

pub use fetch::{Fetch, Fetched};
pub use graph::Place;
pub use links::LinkedResources;
pub use reader::Ticket;
pub use settings::Link;

/// Reads resources along their links, each once, with several requests in flight.
///
/// It holds what is still to be read. Its driver, for example `Client::walk` of an adapter, takes [calls](Walk::next_call) as long
/// as it has room, returns their [results](Walk::receive), and takes [events](Walk::next_event) as they arrive.
///
/// # What is read
///
/// - Everything that links lead to, from the start. Relations (`Links` and `RelatedItem`, DSP0266, "Reference properties")
///   are followed last, and only below the start.
/// - Nothing is read twice: a resource is known by its URI without fragment and trailing slash.
/// - A member that its collection contains as a whole (with `@odata.id`, `@odata.type`, `Id` and `Name`) is not requested.
/// - Collections are requested with `$expand` if the service root offers it. If that fails, they are requested without it.
/// - Of a log, only the first page, unless the walk reads [whole logs](Walk::whole_logs).
/// - Links to other origins are reported, not followed.
///
/// # Order
///
/// Resources arrive in any order. The set of resources and the [place](Walk::place) of each do not depend on it. Of several
/// resources that link to one, the parent is that with the smallest depth, then position, then URI; a relation counts only
/// where no other link leads.
///
/// # Load and failures
///
/// - One request is in flight until a resource has been read with the credentials, then as many as the driver has room for, or one
///   if the service says that it [accepts no more](Features::concurrent_requests). A 429, a 503, or a connection that is refused
///   or closed without a response halves the number, down to one, and the request is repeated after a wait. After 32 responses,
///   one more may be in flight.
/// - A failure is an event, and the rest is read. After a failure without a response, the service root is read once, without
///   credentials and while nothing else is in flight. If that fails too, the walk ends.
/// - After a 401, a resource that was read before is read again. If that is refused too, the walk ends: the
///   credentials are not valid any more. [`resume`](Walk::resume) continues with others. The client checks or renews its session
///   only after the first of them, and once that look is refused.
///
/// A loop that performs one request at a time:
///
/// ```
/// # use redfish_proto::{*, driver::Now, walk::{Event, Fetch, Walk}};
/// # fn run<O: Operation>(_: Call<O>) -> Result<O::Output, Error> { Err(Service::new("").unwrap_err()) }
/// # fn now() -> Now { Now::default() }
/// # fn sleep(time: std::time::Duration) {}
/// fn read_all(mut walk: Walk) -> Result<(), Error> {
///     loop {
///         while let Some(event) = walk.next_event() {
///             if let Event::Resource(found) = event? {
///                 println!("{}", found.target());
///             }
///         }
///         match walk.next_call(now()) {
///             Some((ticket, call)) => walk.receive(ticket, run(call), now()),
///             None => match walk.pause(now()) {
///                 Some(time) => sleep(time),
///                 None => return Ok(()),
///             },
///         }
///     }
/// }
/// ```
pub struct Walk {
    settings: Settings,
    reader: Reader,
    plan: Plan,
    events: Events,
    /// Whether the end was reported.
    ended: bool,
}

/// What a walk reads, and how it numbers that.
enum Plan {
    Tree(Box<Tree>),
    Members(Box<Members>),
}

/// What happens on a walk.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A resource was read.
    Resource(Found),
    /// A resource could not be read, or a link is not followed.
    Unread(Unread),
    /// A further page of a collection could not be read, so that the rest of it is missing.
    PageFailed {
        /// The number of the collection.
        collection: usize,
        /// Why.
        error: Error,
    },
    /// Members of a page were left out, because they are neither links nor resources.
    LeftOut {
        /// The page.
        page: Target,
        /// Their number.
        members: usize,
    },
    /// A log has more pages, which are not read.
    LogShortened {
        /// The number of the collection.
        collection: usize,
    },
}

/// A resource that was read.
pub struct Found {
    number: usize,
    place: Place,
    scanned: Box<Scanned>,
}

/// A resource that was not read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unread {
    /// Its number.
    pub number: usize,
    /// Its URI, or the text of a link that is not followed.
    pub uri: SafeText,
    /// Its place, as far as it is known.
    pub place: Place,
    /// Why.
    pub error: Error,
}

impl Walk {
    /// A walk from this resource to everything below it and that it links to. A fragment of the target is ignored.
    pub fn new(service: impl Into<Arc<Service>>, start: Target) -> Walk {
        let start = start.without_fragment();
        Walk::with_plan(service.into(), |settings| Plan::Tree(Box::new(Tree::new(start, settings))))
    }

    /// A walk through all members of a collection, in its order. Members that their page does not contain as a
    /// whole are read, up to 64 ahead of the first one that has not arrived, or fewer if they are large. The next page is read once the members before it were taken.
    pub fn members(service: impl Into<Arc<Service>>, collection: Target) -> Walk {
        Walk::with_plan(service.into(), |_| Plan::Members(Box::new(Members::new(collection))))
    }

    /// A walk that reads the resources at these targets, in their order. One that is there twice is read twice.
    pub fn resources(service: impl Into<Arc<Service>>, targets: Vec<Target>) -> Walk {
        Walk::with_plan(service.into(), |_| Plan::Members(Box::new(Members::of_targets(targets))))
    }

    fn with_plan(service: Arc<Service>, plan: impl FnOnce(&Settings) -> Plan) -> Walk {
        let settings = Settings::default();
        let plan = plan(&settings);
        Walk { settings, reader: Reader::new(service), plan, events: Events::default(), ended: false }
    }

    /// Limits the number of links from the start. Default: no limit.
    #[must_use]
    pub fn max_depth(mut self, links: usize) -> Walk {
        self.settings.max_depth = links;
        if let Plan::Tree(tree) = &mut self.plan {
            tree.set_max_depth(links);
        }
        self
    }

    /// Limits the number of resources. More end the walk with an error. Default: 100,000.
    #[must_use]
    pub fn max_resources(mut self, resources: usize) -> Walk {
        self.settings.max_resources = resources;
        self
    }

    /// Limits the number of links that are still to be followed. More end the walk with an error. Default: 100,000.
    #[must_use]
    pub fn max_pending(mut self, links: usize) -> Walk {
        self.settings.max_pending = links;
        self
    }

    /// Limits the bodies of all resources together. More end the walk with an error. Default: 4 GiB.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Walk {
        self.settings.max_bytes = bytes;
        self
    }

    /// Limits the number of requests in flight. A service that says that it accepts only one gets one. Default: as many as the
    /// driver has room for.
    #[must_use]
    pub fn in_flight(mut self, requests: usize) -> Walk {
        self.settings.in_flight = Some(requests.max(1));
        self
    }

    /// Limits the time of each resource, including its repetitions. Default: that of the policy for each call.
    #[must_use]
    pub fn resource_deadline(mut self, time: Duration) -> Walk {
        self.settings.resource_deadline = Some(time);
        self
    }

    /// Limits the time of the whole walk. Default: no limit.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Walk {
        self.settings.deadline = Some(time);
        self
    }

    /// Reads further pages of log entries, too.
    #[must_use]
    pub fn whole_logs(mut self) -> Walk {
        self.settings.whole_logs = true;
        self
    }

    /// Sets whether collections are requested with `$expand`. Default: if the service root offers it.
    #[must_use]
    pub fn expand(mut self, expand: bool) -> Walk {
        self.settings.expand = expand;
        self
    }

    /// Follows only the links for which this returns `true`: by their name, their path, or the type of the resource that contains them.
    #[must_use]
    pub fn follow(mut self, filter: impl Fn(&Link<'_>) -> bool + Send + Sync + 'static) -> Walk {
        self.settings.filter = Some(Box::new(filter));
        self
    }

    /// Requests resources of these types, such as `Drive`, although their collection contains them: for services whose
    /// collections leave members of a resource out, and for ETags.
    #[must_use]
    pub fn reread<T: Into<Box<str>>>(mut self, types: impl IntoIterator<Item = T>) -> Walk {
        self.settings.reread.extend(types.into_iter().map(Into::into));
        self
    }

    /// The service.
    pub fn service(&self) -> &Arc<Service> {
        &self.reader.service
    }

    /// Number of resources and links that are known so far.
    pub fn known(&self) -> usize {
        match &self.plan {
            Plan::Tree(tree) => tree.known(),
            Plan::Members(members) => members.known(),
        }
    }

    /// The place of a resource. It is final once the walk has ended: until then, a shorter path may be found.
    pub fn place(&self, number: usize) -> Option<Place> {
        match &self.plan {
            Plan::Tree(tree) => tree.place(number),
            Plan::Members(_) => None,
        }
    }

    /// The error of the [maximum depth](Walk::max_depth), with the URI of a resource beyond it. For a walk that has ended: until
    /// then, a shorter path may be found.
    pub fn depth_exceeded(&self) -> Option<Error> {
        match &self.plan {
            Plan::Tree(tree) => {
                tree.depth_exceeded(&self.settings).map(|e| e.with_service(&self.reader.service))
            }
            Plan::Members(_) => None,
        }
    }

    /// The next call to run, if there is room for one more. Its result goes to [`receive`](Walk::receive). `None` while too
    /// many [events](Walk::next_event) wait to be taken.
    pub fn next_call(&mut self, now: Now) -> Option<(Ticket, Call<Fetch>)> {
        let Walk { settings, reader, plan, events, .. } = self;
        if events.is_full() {
            return None;
        }
        let needs_features = match plan {
            Plan::Tree(tree) => tree.needs_features(),
            Plan::Members(_) => true,
        };
        let next = |reader: &mut Reader| {
            if reader.features().is_none() && needs_features {
                return (reader.in_flight() == 0).then(|| Job::new(0, Fetch::features()));
            }
            match plan {
                Plan::Tree(tree) => tree.next_job(reader, settings),
                Plan::Members(members) => members.next_job(reader, settings, events),
            }
        };
        let (ticket, job, deadline) = reader.next_job(settings, now, next)?;
        let call = reader.service.call(job.fetch);
        Some((
            ticket,
            match deadline {
                Some(deadline) => call.deadline(deadline),
                None => call,
            },
        ))
    }

    /// Takes the result of a call.
    pub fn receive(&mut self, ticket: Ticket, result: Result<Fetched, Error>, now: Now) {
        for (job, result) in self.reader.receive(&ticket, result, &self.settings, now) {
            self.settle(job, result);
        }
    }

    fn settle(&mut self, job: Job, result: Result<Contents, Error>) {
        let Walk { settings, reader, plan, events, .. } = self;
        let settled = match plan {
            Plan::Tree(tree) => tree.settle(job, result, reader, settings, events),
            Plan::Members(members) => members.settle(job, result, events),
        };
        if let Err(error) = settled {
            let error = error.with_service(&reader.service);
            reader.end(error);
        }
    }

    /// What has happened since. An error ends the walk: the start cannot be read, a limit is exceeded, the service does
    /// not respond, or it does not accept the credentials.
    pub fn next_event(&mut self) -> Option<Result<Event, Error>> {
        if let Some(event) = self.events.pop_front() {
            return Some(Ok(event));
        }
        let error = self.reader.end.clone().filter(|_| !self.ended)?;
        self.ended = true;
        Some(Err(error))
    }

    /// What has arrived before its turn, in the order of the collection: for a walk through members that has ended with an error and
    /// is not [resumed](Walk::resume). Members that are missing before it are left out.
    pub fn take_early(&mut self) -> Vec<Event> {
        match &mut self.plan {
            Plan::Tree(_) => Vec::new(),
            Plan::Members(members) => members.take_early(),
        }
    }

    /// How long to wait before something is repeated. The walk has ended if there is no event and no next call, none is in flight,
    /// and nothing is to be repeated.
    pub fn pause(&self, now: Now) -> Option<Duration> {
        if self.reader.end.is_some() { None } else { self.reader.pause(now) }
    }

    /// Tells it what the service root says, if the driver knows that. Otherwise the walk reads the root first.
    pub fn learn_features(&mut self, features: Option<Features>) {
        features.into_iter().for_each(|features| self.reader.learn_features(features));
    }

    /// Ends it with this error, for example that of the login.
    pub fn fail(&mut self, error: Error) {
        self.reader.end(error);
    }

    /// Takes back the calls whose results will not come, because their driver was dropped. What they read is read again.
    pub fn recall(&mut self) {
        self.reader.recall();
    }

    /// Continues a walk that has ended with an error, for example with other credentials.
    pub fn resume(&mut self) {
        self.reader.resume();
        self.ended = false;
    }

    /// Continues a walk that has ended with a 401, whose session is alive nevertheless: the resources that were refused are not
    /// read again. Returns their number.
    pub fn accept_refusals(&mut self, how: SessionAlive) -> usize {
        let number = self.reader.suspects();
        let refused = self.reader.accept_refusals(how);
        self.resume();
        for (job, result) in refused {
            self.settle(job, result);
        }
        number
    }
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Walk({} known, {} in flight)", self.known(), self.reader.in_flight())
    }
}

impl Found {
    /// Its number, by which the [place](Walk::place) of it and of its children is known.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Its place, as far as it is known now.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Its URI.
    pub fn target(&self) -> &Target {
        self.scanned.resource.target()
    }

    /// The resource with its ETag and its JSON. One that its collection contained has no ETag.
    pub fn resource(&self) -> &Resource<()> {
        &self.scanned.resource
    }

    /// The name of its type, such as `ComputerSystem`. Empty if the service does not say.
    pub fn type_name(&self) -> &str {
        &self.scanned.type_name
    }

    /// Reads it as a type: a view, or a type of serde.
    ///
    /// # Errors
    /// [`Malformed`](ErrorKind::Malformed) with the JSON pointer of what does not fit.
    pub fn json<T: Decode>(&self) -> Result<T, Error> {
        self.scanned.json()
    }

    /// The resource with its value as a type.
    ///
    /// # Errors
    /// Those of [`json`](Found::json).
    pub fn read<T: Decode>(&self) -> Result<Resource<T>, Error> {
        Ok(self.resource().with_value(self.json()?))
    }

    /// The resource, or the part of it that this target means.
    fn read_as<T: Decode>(&self, target: &Target) -> Result<Resource<T>, Error> {
        let Some(fragment) = target.fragment() else { return self.read() };
        let value: T =
            self.json::<Json>()?.decode_fragment(fragment).map_err(|fault| self.scanned.malformed(fault))?;
        Ok(self.resource().with_value(value).at(target.clone()))
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({} at {:?})", self.target(), self.place)
    }
}

impl Unread {
    /// Whether the link leads to nothing that the account may read, which says little about the service: it was answered
    /// with 401, 403, 404, 410, 501 or a redirect, or leaves the origin, or is no link.
    pub fn leads_to_nothing(&self) -> bool {
        match self.error.status().map(|status| status.as_u16()) {
            _ if matches!(self.error.kind(), ErrorKind::Transport(_)) => false,
            Some(status) => matches!(status, 300..=399 | 401 | 403 | 404 | 410 | 501),
            None => matches!(self.error.kind(), ErrorKind::CrossOrigin { .. } | ErrorKind::Malformed { .. }),
        }
    }
}
