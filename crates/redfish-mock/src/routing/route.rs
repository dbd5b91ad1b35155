//! Where a request goes: what stands at its path, which methods it takes, what a GET of it shows.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use crate::handlers::update::Push;
use crate::inventory::UPDATE_SERVICE;
use crate::inventory::action::{Action, SIMPLE_UPDATE};
use crate::inventory::tree::{Body, Change, Resource, Takes};
use crate::mock::{Caller, Mock};
use crate::protocol::path::Path;
use crate::protocol::profile::Profile;
use crate::protocol::request::Request;
use crate::protocol::response::Content;
use crate::state::accounts::{ACCOUNT_SERVICE, ACCOUNTS, Privilege};
use crate::state::events::{STREAM, SUBSCRIPTIONS};
use crate::state::sessions::{SESSION_SERVICE, SESSIONS};
use crate::state::tasks::{MONITORS, TASKS};

/// What stands at a path.
#[derive(Debug)]
pub(crate) enum Place {
    Sessions,
    Session(u64),
    Accounts,
    Account(u32),
    Subscriptions,
    Subscription(u64),
    /// The stream of server-sent events.
    Stream,
    /// Where firmware is sent.
    Push(Push),
    Tasks,
    Task(u64),
    /// The monitor of a task that has something to tell yet.
    Monitor(u64),
    /// The target of an action that the resource offers.
    Action {
        resource: Arc<Resource>,
        name: String,
    },
    Resource(Arc<Resource>),
}

impl Place {
    /// Where a request goes.
    pub(crate) fn find(mock: &Mock, request: &Request<'_>) -> Option<Place> {
        Place::at(mock, &request.path, request.method)
    }

    pub(crate) fn at(mock: &Mock, path: &Path, method: &Method) -> Option<Place> {
        // A mockup may have sessions of its own, which are none.
        if let Some(segment) = path.below(SESSIONS, mock.profile).filter(|segment| *segment != "Members") {
            let id = segment.parse().ok().filter(|id: &u64| id.to_string() == segment)?;
            return mock.sessions.find(id).map(|_| Place::Session(id));
        }
        Place::collection(mock, path, method)
            .or_else(|| Place::passing(mock, path))
            .or_else(|| Place::resource(mock, path, method))
            .or_else(|| Place::target(mock, path))
    }

    /// A collection of what comes and goes.
    fn collection(mock: &Mock, path: &Path, method: &Method) -> Option<Place> {
        let named = |collection: &str| {
            path.names(collection, mock.profile)
                || creates_in(path, method, mock.profile)
                    .is_some_and(|above| Path::new(above).names(collection, mock.profile))
        };
        // A mockup may have accounts of its own, which nobody logs in with.
        let ours = |collection: &str| named(collection) && mock.tree.at(collection).is_none();
        if named(SESSIONS) {
            return Some(Place::Sessions);
        }
        [(ACCOUNTS, Place::Accounts), (SUBSCRIPTIONS, Place::Subscriptions), (TASKS, Place::Tasks)]
            .into_iter()
            .find_map(|(collection, place)| ours(collection).then_some(place))
    }

    /// What comes and goes.
    fn passing(mock: &Mock, path: &Path) -> Option<Place> {
        let below = |collection: &str| path.below(collection, mock.profile);
        let account = || {
            let segment = below(ACCOUNTS).filter(|_| mock.tree.at(ACCOUNTS).is_none())?;
            mock.accounts.find(segment).map(Place::Account)
        };
        account()
            .or_else(|| mock.events.find(below(SUBSCRIPTIONS)?).map(Place::Subscription))
            .or_else(|| mock.tasks.find(below(TASKS)?).map(Place::Task))
            .or_else(|| mock.tasks.find_monitored(below(MONITORS)?).map(Place::Monitor))
    }

    fn resource(mock: &Mock, path: &Path, method: &Method) -> Option<Place> {
        if let Some(resource) = mock.tree.find(path) {
            return Some(Place::Resource(resource.clone()));
        }
        let collection = mock.tree.find(&Path::new(creates_in(path, method, mock.profile)?))?;
        collection.takes.members.map(|_| Place::Resource(collection.clone()))
    }

    /// What is no resource: a stream, or where actions and firmware go.
    fn target(mock: &Mock, path: &Path) -> Option<Place> {
        if path.names(STREAM, mock.profile) {
            return Some(Place::Stream);
        }
        let service = mock.tree.at(UPDATE_SERVICE).map(|service| service.document());
        let is_here = |name: &str| {
            service
                .and_then(|service| service[name].as_str())
                .is_some_and(|uri| path.names(uri, mock.profile))
        };
        if let Some((push, _)) = Push::ALL.into_iter().find(|(_, name)| is_here(name)) {
            return Some(Place::Push(push));
        }
        // The key differs from what was written in letters' case alone.
        let owner = path.written().get(..path.key().find("/actions/")?)?;
        let resource = mock.tree.find(&Path::new(owner))?;
        let name = resource.action(path.written())?.to_owned();
        let target = resource.offer(&name)["target"].as_str()?;
        path.names(target, mock.profile).then(|| Place::Action { resource: resource.clone(), name })
    }

    /// Whether the method needs no authentication here: reading what describes the service, and logging in.
    pub(crate) fn is_open_to(&self, method: &Method) -> bool {
        match self {
            Place::Sessions => method == Method::POST,
            Place::Resource(resource) => resource.open && (method == Method::GET || method == Method::HEAD),
            _ => false,
        }
    }

    pub(crate) fn methods(&self) -> Vec<Method> {
        match self {
            Place::Sessions | Place::Accounts | Place::Subscriptions => {
                vec![Method::GET, Method::HEAD, Method::POST]
            }
            Place::Session(_) | Place::Task(_) | Place::Monitor(_) => {
                vec![Method::GET, Method::HEAD, Method::DELETE]
            }
            Place::Tasks | Place::Stream => vec![Method::GET, Method::HEAD],
            Place::Account(_) | Place::Subscription(_) => {
                vec![Method::GET, Method::HEAD, Method::PATCH, Method::DELETE]
            }
            Place::Action { .. } | Place::Push(_) => vec![Method::POST],
            Place::Resource(resource) => {
                let Takes { change, members, delete } = resource.takes;
                let patch = (!matches!(change, Change::These([]))).then_some(Method::PATCH);
                let post = members.map(|_| Method::POST);
                let delete = delete.then_some(Method::DELETE);
                [Method::GET, Method::HEAD].into_iter().chain(post).chain(patch).chain(delete).collect()
            }
        }
    }

    /// How long what is done here takes, where it is always a task.
    pub(crate) fn takes(&self, mock: &Mock) -> Option<Duration> {
        match self {
            _ if self.updates() => Some(mock.update_time),
            Place::Action { name, .. } => Action::named(name)?.takes,
            _ => None,
        }
    }

    /// Whether firmware is brought here.
    pub(crate) fn updates(&self) -> bool {
        match self {
            Place::Action { name, .. } => name == SIMPLE_UPDATE.name,
            Place::Push(_) => true,
            _ => false,
        }
    }

    /// Whether a write here may be a task: neither a login nor a logout is, nor what is done to a task.
    pub(crate) fn may_take_a_while(&self) -> bool {
        !matches!(self, Place::Sessions | Place::Session(_) | Place::Task(_) | Place::Monitor(_))
    }

    /// What a role must have to do this here; `own` is whether the account or session is the caller's. As in the standard's
    /// own registry of privileges (DSP0266, "Redfish service operation-to-privilege mapping").
    pub(crate) fn privilege(&self, method: &Method, own: bool) -> Privilege {
        match self {
            Place::Account(_) if own && method != Method::DELETE => Privilege::ConfigureSelf,
            Place::Session(_) | Place::Task(_) | Place::Monitor(_) if own => Privilege::ConfigureSelf,
            Place::Account(_) => Privilege::ConfigureUsers,
            _ if method == Method::GET || method == Method::HEAD => Privilege::Login,
            Place::Accounts => Privilege::ConfigureUsers,
            // For subscriptions ConfigureManager would do too, but no role has that alone.
            Place::Push(_) | Place::Subscriptions | Place::Subscription(_) | Place::Stream => {
                Privilege::ConfigureComponents
            }
            Place::Session(_) | Place::Sessions | Place::Tasks | Place::Task(_) | Place::Monitor(_) => {
                Privilege::ConfigureManager
            }
            Place::Resource(resource) | Place::Action { resource, .. } => {
                if resource.path.starts_with(ACCOUNT_SERVICE) {
                    return Privilege::ConfigureUsers;
                }
                let manages = ["/redfish/v1/Managers/", SESSION_SERVICE];
                if manages.iter().any(|above| resource.path.starts_with(above)) {
                    Privilege::ConfigureManager
                } else {
                    Privilege::ConfigureComponents
                }
            }
        }
    }

    /// What a GET shows.
    pub(crate) fn content(&self, mock: &Mock, caller: Option<Caller>, now: Duration) -> Content {
        let mine = caller.and_then(|caller| caller.session);
        let document = match self {
            Place::Sessions => Some(mock.sessions.collection(mock.profile, mine)),
            Place::Session(id) => mock.sessions.find(*id).map(|session| session.render(mock.profile, mine)),
            Place::Accounts => Some(mock.accounts.collection(mock.profile)),
            Place::Account(id) => mock.accounts.render(*id, mock.profile),
            Place::Tasks => Some(mock.tasks.collection(mock.profile)),
            Place::Task(id) => mock.tasks.render(*id, now, mock.profile),
            Place::Subscriptions => Some(mock.events.collection(mock.profile)),
            Place::Subscription(id) => mock.events.render(*id, mock.profile),
            Place::Action { .. } | Place::Push(_) | Place::Monitor(_) | Place::Stream => None,
            Place::Resource(resource) => match &resource.body {
                Body::Document { rendered, .. } => Some(rendered.clone()),
                Body::Raw { media_type, bytes } => {
                    return Content::Raw { media_type, bytes: bytes.clone() };
                }
            },
        };
        document.map_or(Content::Nothing, Content::Document)
    }

    /// The ETag that a GET would have.
    pub(crate) fn etag(&self, mock: &Mock, caller: Option<Caller>, now: Duration) -> Option<String> {
        match self.content(mock, caller, now) {
            Content::Document(document) => Some(document.etag),
            _ => None,
        }
    }
}

/// The collection that a POST to its `Members` is one to (DSP0266, "POST (create)").
fn creates_in<'a>(path: &'a Path, method: &Method, profile: Profile) -> Option<&'a str> {
    let (above, _) = path.written().rsplit_once('/')?;
    (method == Method::POST && path.names(&format!("{above}/Members"), profile)).then_some(above)
}
